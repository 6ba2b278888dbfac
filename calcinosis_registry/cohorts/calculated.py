"""Values of a dataset that are worked out from several records: a constant number of queries for a few patients.

Worked out from every visit, signed or not: a lesion new at a signed visit stays new whatever is signed besides.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from django.db import models

from lesions.models import ImagingStudy, Lesion, LesionObservation
from lesions.outcome import first_visit, incident_lesions, outcomes
from patients.models import Visit


def calculated_values(model: type[models.Model], patients: Sequence[int]) -> dict[int, dict[str, Any]]:
    """{row: {name: value}} of the visits or lesions of these patients."""
    found: dict[int, dict[str, Any]] = {}
    visits = _by_patient(Visit.objects.filter(patient__in=patients).order_by("visit_date", "pk"), "visit_date", "state")
    lesions = _by_patient(
        Lesion.objects.filter(patient__in=patients), "site", "laterality", "lineage", "first_recorded"
    )
    seen = LesionObservation.objects.filter(patient__in=patients).order_by()
    observations = _by_patient(seen, "lesion", "visit", "status_change", "observed")
    negative = ImagingStudy.objects.filter(patient__in=patients, calcinosis_present="N")
    studies = _by_patient(negative, "calcinosis_present", "body_region", "laterality", "study_date")
    for patient in patients:
        first = first_visit(visits[patient])
        places = {one.pk: one for one in lesions[patient]}
        incident = incident_lesions(first, places, observations[patient], studies[patient])
        if model is Lesion:
            found |= {pk: {"incident": pk in incident} for pk in places}
        elif model is Visit:
            turned_out = outcomes(first, observations[patient], incident)
            found |= {visit.pk: {"outcome": turned_out.get(visit.pk)} for visit in visits[patient]}
    return found


def _by_patient(rows: models.QuerySet, *names: str) -> dict[int, list[Any]]:
    found: dict[int, list[Any]] = defaultdict(list)
    for one in rows.only("patient", *names):
        found[one.patient_id].append(one)
    return found
