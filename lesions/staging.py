"""Files that wait for an answer ("is it this patient?"): read and cleaned, but not in the store and in no table.

``root/staging/<random name>/`` holds what :func:`lesions.ingest.ingest` left, with ``facts.json`` beside it. Nobody but
the person who uploaded them can answer for them, and after a day they are gone.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import re
import secrets
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lesions.dicom import DicomHeader
from lesions.ingest import Ingested

KEPT_SECONDS = 24 * 3600
_FACTS = "facts.json"


@dataclass(frozen=True)
class Staged:
    """One waiting file. ``visit`` and ``study``: the public ids it was uploaded for, or ""."""

    token: str
    name: str
    visit: str
    study: str
    ingested: Ingested
    folder: Path


def stage(
    ingested: Ingested, *, name: str, patient_id: int, user_id: int, visit: str, study: str, root: Path
) -> Staged:
    """Move the folder of a file that was read, with all that is needed to take it later, into the waiting room."""
    facts = {one.name: getattr(ingested, one.name) for one in dataclasses.fields(ingested)}
    del facts["preview"], facts["thumbnail"], facts["stored_path"]
    facts["header"] = ingested.header.as_json() if ingested.header else None
    owner = {"patient": patient_id, "user": user_id, "name": name, "visit": visit, "study": study}
    folder = ingested.stored_path.parent
    (folder / _FACTS).write_text(json.dumps({"owner": owner, "facts": facts}), encoding="utf-8")
    room = _room(root)
    room.mkdir(mode=0o700, parents=True, exist_ok=True)
    token = secrets.token_urlsafe(18)
    os.rename(folder, room / token)
    return _read(room / token, patient_id, user_id)  # type: ignore[return-value]


def waiting(*, patient_id: int, user_id: int, root: Path) -> list[Staged]:
    """What this person uploaded for this patient and has not answered for, oldest first."""
    folders = sorted(_entries(_room(root)), key=_moved)
    return [found for folder in folders if (found := _read(folder, patient_id, user_id)) is not None]


def _moved(folder: Path) -> float:
    """When it came here; 0 for what somebody answered for a moment ago."""
    try:
        return folder.stat().st_mtime
    except FileNotFoundError:
        return 0


def find(token: str, *, patient_id: int, user_id: int, root: Path) -> Staged | None:
    """The waiting file of this name, if it is this person's and this patient's."""
    known = re.fullmatch(r"[A-Za-z0-9_-]{24}", token)
    return _read(_room(root) / token, patient_id, user_id) if known else None


def discard(staged: Staged) -> None:
    """Take a waiting file away for good."""
    shutil.rmtree(staged.folder, ignore_errors=True)


def discard_of(*, patient_id: int, root: Path) -> None:
    """Take away whatever waits for this patient, whoever uploaded it."""
    for folder in _of(patient_id, root):
        shutil.rmtree(folder, ignore_errors=True)


def anything_waits(*, patient_id: int, root: Path) -> bool:
    """Does a file wait for this patient, whoever uploaded it?"""
    return any(True for _folder in _of(patient_id, root))


def _of(patient_id: int, root: Path) -> Iterator[Path]:
    for folder in _entries(_room(root)):
        try:
            owner = json.loads((folder / _FACTS).read_text(encoding="utf-8"))["owner"]
        except (OSError, ValueError, KeyError):
            continue
        if owner.get("patient") == patient_id:
            yield folder


def sweep(root: Path) -> int:
    """Take away what nobody answered for within a day, and what an interrupted upload left. Returns how much."""
    gone = 0
    for room in (_room(root), root / "tmp", root / "incoming"):
        for left in _entries(room):
            with contextlib.suppress(FileNotFoundError):  # another upload sweeps too
                if time.time() - left.stat().st_mtime > KEPT_SECONDS:
                    shutil.rmtree(left, ignore_errors=True) if left.is_dir() else left.unlink()
                    gone += 1
    return gone


def _entries(room: Path) -> Iterator[Path]:
    yield from room.iterdir() if room.is_dir() else ()


def _room(root: Path) -> Path:
    return root / "staging"


def _read(folder: Path, patient_id: int, user_id: int) -> Staged | None:
    try:
        kept = json.loads((folder / _FACTS).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    owner, facts = kept["owner"], kept["facts"]
    if (owner["patient"], owner["user"]) != (patient_id, user_id):
        return None
    facts["header"] = DicomHeader.from_json(facts["header"]) if facts["header"] else None
    return Staged(
        folder.name,
        owner["name"],
        owner["visit"],
        owner["study"],
        Ingested(
            **facts,
            preview=_picture(folder / "preview.png"),
            thumbnail=_picture(folder / "thumbnail.png"),
            stored_path=folder / "stored",
        ),
        folder,
    )


def _picture(path: Path) -> bytes | None:
    return path.read_bytes() if path.exists() else None
