"""The parsing process, ``python -m lesions.ingest_worker``: reads one untrusted file under limits, without Django.

In: one JSON object on standard input (task, kind, source, folder). Out: one JSON object on standard output, either the
facts or ``{"refused": [text, values]}``; files in ``folder``: ``stored``, ``preview.png``, ``thumbnail.png`` of an
upload (task "take"), ``raster`` of a stored picture (task "raster").
"""

from __future__ import annotations

import dataclasses
import errno
import io
import json
import os
import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lesions import dicom, dicom_deflated, dicom_structure, photograph, raster_pixels, report_pages, report_pdf
from lesions.refusal import Refused
from lesions.refusal import gettext_noop as _
from lesions.worker_limits import allow, confine

if TYPE_CHECKING:
    from PIL.Image import Image

PREVIEW_SIDE = 1600
THUMBNAIL_SIDE = 320
TOO_LARGE = _("The file could not be read: too large when unpacked.")
DAMAGED = _("The file could not be read: it is damaged.")


def main() -> None:
    """Answer one request."""
    # libraries in C may print to standard output: keep the answer's channel to ourselves
    answer_to = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    request = json.load(sys.stdin)
    _load(request["kind"], request["task"])
    confine(request["kind"], Path(request["source"]))
    with answer_to:
        json.dump(_answer(request), answer_to)


def _load(kind: str, task: str) -> None:
    """The libraries a task needs: what they take is no file's doing."""
    if kind == "pdf":
        return  # lesions.report_pages loads its own, and reports are not timed so closely
    import PIL.ImageCms
    import PIL.ImageOps  # noqa: F401

    if kind == "png" or task == "raster":
        import numpy  # noqa: F401  16 bit, and the pixels of the viewer
    if kind == "dicom":
        import pydicom.pixels  # noqa: F401


def _answer(request: dict[str, str]) -> dict[str, Any]:
    kind, source, folder = request["kind"], Path(request["source"]), Path(request["folder"])
    readers = {"dicom": _read_dicom, "jpeg": _read_photograph, "png": _read_photograph, "pdf": _read_pdf}
    try:
        if request["task"] == "raster":
            return _write_raster(kind, source, folder)
        return readers[kind](kind, source, folder)
    except Refused as refused:
        return {"refused": [refused.text, refused.values]}
    except MemoryError:
        return {"refused": [TOO_LARGE, {}]}
    except OSError as problem:
        if problem.errno in (errno.ENOSPC, errno.EDQUOT):
            return {"no_room": problem.errno}
        return {"refused": [DAMAGED, {}]}
    except Exception:  # any parser's failure on an untrusted file is a refusal, never a crash
        return {"refused": [DAMAGED, {}]}


def _read_dicom(kind: str, source: Path, folder: Path) -> dict[str, Any]:
    from PIL import Image

    inflated = dicom_deflated.inflate(source, folder / "inflated")
    readable = inflated or source
    header = dicom.read_header(readable)
    _structure, declared = dicom.checked(readable)
    allow(declared.rows * declared.columns * declared.samples)
    preview = dicom.render_preview(readable, PREVIEW_SIDE)
    if inflated:
        inflated.unlink()
        header = dataclasses.replace(header, transfer_syntax=dicom_structure.DEFLATED)
    (folder / "preview.png").write_bytes(preview)
    _write_thumbnail(Image.open(io.BytesIO(preview), formats=["PNG"]), folder)
    notes = list(header.warnings)
    if _copy_without_preamble(source, folder / "stored"):
        notes.append(_("The first 128 bytes held something and were emptied."))
    return {
        "header": header.as_json(),
        "width": header.columns,
        "height": header.rows,
        "warnings": notes,
    }


def _copy_without_preamble(source: Path, target: Path) -> bool:
    """Copy with 128 zero bytes in front: a preamble can make the file a program or a page. True if it held anything."""
    with source.open("rb") as original, target.open("xb") as copy:
        preamble = original.read(128)
        copy.write(bytes(128))
        while chunk := original.read(2**20):
            copy.write(chunk)
    return preamble.strip(b"\0") != b""


def _read_photograph(kind: str, source: Path, folder: Path) -> dict[str, Any]:
    from PIL import Image

    picture = photograph.clean(source, kind, folder / "stored", allow=allow)
    shown = photograph.on_white(picture)
    shown.thumbnail((PREVIEW_SIDE, PREVIEW_SIDE), Image.Resampling.LANCZOS)
    width, height = picture.size if shown is not picture else Image.open(folder / "stored").size
    shown.save(folder / "preview.png", "PNG", compress_level=4)
    _write_thumbnail(shown, folder)
    return {"header": None, "width": width, "height": height, "warnings": []}


def _write_raster(kind: str, source: Path, folder: Path) -> dict[str, Any]:
    from PIL import Image

    target = folder / "raster"
    if kind == "pdf":
        raster_pixels.of_report(source, target)
        return {}
    if kind != "dicom":
        with Image.open(source) as stored:
            allow(stored.width * stored.height * 3)
        raster_pixels.of_photograph(source, target)
        return {}
    readable = dicom_deflated.inflate(source, folder / "inflated") or source
    _structure, declared = dicom.checked(readable)
    allow(declared.rows * declared.columns * declared.samples, frames=declared.frames)
    with warnings.catch_warnings(action="ignore"):
        raster_pixels.of_dicom(readable, target)
    return {}


def _write_thumbnail(picture: Image, folder: Path) -> None:
    from PIL import Image

    small = picture.copy()
    small.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE), Image.Resampling.LANCZOS)
    small.save(folder / "thumbnail.png", "PNG")


def _read_pdf(kind: str, source: Path, folder: Path) -> dict[str, Any]:
    report_pdf.check(source)
    with source.open("rb") as original, (folder / "stored").open("xb") as copy:
        while chunk := original.read(2**20):
            copy.write(chunk)
    told: dict[str, Any] = {"header": None, "width": None, "height": None, "warnings": [], "frames": 1}
    try:
        count, drawn = report_pages.pages(source, most=1)
        first = next(drawn)
        size = first.size
    except report_pages.NotDrawn:
        return told | {"warnings": [_("The report could not be drawn; it is kept as a file.")]}
    first.thumbnail((PREVIEW_SIDE, PREVIEW_SIDE))
    first.save(folder / "preview.png", "PNG", compress_level=4)
    _write_thumbnail(first, folder)
    if count > report_pages.MOST_PAGES:
        told["warnings"] = [_("The report has many pages; only the first ones are shown.")]
    return told | {"width": size[0], "height": size[1], "frames": min(count, report_pages.MOST_PAGES)}


if __name__ == "__main__":
    main()
