"""A record removed in error is put back, as it was, from the patient's history."""

from __future__ import annotations

import datetime
import re
from decimal import Decimal
from typing import Any

import pytest
from django.core.management import call_command
from django.db import models
from django.urls import reverse

from calcinosis_registry.audit.models import Action, Event
from calcinosis_registry.clinics.models import Clinic
from calcinosis_registry.clinics.roles import Role
from calcinosis_registry.codebook.partial_dates import PartialDate
from lesions.models import HandScore, LesionObservation, SkinSigns, TreatmentCourse
from patients.kinds import kinds
from patients.models import Antibody, Diagnosis
from patients.put_back import UNDELETABLE
from patients.services import removal_problem
from tests.factories import (
    DiagnosisFactory,
    ImagingStudyFactory,
    LesionFactory,
    LesionObservationFactory,
    MembershipFactory,
    PatientFactory,
    TreatmentCourseFactory,
    UserFactory,
    VisitFactory,
    a_reading,
)
from tests.lesions.readings.hands import FIRST, TOTAL
from tests.lesions.signed_visits import complete_visit, sign

pytestmark = pytest.mark.django_db
WRONG = "entered for the wrong patient"


@pytest.fixture
def clara(client_of, clinician):
    return client_of(clinician)


@pytest.fixture
def patient(north):
    return PatientFactory(clinic=north)


def as_it_is(record) -> dict[str, Any]:
    row = type(record)._base_manager.filter(pk=record.pk).values().get()
    return {name: value for name, value in row.items() if name not in ("public_id", "version")}


def parts_of(record) -> list[Any]:
    relations = [one for one in record._meta.get_fields() if one.one_to_many and one.on_delete is models.CASCADE]
    return [list(one.related_model._base_manager.filter(**{one.field.name: record}).values()) for one in relations]


def remove(client, record):
    address = reverse("patients:record_delete", args=[record.kind(), record.public_id])
    return client.post(address, {"reason": WRONG}, follow=True).content.decode()


def history(patient) -> str:
    return reverse("lesions:patient_history", args=[patient.public_id])


def offers(client, patient) -> list[str]:
    """The buttons of the history page."""
    page = client.get(history(patient)).content.decode()
    return re.findall(r'action="([^"]+/put-back/)"', page)


def put_back(client, address: str) -> str:
    return client.post(address, follow=True).content.decode()


def test_a_course_comes_back_with_its_values_its_lesions_and_its_history(clara, patient):
    course = TreatmentCourseFactory(patient=patient, route="ORAL", dose=Decimal("0.5"), dose_unit="mg")
    lesions = [LesionFactory(patient=patient) for _ in "12"]
    course.lesions.set(lesions)
    before = as_it_is(course)
    assert "put back for 30 days" in remove(clara, course)
    assert not TreatmentCourse.objects.exists()

    [address] = offers(clara, patient)
    assert "treatment Diltiazem deleted" in clara.get(history(patient)).content.decode()
    assert "put back as it was" in put_back(clara, address)
    back = TreatmentCourse.objects.get()
    assert as_it_is(back) == before
    assert set(back.lesions.all()) == set(lesions)
    actions = Event.objects.of_record(TreatmentCourse, back.pk).order_by("pk").values_list("action", flat=True)
    assert list(actions) == [Action.CREATE, Action.DELETE, Action.CREATE]
    assert Event.objects.of_record(TreatmentCourse, back.pk)[0].reason.startswith("Removal of ")
    assert not offers(clara, patient)


@pytest.mark.once
def test_every_kind_of_an_invented_register_comes_back_as_it_was(client_of):
    """One record of each kind that can be removed, the link rows and parts with it."""
    call_command("load_demo", patients=5, clinics=2, seed=3)
    person = UserFactory()
    for clinic in Clinic.objects.all():
        MembershipFactory(user=person, clinic=clinic, role=Role.CLINICIAN)
    clara, tried = client_of(person), set()
    for kind, model in kinds().items():
        free = [one for one in model._default_manager.all() if kind not in UNDELETABLE and not removal_problem(one)]
        for record in free[:1]:
            before, parts = as_it_is(record), parts_of(record)
            assert "put back for 30 days" in remove(clara, record), kind
            newest = Event.objects.of_record(model, record.pk)[0]
            told = put_back(clara, reverse("patients:record_put_back", args=[newest.pk]))
            assert "put back as it was" in told, kind
            back = model._default_manager.get(pk=record.pk)
            assert (as_it_is(back), parts_of(back)) == (before, parts)
            tried.add(kind)
    assert len(tried) > 15, tried


def test_a_score_comes_back_with_every_rating_and_its_total(clara, clinician, patient):
    score = a_reading(ImagingStudyFactory(patient=patient, modality="DX"), clinician, FIRST)
    ratings = list(score.ratings.order_by("pk").values_list("laterality", "site", "coverage_pct", "density"))
    remove(clara, score)
    [address] = offers(clara, patient)
    put_back(clara, address)
    back = HandScore.objects.get()
    assert back.total == Decimal(TOTAL) and back.of_record
    assert list(back.ratings.order_by("pk").values_list("laterality", "site", "coverage_pct", "density")) == ratings


def test_the_criteria_count_an_antibody_that_is_back(clara, patient):
    DiagnosisFactory(patient=patient, sclerodactyly="Y")
    one = Antibody.objects.create(patient=patient, antibody="ACA", result="POS", tested_on=PartialDate(2020))
    remove(clara, one)
    without = Diagnosis.objects.get().acr_eular_min
    put_back(clara, offers(clara, patient)[0])
    assert Antibody.objects.exists() and Diagnosis.objects.get().acr_eular_min == without + 3


def test_what_was_recorded_again_meanwhile_stands(clara, patient):
    lesion, visit = LesionFactory(patient=patient), VisitFactory(patient=patient)
    seen = LesionObservationFactory(lesion=lesion, visit=visit, status_change="STABLE")
    remove(clara, seen)
    LesionObservationFactory(lesion=lesion, visit=visit, status_change="LARGER")
    told = put_back(clara, offers(clara, patient)[0])
    assert "put back as it was" not in told and "recorded anew meanwhile" in told
    assert [one.status_change for one in LesionObservation.objects.all()] == ["LARGER"]


def test_nothing_comes_back_into_a_signed_visit(proven, clinician, north):
    clara = proven(clinician)
    visit = complete_visit(north)
    signs = SkinSigns.objects.create(patient=visit.patient, visit=visit)
    remove(clara, signs)
    assert sign(clara, visit).status_code == 302
    told = put_back(clara, offers(clara, visit.patient)[0])
    assert "is signed: unlock it first" in told and not SkinSigns.objects.exists()


def test_two_windows_put_back_once(clara, patient):
    remove(clara, TreatmentCourseFactory(patient=patient))
    [address] = offers(clara, patient)
    put_back(clara, address)
    assert "It is back already." in put_back(clara, address)
    assert TreatmentCourse.objects.count() == 1


def test_of_two_removals_the_later_one_is_put_back(clara, patient):
    remove(clara, TreatmentCourseFactory(patient=patient, dose=Decimal("0.5"), dose_unit="mg"))
    [first] = offers(clara, patient)
    put_back(clara, first)
    course = TreatmentCourse.objects.get()
    course.dose = Decimal(1)
    course.save()
    remove(clara, course)
    assert "put the later removal back" in put_back(clara, first)
    put_back(clara, next(one for one in offers(clara, patient) if one != first))
    assert TreatmentCourse.objects.get().dose == 1


def test_after_thirty_days_it_stays_in_the_trail_only(clara, patient, monkeypatch):
    remove(clara, TreatmentCourseFactory(patient=patient))
    [address] = offers(clara, patient)
    monkeypatch.setattr("patients.put_back.FOR", datetime.timedelta(0))
    assert not offers(clara, patient)
    assert "Nothing was put back" in put_back(clara, address)
    assert not TreatmentCourse.objects.exists()


def test_who_only_reads_is_offered_nothing_and_others_find_nothing(clara, client_of, monitor, stranger, patient):
    remove(clara, TreatmentCourseFactory(patient=patient))
    [address] = offers(clara, patient)
    assert not offers(client_of(monitor), patient)
    assert client_of(monitor).post(address).status_code == 403
    assert client_of(stranger).post(address).status_code == 404
    created = Event.objects.filter(action=Action.CREATE).first()
    assert clara.post(reverse("patients:record_put_back", args=[created.pk])).status_code == 404
    assert clara.post(reverse("patients:record_put_back", args=[2**62])).status_code == 404
