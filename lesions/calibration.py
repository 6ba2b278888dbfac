"""How many millimetres a pixel has, and who says so: the file's header, or a known length drawn on the picture.

Sources: DICOM PS3.3 10.7.1.3 (Pixel Spacing and its calibration), C.8.11.4 (Imager Pixel Spacing: at the detector, so a
part nearer to the tube is shown larger), C.8.5.5 (ultrasound regions). Plain values, no Django models.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import models
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as __

PROJECTIONS = frozenset({"CR", "DX", "RG", "XA", "RF"})
Point = tuple[float, float]


class Source(models.TextChoices):
    """What a length in mm rests on."""

    PIXEL_SPACING = "PIXEL_SPACING", __("Pixel spacing in the file")
    DETECTOR = "DETECTOR", __("At the detector, magnification not corrected")
    REGION = "US_REGION", __("Ultrasound region")
    KNOWN_LENGTH = "KNOWN_LENGTH", __("Known length in the picture")


@dataclass(frozen=True)
class Calibration:
    """mm from row to row and from column to column; ``box``: left, top, right, bottom of an ultrasound region."""

    source: Source
    row_mm: float
    column_mm: float
    words: str
    box: tuple[float, float, float, float] | None = None

    def holds(self, points: Sequence[Point]) -> bool:
        if self.box is None:
            return True
        left, top, right, bottom = self.box
        return all(left <= x <= right and top <= y <= bottom for x, y in points)

    def as_json(self) -> dict[str, Any]:
        return {"source": self.source, "spacing": [self.row_mm, self.column_mm], "words": self.words, "box": self.box}


def of_header(header: Mapping[str, Any]) -> list[Calibration]:
    """What a stored header says: one calibration for the whole picture, or one for each ultrasound region."""
    regions = [
        Calibration(Source.REGION, row, column, _("Ultrasound region %(n)s of the file") % {"n": number}, tuple(box))  # type: ignore[arg-type]
        for number, (*box, row, column) in enumerate(header.get("regions") or [], start=1)
    ]
    spacing, source = header.get("pixel_spacing"), header.get("pixel_spacing_from")
    if regions or not spacing or source == "SequenceOfUltrasoundRegions":
        return regions
    row, column = spacing
    if source == "ImagerPixelSpacing":
        words = _("Imager Pixel Spacing: at the detector, magnification not corrected")
        return [Calibration(Source.DETECTOR, row, column, words)]
    return [Calibration(Source.PIXEL_SPACING, row, column, _spacing_words(header))]


def _spacing_words(header: Mapping[str, Any]) -> str:
    corrected = {
        "GEOMETRY": _("Pixel Spacing of the file, corrected for magnification by geometry"),
        "FIDUCIAL": _("Pixel Spacing of the file, calibrated by an object of known size"),
    }.get(header.get("calibration_type", ""))
    if corrected:
        return corrected
    if header.get("modality") in PROJECTIONS:
        return _("Pixel Spacing of the file, which does not say whether magnification was corrected")
    return _("Pixel Spacing of the file")


def of_known_length(points: Sequence[Point], length_mm: float) -> Calibration:
    """Square pixels: ``points`` are the ends of something ``length_mm`` long. Raises ValueError for no length."""
    (x0, y0), (x1, y1) = points
    pixels = ((x1 - x0) ** 2 + (y1 - y0) ** 2) ** 0.5
    if pixels <= 0 or length_mm <= 0:
        raise ValueError("a scale needs a length")
    each = length_mm / pixels
    return Calibration(Source.KNOWN_LENGTH, each, each, _("Known length of %(mm)g mm") % {"mm": length_mm})


def fitting(found: Sequence[Calibration], points: Sequence[Point]) -> Calibration | None:
    """The calibration under which all the points lie; None where there is none or they lie in different regions."""
    return next((one for one in found if one.holds(points)), None)
