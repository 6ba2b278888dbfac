"""A patient followed for decades: many visits, many lesions, all of them seen at every visit."""

from __future__ import annotations

import datetime
from decimal import Decimal

from django.db import models

from calcinosis_registry.clinics.models import Clinic
from calcinosis_registry.codebook.partial_dates import PartialDate
from lesions.body_map import VIEWS
from lesions.models import Complication, Lesion, LesionObservation, TreatmentCourse
from lesions.services import settle_lesions, summarise
from patients.models import Patient, Visit
from tests.factories import PatientFactory

FIRST = datetime.date(2011, 1, 10)
PLACES = [(region.site, region.side or "M") for view in VIEWS.values() for region in view.regions]
STATUS = ("STABLE", "LARGER", "STABLE", "SMALLER", "STABLE", "NOT_ASSESSED")


def long_course(clinic: Clinic, *, visits: int, lesions: int) -> Patient:
    """Straight into the tables: twelve thousand histories of creation would measure the loading."""
    patient = PatientFactory(clinic=clinic)
    days = [FIRST + datetime.timedelta(days=90 * number) for number in range(visits)]
    made = models.QuerySet(Visit).bulk_create(
        Visit(
            patient=patient, visit_date=day, visit_type="FOLLOW_UP" if n else "BASELINE", state="COMPLETE",
            calcinosis_present="Y", pain_nrs=n % 11, patient_global=(n * 3) % 11, physician_global=(n * 7) % 11,
            treatments_changed="NONE", complications="NONE",
        )
        for n, day in enumerate(days)
    )  # fmt: skip
    found = models.QuerySet(Lesion).bulk_create(
        Lesion(
            patient=patient, visit=made[0], number=n + 1, site=PLACES[n % len(PLACES)][0], target=n < 5,
            laterality=PLACES[n % len(PLACES)][1], first_recorded=days[0], diagnostic_basis=("EXAM",),
        )
        for n in range(lesions)
    )  # fmt: skip
    models.QuerySet(LesionObservation).bulk_create(
        (
            LesionObservation(
                patient=patient, visit=visit, lesion=one, status_change=STATUS[(n + k) % 6] if n else "NEW",
                ulcerated="Y" if (n + 7 * k) % 23 == 0 else "N", drainage="NONE", infection="NONE", flare="N",
                length_mm=Decimal(5 + k % 9 + n % 4), width_mm=Decimal(4), size_method="CALIPER",
                area_mm2=Decimal(16 + 3 * (k % 9 + n % 4)),
            )
            for n, visit in enumerate(made)
            for k, one in enumerate(found)
        ),
        batch_size=500,
    )  # fmt: skip
    models.QuerySet(TreatmentCourse).bulk_create(
        TreatmentCourse(
            patient=patient, agent=agent, route="ORAL", start=PartialDate(2011 + n), stop=PartialDate(2012 + n)
        )
        for n, agent in enumerate(["COLCHICINE", "DILTIAZEM", "MINOCYCLINE"] * 4)
    )
    models.QuerySet(Complication).bulk_create(
        Complication(patient=patient, code="CELLULITIS", onset=PartialDate(day.year, day.month, day.day))
        for day in days[::2]
    )
    settled = settle_lesions(patient=patient)
    summarise(patients=[patient], settled=settled)
    return patient
