"""DICOM pixel values to what a person sees: 8-bit grey with the right polarity and window, or 8-bit colour.

Sources: DICOM PS3.3 C.11.1 (modality transformation), C.11.2.1.2 (window functions), C.7.6.3.1.2 (MONOCHROME1 shows its
lowest value as white), C.7.6.16.2.9 and C.7.6.16.2.10 (the same per frame of an enhanced object).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from pydicom import Dataset

FRAME_GROUPS = [0x52009229, 0x52009230]  # functional groups sequences: shared, per frame
_SHARED, _PER_FRAME = FRAME_GROUPS
_LOOK_SEQUENCES = ("PixelValueTransformationSequence", "FrameVOILUTSequence")
_JPEG_BASELINE = "1.2.840.10008.1.2.4.50"  # libjpeg-turbo reads it: gdcm's own copy crashes on damaged tables
_LEVELS = 2**16
_STRIP = 128
_FLAT_SHARE = 0.005  # a window that leaves fewer pixels between black and white shows nothing
PERCENTILES = (1.0, 99.0)


def shown_pixels(
    path: Path, photometric: str, bits: int, frame: int, max_side: int, *, transfer_syntax: str = ""
) -> np.ndarray:
    """The frame as uint8: (rows, columns) grey or (rows, columns, 3) RGB.

    Very large pictures are made smaller first: grey ones to means, at least 2 × ``max_side``; of colours, which a
    palette forbids to mix, pixels are left out, down to about 4 ×. The caller has checked the declared size. Raises
    whatever the decoder raises for damaged pixels.
    """
    from pydicom import Dataset
    from pydicom.pixels import pixel_array

    dataset = Dataset()
    decoder = decoder_of(transfer_syntax, bits)
    array = pixel_array(path, index=frame, ds_out=dataset, specific_tags=FRAME_GROUPS, decoding_plugin=decoder)
    if photometric in ("MONOCHROME1", "MONOCHROME2"):
        take_frame_look(dataset, frame)
        array = _averaged(array, max(array.shape) // (2 * max_side))
        return grey(array, dataset, inverted=photometric == "MONOCHROME1")
    step = max(1, min(array.shape[:2]) // (4 * max_side))
    return colour(array[::step, ::step], dataset, photometric, bits)


def _averaged(array: np.ndarray, step: int) -> np.ndarray:
    """Each value the mean of ``step`` × ``step``, strip by strip; what is left over at the edges is left out."""
    import numpy as np

    if step < 2:
        return array
    rows, columns = (side // step for side in array.shape)
    found = np.empty((rows, columns), array.dtype)
    for top in range(0, rows, _STRIP):
        strip = array[top * step : min(top + _STRIP, rows) * step, : columns * step]
        total = np.zeros((strip.shape[0] // step, columns), np.int64 if array.itemsize > 2 else np.int32)
        for down in range(step):
            for across in range(step):
                total += strip[down::step, across::step]
        found[top : top + _STRIP] = total // step**2
    return found


def decoder_of(transfer_syntax: str, bits: int) -> str:
    """The decoder to ask for, "" for any."""
    return "pillow" if transfer_syntax == _JPEG_BASELINE and bits == 8 else ""


def colour(array: np.ndarray, dataset: Dataset, photometric: str, bits: int) -> np.ndarray:
    """Colour pixels as 8-bit RGB."""
    import numpy as np
    from pydicom.pixels import apply_color_lut

    if photometric == "PALETTE COLOR":
        array = apply_color_lut(array, dataset)[..., :3]  # the fourth would be opacity
        bits = 8 * array.itemsize
        if int(array.max()) < 256:  # 8-bit colours in a table declared as 16-bit
            bits = 8
    elif bits > 8:
        bits = int(dataset.BitsStored)
    return np.ascontiguousarray(array >> max(0, bits - 8)).astype(np.uint8)


def take_frame_look(dataset: Dataset, frame: int) -> None:
    """Enhanced objects keep rescale and window in functional groups: lift this frame's to the top level."""
    for tag, index in ((_SHARED, 0), (_PER_FRAME, frame)):
        groups = dataset[tag].value if tag in dataset else ()
        if index < len(groups):
            for look in _LOOK_SEQUENCES:
                if items := groups[index].get(look):
                    dataset.update(items[0])


def grey(array: np.ndarray, dataset: Dataset, *, inverted: bool) -> np.ndarray:
    """Modality and VOI transformation of whole-number pixels to 0..255, by one table over the values that occur.

    ``inverted``: the lowest value is white (MONOCHROME1). Without a usable window the 1st to 99th percentile is shown.
    """
    import numpy as np
    from pydicom.pixels import apply_modality_lut

    low, high = int(array.min()), int(array.max())
    if high - low < _LEVELS:
        places = array.astype(np.int32) - low
        values: np.ndarray = np.arange(low, high + 1)
    else:
        places = ((array.astype(np.float64) - low) * ((_LEVELS - 1) / (high - low))).astype(np.int32)
        values = np.linspace(low, high, _LEVELS)
    counts = np.bincount(places.ravel(), minlength=len(values))
    values = apply_modality_lut(values, dataset)
    shades = voi(values, dataset)
    if shades is None or counts[(shades > 0) & (shades < 1)].sum() < _FLAT_SHARE * array.size:
        shades = _percentile_window(values, counts, dataset.get("PixelPaddingValue"), low)
    table = np.rint((1 - shades if inverted else shades) * 255).astype(np.uint8)
    return table[places]


def voi(values: np.ndarray, dataset: Dataset) -> np.ndarray | None:
    """0..1 for each value by the header's VOI LUT or first window; None where it has no usable one."""
    import numpy as np
    from pydicom.pixels import apply_voi

    if dataset.get("VOILUTSequence"):
        looked_up = apply_voi(np.rint(values).astype(np.int64), dataset).astype(np.float64)
        return looked_up / max(1.0, float(looked_up.max()))
    centre, width = (_first_number(dataset.get(name)) for name in ("WindowCenter", "WindowWidth"))
    if centre is None or width is None or width <= 0:
        return None
    function = dataset.get("VOILUTFunction") or "LINEAR"
    if function == "SIGMOID":
        return 1 / (1 + np.exp(np.clip(-4 * (values - centre) / width, -700, 700)))
    if function == "LINEAR":
        centre, width = centre - 0.5, max(width - 1, 1e-6)
    return np.clip((values - centre) / width + 0.5, 0, 1)


def _first_number(value: object) -> float | None:
    try:
        return float(value[0] if isinstance(value, list) or getattr(value, "VM", 1) > 1 else value)  # type: ignore[index, arg-type]
    except (TypeError, ValueError, IndexError):
        return None


def _percentile_window(values: np.ndarray, counts: np.ndarray, padding: int | None, low: int) -> np.ndarray:
    """0..1 between the 1st and 99th percentile of the pixels, padding left out."""
    import numpy as np

    counts = counts.copy()
    if padding is not None and 0 <= padding - low < len(counts) and counts.sum() > counts[padding - low]:
        counts[padding - low] = 0
    order = np.argsort(values, kind="stable")  # a negative rescale slope turns the order round
    share = np.cumsum(counts[order]) / counts.sum() * 100
    first, last = (float(values[order[min(int(np.searchsorted(share, p)), len(values) - 1)]]) for p in PERCENTILES)
    if first == last:
        first, last = float(values.min()), float(values.max())
    return np.clip((values - first) / max(last - first, 1e-6), 0, 1)
