"""A visit entered on the wrong patient moves to the right one, whole or not at all."""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from calcinosis_registry.audit.models import Action, Event
from calcinosis_registry.codebook.partial_dates import PartialDate
from calcinosis_registry.quality.models import DataQuery
from lesions.models import HandScore, ImagingStudy, Lesion, LesionObservation, TreatmentCourse
from patients.models import Patient, Summary, Visit, VisitState
from tests.factories import (
    DataQueryFactory,
    IdentityFactory,
    ImagingFileFactory,
    ImagingStudyFactory,
    LesionObservationFactory,
    PatientFactory,
    TreatmentCourseFactory,
    VisitFactory,
    known_lesions,
)

FIRST, WRONG = datetime.date(2026, 1, 10), datetime.date(2026, 3, 10)


def a_person(clinic, family: str) -> Patient:
    patient = PatientFactory(clinic=clinic)
    IdentityFactory(patient=patient, family_name=family)
    return patient


@pytest.fixture
def wrong(north) -> Patient:
    """Two lesions known since January."""
    patient = a_person(north, "Wrong")
    known_lesions(patient, FIRST, [("HAND.D1.PULP", "R"), ("ELBOW", "L")])
    return patient


@pytest.fixture
def right(north) -> Patient:
    """One lesion, at the other elbow."""
    patient = a_person(north, "Right")
    known_lesions(patient, FIRST, [("ELBOW", "R")])
    return patient


@pytest.fixture
def visit(wrong) -> Visit:
    """Complete, and both lesions answered."""
    visit = VisitFactory(patient=wrong, visit_date=WRONG, state=VisitState.COMPLETE)
    for lesion in wrong.lesion_set.order_by("number"):
        LesionObservationFactory(lesion=lesion, visit=visit, status_change="LARGER", length_mm=Decimal(14),
                                 width_mm=Decimal(9), size_method="CALIPER")  # fmt: skip
    return visit


@pytest.fixture
def clara(client_of, clinician) -> Client:
    return client_of(clinician)


def page_of(visit: Visit) -> str:
    return reverse("lesions:visit_move", args=[visit.public_id])


def preview(client: Client, visit: Visit, to: Patient) -> Any:
    return client.post(page_of(visit), {"target": to.public_id})


def move(client: Client, visit: Visit, to: Patient, *choices: str, **sent: Any) -> Any:
    """See what moves, answer for each lesion in order, confirm."""
    page = preview(client, visit, to)
    answers = {row["name"]: choice for row, choice in zip(page.context["rows"], choices, strict=False)}
    form = {"target": to.public_id, "shown": page.context["plan"].shown, "reason": "Charts swapped.", "confirm": "1"}
    return client.post(page_of(visit), form | answers | sent)


def everything() -> list[Any]:
    models = (Visit, Lesion, LesionObservation, ImagingStudy, TreatmentCourse)
    return [[sorted(model.objects.values_list()) for model in models], Event.objects.exclude(action="read").count()]


def test_it_moves_with_its_lesions_mapped_made_new_or_left_out(clara, visit, wrong, right):
    (theirs,) = right.lesion_set.all()
    assert move(clara, visit, right, "new", theirs.public_id).status_code == 302
    moved = Visit.objects.get(pk=visit.pk)
    assert (moved.patient, moved.state) == (right, VisitState.OPEN)
    seen = LesionObservation.objects.filter(visit=moved).select_related("lesion").order_by("lesion__number")
    assert [(one.patient, one.lesion.label, one.lesion.site, one.status_change, one.length_mm) for one in seen] == [
        (right, "L1", "ELBOW", "LARGER", Decimal(14)), (right, "L2", "HAND.D1.PULP", "NEW", Decimal(14)),
    ]  # fmt: skip
    new = Lesion.objects.get(patient=right, number=2)
    assert (new.visit, new.first_recorded, new.current_status) == (moved, WRONG, "NEW")
    assert [one.observations.count() for one in wrong.lesion_set.all()] == [1, 1]
    assert [one.current_status for one in wrong.lesion_set.all()] == ["NEW", "NEW"]
    counts = {one.patient_id: (one.visit_count, one.lesion_count) for one in Summary.objects.all()}
    assert counts == {wrong.pk: (1, 2), right.pk: (2, 2)}


def test_both_histories_tell_of_it_with_the_reason(clara, visit, wrong, right):
    move(clara, visit, right, "drop", "drop")
    for patient in (wrong, right):
        told = Event.objects.of_patient(patient.registry_number).filter(model="patients.visit", action=Action.CHANGE)
        (event,) = [one for one in told if "patient" in one.changes]
        assert event.reason == "Charts swapped." and event.actor_name == "Clara Clinician"
    page = clara.get(reverse("lesions:patient_history", args=[wrong.public_id])).content.decode()
    assert "Charts swapped." in page


def test_what_is_left_out_stays_in_the_history(clara, visit, wrong, right):
    move(clara, visit, right, "drop", "drop")
    assert not LesionObservation.objects.filter(visit=visit).exists()
    gone = Event.objects.filter(model="lesions.lesionobservation", action=Action.DELETE)
    assert [one.changes["length_mm"][0] for one in gone] == ["14.0", "14.0"]


def test_a_lesion_found_at_the_visit_goes_along_under_its_next_number(clara, wrong, right, north):
    visit = known_lesions(a_person(north, "Empty"), WRONG, [("KNEE", "L")])
    visit.visit_type = "FOLLOW_UP"
    visit.save()
    (lesion,) = Lesion.objects.filter(visit=visit)
    assert move(clara, visit, right, "new").status_code == 302
    lesion.refresh_from_db()
    assert (lesion.patient, lesion.label, lesion.observations.get().status_change) == (right, "L2", "NEW")


def test_found_at_the_visit_but_known_there_already_it_is_that_one(clara, right, north):
    visit = known_lesions(a_person(north, "Empty"), WRONG, [("ELBOW", "R")])
    visit.visit_type = "FOLLOW_UP"
    visit.save()
    (theirs,) = right.lesion_set.all()
    assert move(clara, visit, right, theirs.public_id).status_code == 302
    seen = LesionObservation.objects.get(visit=visit)
    assert (seen.lesion, seen.status_change) == (theirs, "")  # what changed since last time is asked again
    assert not Lesion.objects.exclude(patient=right).exists()


def test_everything_entered_at_it_goes_along_and_what_hangs_on_that(clara, visit, right, clinician):
    lesion = visit.patient.lesion_set.first()
    course = TreatmentCourseFactory(patient=visit.patient, visit=visit)
    course.lesions.set([lesion])
    study = ImagingStudyFactory(patient=visit.patient, visit=visit, study_date=PartialDate.of(WRONG))
    ImagingFileFactory(study=study)
    reading = HandScore(patient=visit.patient, study=study, rater=clinician)
    reading.save()
    query = DataQueryFactory(
        clinic=visit.patient.clinic, patient=visit.patient.registry_number, model="lesions.imagingstudy",
        object_id=study.pk,
    )  # fmt: skip
    (theirs,) = right.lesion_set.all()
    assert move(clara, visit, right, theirs.public_id, "drop").status_code == 302
    for row in (course, study, reading, query):
        row.refresh_from_db()
    assert course.patient == study.patient == reading.patient == right
    assert list(course.lesions.all()) == [theirs]
    assert query.patient == right.registry_number


@pytest.mark.parametrize("choices", [(), ("drop",), ("nothing", "drop"), ("", "new")])
def test_every_lesion_needs_its_answer(clara, visit, right, choices):
    before = everything()
    page = move(clara, visit, right, *choices)
    assert page.status_code == 422 and "Say what becomes of it." in page.content.decode()
    assert everything() == before


def test_two_lesions_are_not_one_and_a_foreign_one_is_none(clara, visit, right, wrong):
    before, (theirs,) = everything(), right.lesion_set.all()
    assert "cannot be the same one" in move(clara, visit, right, *[theirs.public_id] * 2).content.decode()
    own = wrong.lesion_set.first().public_id
    assert move(clara, visit, right, own, "drop").status_code == 422
    assert everything() == before


def test_it_needs_a_reason(clara, visit, right):
    before = everything()
    page = move(clara, visit, right, "drop", "drop", reason="  ")
    assert page.status_code == 422 and "Say why the visit is moved." in page.content.decode()
    assert everything() == before


@pytest.mark.parametrize(
    ("hinder", "why"),
    [
        ({"registry_consent": False}, "no consent to the registry"),
        ({"birth_date": PartialDate(2026, 6)}, "before birth"),
        ({"status": "DEAD", "death_date": PartialDate(2026, 2)}, "after death"),
    ],
)
def test_the_rules_of_the_other_patient_hold(clara, visit, north, hinder, why):
    other = a_person(north, "Other")
    for name, value in hinder.items():
        setattr(other, name, value)
    Patient.objects.bulk_update([other], list(hinder))
    before = everything()
    assert why in move(clara, visit, other, "drop", "drop").content.decode()
    assert everything() == before


def test_a_second_baseline_is_refused(clara, wrong, right):
    baseline = wrong.visits.get()
    page = preview(clara, baseline, right).content.decode()
    assert "has a baseline visit already" in page and "confirm" not in page


def test_what_another_visit_hangs_on_stays(clara, visit, wrong, right):
    later = VisitFactory(patient=wrong, visit_date=datetime.date(2026, 4, 1))
    course = TreatmentCourseFactory(patient=wrong, visit=visit)
    LesionObservationFactory(lesion=wrong.lesion_set.first(), visit=later, infection="SUSPECTED", antibiotic=course)
    page = preview(clara, visit, right).content.decode()
    assert "of another visit refers to what was entered here" in page


def test_a_lesion_found_there_and_seen_again_stays(clara, wrong, right):
    baseline = wrong.visits.get()
    baseline.visit_type = "UNSCHEDULED"
    baseline.save()
    VisitFactory(patient=wrong, visit_date=WRONG)
    LesionObservationFactory(lesion=wrong.lesion_set.first(), visit=Visit.objects.get(visit_date=WRONG))
    page = preview(clara, baseline, right).content.decode()
    assert "L1 was found here and seen again on 2026-03-10" in page


def test_a_rule_broken_on_the_way_undoes_everything(clara, visit, wrong, right):
    (theirs,) = right.lesion_set.all()
    gone = VisitFactory(patient=right, visit_date=datetime.date(2026, 2, 1))
    LesionObservationFactory(lesion=theirs, visit=gone, status_change="RESOLVED")
    theirs.refresh_from_db()
    from lesions.services import follow

    follow(patient=right, records=[])
    before = everything()
    page = move(clara, visit, right, theirs.public_id, "new")
    assert page.status_code == 422 and "Nothing was moved." in page.content.decode()
    assert everything() == before


def test_what_was_changed_meanwhile_is_looked_at_again(clara, visit, right):
    page = preview(clara, visit, right)
    seen = LesionObservation.objects.filter(visit=visit).first()
    seen.flare = "Y"
    seen.save()
    before = everything()
    form = {"target": right.public_id, "shown": page.context["plan"].shown, "reason": "Swapped.", "confirm": "1"}
    answer = clara.post(page_of(visit), form | {row["name"]: "drop" for row in page.context["rows"]})
    assert answer.status_code == 422 and "changed meanwhile" in answer.content.decode()
    assert everything() == before


def test_a_signed_visit_does_not_move(clara, visit, right):
    visit.state = VisitState.SIGNED
    visit.save()
    before = everything()
    assert clara.post(page_of(visit), {"target": right.public_id, "confirm": "1"}).url == visit.get_absolute_url()
    assert everything() == before


def test_only_patients_of_the_same_clinic_are_found(clara, visit, right, south):
    foreign = a_person(south, "Right")
    page = clara.post(page_of(visit), {"q": "Right"}).content.decode()
    assert right.registry_number in page and foreign.registry_number not in page
    assert preview(clara, visit, foreign).status_code == 404
    assert preview(clara, visit, visit.patient).status_code == 404
    for text in (right.registry_number, ""):
        assert clara.post(page_of(visit), {"q": text}).status_code == 200
    assert DataQuery.objects.count() == 0
