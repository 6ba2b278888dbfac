"""What was known of every lesion after every visit: the one reading that matrix, course and map share."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Any

from lesions import scoring
from lesions.models import Lesion
from patients.models import Visit, VisitState


@dataclass(frozen=True)
class Moment:
    """One visit. ``seen``: its observations by lesion; ``known``: the last assessed one of each lesion so far.

    ``burden`` in mm2 (None: not known), ``active`` and ``ulcerated`` numbers of lesions; all three None at a visit that
    saw no lesion, such as a missed one.
    """

    visit: Visit
    seen: dict[int, Any]
    known: dict[int, Any]
    burden: Decimal | None
    active: int | None
    ulcerated: int | None
    new_ulcers: tuple[int, ...]

    @cached_property
    def url(self) -> str:
        """The visit's page; every series of the course links to it."""
        return self.visit.get_absolute_url()


def timeline(visits: Sequence[Visit], lesions: Iterable[Lesion], observations: Iterable[Any]) -> list[Moment]:
    """One moment per visit, in the order of ``visits`` (oldest first)."""
    at_visit: dict[int, dict[int, Any]] = defaultdict(dict)
    for one in observations:
        at_visit[one.visit_id][one.lesion_id] = one
    targets = [lesion.pk for lesion in lesions if lesion.target]
    known: dict[int, Any] = {}
    moments = []
    for visit in visits:
        seen = at_visit[visit.pk] if visit.state != VisitState.MISSED else {}
        assessed = {key: one for key, one in seen.items() if one.status_change not in scoring.UNASSESSED_STATUSES}
        fresh = tuple(key for key, one in assessed.items() if one.ulcerated == "Y" and not _ulcerated(known.get(key)))
        known = {**known, **assessed}
        there = [one for one in known.values() if scoring.is_active(one.status_change)]
        burden, active, ulcerated = _burden(targets, known, seen), len(there), sum(_ulcerated(one) for one in there)
        if not seen:
            burden = active = ulcerated = None  # type: ignore[assignment]
        moments.append(Moment(visit, seen, known, burden, active, ulcerated, fresh))
    return moments


def _ulcerated(one: Any) -> bool:
    return one is not None and one.ulcerated == "Y"


def _burden(targets: list[int], known: dict[int, Any], seen: dict[int, Any]) -> Decimal | None:
    """The burden of the targets known by then; one that is there but was not measured at the visit makes it missing."""
    rows = []
    for key in targets:
        if key in known:
            now = seen.get(key)
            rows.append((known[key].status_change, now.length_mm if now else None, now.width_mm if now else None))
    return scoring.burden_mm2(rows)
