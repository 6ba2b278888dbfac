"""Laboratory results: units of the test, LOINC beside it, and what is calculated from them."""

from __future__ import annotations

import datetime
import json
from decimal import Decimal

import pytest
from django.urls import reverse

from calcinosis_registry.quality.models import DataQuery
from patients import units
from patients.calculated import calculated
from patients.models import LaboratoryResult
from tests.factories import PatientFactory

DAY = datetime.date(2026, 5, 12)


@pytest.fixture
def patient(north):
    return PatientFactory(clinic=north)


@pytest.fixture
def send(client_of, clinician, patient):
    client = client_of(clinician)
    url = reverse("patients:record_add", args=[patient.public_id, "laboratoryresult"])

    def sent(**typed):
        form = {"collected_on": str(DAY), "value_original": "2.3", "unit_original": "mmol/L", "analyte": "CALCIUM"}
        return client.post(url, form | typed) if typed else client.get(url)

    return sent


def result(patient, analyte: str, value: str, day: datetime.date = DAY, **more) -> LaboratoryResult:
    made = LaboratoryResult(
        patient=patient, analyte=analyte, collected_on=day, value_original=Decimal(value),
        unit_original=units.analyte(analyte).ucum, **more,
    )  # fmt: skip
    made.save()
    return made


def test_the_unit_is_chosen_from_a_list_and_the_page_knows_which_belong_to_which_test(send):
    form = send().context["form"]
    offered = [code for code, _label in form.fields["unit_original"].choices if code]
    assert len(offered) == len(set(offered)) > 8
    allowed = json.loads(form.fields["unit_original"].widget.attrs["data-allowed"])
    assert allowed["CALCIUM"] == units.accepted_units("CALCIUM") == ["mmol/L", "mg/dL"]
    assert {unit for one in allowed.values() for unit in one} == set(offered)


def test_every_test_shows_its_loinc(send):
    shown = dict(send().context["form"].fields["analyte"].choices)
    assert shown["CALCIUM"] == "Calcium, total (LOINC 17861-6 / 2000-8)"
    assert shown["ALP"] == "Alkaline phosphatase (LOINC 6768-6)"
    assert all("LOINC" in shown[code] for code, one in units.ANALYTES.items() if not one.derived)


def test_the_prompt_says_what_is_accepted_and_that_it_is_no_reference_range(send):
    notes = json.loads(send().context["form"].fields["analyte"].widget.attrs["data-notes"])
    assert "Possible: 1.00 to 5.00 mmol/L; asked about outside 2.10 to 2.65" in notes["CALCIUM"]
    assert "no reference ranges" in notes["CALCIUM"]
    assert "Under 18 years" in notes["ALP"] and "Under 18 years" not in notes["CALCIUM"]


@pytest.mark.parametrize(("unit", "said"), [("g/L", "cannot be given in"), ("furlong", "Select a valid choice")])
def test_without_the_script_a_unit_of_another_test_is_refused_by_name(send, unit, said):
    page = send(unit_original=unit)
    assert said in str(page.context["form"].errors["unit_original"])
    assert page.context["form"]["value_original"].value() == "2.3"
    assert not LaboratoryResult.objects.exists()


def test_calculated_values_stand_on_the_patient_page_with_formula_and_inputs(client_of, clinician, patient):
    for analyte, value in (("CALCIUM", "2.05"), ("ALBUMIN", "30"), ("PHOSPHATE", "1.1"), ("CREATININE", "80")):
        result(patient, analyte, value)
    page = client_of(clinician).get(patient.get_absolute_url()).content.decode()
    for told in (
        "Calcium, corrected for albumin", "<b>2.25</b> mmol/L", "calcium + 0.02 × (40 − albumin)",
        "Calcium, total 2.05 mmol/L; Albumin 30 g/L", "Calcium × phosphate", "mg²/dL²", "eGFR",
        "CKD-EPI 2021, from creatinine, age and sex", "Creatinine 80 µmol/L; 58 years, female",
    ):  # fmt: skip
        assert told in page, told
    assert page.count(">calculated<") == 3


def test_values_of_different_days_are_never_combined(patient):
    result(patient, "CALCIUM", "2.4")
    result(patient, "ALBUMIN", "30", day=datetime.date(2026, 5, 11))
    assert calculated(patient, LaboratoryResult.objects.all()) == {}
    result(patient, "CALCIUM", "2.05", day=datetime.date(2026, 5, 11))
    (found,) = calculated(patient, LaboratoryResult.objects.all()).values()
    assert (found.value, found.day) == (Decimal("2.25"), datetime.date(2026, 5, 11))


def test_a_result_with_a_comparator_and_a_child_give_no_estimate(north, patient):
    result(patient, "CREATININE", "80", comparator="<")
    child = PatientFactory(clinic=north, birth_date="2014-03")
    result(child, "CREATININE", "40")
    for one in (patient, child):
        assert calculated(one, LaboratoryResult.objects.filter(patient=one)) == {}


@pytest.mark.parametrize(("typed", "shown"), [("2.34", "206.856"), ("2.3333", "206.264")])
def test_a_converted_value_is_asked_about_no_more_exactly_than_it_makes_sense(send, typed, shown):
    send(analyte="CREATININE", value_original=typed, unit_original="mg/dL")
    query = DataQuery.objects.get()
    assert query.message.startswith(f"Creatinine {shown} µmol/L is unusual")
