"""Files kept under the SHA-256 of their content, outside the web root: ``root/ab/cd/abcdef…``, previews beside them.

A file is complete under its final name or not there at all: temporary name on the same file system, fsync, rename,
fsync of the folder. The same content is kept once; who may see it is the database's matter.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

KINDS = {"original": "", "preview": ".preview.png", "thumbnail": ".thumbnail.png", "raster": ".raster"}
RENDERED = ("preview", "thumbnail")  # of every picture, made when it is taken in
REMADE = "raster"  # made when the picture is first looked at, and again wherever it is missing: in no backup
_CHUNK = 2**20


def path_of(sha256: str, root: Path, kind: str = "original") -> Path:
    """Where a file is or would be. Raises ValueError for anything but 64 lower-case hexadecimal digits."""
    if not re.fullmatch(r"[0-9a-f]{64}", sha256):
        raise ValueError("not a SHA-256 in lower-case hexadecimal digits")
    return root / sha256[:2] / sha256[2:4] / (sha256 + KINDS[kind])


def store(temp_path: Path, root: Path) -> str:
    """Copy the file into the store and return its SHA-256. Raises OSError (disk full) and leaves nothing behind."""
    with temp_path.open("rb") as file:
        return _keep(iter(lambda: file.read(_CHUNK), b""), root)


def store_preview(sha256: str, root: Path, png: bytes, kind: str = "preview") -> None:
    """Keep a rendered picture (kind: preview, thumbnail) beside its original."""
    _keep([png], root, final=path_of(sha256, root, kind))


def store_raster(sha256: str, root: Path, raster: Path) -> None:
    """Keep the tiles made of a picture beside its original."""
    with raster.open("rb") as file:
        _keep(iter(lambda: file.read(_CHUNK), b""), root, final=path_of(sha256, root, REMADE))


@contextmanager
def one_at_a_time(root: Path) -> Iterator[None]:
    """Storing with its database row, or removing: nobody decides that a file is unused while another is adding it."""
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle = os.open(root, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)  # and with it the lock


def remove(sha256: str, root: Path) -> None:
    """Take a file and its previews away; the caller holds :func:`one_at_a_time` and knows that no row names it."""
    for kind in KINDS:
        path_of(sha256, root, kind).unlink(missing_ok=True)


def _keep(chunks: Iterable[bytes], root: Path, final: Path | None = None) -> str:
    incoming = root / "incoming"
    incoming.mkdir(mode=0o700, parents=True, exist_ok=True)
    digest = hashlib.sha256()
    handle, temporary = tempfile.mkstemp(dir=incoming)  # mode 0600
    try:
        with os.fdopen(handle, "wb") as file:
            for chunk in chunks:
                digest.update(chunk)
                file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
        sha256 = digest.hexdigest()
        target = final or path_of(sha256, root)
        _make_folders(target.parent, root)
        os.replace(temporary, target)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    _sync(target.parent)
    return sha256


def _make_folders(folder: Path, root: Path) -> None:
    """A new folder is durable only when its parent was synced too."""
    if folder.exists() or folder == root:
        return
    _make_folders(folder.parent, root)
    folder.mkdir(mode=0o700, exist_ok=True)
    _sync(folder.parent)


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
