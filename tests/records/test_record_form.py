"""The form every record shares, through its pages: what applies, limits, commas, conflicts, other people's rows."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import IntegrityError, models, transaction
from django.test import Client
from django.urls import reverse

from calcinosis_registry.audit.models import Event
from calcinosis_registry.codebook.items import item_fields
from calcinosis_registry.records.forms import record_fields, record_form_class
from calcinosis_registry.records.models import Record, record_kinds
from lesions.models import Lesion, LesionObservation, TreatmentCourse
from patients.kinds import kinds
from patients.models import Diagnosis, Patient, Visit, VisitState
from tests.factories import (
    DiagnosisFactory,
    LesionFactory,
    LesionObservationFactory,
    PatientFactory,
    TreatmentCourseFactory,
    VisitFactory,
)
from tests.sent_forms import sent_by

LESION = {
    "site": "HAND.D2.PULP",
    "laterality": "R",
    "lesion_kind": "SINGLE",
    "diagnostic_basis": ["EXAM"],
    "version": 1,
    "reason": "typing error",
}
COURSE = {"agent": "DILTIAZEM", "route": "ORAL", "start": "2025-03", "ongoing": "Y", "version": 1, "reason": "misread"}
SEEN = {"status_change": "STABLE", "version": 1, "reason": "misread"}


@pytest.fixture
def patient(north) -> Patient:
    return PatientFactory(clinic=north)


@pytest.fixture
def other(north) -> Patient:
    """Another patient of the same clinic."""
    return PatientFactory(clinic=north)


@pytest.fixture
def clara(client_of, clinician) -> Client:
    """The clinician's browser."""
    return client_of(clinician)


def page(record: Any) -> str:
    return reverse("patients:record", args=[record.kind(), record.public_id])


def add_page(patient: Patient, kind: str, query: str = "") -> str:
    return reverse("patients:record_add", args=[patient.public_id, kind]) + query


def errors_of(response: Any) -> dict[str, list[str]]:
    return dict(response.context["form"].errors)


def stored(record: Any) -> Any:
    return type(record).objects.get(pk=record.pk)


@pytest.mark.parametrize("model", record_kinds(Record), ids=lambda one: one.__name__)
def test_a_form_asks_for_every_editable_item_and_nothing_else(model):
    items = {one.name for one in item_fields(model) if one.editable}
    assert set(record_fields(model)) == items | set(model.form_relations)
    kept = {one.name for one in model._meta.fields if not one.editable} | {
        "patient",
        "clinic",
        "visit",
        "public_id",
        "version",
    }
    assert set(record_form_class(model)._meta.fields).isdisjoint(kept)


def test_an_antibody_is_kept_where_the_diagnosis_lacks_an_answer_that_is_needed_today(clara, patient):
    diagnosis = DiagnosisFactory(patient=patient, sclerodactyly="Y")
    before = diagnosis.acr_eular_min
    models.QuerySet(Diagnosis).update(diagnostic_basis="")  # as an earlier version left it
    url = reverse("patients:record_add", args=[patient.public_id, "antibody"])
    form = sent_by(clara.get(url)) | {"antibody": "ACA", "result": "POS", "tested_on": "2020"}
    assert clara.post(url, form).status_code == 302
    diagnosis.refresh_from_db()
    assert diagnosis.acr_eular_min == before + 3


def test_what_does_not_apply_is_blanked(clara, patient):
    seen = LesionObservationFactory(lesion=LesionFactory(patient=patient), ulcerated="Y", ulcer_size_mm=4)
    data = SEEN | {"lesion": seen.lesion.pk, "ulcerated": "N", "ulcer_size_mm": "4", "fever": "Y", "infection": "NONE"}
    assert clara.post(page(seen), data).status_code == 302
    assert (stored(seen).ulcer_size_mm, stored(seen).fever, stored(seen).ulcerated) == (None, "", "N")


def test_what_applies_is_kept(clara, patient):
    seen = LesionObservationFactory(lesion=LesionFactory(patient=patient))
    data = SEEN | {"lesion": seen.lesion.pk, "ulcerated": "Y", "ulcer_size_mm": "4"}
    assert clara.post(page(seen), data).status_code == 302
    assert stored(seen).ulcer_size_mm == 4


@pytest.mark.parametrize("typed", ("0.4", "400.1", "-1"))
def test_the_impossible_is_refused_with_limits_and_unit(clara, patient, typed):
    seen = LesionObservationFactory(lesion=LesionFactory(patient=patient), length_mm=9, size_method="CALIPER")
    response = clara.post(page(seen), SEEN | {"lesion": seen.lesion.pk, "length_mm": typed, "width_mm": "7"})
    assert response.status_code == 200
    assert errors_of(response)["length_mm"] == ["Must be between 0.5 and 400 mm."]
    assert stored(seen).length_mm == 9
    assert typed in response.content.decode()


def test_the_database_refuses_the_impossible_by_itself(patient):
    seen = LesionObservationFactory(lesion=LesionFactory(patient=patient), length_mm=9, size_method="CALIPER")
    with pytest.raises(IntegrityError), transaction.atomic():
        models.QuerySet(LesionObservation).filter(pk=seen.pk).update(length_mm=401)


@pytest.mark.parametrize("typed", ("12,5", "12.5", " 12,5 "))
def test_a_decimal_comma_is_a_point(clara, patient, typed):
    seen = LesionObservationFactory(lesion=LesionFactory(patient=patient))
    data = SEEN | {"lesion": seen.lesion.pk, "length_mm": typed, "width_mm": "7", "size_method": "CALIPER"}
    clara.post(page(seen), data)
    assert str(stored(seen).length_mm) == "12.5"


@pytest.mark.parametrize("typed", ("1.234,5", "12,5,1", "NaN", "Infinity", "1e9", "12 mm", "9" * 400))
def test_what_is_no_number_is_refused(clara, patient, typed):
    seen = LesionObservationFactory(lesion=LesionFactory(patient=patient), length_mm=9, size_method="CALIPER")
    response = clara.post(page(seen), SEEN | {"lesion": seen.lesion.pk, "length_mm": typed, "width_mm": "7"})
    assert (response.status_code, "length_mm" in errors_of(response)) == (200, True)
    assert stored(seen).length_mm == 9


def test_a_record_saved_by_somebody_else_meanwhile_is_not_overwritten(clara, client_of, assistant, patient):
    course = TreatmentCourseFactory(patient=patient)
    assert client_of(assistant).post(page(course), COURSE | {"intent": "PAIN"}).status_code == 302
    response = clara.post(page(course), COURSE | {"intent": "BONE", "agent_other": "", "reason": "my typing"})
    assert response.status_code == 409
    assert stored(course).intent == "PAIN"
    assert 'name="intent">\nBONE</textarea>' in response.content.decode()
    assert "Somebody else saved this while you were writing" in response.content.decode()
    assert "my typing" in response.content.decode()


@pytest.mark.parametrize("version", ("", "0", "2", "x", "-1"))
def test_a_form_without_the_right_version_is_a_conflict(clara, patient, version):
    course = TreatmentCourseFactory(patient=patient)
    response = clara.post(page(course), COURSE | {"intent": "BONE", "version": version})
    assert response.status_code in (200, 409)
    assert stored(course).intent == ""


def test_the_reason_is_kept_with_old_and_new(clara, patient, clinician):
    course = TreatmentCourseFactory(patient=patient)
    clara.post(page(course), COURSE | {"intent": "BONE", "reason": "read the letter"})
    event = Event.objects.of_record(TreatmentCourse, course.pk)[0]
    assert (event.reason, event.actor_id, event.changes) == ("read the letter", clinician.pk, {"intent": ["", "BONE"]})


def signed(visit: Visit) -> Visit:
    visit.state = VisitState.SIGNED
    visit.save()
    return visit


def test_a_signed_visit_refuses_changes_additions_and_removals(clara, patient):
    visit = VisitFactory(patient=patient)
    seen = LesionObservationFactory(lesion=LesionFactory(patient=patient), visit=visit)
    signed(visit)
    change = clara.post(page(seen), SEEN | {"lesion": seen.lesion.pk, "status_change": "LARGER"})
    assert "unlock it first" in change.content.decode()
    addition = clara.post(add_page(patient, "treatmentcourse", f"?visit={visit.public_id}"), COURSE)
    assert "unlock it first" in addition.content.decode()
    clara.post(reverse("patients:record_delete", args=["lesionobservation", seen.public_id]), {"reason": "typo"})
    assert stored(seen).status_change == "STABLE"
    assert not TreatmentCourse.objects.exists()


def test_a_course_of_a_signed_visit_may_still_end_and_not_change(clara, patient):
    course = TreatmentCourseFactory(patient=patient, visit=(visit := VisitFactory(patient=patient)))
    signed(visit)
    ended = COURSE | {"ongoing": "N", "stop": "2026-06", "reason_stopped": "INEFFECTIVE"}
    assert clara.post(page(course), ended).status_code == 302
    assert stored(course).ongoing == "N"
    again = clara.post(page(course), ended | {"version": 2, "agent": "NIFEDIPINE"})
    assert "unlock it first" in again.content.decode()
    assert stored(course).agent == "DILTIAZEM"


def test_a_lesion_of_another_patient_is_no_choice(clara, patient, other):
    foreign, course = LesionFactory(patient=other), TreatmentCourseFactory(patient=patient)
    response = clara.post(page(course), COURSE | {"lesions": [foreign.pk]})
    assert "lesions" in errors_of(response)
    assert not course.lesions.exists()


@pytest.mark.parametrize("where", ("same clinic", "other clinic"))
def test_no_relation_of_any_kind_reaches_another_patient(clara, patient, north, south, where):
    """Every relation of every form offers the rows of its own patient only."""
    stranger = PatientFactory(clinic=north if where == "same clinic" else south)
    LesionFactory(patient=stranger)
    TreatmentCourseFactory(patient=stranger)
    for model in kinds().values():
        form = record_form_class(model)(instance=patient if model is Patient else model(patient=patient))
        for name in model.form_relations:
            assert not form.fields[name].queryset.filter(patient=stranger).exists(), f"{model.kind()}.{name}"
            assert form.fields[name].queryset.model._meta.get_field("patient")


def test_an_observation_is_not_moved_to_another_patient(clara, patient, other):
    seen = LesionObservationFactory(lesion=(mine := LesionFactory(patient=patient)))
    foreign, cure = LesionFactory(patient=other), TreatmentCourseFactory(patient=other)
    for name, row in (("lesion", foreign), ("antibiotic", cure)):
        response = clara.post(page(seen), SEEN | {"lesion": mine.pk, name: row.pk})
        assert name in errors_of(response)
    assert (stored(seen).lesion, stored(seen).antibiotic) == (mine, None)


@pytest.mark.parametrize("name", ("parent", "merged_into"))
def test_a_lesion_does_not_stem_from_another_patients(clara, patient, other, name):
    foreign, lesion = LesionFactory(patient=other), LesionFactory(patient=patient)
    clara.post(page(lesion), LESION | {name: foreign.pk, "lineage": "SPLIT"})
    assert (stored(lesion).parent, stored(lesion).merged_into) == (None, None)
    lesion = stored(lesion)
    setattr(lesion, name, foreign)
    with pytest.raises(Exception, match="belongs to another patient"):
        lesion.save()


@pytest.mark.parametrize("kind", sorted(kinds()))
def test_an_id_that_does_not_exist_is_not_found(clara, patient, kind):
    answers = [
        clara.get(reverse("patients:record", args=[kind, "nothing"])),
        clara.post(reverse("patients:record", args=[kind, "nothing"]), {}),
        clara.get(reverse("patients:record_history", args=[kind, "nothing"])),
        clara.post(reverse("patients:record_delete", args=[kind, "nothing"]), {"reason": "x"}),
        clara.get(reverse("patients:record_add", args=["nothing", kind])),
        clara.get(add_page(patient, kind, "?visit=nothing")),
    ]
    assert {one.status_code for one in answers} == {404}


def test_a_kind_that_does_not_exist_is_not_found(clara, patient):
    for kind in ("nothing", "visit", "identity", "user", "summary"):
        assert clara.get(add_page(patient, kind)).status_code == 404
        assert clara.get(reverse("patients:record", args=[kind, patient.public_id])).status_code == 404


BOOKKEEPING = {
    "state": "SIGNED", "signed_by": "1", "signed_at": "2026-01-01", "clinic": "1", "registry_number": "NOR-00001",
    "public_id": "mine", "number": "99", "patient": "1", "visit": "1", "id": "1", "registry_consent": "on",
    "current_status": "EXCISED", "ulcerated_now": "on", "last_area_mm2": "9", "closed_on": "2026-01-01",
    "first_recorded": "2020-01-01", "atc": "X", "registered_on": "2001-01-01",
}  # fmt: skip


@pytest.mark.parametrize("kind", ("patient", "lesion", "treatmentcourse", "lesionobservation"))
def test_nothing_but_the_items_can_be_posted(clara, patient, other, kind):
    if kind == "patient":
        record, data = patient, {"birth_date": "1968-04", "sex_at_birth": "F", "status": "ALIVE", "version": 1}
    elif kind == "lesion":
        record, data = LesionFactory(patient=patient), LESION
    elif kind == "treatmentcourse":
        record, data = TreatmentCourseFactory(patient=patient), COURSE
    else:
        record = LesionObservationFactory(lesion=LesionFactory(patient=patient))
        data = SEEN | {"lesion": record.lesion.pk}
    kept = {one.attname for one in record._meta.concrete_fields if one.name in BOOKKEEPING}
    before = {name: getattr(stored(record), name) for name in kept}
    response = clara.post(page(record), BOOKKEEPING | {"patient": other.pk} | data)
    assert response.status_code == 302, errors_of(response)
    assert {name: getattr(stored(record), name) for name in kept} == before
    assert stored(record).version == 2


def test_a_visit_of_another_patient_is_not_found(clara, patient, other, south):
    for stranger in (other, PatientFactory(clinic=south)):
        visit = VisitFactory(patient=stranger)
        url = add_page(patient, "treatmentcourse", f"?visit={visit.public_id}")
        assert clara.get(url).status_code == 404
        assert clara.post(url, COURSE).status_code == 404
    assert not TreatmentCourse.objects.exists() and not Lesion.objects.exists()


def test_what_a_visit_has_once_is_refused_twice(clara, patient):
    lesion, visit = LesionFactory(patient=patient), VisitFactory(patient=patient)
    url = add_page(patient, "lesionobservation", f"?visit={visit.public_id}")
    assert clara.post(url, SEEN | {"lesion": lesion.pk, "version": 0}).status_code == 302
    again = clara.post(url, SEEN | {"lesion": lesion.pk, "version": 0, "status_change": "LARGER"})
    assert "recorded already" in again.content.decode()
    assert [one.status_change for one in LesionObservation.objects.all()] == ["STABLE"]


def test_a_lesion_begins_on_the_visit_page_only(clara, patient):
    assert clara.post(add_page(patient, "lesion"), LESION).status_code == 404


def test_what_other_records_point_at_is_not_removed(clara, patient):
    """Also where the relation would be emptied without an event (SET_NULL)."""
    cure = TreatmentCourseFactory(patient=patient)
    LesionObservationFactory(lesion=LesionFactory(patient=patient), antibiotic=cure)
    remove = reverse("patients:record_delete", args=["treatmentcourse", cure.public_id])
    assert "Other entries refer to this one" in clara.post(remove, {"reason": "typo"}, follow=True).content.decode()
    assert LesionObservation.objects.get().antibiotic == cure


def test_a_course_is_removed_with_its_links_and_its_reason(clara, patient):
    course = TreatmentCourseFactory(patient=patient)
    course.lesions.add(LesionFactory(patient=patient))
    remove = reverse("patients:record_delete", args=["treatmentcourse", course.public_id])
    clara.post(remove, {"reason": ""})
    assert TreatmentCourse.objects.exists()
    clara.post(remove, {"reason": "entered for the wrong patient"})
    assert not TreatmentCourse.objects.exists()
    told = Event.objects.filter(reason="entered for the wrong patient").values_list("model", flat=True)
    assert {"lesions.treatmentcourse", "lesions.treatmentlesion"} <= set(told)
