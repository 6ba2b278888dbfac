"""Take in an uploaded file: decide by its content what it is, parse it in a limited process, hand back a cleaned copy.

Nothing here touches the database. The caller owns the working folder (a TemporaryDirectory) and so the clean-up.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import unicodedata
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath, PureWindowsPath

from lesions.dicom import DicomHeader
from lesions.ingest_worker import DAMAGED, TOO_LARGE
from lesions.refusal import Refused
from lesions.refusal import gettext_noop as _

HEAD_BYTES = 512
TIMEOUT_SECONDS = {"take": 25, "raster": 60}  # a person waits 30 at most, and looks at a preview meanwhile
MEDIA_TYPES = {"dicom": "application/dicom", "jpeg": "image/jpeg", "png": "image/png", "pdf": "application/pdf"}
MAX_BYTES = {"dicom": 512 * 10**6, "jpeg": 25 * 10**6, "png": 25 * 10**6, "pdf": 25 * 10**6}
_SUFFIXES = {
    ".dcm": "dicom", ".dicom": "dicom", ".jpg": "jpeg", ".jpeg": "jpeg", ".png": "png", ".pdf": "pdf", ".zip": "zip"
}  # fmt: skip
_KIND_NAMES = {"dicom": "DICOM", "jpeg": "JPEG", "png": "PNG", "pdf": "PDF", "zip": "ZIP"}
_ACCEPTED = ((b"\xff\xd8\xff", "jpeg"), (b"\x89PNG\r\n\x1a\n", "png"), (b"%PDF-", "pdf"), (b"PK\x03\x04", "zip"))
_NOT_ACCEPTED = (
    (b"GIF8", "GIF"),
    (b"II*\0", "TIFF"),
    (b"MM\0*", "TIFF"),
    (b"BM", "BMP"),
    (b"%!PS", "EPS"),
    (b"Rar!", "RAR"),
    (b"7z\xbc\xaf", "7z"),
    (b"\x1f\x8b", "gzip"),
    (b"<svg", "SVG"),
)
_PROJECT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, kw_only=True)
class Ingested:
    """A file that was read whole.

    ``stored_path`` is the cleaned copy in the caller's folder, of ``sha256`` and ``size`` (bytes); ``original_sha256``
    is of the bytes as uploaded. ``width`` and ``height`` in pixels. ``preview`` and ``thumbnail`` are PNG bytes (at
    most 1600 and 320 pixels a side), of a PDF its first page; all four None for one that could not be drawn. ``pages``
    of a PDF are those that are shown. ``warnings`` are sentences for gettext.
    """

    kind: str
    media_type: str
    sha256: str
    original_sha256: str
    size: int
    stored_path: Path
    preview: bytes | None
    thumbnail: bytes | None
    header: DicomHeader | None
    width: int | None
    height: int | None
    pages: int = 1
    warnings: list[str] = field(default_factory=list)


def identify(first_bytes: bytes) -> str:
    """dicom, jpeg, png, pdf or zip, from at least the first 132 bytes. Raises :class:`Refused` for anything else."""
    if first_bytes[128:132] == b"DICM":
        return "dicom"
    for mark, kind in _ACCEPTED:
        if first_bytes.startswith(mark):
            return kind
    if not first_bytes:
        raise Refused(_("The file is empty."))
    raise Refused(
        _("%(found)s is not accepted; upload DICOM, JPEG, PNG, PDF or a zip of a study."), found=_other(first_bytes)
    )


def _other(first_bytes: bytes) -> str:
    if first_bytes[4:8] == b"ftyp":
        return "HEIC" if first_bytes[8:10] in (b"he", b"mi", b"ms") else "MP4"
    if first_bytes[:4] == b"RIFF" and first_bytes[8:12] == b"WEBP":
        return "WebP"
    start = first_bytes.lstrip(b"\xef\xbb\xbf \r\n\t")
    named = next((name for mark, name in _NOT_ACCEPTED if start.startswith(mark)), "")
    return named or ("SVG" if b"<svg" in start.lower() else _("This kind of file"))


def shown_name(name: str) -> str:
    """The name as it may be shown and kept: no folders, control or direction characters, at most 100 characters."""
    base = PurePosixPath(PureWindowsPath(name).name).name
    clean = "".join(character for character in base if unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Co"))
    return clean.strip()[-100:] or "file"


def ingest(path: Path, name: str, folder: Path) -> Ingested:
    """Read the file at ``path``, uploaded as ``name``; its results go into ``folder`` (existing, empty, the caller's).

    Raises :class:`Refused` with the file's name and one reason, or OSError for a full disk; ``folder`` is then empty
    again.
    """
    try:
        with path.open("rb") as file:
            kind = identify(file.read(HEAD_BYTES))
        _check_outside(path, name, kind)
        answer = in_limited_process("take", kind, path, folder)
        return _ingested(kind, path, folder, answer)
    except BaseException as problem:
        for left in folder.iterdir():
            left.unlink()
        if isinstance(problem, Refused):
            problem.name = shown_name(name)
        raise


def _check_outside(path: Path, name: str, kind: str) -> None:
    """What can be said without parsing: the name's ending and the size."""
    suffix = PurePosixPath(shown_name(name)).suffix.lower()
    # DICOM files often end in a piece of their UID; other kinds bear their own ending or none
    allowed = suffix not in _SUFFIXES if kind == "dicom" else suffix == ""
    if not allowed and _SUFFIXES.get(suffix) != kind:
        raise Refused(
            _("The name ends in %(suffix)s, but the content is %(kind)s."), suffix=suffix, kind=_KIND_NAMES[kind]
        )
    if kind == "zip":
        raise Refused(_("An archive inside an archive is not accepted."))
    if path.stat().st_size > MAX_BYTES[kind]:
        raise Refused(_("The file is larger than %(limit)s MB."), limit=MAX_BYTES[kind] // 10**6)


def in_limited_process(task: str, kind: str, path: Path, folder: Path) -> dict:
    """Run the worker. Its environment holds no secrets, its answer is plain JSON, its death is a refusal.

    Raises :class:`Refused`, or OSError for a full disk.
    """
    request = json.dumps({"task": task, "kind": kind, "source": str(path.resolve()), "folder": str(folder.resolve())})
    environment = {"PATH": os.environ.get("PATH", ""), "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    try:
        done = subprocess.run(
            [sys.executable, "-m", "lesions.ingest_worker"],
            input=request.encode(),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=TIMEOUT_SECONDS[task],
            cwd=_PROJECT,
            env=environment,
            check=False,
        )
    except subprocess.TimeoutExpired as problem:
        raise Refused(TOO_LARGE) from problem
    if done.returncode < 0:  # a signal: limits end in PROF, XCPU, KILL or ABRT; anything else is a crash of a decoder
        raise Refused(TOO_LARGE if -done.returncode in (6, 9, 24, 25, 27) else DAMAGED)
    try:
        answer = json.loads(done.stdout)
    except ValueError as problem:
        raise Refused(DAMAGED) from problem
    if "no_room" in answer:
        raise OSError(answer["no_room"], os.strerror(answer["no_room"]))
    if "refused" in answer:
        text, values = answer["refused"]
        raise Refused(text, **values)
    return answer


def _ingested(kind: str, path: Path, folder: Path, answer: dict) -> Ingested:
    stored = folder / "stored"
    pictures = {name: folder / f"{name}.png" for name in ("preview", "thumbnail")}
    return Ingested(
        kind=kind,
        media_type=MEDIA_TYPES[kind],
        sha256=_sha256(stored),
        original_sha256=_sha256(path),
        size=stored.stat().st_size,
        stored_path=stored,
        preview=pictures["preview"].read_bytes() if pictures["preview"].exists() else None,
        thumbnail=pictures["thumbnail"].read_bytes() if pictures["thumbnail"].exists() else None,
        header=DicomHeader.from_json(answer["header"]) if answer["header"] else None,
        width=answer["width"],
        height=answer["height"],
        pages=answer.get("frames", 1),
        warnings=answer["warnings"],
    )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
