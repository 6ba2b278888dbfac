"""Lesion-level arithmetic: size, change, burden, outcome of a visit. Pure functions of plain values.

The ±25 % rule with a floor of 2 mm is a design decision (clinical-model 6.3): it proposes, the clinician decides.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

PI = Decimal("3.14159265358979")
CHANGE_PCT = Decimal(25)
CHANGE_MM = Decimal(2)

LARGER, SMALLER, STABLE = "LARGER", "SMALLER", "STABLE"
CLOSED_STATUSES = frozenset({"RESOLVED", "EXTRUDED_COMPLETE", "EXCISED", "MERGED"})
UNASSESSED_STATUSES = frozenset({"NOT_ASSESSED", ""})


def area_mm2(length_mm: Decimal, width_mm: Decimal) -> Decimal:
    """Ellipse area pi/4 a b in mm2, not rounded. Raises ValueError unless both axes are above 0. Source: 2.3."""
    return PI / 4 * _axis(length_mm) * _axis(width_mm)


def volume_mm3(length_mm: Decimal, width_mm: Decimal, depth_mm: Decimal) -> Decimal:
    """Ellipsoid volume pi/6 a b c in mm3 (1,000 mm3 = 1 mL), not rounded. Source: 2.3."""
    return PI / 6 * _axis(length_mm) * _axis(width_mm) * _axis(depth_mm)


def _axis(value: Decimal) -> Decimal:
    if value <= 0:
        raise ValueError(f"An axis must be above 0 mm, not {value}")
    return value


# --- Change of one lesion (6.3) ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Measurement:
    """Longest diameter and the one perpendicular to it, in mm, and the method (RULER, CALIPER, US, ...)."""

    length_mm: Decimal | None
    width_mm: Decimal | None
    method: str

    @property
    def axes(self) -> tuple[Decimal, Decimal] | None:
        """Both axes in mm; None unless both were measured. Raises ValueError unless they are above 0."""
        if self.length_mm is None or self.width_mm is None:
            return None
        return _axis(self.length_mm), _axis(self.width_mm)

    @property
    def product(self) -> Decimal:
        """Of both axes: what sizes are put in order by. Raises ValueError unless both were measured."""
        if self.axes is None:
            raise ValueError("Both axes are needed")
        return self.axes[0] * self.axes[1]


@dataclass(frozen=True)
class LesionChange:
    """``status`` LARGER, SMALLER or STABLE; area change in %, axis changes in mm (minus = shrank)."""

    status: str
    area_pct: Decimal
    length_mm: Decimal
    width_mm: Decimal


def suggest_status(previous: Measurement, current: Measurement) -> LesionChange | None:
    """Compare two measurements; None unless both have two axes and the same known method.

    LARGER: area above +25 % and either axis +2 mm or more. SMALLER: below -25 % and either axis -2 mm or less.
    """
    before, after = previous.axes, current.axes
    if before is None or after is None or not current.method or previous.method != current.method:
        return None
    by_length, by_width = after[0] - before[0], after[1] - before[1]
    # From the products, not the areas: pi cancels, so that exactly 25 % stays exactly 25 %.
    old, new = before[0] * before[1], after[0] * after[1]
    pct = 100 * (new - old) / old
    if pct > CHANGE_PCT and max(by_length, by_width) >= CHANGE_MM:
        status = LARGER
    elif pct < -CHANGE_PCT and min(by_length, by_width) <= -CHANGE_MM:
        status = SMALLER
    else:
        status = STABLE
    return LesionChange(status, pct, by_length, by_width)


@dataclass(frozen=True)
class CourseChange:
    """The change against the last, the first and the smallest earlier measurement by the same method."""

    last: LesionChange
    baseline: LesionChange
    nadir: LesionChange


def compare_course(earlier: Sequence[Measurement], current: Measurement) -> CourseChange | None:
    """Against last, baseline and nadir of ``earlier`` (oldest first), so that slow growth does not hide.

    Measurements by another method or without both axes are skipped; None when nothing comparable is left.
    """
    changes = [change for one in earlier if (change := suggest_status(one, current)) is not None]
    if not changes:
        return None
    # All are changes to the same current size: the smallest earlier one is the one it grew most from.
    return CourseChange(last=changes[-1], baseline=changes[0], nadir=max(changes, key=lambda change: change.area_pct))


# --- The patient at a visit (6.2, 6.3; product.md "Decided") ----------------------------------------------------------


def is_active(last_assessed_status: str) -> bool:
    """Is a lesion with this last assessed status still there?"""
    return last_assessed_status not in CLOSED_STATUSES


def burden_mm2(targets: Iterable[tuple[str, Decimal | None, Decimal | None]]) -> Decimal | None:
    """Sum of the target lesions' areas in mm2 from (status, length_mm, width_mm) of each.

    A closed lesion counts 0; one unmeasured target makes the burden missing (None), and so does having no target.
    """
    total, any_target = Decimal(0), False
    for status, length_mm, width_mm in targets:
        any_target = True
        if not is_active(status):
            continue
        if length_mm is None or width_mm is None:
            return None
        total += area_mm2(length_mm, width_mm)
    return total if any_target else None


_WORSE = frozenset({"NEW", LARGER, "RECURRED"})
_BETTER = frozenset({SMALLER, "RESOLVED", "EXTRUDED_COMPLETE"})


def visit_outcome(statuses: Iterable[str]) -> str | None:
    """PROGRESSION, IMPROVED, MIXED or STABLE from the lesion statuses of a visit; None when no lesion was assessed.

    Beyond the letter of 6.3: RECURRED counts like NEW, EXTRUDED_COMPLETE like RESOLVED; a lesion excised or merged
    says nothing about the course. Leave out NEW lesions that are not incident (see :func:`is_incident`).
    """
    assessed = set(statuses) - UNASSESSED_STATUSES
    if not assessed:
        return None
    worse, better = bool(assessed & _WORSE), bool(assessed & _BETTER)
    if worse and better:
        return "MIXED"
    if worse:
        return "PROGRESSION"
    return "IMPROVED" if better else STABLE


def is_incident(*, found_on_imaging: bool, months_since_negative_image: int | None = None) -> bool:
    """Is a NEW lesion incident? If found on imaging: only with a negative image of the region <= 24 months ago."""
    if not found_on_imaging:
        return True
    return months_since_negative_image is not None and 0 <= months_since_negative_image <= 24
