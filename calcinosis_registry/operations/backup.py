"""A backup while the register is in use: database, files, and a sealed manifest; never the keys.

The database comes first and the files after it. A file is complete under the hash of its content before the row that
names it is committed, and is never changed: so every file the copied state names is there to be copied afterwards, and
one that is newer than the state does no harm. Only a file removed by somebody in between is missed; then both are taken
again.
"""

from __future__ import annotations

import fcntl
import json
import os
import platform
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import django
from django.conf import settings
from django.db import connection
from django.utils import timezone

from calcinosis_registry import __version__
from calcinosis_registry.operations import databases, manifest
from calcinosis_registry.operations.manifest import BackupRefused
from lesions import storage
from lesions.models import ImagingFile

FILES, SETTINGS = "files", "settings.json"
# The settings a restored register should be given again; none of them is secret.
TOLD_SETTINGS = ("TIME_ZONE", "LANGUAGE_CODE", "ALLOWED_HOSTS", "CSRF_TRUSTED_ORIGINS", "DEFAULT_FROM_EMAIL", "DEMO")
# The one key that may be changed at any time: it ends the sessions, no more.
FREE = "SECRET_KEY"
ATTEMPTS = 3

Tell = Callable[[str, int, int], None]  # what is being done, how much of it, of how much


@dataclass
class Made:
    """A finished backup. ``problems``: files the register itself has lost or that are damaged there."""

    folder: Path
    finished_at: str
    files: int
    bytes: int
    problems: list[str] = field(default_factory=list)


class _Gone(Exception):
    """A file was removed by somebody after the database was copied."""


def make_backup(target: Path, tell: Tell) -> Made:
    """Write everything aside, then rename it to ``target``. Raises BackupRefused or OSError; then nothing is left."""
    target = target.resolve()
    _check_target(target)
    with _one_at_a_time():
        for left in target.parent.glob(f".{target.name}.partial-*"):  # of a backup that was killed
            shutil.rmtree(left)
        for attempt in range(1, ATTEMPTS + 1):
            aside = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}.partial-"))  # mode 0700
            try:
                made = _write(aside, target, tell)
                break
            except _Gone as gone:
                shutil.rmtree(aside)
                if attempt == ATTEMPTS:
                    raise BackupRefused(f"Files were removed while the backup ran, {ATTEMPTS} times: {gone}") from gone
            except BaseException:
                shutil.rmtree(aside, ignore_errors=True)
                raise
        note_last(made)
    return made


def _check_target(target: Path) -> None:
    if target.exists() or target.is_symlink():
        raise BackupRefused(f"{target} exists already: a backup never overwrites anything.")
    if not target.parent.is_dir():
        raise BackupRefused(f"{target.parent} is not a directory.")
    if target.is_relative_to(settings.FILES_DIR):
        raise BackupRefused("Not among the register's own files.")
    needed, free = databases.size() + stored_files()["bytes"], shutil.disk_usage(target.parent).free
    if needed > free:
        raise BackupRefused(f"There is not enough room: {needed // 2**20} MB are needed, {free // 2**20} MB are free.")


def needed_keys() -> list[str]:
    """Without these the data cannot be used: a restore asks for the same."""
    return [name for name in settings.KEY_NAMES if name != FREE]


def stored_files() -> dict[str, int]:
    """How many files the register keeps, and how many bytes their originals have."""
    kept = ImagingFile.objects.order_by().values("sha256", "size").distinct()
    sizes = [one["size"] for one in kept]
    return {"count": len(sizes), "bytes": sum(sizes)}


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    with (settings.DATA_DIR / "backup.lock").open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise BackupRefused("Another backup is running.") from error
        yield


def _write(aside: Path, target: Path, tell: Tell) -> Made:
    tell("database", 0, 1)
    facts = databases.take(aside)
    tell("database", 1, 1)
    database = databases.PARTS[connection.vendor]
    parts = {database: manifest.describe(aside / database)}
    problems = _copy_files(facts.files, aside, parts, tell)
    (aside / SETTINGS).write_text(json.dumps(_settings(), indent=1, sort_keys=True), encoding="utf-8")
    parts[SETTINGS] = manifest.describe(aside / SETTINGS)
    finished_at = timezone.now().isoformat()
    content = {
        "software": {"name": "calcinosis registry", "version": __version__, "django": django.get_version(),
                     "python": platform.python_version()},
        "finished_at": finished_at,
        "engine": connection.vendor,
        "keys": {name: sorted(manifest.fingerprints(getattr(settings, name))) for name in needed_keys()},
        "database": {key: value for key, value in asdict(facts).items() if key != "files"},
        "problems": problems,
        "parts": parts,
    }  # fmt: skip
    manifest.write(aside, content, key=settings.PSEUDONYM_KEY)
    manifest.sync_tree(aside)
    os.rename(aside, target)
    manifest.sync(target.parent)
    size = sum(part["bytes"] for part in parts.values())
    return Made(target, finished_at, len(parts) - 2, size, problems)


def _copy_files(hashes: list[str], aside: Path, parts: dict[str, dict[str, Any]], tell: Tell) -> list[str]:
    """Copy originals and their previews. Returns the problems of the register's own files."""
    problems = []
    for done, sha256 in enumerate(hashes, 1):
        original = storage.path_of(sha256, settings.FILES_DIR)
        try:
            about = _copy(original, aside, parts)
        except FileNotFoundError as error:
            if not ImagingFile.objects.filter(sha256=sha256).exists():
                raise _Gone(original.name) from error
            problems.append(f"{sha256} is missing in the register")
            continue
        if about["sha256"] != sha256:
            problems.append(f"{sha256} is damaged in the register")
        for kind in storage.RENDERED:  # one may be missing
            with suppress(FileNotFoundError):
                _copy(storage.path_of(sha256, settings.FILES_DIR, kind), aside, parts)
        tell("files", done, len(hashes))
    return problems


def _copy(path: Path, aside: Path, parts: dict[str, dict[str, Any]]) -> dict[str, Any]:
    name = f"{FILES}/{path.relative_to(settings.FILES_DIR)}"
    parts[name] = manifest.copy(path, aside / name)
    return parts[name]


def _settings() -> dict[str, Any]:
    return {name: getattr(settings, name) for name in TOLD_SETTINGS}


def _note() -> Path:
    return Path(settings.DATA_DIR) / "last-backup.json"


def note_last(made: Made) -> None:
    """Beside the data, not in the database: a restored register must not take the old note for its own."""
    text = json.dumps({**asdict(made), "folder": str(made.folder)})
    aside = _note().with_suffix(".new")
    aside.write_text(text, encoding="utf-8")
    os.replace(aside, _note())


def last() -> Made | None:
    """The newest backup that was finished, as far as this register knows."""
    try:
        told = json.loads(_note().read_text(encoding="utf-8"))
        return Made(**{**told, "folder": Path(told["folder"])})
    except (OSError, ValueError, TypeError, KeyError):
        return None
