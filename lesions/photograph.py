"""Photographs: decoded and written anew, so that only the pixels survive: no EXIF, position, comment or tail."""

from __future__ import annotations

import io
import mmap
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from lesions.refusal import Refused
from lesions.refusal import gettext_noop as _

if TYPE_CHECKING:
    from PIL.Image import Image

MAX_PIXELS = 40_000_000
MAX_SCANS = 100  # cameras write one, progressive pictures about ten; each is a pass over every pixel
_MAX_PROFILE_BYTES = 2**20
_JPEG_QUALITY = 92


def clean(path: Path, kind: str, target: Path, *, allow: Callable[[int], None]) -> Image:
    """Decode a "jpeg" or "png", turn it upright, write only its pixels to ``target`` in the same format; returns them.

    ``allow``: told the samples of the picture before anything is decoded.

    Raises :class:`Refused`: more than 40 million pixels or a hundred passes, an animation, or damaged.
    """
    from PIL import Image, ImageOps

    if kind == "jpeg" and _many_scans(path):
        raise Refused(_("The picture is built up in more than %(limit)s passes."), limit=MAX_SCANS)
    Image.MAX_IMAGE_PIXELS = None  # our own, lower limit follows, before anything is decoded
    try:
        with Image.open(path, formats=[kind.upper()]) as opened:
            if opened.width * opened.height > MAX_PIXELS:
                raise Refused(
                    _("The picture has %(width)s × %(height)s pixels; %(limit)s million are the limit."),
                    width=opened.width,
                    height=opened.height,
                    limit=MAX_PIXELS // 10**6,
                )
            if kind == "png" and getattr(opened, "is_animated", False):
                raise Refused(_("The picture is animated; please upload a single picture."))
            allow(opened.width * opened.height * max(3, len(opened.getbands())))
            opened.load()
            upright = _to_srgb(ImageOps.exif_transpose(opened))
    except (Refused, MemoryError):
        raise
    except Exception as problem:  # decoders fail in their own many ways; all mean the same here
        raise Refused(_("The picture could not be decoded: it is incomplete or damaged.")) from problem
    fresh = Image.frombytes(upright.mode, upright.size, upright.tobytes())  # carries no metadata by construction
    if kind == "jpeg":
        fresh.save(target, "JPEG", quality=_JPEG_QUALITY, subsampling=0)
    else:
        fresh.save(target, "PNG", compress_level=4)
    return fresh


def _many_scans(path: Path) -> bool:
    """Compressed data never hold the mark of a scan; a comment that does is counted too."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        at, found = data.find(b"\xff\xda"), 0
        while at >= 0 and found <= MAX_SCANS:
            found, at = found + 1, data.find(b"\xff\xda", at + 2)
    return found > MAX_SCANS


def _to_srgb(picture: Image) -> Image:
    """8 bits in L, RGB or RGBA; a colour profile is applied before it is dropped, so that redness stays as it was."""
    from PIL import Image, ImageCms

    if picture.mode.startswith("I"):  # 16-bit grey: convert() would clip instead of scale
        import numpy as np

        return Image.fromarray((np.asarray(picture).astype(np.uint32) >> 8).astype(np.uint8))
    profile = picture.info.get("icc_profile") or b""
    if picture.mode in ("RGB", "CMYK") and 0 < len(profile) <= _MAX_PROFILE_BYTES:
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            return (
                ImageCms.profileToProfile(picture, source, ImageCms.createProfile("sRGB"), outputMode="RGB") or picture
            )
        except (ImageCms.PyCMSError, OSError):
            pass  # an unusable profile: the colours as they are
    if picture.mode in ("L", "RGB", "RGBA"):
        return picture
    if picture.mode in ("1", "F"):
        return picture.convert("L")
    return picture.convert("RGBA" if "transparency" in picture.info or picture.mode in ("LA", "PA") else "RGB")


def on_white(picture: Image) -> Image:
    """Without transparency, for a preview."""
    from PIL import Image

    if picture.mode != "RGBA":
        return picture
    page = Image.new("RGB", picture.size, "white")
    page.paste(picture, mask=picture.getchannel("A"))
    return page
