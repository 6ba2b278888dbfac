"""The lesion × visit matrix: a row per lesion, a column per visit, oldest left, newest right."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, NamedTuple

from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from calcinosis_registry.codebook.items import labels
from lesions import scoring
from lesions.figures import sparkline
from lesions.models import Lesion, LesionObservation, LesionStatus, Lineage
from lesions.models.observation import INFECTED
from lesions.timeline import Moment

STATUS = LesionObservation._meta.get_field("status_change")


class Cell(NamedTuple):
    """One lesion at one visit. ``size``: "9.1 × 6.8" in mm, "" where not measured."""

    status: str
    word: str
    size: str
    ulcerated: bool
    infected: bool

    @property
    def is_gone(self) -> bool:
        return not scoring.is_active(self.status)


@dataclass
class Row:
    """``now``: the cell of the last visit that assessed the lesion; ``origin``: its lineage, (words, other lesion)."""

    lesion: Lesion
    cells: list[Cell | None]
    now: Cell | None
    spark: SafeString
    origin: list[tuple[str, Lesion]] = field(default_factory=list)


def rows_of(moments: Sequence[Moment], lesions: Sequence[Lesion]) -> list[Row]:
    """A row per lesion in the order of numbers."""
    origins = _origins(lesions)
    last = moments[-1].known if moments else {}
    cell = _Cells()
    return [
        Row(
            lesion,
            [cell.of(moment.seen.get(lesion.pk)) for moment in moments],
            cell.of(last.get(lesion.pk)),
            _spark(lesion, moments),
            origins[lesion.pk],
        )
        for lesion in lesions
    ]


def size_words(length: Decimal | None, width: Decimal | None) -> str:
    return " × ".join(f"{axis:.1f}" for axis in (length, width) if axis is not None)


def about_lesion(lesion: Lesion) -> str:
    """Kind, pattern, target: what helps to recognise it."""
    parts = []
    if lesion.ssc_clinical_morphology not in ("", "NA"):
        parts.append(lesion.get_ssc_clinical_morphology_display().split(":")[0].lower())
    elif lesion.ssc_xray_morphology:
        parts.append(lesion.get_ssc_xray_morphology_display().split(":")[0].lower())
    if lesion.lesion_kind != "SINGLE":
        parts.append(lesion.get_lesion_kind_display().lower())
    if lesion.visibility == "IMAGING_ONLY":
        parts.append(_("imaging only"))
    if lesion.target:
        parts.append(_("target lesion"))
    return " · ".join(parts)


class _Cells:
    """The cells of one matrix. Twelve thousand are made of a few hundred answers: each is put into words once."""

    def __init__(self) -> None:
        self._words = {code: str(label).lower() for code, label in labels(STATUS).items()}
        self._made: dict[tuple[Any, ...], Cell] = {}

    def of(self, seen: Any) -> Cell | None:
        if seen is None:
            return None
        key = (seen.status_change, seen.length_mm, seen.width_mm, seen.ulcerated, seen.infection)
        found = self._made.get(key)
        if found is None:
            status = seen.status_change or LesionStatus.NOT_ASSESSED.value
            found = self._made[key] = Cell(
                status=status,
                word=self._words[status] if seen.status_change else _("not answered"),
                size=size_words(seen.length_mm, seen.width_mm),
                ulcerated=seen.ulcerated == "Y",
                infected=seen.infection in INFECTED,
            )
        return found


def _spark(lesion: Lesion, moments: Sequence[Moment]) -> SafeString:
    """Its area over the visits (its longest diameter where it never had two axes); 0 once it is gone."""
    seen = [(moment, moment.seen[lesion.pk]) for moment in moments if lesion.pk in moment.seen]
    by_area = any(one.area_mm2 is not None for _moment, one in seen)
    points: list[tuple[float, float | None]] = []
    for moment, one in seen:
        value = one.area_mm2 if by_area else one.length_mm
        gone = not scoring.is_active(one.status_change)
        day = float(moment.visit.visit_date.toordinal())
        points.append((day, 0.0 if gone else float(value) if value is not None else None))
    if all(not value for _day, value in points):
        return mark_safe("")
    known = [value for _day, value in points if value is not None]
    label = _("%(lesion)s from %(first)s to %(last)s %(unit)s in %(n)s visits") % {
        "lesion": lesion.label, "first": f"{known[0]:.0f}", "last": f"{known[-1]:.0f}",
        "unit": "mm²" if by_area else "mm", "n": len(known),
    }  # fmt: skip
    # The lines of all lesions share one axis of time: what happened together stands together.
    ends = [float(moment.visit.visit_date.toordinal()) for moment in (moments[0], moments[-1])]
    points = [(ends[0], None), *points, (ends[1], None)]
    return mark_safe(sparkline(points, label=label))


def _origins(lesions: Sequence[Lesion]) -> dict[int, list[tuple[str, Lesion]]]:
    """{lesion id: (what it is to another lesion, that lesion)}, told from both sides."""
    by_id = {lesion.pk: lesion for lesion in lesions}
    told: dict[int, list[tuple[str, Lesion]]] = defaultdict(list)
    for lesion in lesions:
        parent, into = by_id.get(lesion.parent_id or 0), by_id.get(lesion.merged_into_id or 0)
        if parent is not None:
            split = lesion.lineage == Lineage.SPLIT
            told[lesion.pk].append((_("split from") if split else _("recurrence of"), parent))
            told[parent.pk].append((_("split into") if split else _("came back as"), lesion))
        if into is not None:
            told[lesion.pk].append((_("merged into"), into))
            told[into.pk].append((_("took in"), lesion))
    return told
