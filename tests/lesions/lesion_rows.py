"""A patient, visits, lesions and observations in few words, and what a record refuses."""

from __future__ import annotations

import datetime

import pytest
from django.core.exceptions import ValidationError

from calcinosis_registry.clinics.models import Clinic
from calcinosis_registry.codebook.partial_dates import PartialDate
from lesions.models import (
    Lesion,
    LesionObservation,
)
from patients.models import Patient, Visit

FIRST, LATER = datetime.date(2024, 3, 1), datetime.date(2024, 9, 1)
NOTHING_ELSE = {"ulcerated": "N", "drainage": "NONE", "infection": "NONE", "flare": "N"}


def a_patient(number: str = "LIS-0001") -> Patient:
    clinic, _new = Clinic.objects.get_or_create(code="LIS", defaults={"name": "Lisbon"})
    return Patient.objects.bulk_create(
        [
            Patient(
                registry_number=number, clinic=clinic, birth_date=PartialDate(1960), sex_at_birth="F",
                registry_consent=True,
            )
        ]
    )[0]  # fmt: skip


def a_visit(patient: Patient, day: datetime.date, **values: object) -> Visit:
    return Visit.objects.bulk_create(
        [Visit(**{"patient": patient, "visit_date": day, "visit_type": "FOLLOW_UP", **values})]
    )[0]


def a_lesion(visit: Visit, **values: object) -> Lesion:
    known = {"site": "HAND.D1.PULP", "laterality": "R", "first_recorded": visit.visit_date} | values
    lesion = Lesion(patient=visit.patient, visit=visit, number=Lesion.objects.next_number(visit.patient), **known)
    lesion.save()
    return lesion


def seen(lesion: Lesion, visit: Visit, status: str = "STABLE", **values: object) -> LesionObservation:
    answers = NOTHING_ELSE | values
    observation = LesionObservation(patient=visit.patient, visit=visit, lesion=lesion, status_change=status, **answers)
    observation.save()
    return observation


def refused(record: object) -> set[str]:
    with pytest.raises(ValidationError) as told:
        record.save()  # type: ignore[attr-defined]
    return set(told.value.message_dict)


def rules(found: object) -> set[str]:
    return {one.rule for one in found}  # type: ignore[attr-defined]
