"""The key list: the own clinic's numbers, after a proof, with a reason, and an event that names everybody."""

from __future__ import annotations

import pytest

from calcinosis_registry.audit.models import Event
from tests.factories import IdentityFactory, PatientFactory

pytestmark = pytest.mark.django_db
PATH = "/patients/key-list/"


@pytest.fixture
def known(north, south):
    here, there = PatientFactory(clinic=north), PatientFactory(clinic=south)
    IdentityFactory(patient=here, hospital_number="H-77")
    IdentityFactory(patient=PatientFactory(clinic=north), hospital_number="-1+1")
    IdentityFactory(patient=there, hospital_number="S-99")
    return here


def test_a_clinician_takes_the_own_clinics_numbers_with_a_reason(proven, clinician, north, known):
    browser = proven(clinician)
    assert "Key list" in browser.get("/patients/").content.decode()
    refused = browser.post(PATH, {"clinic": north.pk, "reason": " "})
    assert refused.status_code == 422 and not Event.objects.filter(action="export").exists()
    answer = browser.post(PATH, {"clinic": north.pk, "reason": "letter to the family doctor"})
    text = answer.content.decode()
    assert "attachment" in answer["Content-Disposition"] and "no-store" in answer["Cache-Control"]
    assert f"{known.registry_number},H-77" in text and "'-1+1" in text and "S-99" not in text
    told = Event.objects.get(action="export")
    assert told.reason == "letter to the family doctor" and known.registry_number in told.changes["patients"]


def test_another_clinic_is_none_to_choose(proven, clinician, south, known):
    answer = proven(clinician).post(PATH, {"clinic": south.pk, "reason": "curious"})
    assert answer.status_code == 422 and "S-99" not in answer.content.decode()
    assert not Event.objects.filter(action="export").exists()


def test_without_a_proof_nothing_leaves(client_of, clinician, north, known):
    answer = client_of(clinician).post(PATH, {"clinic": north.pk, "reason": "letter"})
    assert answer.status_code == 302 and not Event.objects.filter(action="export").exists()


def test_assistants_and_researchers_have_none(client_of, assistant, researcher, admin):
    for person in (assistant, researcher, admin):
        assert client_of(person).get(PATH).status_code == 403
