"""Suspicious only beside other records: opened as data queries through the front door, closed when put right."""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import Any

import pytest
from django.urls import reverse

from calcinosis_registry.quality.models import DataQuery
from patients.calculated import CORRECTED_CALCIUM, calculated
from patients.models import LaboratoryResult
from tests.factories import DiagnosisFactory, PatientFactory, VisitFactory

pytestmark = pytest.mark.django_db


def enter(client: Any, patient: Any, analyte: str, value: str, unit: str, day: str = "2026-03-01") -> Any:
    return client.post(
        reverse("patients:record_add", args=[patient.public_id, "laboratoryresult"]),
        {"analyte": analyte, "collected_on": day, "value_original": value, "unit_original": unit, "version": "0"},
    )


def rules() -> list[str]:
    return sorted(DataQuery.objects.open().values_list("rule", flat=True))


def test_the_same_analyte_twice_on_one_day_is_asked_about(client_of: Any, clinician: Any, north: Any) -> None:
    patient, client = PatientFactory(clinic=north), client_of(clinician)
    enter(client, patient, "CRP", "5", "mg/L")
    assert rules() == []
    enter(client, patient, "CRP", "0,5", "mg/dL")
    assert rules() == ["lab_repeated"]


def test_an_abnormal_calcium_asks_for_a_metabolic_cause_and_a_correction_settles_it(
    client_of: Any, clinician: Any, north: Any
) -> None:
    diagnosis = DiagnosisFactory(patient=PatientFactory(clinic=north))
    client = client_of(clinician)
    enter(client, diagnosis.patient, "CALCIUM", "3,1", "mmol/L")
    assert "metabolic_cause" in rules()
    result = LaboratoryResult.objects.get()
    answer = client.post(
        reverse("patients:record", args=["laboratoryresult", result.public_id]),
        {
            "analyte": "CALCIUM", "collected_on": "2026-03-01", "value_original": "2.3", "unit_original": "mmol/L",
            "version": result.version, "reason": "misread",
        },
    )  # fmt: skip
    assert answer.status_code == 302
    assert rules() == []


def test_corrected_calcium_comes_from_the_newest_results(north: Any) -> None:
    patient = PatientFactory(clinic=north)
    for analyte, value in (("CALCIUM", "2.05"), ("ALBUMIN", "30")):
        unit = {"CALCIUM": "mmol/L", "ALBUMIN": "g/L"}[analyte]
        LaboratoryResult(
            patient=patient, analyte=analyte, collected_on=datetime.date(2026, 1, 1), value_original=Decimal(value),
            unit_original=unit,
        ).save()  # fmt: skip
    found = calculated(patient, LaboratoryResult.objects.all())[CORRECTED_CALCIUM]
    assert (found.value, found.formula) == (Decimal("2.25"), "calcium + 0.02 × (40 − albumin)")


def test_a_death_before_recorded_visits_is_refused_and_names_them(client_of: Any, clinician: Any, north: Any) -> None:
    patient = PatientFactory(clinic=north)
    VisitFactory(patient=patient, visit_date=datetime.date(2026, 5, 12))
    answer = client_of(clinician).post(
        reverse("patients:record", args=["patient", patient.public_id]),
        {
            "birth_date": "1968-04",
            "sex_at_birth": "F",
            "status": "DEAD",
            "death_date": "2026-03",
            "version": patient.version,
        },
    )
    assert "There are visits after that: 2026-05-12" in answer.content.decode()
    patient.refresh_from_db()
    assert patient.status == "ALIVE"


@pytest.mark.parametrize(("phosphate", "asked"), [("1.7", False), ("1.9", True)])
def test_a_high_calcium_phosphate_product_is_asked_about_whatever_the_subtype(
    client_of: Any, clinician: Any, north: Any, phosphate: str, asked: bool
) -> None:
    diagnosis = DiagnosisFactory(patient=PatientFactory(clinic=north), aetiology_subtype="METASTATIC")
    client = client_of(clinician)
    enter(client, diagnosis.patient, "CALCIUM", "2.5", "mmol/L")
    enter(client, diagnosis.patient, "PHOSPHATE", phosphate, "mmol/L")
    assert ("calcium_phosphate" in rules()) is asked


@pytest.mark.parametrize(
    ("note", "asked"),
    [
        ("Call +351 912 345 678 about gloves", True),
        ("Daughter: 0170/5551234", True),
        ("Seen 2026-03-02 and 2026-04-11, 12.5 mm, 45 mg", False),
        ("Ulcer since 02.03.2026, BP 120/80", False),
    ],
)
def test_a_telephone_number_in_a_note_is_asked_about(north: Any, note: str, asked: bool) -> None:
    visit = VisitFactory(patient=PatientFactory(clinic=north), note=note)
    assert ("telephone_in_note" in [one.rule for one in visit.findings()]) is asked
