"""Clinical-model 12.4, rules 1 to 7, each through the pages, through the admin and in code."""

from __future__ import annotations

import datetime

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse

from calcinosis_registry.codebook.partial_dates import PartialDate
from calcinosis_registry.quality.models import DataQuery
from calcinosis_registry.records.models import Record
from lesions.models import Lesion, LesionObservation
from lesions.services import follow
from patients.kinds import kinds
from patients.models import Patient, Visit
from tests.clinical_rules.posting import RecordPage, Table, VisitPage
from tests.factories import (
    DiagnosisFactory,
    ImagingStudyFactory,
    LesionFactory,
    LesionObservationFactory,
    PatientFactory,
    TreatmentCourseFactory,
    VisitFactory,
)

PLACES = pytest.mark.parametrize("where", [RecordPage, Table], ids=["page", "admin"])


def refused(record: Record, **changes) -> dict[str, list[str]]:
    """What code is told that saves the record with these values."""
    for name, value in changes.items():
        setattr(record, name, value)
    with pytest.raises(ValidationError) as told:
        record.save()
    return told.value.message_dict if hasattr(told.value, "error_dict") else {"__all__": told.value.messages}


# --- 1. Death, birth and the visits -----------------------------------------------------------------------------------

DEATHS = [
    ({"status": "DEAD", "death_date": ""}, "death_date"),
    ({"status": "DEAD", "death_date": "1960"}, "death_date"),
    ({"status": "DEAD", "death_date": "2026-04"}, "death_date"),
    ({"status": "DEAD", "death_date": "2099"}, "death_date"),
    ({"birth_date": "2026-04"}, "birth_date"),
    ({"birth_date": "1850"}, "birth_date"),
    ({"birth_date": "2099"}, "birth_date"),
    ({"first_contact": "1950"}, "first_contact"),
    ({"first_contact": "2099"}, "first_contact"),
]


@PLACES
@pytest.mark.parametrize(("changes", "field"), DEATHS)
def test_1_nobody_dies_before_birth_or_a_visit(clara, visit, where, changes, field):
    assert field in where(clara, Patient.objects.get(pk=visit.patient.pk)).errors(**changes)


@pytest.mark.parametrize(("changes", "field"), DEATHS)
def test_1_nor_in_code(visit, changes, field):
    values = {name: PartialDate.parse(one) if one and name != "status" else (one or None)
              for name, one in changes.items()}  # fmt: skip
    assert field in refused(Patient.objects.get(pk=visit.patient.pk), **values)


@PLACES
@pytest.mark.parametrize("day", ["unknown", "2026-05-12", "2026-05", "2026"])
def test_1_a_death_may_be_undated_or_on_the_day_of_the_last_visit(clara, visit, where, day):
    assert where(clara, Patient.objects.get(pk=visit.patient.pk)).errors(status="DEAD", death_date=day) == {}


@pytest.mark.parametrize("where", [VisitPage, Table], ids=["page", "admin"])
def test_1_a_visit_is_not_moved_after_death(clara, visit, where):
    patient = Patient.objects.get(pk=visit.patient.pk)
    patient.status, patient.death_date = "DEAD", PartialDate(2026, 5, 20)
    patient.save()
    assert where(clara, visit).post(visit_date="2026-05-21").status_code == 200
    assert "visit_date" in refused(Visit.objects.get(pk=visit.pk), visit_date=datetime.date(2026, 5, 21))


# --- 2. Consent before anything clinical ------------------------------------------------------------------------------


def withdrawn(patient: Patient) -> Patient:
    patient.registry_consent = False
    patient.save()
    return patient


@pytest.mark.parametrize("kind", sorted(set(kinds()) - {"patient", "consent", "lesion"}))
def test_2_no_kind_of_record_begins_without_consent(clara, visit, lesions, kind):
    study = ImagingStudyFactory(patient=visit.patient)
    about = {"handscore": {"study": study}, "lesionobservation": {"lesion": lesions[0]}}.get(kind, {})
    patient = withdrawn(Patient.objects.get(pk=visit.patient.pk))
    made = kinds()[kind](patient=patient, visit=Visit.objects.get(pk=visit.pk), **about)
    assert "No consent" in str(refused(made))
    page = RecordPage(clara, kind=kind, visit=visit)
    assert "No consent" in str(page.errors(**{name: one.pk for name, one in about.items()}))
    assert not kinds()[kind].objects.filter(patient=patient, visit=visit).exists()


@pytest.mark.parametrize("where", [VisitPage, Table], ids=["page", "admin"])
def test_2_nor_does_a_record_change(clara, visit, lesions, where):
    seen = LesionObservationFactory(lesion=lesions[0], visit=visit)
    withdrawn(Patient.objects.get(pk=visit.patient.pk))
    assert where(clara, visit).post(pain_nrs="3").status_code == 200
    assert Table(clara, seen).errors(flare="Y")
    assert "No consent" in str(refused(LesionObservation.objects.get(pk=seen.pk), flare="Y"))
    assert Visit.objects.get(pk=visit.pk).pain_nrs is None


# --- 3. First noticed, first recorded, observed -----------------------------------------------------------------------


@PLACES
def test_3_a_lesion_is_not_noticed_after_it_was_recorded(clara, lesions, where):
    assert "first_noticed" in where(clara, lesions[0]).errors(first_noticed="2026-04")
    assert "first_noticed" in where(clara, lesions[0]).errors(first_noticed="1950")
    assert where(clara, lesions[0]).errors(first_noticed="2026-03") == {}
    assert "first_noticed" in refused(Lesion.objects.get(pk=lesions[0].pk), first_noticed=PartialDate(2026, 4))


@pytest.mark.parametrize("where", [VisitPage, Table], ids=["page", "admin"])
@pytest.mark.parametrize(("day", "answer"), [("2026-03-09", 200), ("2026-03-10", 302)])
def test_3_a_visit_is_not_moved_before_a_lesion_it_saw_was_recorded(clara, visit, lesions, where, day, answer):
    LesionObservationFactory(lesion=lesions[0], visit=visit)
    assert where(clara, visit).post(visit_date=day).status_code == answer
    assert str(Visit.objects.get(pk=visit.pk).visit_date) == (day if answer == 302 else "2026-05-12")


@pytest.mark.parametrize("where", [VisitPage, Table], ids=["page", "admin"])
def test_3_the_visit_that_found_a_lesion_is_not_moved_before_it_was_noticed(clara, first, lesions, where):
    lesions[0].first_noticed = PartialDate(2026, 3)
    lesions[0].save()
    assert where(clara, first).post(visit_date="2026-02-27").status_code == 200
    assert "visit_date" in refused(Visit.objects.get(pk=first.pk), visit_date=datetime.date(2026, 2, 27))
    assert where(clara, first).post(visit_date="2026-03-02").status_code == 302
    assert str(Lesion.objects.get(pk=lesions[0].pk).first_recorded) == "2026-03-02"


@PLACES
def test_3_no_observation_before_the_lesion_was_recorded(clara, first, lesions, where):
    before = VisitFactory(patient=first.patient, visit_date=datetime.date(2025, 1, 7))
    if where is RecordPage:
        page = RecordPage(clara, kind="lesionobservation", visit=before)
        assert "lesion" in page.errors(lesion=lesions[0].pk, status_change="STABLE")
    else:
        other = LesionFactory(patient=first.patient, first_recorded=datetime.date(2025, 1, 7))
        seen = LesionObservationFactory(lesion=other, visit=before)
        assert "lesion" in Table(clara, seen).errors(lesion=lesions[0].pk)


# --- 4. Gone is gone --------------------------------------------------------------------------------------------------


@pytest.fixture
def gone(visit, lesions) -> LesionObservation:
    """L1 is resolved at the later visit."""
    seen = LesionObservationFactory(lesion=lesions[0], visit=visit, status_change="RESOLVED")
    follow(patient=visit.patient, records=[])
    return seen


@PLACES
def test_4_what_is_gone_has_no_size(clara, gone, where):
    assert where(clara, gone).errors(length_mm="9", width_mm="7", size_method="CALIPER") == {}
    seen = LesionObservation.objects.get(pk=gone.pk)
    assert (seen.length_mm, seen.width_mm, seen.size_method, seen.area_mm2) == (None, None, "", None)


def test_4_and_is_not_there_again_later(clara, gone, lesions):
    later = VisitFactory(patient=gone.patient, visit_date=datetime.date(2026, 6, 30))
    page = RecordPage(clara, kind="lesionobservation", visit=later)
    assert "recurrence" in str(page.errors(lesion=lesions[0].pk, status_change="STABLE")["status_change"])
    standing = LesionObservationFactory(lesion=lesions[0], visit=later, status_change="NOT_ASSESSED")
    assert "recurrence" in str(Table(clara, standing).errors(status_change="LARGER")["status_change"])
    seen = LesionObservation.objects.get(pk=standing.pk)
    assert "status_change" in refused(seen, status_change="STABLE")
    last = VisitFactory(patient=gone.patient, visit_date=datetime.date(2026, 7, 30))
    assert [row.lesion for row in clara.get(last.get_absolute_url()).context["page"].rows] == lesions[1:]


@pytest.mark.parametrize("where", [VisitPage, RecordPage, Table], ids=["visit page", "page", "admin"])
def test_4_nor_is_it_said_to_be_gone_before_it_was_seen_again(clara, visit, lesions, where):
    LesionObservationFactory(
        lesion=lesions[0], visit=VisitFactory(patient=visit.patient, visit_date=datetime.date(2026, 6, 30))
    )
    seen = LesionObservationFactory(lesion=lesions[0], visit=visit)
    if where is VisitPage:
        page = VisitPage(clara, visit).post(l1__status_change="RESOLVED").context["page"]
        assert "there again on 2026-06-30" in str(page.rows[0].form.errors["status_change"])
    else:
        assert "there again on 2026-06-30" in str(where(clara, seen).errors(status_change="RESOLVED"))
    assert LesionObservation.objects.get(pk=seen.pk).status_change == "STABLE"


@pytest.mark.parametrize("where", [VisitPage, Table], ids=["page", "admin"])
def test_4_a_visit_is_not_moved_past_the_one_at_which_its_lesion_is_gone(clara, gone, lesions, where):
    between = VisitFactory(patient=gone.patient, visit_date=datetime.date(2026, 4, 14))
    LesionObservationFactory(lesion=lesions[0], visit=between)
    assert where(clara, between).post(visit_date="2026-06-01").status_code == 200
    assert where(clara, between).post(visit_date="2026-04-20").status_code == 302


@PLACES
def test_4_a_recurrence_stems_from_what_was_gone(clara, gone, lesions, where):
    child = LesionFactory(patient=gone.patient, first_recorded=datetime.date(2026, 6, 30))
    wrong = where(clara, child).errors(lineage="RECURRENCE", parent=lesions[1].pk)
    assert "was not gone" in str(wrong["parent"])
    assert where(clara, child).errors(lineage="RECURRENCE", parent=lesions[0].pk) == {}


def test_4_a_recurrence_found_on_the_visit_page_is_recorded_as_one(clara, gone, lesions):
    later = VisitFactory(patient=gone.patient, visit_date=datetime.date(2026, 6, 30))
    new = {"site": "HAND.D1.PULP", "laterality": "R", "lesion_kind": "SINGLE", "lineage": "RECURRENCE",
           "parent": lesions[0].pk}  # fmt: skip
    VisitPage(clara, later).post(**{f"new-0001-{name}": value for name, value in new.items()})
    child = Lesion.objects.get(parent=lesions[0])
    assert child.observations.get().status_change == child.current_status == "RECURRED"


# --- 5 stands in test_excised.py. 6. Ulcers and pus -------------------------------------------------------------------


@PLACES
def test_6_an_ulcer_has_a_size_or_was_not_measured(clara, visit, lesions, where):
    seen = LesionObservationFactory(lesion=lesions[0], visit=visit)
    assert "ulcer_size_mm" in where(clara, seen).errors(ulcerated="Y")
    assert "ulcer_size_mm" in where(clara, seen).errors(ulcerated="Y", ulcer_size_mm="3", ulcer_not_measured="on")
    assert "ulcer_size_mm" in where(clara, seen).errors(ulcerated="Y", ulcer_size_mm="0.4")
    assert where(clara, seen).errors(ulcerated="Y", ulcer_not_measured="on") == {}
    assert "ulcer_size_mm" in refused(LesionObservation.objects.get(pk=seen.pk), ulcer_not_measured=False)


def test_6_on_the_visit_page_too(clara, visit):
    page = VisitPage(clara, visit).post(l1__status_change="STABLE", l1__ulcerated="Y").context["page"]
    assert "ulcer_size_mm" in page.rows[0].form.errors


@PLACES
@pytest.mark.parametrize(("infection", "asked"), [("NONE", True), ("U", True), ("SUSPECTED", False), ("", False)])
def test_6_pus_without_infection_is_asked_about(clara, visit, lesions, where, infection, asked):
    seen = LesionObservationFactory(lesion=lesions[0], visit=visit)
    assert where(clara, seen).errors(drainage="PURULENT", infection=infection) == {}
    assert DataQuery.objects.open().filter(rule="purulent_without_infection").exists() is asked


# --- 7. Sites and sides -----------------------------------------------------------------------------------------------

WRONG_PLACES = [
    ({"site": "HAND.D1.MID"}, "site"),
    ({"site": "HAND.D1.DIP"}, "site"),
    ({"site": "HAND.D1.PIP"}, "site"),
    ({"site": "HAND.D2.IP"}, "site"),
    ({"site": "SPINE.L", "laterality": "R"}, "laterality"),
    ({"site": "HAND.D2.DIP", "laterality": "M"}, "laterality"),
    ({"site": "HAND.D2.DIP", "laterality": ""}, "laterality"),
    ({"site": "ELBOW", "laterality": "B"}, "laterality"),
    ({"site": "OTHER", "laterality": "", "site_text": ""}, "site_text"),
]


@PLACES
@pytest.mark.parametrize(("changes", "field"), WRONG_PLACES)
def test_7_a_lesion_is_where_a_lesion_can_be(clara, lesions, where, changes, field):
    assert field in where(clara, lesions[0]).errors(**changes)
    assert field in refused(Lesion.objects.get(pk=lesions[0].pk), **changes)


@pytest.mark.parametrize(("changes", "field"), WRONG_PLACES)
def test_7_on_the_visit_page_too(clara, visit, changes, field):
    known = {"site": "HAND.D3.PULP", "laterality": "R", "lesion_kind": "SINGLE"} | changes
    page = VisitPage(clara, visit).post(**{f"new-0001-{name}": value for name, value in known.items()})
    assert field in page.context["page"].new[0].lesion.errors
    assert Lesion.objects.count() == 2


# --- Calcinosis present: no (12.3 (3)) --------------------------------------------------------------------------------


def test_no_calcinosis_is_no_lesion_that_is_there(clara: Client, visit, lesions):
    seen = LesionObservationFactory(lesion=lesions[0], visit=visit)
    page = VisitPage(clara, visit).post(calcinosis_present="N").context["page"]
    assert "One of the two is wrong" in str(page.form.errors["calcinosis_present"])
    assert "calcinosis_present" in Table(clara, visit).errors(calcinosis_present="N")
    assert "calcinosis_present" in refused(Visit.objects.get(pk=visit.pk), calcinosis_present="N")
    assert VisitPage(clara, visit).post(calcinosis_present="N", l1__status_change="RESOLVED").status_code == 302
    for where in (RecordPage, Table):
        assert "status_change" in where(clara, seen).errors(status_change="STABLE")
    assert VisitPage(clara, visit).post(calcinosis_present="Y", l1__status_change="STABLE").status_code == 302


def test_a_second_baseline_is_refused_beside_its_field(clara, visit):
    page = VisitPage(clara, visit).post(visit_type="BASELINE").context["page"]
    assert "baseline visit already" in str(page.form.errors["visit_type"])
    assert "baseline visit already" in str(Table(clara, visit).errors(visit_type="BASELINE")["visit_type"])


# --- Every date of a record lies in the life --------------------------------------------------------------------------

DATED = [
    ("antibody", {"antibody": "ACA", "result": "POS"}, "tested_on"),
    ("cause", {"cause": "TRAUMA"}, "occurred"),
    ("differential", {"considered": "TOPHUS"}, "decided_on"),
    ("subsetchange", {"ssc_subset": "LCSSC"}, "subset_date"),
    ("instrumentscore", {"instrument": "HAQ_DI", "completion": "COMPLETE", "score": "1"}, "completed_on"),
    ("complication", {"code": "CELLULITIS"}, "onset"),
    ("adverseevent", {"term": "rash"}, "onset"),
    ("biopsy", {}, "taken_on"),
    ("imagingstudy", {"modality": "DX"}, "study_date"),
    ("laboratoryresult", {"analyte": "CRP", "value_original": "3", "unit_original": "mg/L"}, "collected_on"),
]


@pytest.mark.parametrize(("kind", "values", "field"), DATED)
def test_every_date_lies_between_birth_and_today(clara, visit, kind, values, field):
    page = RecordPage(clara, kind=kind, visit=visit)
    for day in ("2099-01-01", "1950-01-01"):
        assert field in page.errors(**values, **{field: day}), day
    assert page.errors(**values, **{field: "2026-05-01"}) == {}
    made = kinds()[kind].objects.get()
    for day in ("2099-01-01", "1950-01-01"):
        assert field in Table(clara, made).errors(**{field: day}), day


@pytest.mark.parametrize(
    ("kind", "values"), [("complication", {"code": "CELLULITIS"}), ("adverseevent", {"term": "x"})]
)
def test_what_is_told_at_a_visit_began_by_then(clara, visit, kind, values):
    page = RecordPage(clara, kind=kind, visit=visit)
    assert "after the visit" in str(page.errors(**values, onset="2026-05-13")["onset"])
    assert page.errors(**values, onset="2026-05") == {}


def test_a_course_of_treatment_may_not_end_before_it_starts(clara, visit):
    course = TreatmentCourseFactory(patient=visit.patient)
    for where in (RecordPage, Table):
        assert "stop" in where(clara, course).errors(ongoing="N", stop="2024")


def test_a_diagnosis_is_dated_within_the_life(clara, north):
    diagnosis = DiagnosisFactory(patient=PatientFactory(clinic=north))
    assert clara.get(reverse("patients:record", args=["diagnosis", diagnosis.public_id])).status_code == 200
    for where in (RecordPage, Table):
        for name in ("first_calcinosis", "first_raynaud", "first_non_raynaud", "diagnosed_on"):
            assert name in where(clara, diagnosis).errors(**{name: "1950"})
            assert name in where(clara, diagnosis).errors(**{name: "2099"})
