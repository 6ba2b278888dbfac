"""Is every stored file still what it was? Re-hashes originals, checks rendered pictures, lists what nobody owns."""

from __future__ import annotations

import hashlib
import io
import re
import struct
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from calcinosis_registry.audit import trail
from calcinosis_registry.audit.models import Action
from lesions import raster, storage
from lesions.models import ImagingFile

_CHUNK = 2**20
_BATCH = 1000
_PNG = b"\x89PNG\r\n\x1a\n"
# An upload stores its file moments before its row: what is younger may still get its row.
ORPHAN_SECONDS = 24 * 3600
WORKING = frozenset({"incoming", "staging", "tmp"})


# Files kept elsewhere, by apps above: each adds in ready() what reads its own into the report.
BESIDES: list[Callable[[Report], None]] = []


@dataclass
class Report:
    """Paths relative to the store. ``checked`` and ``bytes`` count what was read."""

    checked: int = 0
    bytes: int = 0
    missing: list[str] = field(default_factory=list)
    corrupt: list[str] = field(default_factory=list)
    orphans: list[str] = field(default_factory=list)

    @property
    def well(self) -> bool:
        return not (self.missing or self.corrupt or self.orphans)

    def check(self, path: Path, name: str, sound: Callable[[io.BufferedReader], bool]) -> None:
        """Read one file; ``sound`` says whether it is what it was."""
        try:
            with path.open("rb") as file:
                self.bytes += path.stat().st_size
                self.checked += 1
                if not sound(file):
                    self.corrupt.append(name)
        except FileNotFoundError:
            self.missing.append(name)
        except OSError:  # a sector that cannot be read
            self.corrupt.append(name)


def verify(root: Path, *, progress: Callable[[int, int], None] = lambda done, total: None) -> Report:
    """Read every file that a row names, then look for files that no row names. Changes nothing."""
    report, owned = Report(), set()
    total = ImagingFile.objects.values("sha256").distinct().count()
    for done, (sha256, pictured) in enumerate(_named(), start=1):
        for kind in storage.KINDS if pictured else ("original",):
            path = storage.path_of(sha256, root, kind)
            owned.add(path)
            if kind != storage.REMADE or path.exists():
                _check(report, path, sha256, kind, root)
        progress(done, total)
    for besides in BESIDES:
        besides(report)
    report.orphans += [
        str(path.relative_to(root)) for path in _stored(root) if path not in owned and not _has_row(path)
    ]
    return report


def remove_orphans(root: Path, names: list[str]) -> list[str]:
    """Take away files no row names, a day after they were written; each is told to the trail. Returns what went."""
    gone = []
    with storage.one_at_a_time(root):
        for name in names:
            path = root / name
            if _has_row(path) or time.time() - path.stat().st_mtime < ORPHAN_SECONDS:
                continue
            trail.tell(Action.DELETE, changes={"file": [name, None]}, reason="no record names it")
            path.unlink()
            gone.append(name)
    return gone


def _named() -> Iterator[tuple[str, bool]]:
    """(checksum, has it pictures) once each, in order; a page of rows at a time."""
    last = ""
    while True:
        rows = ImagingFile.objects.filter(sha256__gt=last).order_by("sha256").values_list("sha256", "has_preview")
        page = list(rows[:_BATCH])
        if not page:
            return
        if len(page) == _BATCH:  # the same content may go on behind the page
            page += rows.filter(sha256=page[-1][0])
        pictured: dict[str, bool] = {}
        for sha256, shown in page:
            pictured[sha256] = pictured.get(sha256, False) or shown
        yield from pictured.items()
        last = page[-1][0]


def _check(report: Report, path: Path, sha256: str, kind: str, root: Path) -> None:
    def sound(file: io.BufferedReader) -> bool:
        if kind == "original":
            return hashlib.file_digest(file, "sha256").hexdigest() == sha256
        return raster.is_whole(path) if kind == storage.REMADE else _is_whole_png(file.read())

    report.check(path, str(path.relative_to(root)), sound)


def _is_whole_png(data: bytes) -> bool:
    """Every chunk's checksum (PNG 5.3) and nothing before, between or after: one changed bit shows."""
    if not data.startswith(_PNG):
        return False
    offset = len(_PNG)
    while offset + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, offset)
        end = offset + 12 + length
        if end > len(data) or zlib.crc32(data[offset + 4 : end - 4]) != struct.unpack_from(">I", data, end - 4)[0]:
            return False
        if data[offset + 4 : offset + 8] == b"IEND":
            return end == len(data)
        offset = end
    return False


def _stored(root: Path) -> Iterator[Path]:
    """Every file under its final name; what is on its way stands elsewhere (storage, staging)."""
    if not root.is_dir():
        return
    for top in sorted(root.iterdir()):
        if top.name not in WORKING:
            yield from (path for path in sorted([top, *top.rglob("*")]) if not path.is_dir())


def _has_row(path: Path) -> bool:
    sha256 = path.name.partition(".")[0]
    kind = next((kind for kind, suffix in storage.KINDS.items() if sha256 + suffix == path.name), None)
    if kind is None or not re.fullmatch(r"[0-9a-f]{64}", sha256) or path.parts[-3:-1] != (sha256[:2], sha256[2:4]):
        return False
    rows = ImagingFile.objects.filter(sha256=sha256)
    return (rows if kind == "original" else rows.filter(has_preview=True)).exists()
