"""Values of a DICOM header that may be missing or broken, and how many millimetres its pixels have.

Sources: DICOM PS3.3 10.7.1.3 (pixel spacing and its calibration), C.8.5.5 (ultrasound regions).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pydicom import Dataset


def value_of(dataset: Dataset, keyword: str) -> Any:
    """The element's value, or None where it is missing or unreadable: one bad element must not hide the others."""
    try:
        return dataset.get(keyword)
    except Exception:
        return None


def said(dataset: Dataset, keyword: str) -> str:
    """The first value as text without control characters, at most 128 characters."""
    value = value_of(dataset, keyword)
    if value is None:
        return ""
    first = value[0] if getattr(value, "VM", 1) > 1 or (isinstance(value, list) and value) else value
    return "".join(character for character in str(first) if character.isprintable()).strip()[:128]


def pixel_spacing(dataset: Dataset) -> tuple[tuple[float, float] | None, str]:
    """((mm between rows, mm between columns), the element that says so); (None, "") where none does."""
    shared = value_of(dataset, "SharedFunctionalGroupsSequence")
    measures = value_of(shared[0], "PixelMeasuresSequence") if shared else None
    holders = (("PixelSpacing", dataset), ("PixelSpacing", measures and measures[0]), ("ImagerPixelSpacing", dataset))
    at_the_detector = _two_lengths(value_of(dataset, "ImagerPixelSpacing"))
    for keyword, holder in holders:
        spacing = _two_lengths(value_of(holder, keyword)) if holder else None
        # The detector's own numbers said once more are no calibration (PS3.3 10.7.1.3).
        if spacing and not (keyword == "PixelSpacing" and spacing == at_the_detector and not calibration_type(dataset)):
            return spacing, keyword
    spacings = {spacing for region in _regions_of(dataset) if (spacing := _region_spacing(region))}
    # two scales in one picture (split screen): no single spacing is true for it
    return (spacings.pop(), "SequenceOfUltrasoundRegions") if len(spacings) == 1 else (None, "")


def calibration_type(dataset: Dataset) -> str:
    """GEOMETRY or FIDUCIAL: how Pixel Spacing was corrected for magnification; "" where that is not said."""
    how = said(dataset, "PixelSpacingCalibrationType").upper()
    return how if how in ("GEOMETRY", "FIDUCIAL") else ""


def _regions_of(dataset: Dataset) -> list[Dataset]:
    return list(value_of(dataset, "SequenceOfUltrasoundRegions") or [])[:64]


def placed_regions(dataset: Dataset, rows: int, columns: int) -> list[list[float]]:
    """[left, top, right, bottom, mm between rows, mm between columns] of each region with a scale, edges included."""
    return [placed for one in _regions_of(dataset) if (placed := _placed(one, rows, columns))]


def _placed(region: Dataset, rows: int, columns: int) -> list[float] | None:
    spacing = _region_spacing(region)
    names = ("RegionLocationMinX0", "RegionLocationMinY0", "RegionLocationMaxX1", "RegionLocationMaxY1")
    edges = [value_of(region, name) for name in names]
    if spacing is None or not all(isinstance(one, int) for one in edges):
        return None
    left, top, right, bottom = edges
    right, bottom = min(right + 1, columns), min(bottom + 1, rows)
    return [left, top, right, bottom, *spacing] if 0 <= left < right and 0 <= top < bottom else None


def _region_spacing(region: Dataset) -> tuple[float, float] | None:
    """mm per pixel of a two-dimensional ultrasound region measured in cm (Region Spatial Format 1, units 3)."""
    if value_of(region, "RegionSpatialFormat") != 1:
        return None
    if (value_of(region, "PhysicalUnitsXDirection"), value_of(region, "PhysicalUnitsYDirection")) != (3, 3):
        return None
    deltas = [value_of(region, "PhysicalDeltaX"), value_of(region, "PhysicalDeltaY")]
    across, down = _two_lengths(deltas, signed=True) or (0.0, 0.0)
    return (round(abs(down) * 10, 6), round(abs(across) * 10, 6)) if across and down else None


def _two_lengths(value: Any, *, signed: bool = False) -> tuple[float, float] | None:
    try:
        first, second = (float(part) for part in value)
    except (TypeError, ValueError):
        return None
    usable = all(1e-6 < abs(length) < 1000 and (signed or length > 0) for length in (first, second))
    return (first, second) if usable else None
