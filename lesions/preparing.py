"""The tiles of a stored picture, made when somebody first looks at it closely. Keyword-only verbs."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from django.conf import settings

from lesions import admission, storage
from lesions.ingest import in_limited_process
from lesions.ingest_worker import DAMAGED
from lesions.models import FileKind, ImagingFile
from lesions.raster import Broken, Raster
from lesions.refusal import Refused

KINDS = {"application/dicom": "dicom", "image/jpeg": "jpeg", "image/png": "png", "application/pdf": "pdf"}


class Busy(Exception):
    """Somebody else's request is making it at this moment."""


def raster_of(file: ImagingFile) -> Raster | None:
    """The tiles of a picture; None where they are not made yet."""
    try:
        return Raster.read(storage.path_of(file.sha256, settings.FILES_DIR, storage.REMADE))
    except (FileNotFoundError, Broken, ValueError):
        return None


def has_picture(file: ImagingFile) -> bool:
    return file.media_type in KINDS and (file.has_preview or file.kind_of_file != FileKind.PDF)


def prepare(*, file: ImagingFile) -> Raster:
    """Make the tiles in the limited process and keep them. Safe to repeat; a derived file, so nothing is recorded.

    Raises :class:`Refused` for pixels that cannot be read, :class:`Busy`, FileNotFoundError without the original, or
    OSError for a full disk.
    """
    root = settings.FILES_DIR
    original = storage.path_of(file.sha256, root)
    if not has_picture(file):
        raise FileNotFoundError(original)
    with _alone(original):
        if (standing := raster_of(file)) is not None:
            return standing
        temporary = root / "tmp"
        temporary.mkdir(mode=0o700, parents=True, exist_ok=True)
        with TemporaryDirectory(dir=temporary) as work:
            with admission.turn():
                in_limited_process("raster", KINDS[file.media_type], original, Path(work))
            # Removed or erased meanwhile: then its tiles must not stay behind.
            with storage.one_at_a_time(root):
                if not ImagingFile.objects.filter(sha256=file.sha256).exists():
                    raise FileNotFoundError(original)
                storage.store_raster(file.sha256, root, Path(work) / "raster")
    made = raster_of(file)
    if made is None:
        raise Refused(DAMAGED)
    return made


def prepare_patiently(*, file: ImagingFile, seconds: int) -> Raster:
    """As :func:`prepare`, for work nobody watches: waits while somebody else makes it. Raises what it does, or Busy."""
    for _turn in range(seconds):
        try:
            return prepare(file=file)
        except Busy:
            time.sleep(1)
    return prepare(file=file)


@contextmanager
def _alone(original: Path) -> Iterator[None]:
    """One process for a picture; the lock goes with the handle, whatever happens."""
    handle = os.open(original, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError as taken:
        raise Busy from taken
    finally:
        os.close(handle)
