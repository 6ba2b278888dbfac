"""A zip of a study: checked by arithmetic first, then unpacked within bounds into single files."""

from __future__ import annotations

import stat
import struct
import zipfile
from pathlib import Path, PurePosixPath

from lesions.ingest import HEAD_BYTES, shown_name
from lesions.refusal import Refused
from lesions.refusal import gettext_noop as _

MAX_ARCHIVE_BYTES = 512 * 10**6
MAX_UNPACKED_BYTES = 2**30
MAX_ENTRIES = 2_000
MAX_RATIO = 100
_MAX_DIRECTORY_BYTES = 2**20
_SMALL = 2**20  # up to this size the ratio says nothing: an empty picture packs well
_IGNORED = {"DICOMDIR", "THUMBS.DB", "DESKTOP.INI", ".DS_STORE", "AUTORUN.INF"}


def expand(path: Path, folder: Path) -> list[tuple[str, Path]]:
    """The files of the archive as (name to show, path in ``folder``), to be ingested one by one.

    ``folder`` exists, is empty and belongs to the caller. Raises :class:`Refused`, with ``folder`` empty again, for
    more than 2,000 entries or 1 GiB unpacked, a ratio above 100, paths that lead outside, links, encryption, or
    archives inside.
    """
    try:
        _check_directory(path)
        with zipfile.ZipFile(path) as archive:
            entries = [entry for entry in archive.infolist() if not entry.is_dir()]
            _check_entries(entries)
            wanted = [entry for entry in entries if not _ignored(entry.filename)]
            if not wanted:
                raise Refused(_("The archive holds no files."))
            return [(shown_name(e.filename), _unpack(archive, e, folder / f"{n:04d}")) for n, e in enumerate(wanted)]
    except BaseException as problem:
        for left in folder.iterdir():
            left.unlink()
        if isinstance(problem, zipfile.BadZipFile | NotImplementedError | RuntimeError | EOFError | UnicodeError):
            raise Refused(_("The archive is incomplete or damaged.")) from problem
        raise


def _check_directory(path: Path) -> None:
    """Read the end record ourselves: zipfile would load a directory of any size (APPNOTE 4.3.16)."""
    size = path.stat().st_size
    if size > MAX_ARCHIVE_BYTES:
        raise Refused(_("The file is larger than %(limit)s MB."), limit=MAX_ARCHIVE_BYTES // 10**6)
    with path.open("rb") as file:
        file.seek(max(0, size - 22 - 65535 - 20))
        tail = file.read()
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or at + 22 > len(tail):
        raise Refused(_("The archive is incomplete or damaged."))
    entries, directory_bytes = struct.unpack_from("<HI", tail, at + 10)
    zip64 = at >= 20 and tail[at - 20 : at - 16] == b"PK\x06\x07"
    if zip64 or entries > MAX_ENTRIES or directory_bytes > _MAX_DIRECTORY_BYTES:
        raise Refused(_("The archive holds more than %(limit)s files."), limit=MAX_ENTRIES)


def _check_entries(entries: list[zipfile.ZipInfo]) -> None:
    names = [entry.filename for entry in entries]
    if len(entries) > MAX_ENTRIES:
        raise Refused(_("The archive holds more than %(limit)s files."), limit=MAX_ENTRIES)
    if len(set(names)) < len(names):
        raise Refused(_("The archive holds the same name twice."))
    if sum(entry.file_size for entry in entries) > MAX_UNPACKED_BYTES:
        raise Refused(_("The archive is larger than %(limit)s MB when unpacked."), limit=MAX_UNPACKED_BYTES // 2**20)
    for entry in entries:
        if _leads_outside(entry.filename):
            raise Refused(_("The archive names a place outside itself."))
        if stat.S_ISLNK(entry.external_attr >> 16):
            raise Refused(_("The archive holds a link."))
        if entry.flag_bits & 1:
            raise Refused(_("The archive is encrypted; please upload it without a password."))
        if entry.file_size > _SMALL and entry.file_size > MAX_RATIO * entry.compress_size:
            raise Refused(_("The archive could not be read: too large when unpacked."))


def _leads_outside(name: str) -> bool:
    parts = name.replace("\\", "/").split("/")
    return ".." in parts or parts[0] == "" or ":" in parts[0] or "\0" in name


def _ignored(name: str) -> bool:
    place = PurePosixPath(name)
    return place.name.upper() in _IGNORED or "__MACOSX" in place.parts


def _unpack(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, target: Path) -> Path:
    """zipfile stops at the declared size and compares the checksum, so the sum checked above bounds what is written."""
    with archive.open(entry) as packed, target.open("xb") as file:
        first = packed.read(HEAD_BYTES)
        if first.startswith(b"PK\x03\x04"):
            raise Refused(_("An archive inside an archive is not accepted."))
        file.write(first)
        while chunk := packed.read(2**20):
            file.write(chunk)
    return target
