"""Lengths and areas of what was drawn on a picture, in mm. Pure functions of points in pixels.

Points are (x, y) from the picture's upper left corner. Source: clinical-model 2.3 (ellipse area).
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from itertools import pairwise
from math import acos, degrees, hypot

from lesions import scoring
from lesions.calibration import Calibration, Point

ACROSS = 15  # degrees two axes may differ from standing across each other


def in_mm(points: Sequence[Point], by: Calibration) -> list[Point]:
    return [(x * by.column_mm, y * by.row_mm) for x, y in points]


def distance_mm(points: Sequence[Point], by: Calibration) -> float:
    """Between the first two points."""
    (x0, y0), (x1, y1) = in_mm(points, by)[:2]
    return hypot(x1 - x0, y1 - y0)


def axes_mm(points: Sequence[Point], by: Calibration) -> tuple[float, float]:
    """(longer, shorter) of the axes drawn with the first and the last two of four points."""
    lengths = sorted((distance_mm(points[:2], by), distance_mm(points[2:], by)), reverse=True)
    return lengths[0], lengths[1]


def angle(points: Sequence[Point], by: Calibration) -> float:
    """Degrees between two axes, 0 to 90. Raises ValueError where one has no length."""
    (ax, ay), (bx, by_), (cx, cy), (dx, dy) = in_mm(points, by)
    (ux, uy), (vx, vy) = (bx - ax, by_ - ay), (dx - cx, dy - cy)
    both = hypot(ux, uy) * hypot(vx, vy)
    if both == 0:
        raise ValueError("an axis without length")
    return degrees(acos(min(1.0, abs(ux * vx + uy * vy) / both)))


def ellipse_mm2(length: Decimal, width: Decimal) -> Decimal:
    """pi/4 a b, one decimal, as of the size of a lesion."""
    return round(scoring.area_mm2(length, width), 1)


def polygon_mm2(points: Sequence[Point], by: Calibration) -> float:
    """Area within the outline (Gauss's area formula); what crosses itself counts by its winding."""
    ring = in_mm(points, by)
    return abs(sum(x0 * y1 - x1 * y0 for (x0, y0), (x1, y1) in pairwise([*ring, ring[0]]))) / 2
