"""Pictures to rasters (lesions/raster.py), in the limited process: grey values after the modality transformation, not
thinned and not windowed, so that window and level stay the reader's; photographs and colour as they are.

Sources: DICOM PS3.3 C.11.1 (modality transformation), C.11.2 (windows), C.7.6.3.1.2 (MONOCHROME1).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lesions import dicom, dicom_pixels, report_pages
from lesions.photograph import MAX_PIXELS, on_white
from lesions.raster import Writer
from lesions.refusal import Refused
from lesions.refusal import gettext_noop as _

if TYPE_CHECKING:
    import numpy as np
    from pydicom import Dataset

_CURVE = 1024  # points of a look-up table that is no straight line
_SAMPLE = 2**20  # pixels of which percentiles are taken
_SIGNED = 2**15


def of_dicom(path: Path, target: Path) -> None:
    """All frames. Raises :class:`Refused`."""
    structure, geometry = dicom.checked(path)
    grey = geometry.photometric in ("MONOCHROME1", "MONOCHROME2")
    try:
        with Writer(
            target, width=geometry.columns, height=geometry.rows, colour="" if grey else "PNG"
        ) as raster:  # fmt: skip
            for number, (frame, dataset) in enumerate(_frames(path, geometry, structure.transfer_syntax)):
                if grey:
                    dicom_pixels.take_frame_look(dataset, number)
                    raster.add(*_grey(frame, dataset, inverted=geometry.photometric == "MONOCHROME1"))
                else:
                    raster.add(dicom_pixels.colour(frame, dataset, geometry.photometric, geometry.bits), {})
    except (Refused, MemoryError, OSError):
        raise
    except Exception as problem:  # decoders fail in their own many ways; all mean the same here
        raise Refused(_("Pixel Data (7FE0,0010) could not be decoded: damaged or in an unsupported form.")) from problem


def _frames(path: Path, geometry: dicom.Geometry, transfer_syntax: str) -> Iterator[tuple[np.ndarray, Dataset]]:
    from pydicom import Dataset
    from pydicom.pixels import iter_pixels

    dataset = Dataset()
    frames = iter_pixels(
        path,
        ds_out=dataset,
        specific_tags=dicom_pixels.FRAME_GROUPS,
        decoding_plugin=dicom_pixels.decoder_of(transfer_syntax, geometry.bits),
    )
    for frame in frames:
        yield frame, dataset


def _grey(frame: np.ndarray, dataset: Dataset, *, inverted: bool) -> tuple[np.ndarray, dict[str, Any]]:
    """(values as uint16, how to show them). What a stored number means: number × slope + intercept."""
    import numpy as np
    from pydicom.pixels import apply_modality_lut

    slope, intercept = 1.0, 0.0
    if dataset.get("ModalityLUTSequence"):
        frame = apply_modality_lut(frame, dataset)
    elif dataset.get("RescaleSlope") is not None:
        slope, intercept = float(dataset.RescaleSlope) or 1.0, float(dataset.get("RescaleIntercept") or 0)
    low, high = int(frame.min()), int(frame.max())
    if low >= 0 and high < 2 * _SIGNED:
        stored = frame.astype(np.uint16)
    elif low >= -_SIGNED and high < _SIGNED:
        stored = (frame.astype(np.int32) + _SIGNED).astype(np.uint16)
        intercept -= _SIGNED * slope
    else:  # 32 bits: 65,536 steps between the lowest and the highest
        step = (high - low) / (2 * _SIGNED - 1)
        stored = ((frame.astype(np.float64) - low) / step).round().astype(np.uint16)
        slope, intercept = slope * step, intercept + low * slope
    windows, curve = _windows(stored, dataset, slope, intercept)
    look = {
        "slope": slope,
        "intercept": intercept,
        "inverted": inverted,
        "windows": windows,
        "range": sorted([round(value * slope + intercept, 3) for value in (int(stored.min()), int(stored.max()))]),
        **({"curve": curve} if curve else {}),
    }
    return stored, look


def _windows(
    stored: np.ndarray, dataset: Dataset, slope: float, intercept: float
) -> tuple[list[list[Any]], dict[str, Any] | None]:
    """([[name, centre, width], ...], curve): the header's first, where they show anything; then percentiles."""
    import numpy as np

    step = max(1, int((stored.size / _SAMPLE) ** 0.5))
    sample = stored[::step, ::step].astype(np.float64) * slope + intercept
    centres, widths = (_numbers(dataset.get(name)) for name in ("WindowCenter", "WindowWidth"))
    names = _words(dataset.get("WindowCenterWidthExplanation"))
    found = []
    for place, (centre, width) in enumerate(zip(centres, widths, strict=False)):
        if width > 0 and ((sample > centre - width / 2) & (sample < centre + width / 2)).mean() >= 0.005:
            name = names[place] if place < len(names) else ""
            found.append([name, round(centre, 3), round(width, 3)])
    first, last = (float(value) for value in np.percentile(sample, dicom_pixels.PERCENTILES))
    if first == last:
        first, last = float(sample.min()), float(sample.max())
    width = max(last - first, 1e-6)
    found.append(["percentiles", round(first + width / 2, 3), round(width, 3)])
    return found, _curve(stored, dataset, slope, intercept)


def _curve(stored: np.ndarray, dataset: Dataset, slope: float, intercept: float) -> dict[str, Any] | None:
    """A VOI look-up table or sigmoid as 0..255 at evenly spaced stored numbers; None where a window says it all."""
    import numpy as np

    if not dataset.get("VOILUTSequence") and dataset.get("VOILUTFunction") != "SIGMOID":
        return None
    low, high = int(stored.min()), int(stored.max())
    at = np.linspace(low, max(high, low + 1), _CURVE)
    shades = dicom_pixels.voi(at * slope + intercept, dataset)
    if shades is None:
        return None
    return {"from": low, "to": max(high, low + 1), "shades": np.rint(shades * 255).astype(int).tolist()}


def _numbers(value: Any) -> list[float]:
    try:
        return [float(one) for one in (value if isinstance(value, list) or getattr(value, "VM", 1) > 1 else [value])]
    except (TypeError, ValueError):
        return []


def _words(value: Any) -> list[str]:
    if value is None:
        return []
    parts = [value] if isinstance(value, str) else list(value)
    return ["".join(one for one in str(part) if one.isprintable()).strip()[:40] for part in parts]


def of_report(path: Path, target: Path) -> None:
    """The pages of a PDF report, each on the sheet of the first. Raises :class:`Refused`."""
    import numpy as np
    from PIL import Image

    try:
        _count, drawn = report_pages.pages(path)
        first = next(drawn)
        with Writer(target, width=first.width, height=first.height, colour="PNG") as raster:
            raster.add(np.asarray(first), {})
            for page in drawn:
                page.thumbnail(first.size)
                sheet = Image.new("RGB", first.size, "white")
                sheet.paste(page)
                raster.add(np.asarray(sheet), {})
    except report_pages.NotDrawn as problem:
        raise Refused(_("The report could not be drawn; it is kept as a file.")) from problem


def of_photograph(path: Path, target: Path) -> None:
    """A photograph as it is stored: upright and without anything but its pixels. Raises :class:`Refused`."""
    import numpy as np
    from PIL import Image

    Image.MAX_IMAGE_PIXELS = None
    try:
        with Image.open(path, formats=["JPEG", "PNG"]) as opened:
            if opened.width * opened.height > MAX_PIXELS:
                raise Refused(_("The file could not be read: too large when unpacked."))
            opened.load()
            picture = on_white(opened)
            grey = picture.mode == "L"
            pixels = np.asarray(picture if grey else picture.convert("RGB"))
    except (Refused, MemoryError):
        raise
    except Exception as problem:
        raise Refused(_("The picture could not be decoded: it is incomplete or damaged.")) from problem
    with Writer(target, width=pixels.shape[1], height=pixels.shape[0], colour="" if grey else "JPEG") as raster:
        look = {"slope": 1, "intercept": 0, "inverted": False, "windows": [["", 127.5, 255]], "range": [0, 255]}
        raster.add(pixels, look if grey else {})
