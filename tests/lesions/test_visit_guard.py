"""The visit page against ids, states and tokens that are not its own."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from calcinosis_registry.audit.models import Event
from lesions.models import Lesion, LesionObservation
from patients.models import Patient, Visit, VisitState
from tests.factories import LesionFactory, LesionObservationFactory, PatientFactory, VisitFactory

ANSWERS = {"visit_date": "2026-05-12", "visit_type": "FOLLOW_UP", "calcinosis_present": "Y", "version": 1}


@pytest.fixture
def clara(client_of, clinician) -> Client:
    """The clinician's browser."""
    return client_of(clinician)


@pytest.fixture
def patient(north) -> Patient:
    return PatientFactory(clinic=north)


@pytest.fixture(params=("same clinic", "other clinic"))
def foreign(request, north, south) -> Visit:
    """A visit of somebody else."""
    clinic = north if request.param == "same clinic" else south
    return VisitFactory(patient=PatientFactory(clinic=clinic))


def new_page(patient: Patient) -> str:
    return reverse("lesions:visit_new", args=[patient.public_id])


def errors_of(response) -> dict[str, list[str]]:
    return dict(response.context["page"].form.errors)


def test_the_token_of_another_patients_visit_makes_and_shows_nothing(clara, patient, foreign):
    response = clara.post(new_page(patient), ANSWERS | {"public_id": foreign.public_id, "version": 0})
    assert response.status_code == 200
    assert "recorded already" in str(errors_of(response))
    assert list(Visit.objects.all()) == [foreign]


@pytest.mark.parametrize("token", ("", "short", "x" * 16, "x" * 400, "../../../../etc", "' OR 1=1 --------"))
def test_a_token_is_a_name_at_most(clara, patient, token):
    assert clara.post(new_page(patient), ANSWERS | {"public_id": token, "version": 0}).status_code == 302
    assert Visit.objects.get().public_id == token or len(Visit.objects.get().public_id) == 16


def test_the_same_form_sent_again_is_the_same_visit(clara, patient):
    sent = ANSWERS | {"public_id": "abcdefgh23456789", "version": 0}
    for _ in range(3):
        assert clara.post(new_page(patient), sent).status_code == 302
    assert Visit.objects.count() == 1


def test_a_part_of_another_patients_visit_is_not_found(clara, patient, foreign):
    LesionFactory(patient=patient)
    for part in ("l1", "skinsigns"):
        url = reverse("lesions:visit_part", args=[patient.public_id, part])
        assert clara.get(url).status_code == 200
        assert clara.get(f"{url}?visit={foreign.public_id}").status_code == 404


def test_a_new_lesion_does_not_stem_from_another_patients(clara, patient, foreign):
    theirs = LesionFactory(patient=foreign.patient)
    sent = {"site": "HAND.D2.PULP", "laterality": "R", "lesion_kind": "SINGLE", "lineage": "SPLIT", "parent": theirs.pk}
    data = ANSWERS | {f"new-0001-{name}": value for name, value in sent.items()} | {"version": 0}
    response = clara.post(new_page(patient), data)
    (new,) = response.context["page"].new
    assert "parent" in new.lesion.errors
    assert list(Lesion.objects.all()) == [theirs]


def test_a_row_is_about_its_own_lesion_whatever_is_posted(clara, patient, foreign):
    mine, theirs = LesionFactory(patient=patient), LesionFactory(patient=foreign.patient)
    visit = VisitFactory(patient=patient)
    data = {"l1-status_change": "LARGER", "l1-version": 0, "l1-lesion": theirs.pk, "l1-patient": foreign.patient.pk}
    clara.post(visit.get_absolute_url(), ANSWERS | data)
    assert [(one.lesion, one.patient) for one in LesionObservation.objects.all()] == [(mine, patient)]


def test_state_and_signature_cannot_be_posted(clara, patient, clinician):
    visit = VisitFactory(patient=patient)
    posted = {
        "state": "SIGNED",
        "signed_by": clinician.pk,
        "signed_at": "2026-01-01",
        "patient": 99,
        "missed_reason": "x",
    }
    assert clara.post(visit.get_absolute_url(), ANSWERS | posted).status_code == 302
    visit = Visit.objects.get()
    assert (visit.state, visit.signed_by, visit.signed_at, visit.patient) == (VisitState.OPEN, None, None, patient)
    assert (visit.calcinosis_present, visit.missed_reason) == ("Y", "")


@pytest.mark.parametrize("then", ("", "complete", "treatmentcourse", "imaging", "patient"))
def test_a_signed_visit_takes_nothing(clara, patient, then):
    seen = LesionObservationFactory(lesion=LesionFactory(patient=patient))
    visit = Visit.objects.get()
    visit.state = VisitState.SIGNED
    visit.save()
    before = Event.objects.count()
    data = {"state": "OPEN", "calcinosis_present": "N", "version": visit.version, "then": then, "skinsigns-more": "1"}
    clara.post(visit.get_absolute_url(), ANSWERS | data | {"l1-status_change": "EXCISED", "l1-version": seen.version})
    after = Visit.objects.get()
    assert (after.state, after.calcinosis_present, after.version) == (VisitState.SIGNED, "", visit.version)
    assert LesionObservation.objects.get().status_change == "STABLE"
    assert Event.objects.count() == before
