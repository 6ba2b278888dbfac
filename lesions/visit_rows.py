"""Which lesions a visit page asks about."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from lesions import agreement
from lesions.models import Lesion, LesionObservation, LesionStatus
from patients.models import Patient, Visit


class Known(NamedTuple):
    """A lesion to answer at a visit. ``measured``: its observations before with two axes, oldest first."""

    lesion: Lesion
    current: LesionObservation | None
    previous: LesionObservation | None
    measured: Sequence[LesionObservation] = ()


def patient_rows(patient: Patient, visit: Visit) -> list[Known]:
    """The lesions to answer at a visit, open before it or answered at it: each with this and the last observation."""
    lesions = {lesion.pk: lesion for lesion in Lesion.objects.filter(patient=patient)}
    current: dict[int, LesionObservation] = {}
    previous: dict[int, LesionObservation] = {}
    measured: dict[int, list[LesionObservation]] = defaultdict(list)
    closed: set[int] = set()
    seen = (
        LesionObservation.objects.filter(patient=patient)
        .select_related("visit")
        .order_by("visit__visit_date", "visit_id")
    )
    for one in seen:
        if one.visit_id == visit.pk:
            current[one.lesion_id] = one
        elif visit.visit_date is None or one.visit.visit_date <= visit.visit_date:
            if one.length_mm is not None and one.width_mm is not None:
                measured[one.lesion_id].append(one)
            if one.is_assessed:
                previous[one.lesion_id] = one
                closed.discard(one.lesion_id)
                if not agreement.is_there(one.status_change):
                    closed.add(one.lesion_id)
    return [
        Known(lesion, current.get(pk), previous.get(pk), measured[pk])
        for pk, lesion in lesions.items()
        if pk in current or (pk not in closed and not _merged_by(lesion, visit) and _recorded_before(lesion, visit))
    ]


def _merged_by(lesion: Lesion, visit: Visit) -> bool:
    """Was it part of another lesion by then?"""
    if lesion.merged_into_id is None:
        return False
    return lesion.closed_on is None or visit.visit_date is None or lesion.closed_on <= visit.visit_date


def gone_before(visit: Visit) -> list[Lesion]:
    """The lesions that were gone by then, and so can have come back; what merged lives on in another."""
    gone = Lesion.objects.filter(patient=visit.patient, closed_on__isnull=False)
    gone = gone.exclude(current_status=LesionStatus.MERGED).exclude(observations__visit=visit.pk or 0)
    return list(gone.filter(closed_on__lte=visit.visit_date) if visit.visit_date else gone)


def _recorded_before(lesion: Lesion, visit: Visit) -> bool:
    return visit.visit_date is None or lesion.first_recorded <= visit.visit_date
