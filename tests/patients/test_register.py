"""Registration: one page, one transaction, consent first, duplicates asked about before saving."""

from __future__ import annotations

import re

import pytest
from django.db import IntegrityError
from django.urls import reverse

from calcinosis_registry.audit.models import Action, Event
from calcinosis_registry.clinics.models import Membership, new_public_id
from calcinosis_registry.identity.models import Identity
from patients.models import Antibody, Consent, Diagnosis, Patient, Summary
from patients.views import register as register_view
from tests.factories import IdentityFactory, PatientFactory

URL = "/patients/register/"


def filled(**changes) -> dict:
    """A registration as a browser sends it."""
    form = {
        "public_id": new_public_id(),
        "consent-consented_on": "2026-03-02",
        "consent-form_version": "v3",
        "consent-given_by": "PERSON",
        "consent-registry": "on",
        "consent-research": "on",
        "identity-family_name": "Duarte",
        "identity-given_name": "Elena",
        "identity-hospital_number": "K-7701",
        "person-birth_date": "1968-04",
        "person-sex_at_birth": "F",
        "disease-primary_ctd": "SSC",
        "disease-ssc_subset": "LCSSC",
        "disease-aetiology_subtype": "DYSTROPHIC",
        "disease-diagnostic_basis": ["XRAY", "EXAM"],
        "disease-first_calcinosis": "2014",
        "disease-first_raynaud": "unknown",
        "disease-first_non_raynaud": "2008-11",
        "disease-diagnosed_on": "2009",
        "disease-sclerodactyly": "Y",
        "disease-raynaud": "Y",
        "antibodies-ACA": "POS",
        "antibodies-SCL70": "NEG",
        "antibodies-tested_on": "2010",
    }
    return {key: value for key, value in (form | changes).items() if value is not None}


@pytest.fixture
def send(client_of, clinician):
    client = client_of(clinician)
    return lambda **changes: client.post(URL, filled(**changes))


def nothing_is_saved() -> bool:
    return not any(model.objects.exists() for model in (Patient, Identity, Consent, Diagnosis, Antibody, Summary))


def test_one_page_makes_a_patient_with_consent_identity_disease_and_antibodies(send, north):
    response = send()
    patient = Patient.objects.get()
    assert response.url == patient.get_absolute_url()
    assert patient.registry_number == "NOR-00001"
    assert patient.clinic == north
    assert (patient.registry_consent, patient.research_consent, patient.images_consent) == (True, True, False)
    assert str(patient.birth_date) == "1968-04"
    identity = Identity.objects.get(registry_number="NOR-00001")
    assert (identity.family_name, identity.hospital_number, identity.clinic) == ("Duarte", "K-7701", north)
    consent = Consent.objects.get()
    assert (consent.patient, consent.form_version, str(consent.consented_on)) == (patient, "v3", "2026-03-02")
    diagnosis = Diagnosis.objects.get()
    assert set(diagnosis.diagnostic_basis) == {"EXAM", "XRAY"}
    assert (str(diagnosis.first_raynaud), str(diagnosis.first_non_raynaud)) == ("unknown", "2008-11")
    assert {(a.antibody, a.result, str(a.tested_on)) for a in Antibody.objects.all()} == {
        ("ACA", "POS", "2010"),
        ("SCL70", "NEG", "2010"),
    }
    # Sclerodactyly 4, Raynaud 3, anticentromere 3: the antibodies count in the first score already.
    assert diagnosis.acr_eular_min == 10
    assert Summary.objects.filter(patient=patient).exists()


def test_every_row_of_a_registration_leaves_one_event_by_the_person(send, clinician):
    send()
    events = Event.objects.filter(patient="NOR-00001", action=Action.CREATE)
    assert {event.model for event in events} >= {
        "patients.patient", "identity.identity", "patients.consent", "patients.diagnosis", "patients.antibody",
    }  # fmt: skip
    assert {event.actor_id for event in events} == {clinician.pk}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"consent-registry": None}, "Without consent to the registry nothing can be entered."),
        ({"consent-form_version": ""}, "This field is required."),
        ({"consent-consented_on": "2031-01-01"}, "The date is in the future."),
        ({"consent-consented_on": "1950-01-01"}, "The date is before birth (1968-04)."),
        ({"identity-family_name": " "}, "This field is required."),
        ({"person-birth_date": "12 May"}, "Enter a year (1987)"),
        ({"person-birth_date": "1887"}, "That would be an age over 120 years."),
        ({"person-sex_at_birth": ""}, "This field is required."),
        ({"disease-primary_ctd": "FLU"}, "Select a valid choice."),
        ({"disease-ssc_subset": ""}, "This is needed."),
        ({"disease-diagnostic_basis": []}, "This field is required."),
        ({"disease-first_calcinosis": "1950"}, "The date is before birth (1968-04)."),
        ({"disease-first_raynaud": ""}, "This field is required."),
        ({"antibodies-ACA": "MAYBE"}, "Select a valid choice."),
        ({"antibodies-tested_on": "2010-13"}, "Enter a year (1987)"),
        ({"public_id": "NOR-00417"}, "Not saved yet"),
        ({"identity-given_name": "E\x00lena"}, "Null characters are not allowed."),
    ],
)
def test_what_is_wrong_is_said_beside_the_field_and_everything_typed_is_kept(send, changes, said):
    response = send(**changes)
    text = response.content.decode()
    assert response.status_code == 200
    assert said in text
    assert nothing_is_saved()
    for typed in ("v3", "K-7701", "2008-11") if "consent-form_version" not in changes else ("K-7701", "2008-11"):
        assert f'value="{typed}"' in text
    assert re.search(r'value="POS"[^>]*checked', text) or "antibodies-ACA" in changes


def test_one_fault_is_said_once(send):
    text = send(**{"consent-form_version": "", "disease-first_raynaud": ""}).content.decode()
    assert "2 things need your answer" in text
    assert "This is needed." not in text


def test_the_subset_is_asked_for_systemic_sclerosis_only(send):
    send(**{"disease-primary_ctd": "JDM", "disease-ssc_subset": ""})
    assert Diagnosis.objects.get().ssc_subset == ""


def test_a_guardian_gives_consent_with_the_childs_assent(send):
    send(**{"consent-given_by": "GUARDIAN", "consent-child_assent": "Y", "person-birth_date": "2004-02-11"})
    assert Consent.objects.get().child_assent == "Y"


def test_the_same_form_sent_many_times_makes_one_patient(client_of, clinician):
    client, form = client_of(clinician), filled()
    answers = {client.post(URL, form).url for _ in range(20)}
    assert answers == {Patient.objects.get().get_absolute_url()}
    assert Consent.objects.count() == 1


def test_the_same_form_sent_twice_at_once_makes_one_patient(client_of, clinician, monkeypatch):
    client, form = client_of(clinician), filled()
    client.post(URL, form)
    # The second request looked before the first one had saved.
    seen = iter([None, Patient.objects.get()])
    monkeypatch.setattr(register_view, "_standing", lambda request: next(seen))
    response = client.post(URL, form | {"another_person": "on"})
    assert response.url == Patient.objects.get().get_absolute_url()


def test_a_form_with_another_clinics_patients_id_saves_nothing_and_is_no_error_page(send, south):
    foreign = PatientFactory(clinic=south)
    response = send(public_id=foreign.public_id)
    assert response.status_code == 200
    assert "The form is out of date" in response.content.decode()
    assert foreign.registry_number not in response.content.decode()
    assert Patient.objects.get() == foreign


def test_a_fault_on_the_way_leaves_nothing_behind(client_of, clinician, monkeypatch, north):
    def fails(self, *args, **kwargs):
        raise IntegrityError("the disk is full")

    monkeypatch.setattr(Diagnosis, "save", fails)
    client_of(clinician).post(URL, filled())
    assert nothing_is_saved()
    north.refresh_from_db()
    assert north.next_number == 1


@pytest.mark.parametrize(
    "same",
    [
        {"family_name": "DUARTE", "given_name": "elena"},
        {"family_name": "Silva", "given_name": "Maria", "hospital_number": "k-7701"},
        {"family_name": "Silva", "given_name": "Maria", "national_number": "N1"},
    ],
)
def test_a_likely_duplicate_of_the_clinic_is_shown_and_asked_about(send, north, same):
    standing = IdentityFactory(patient=PatientFactory(clinic=north), **same)
    response = send(**{"identity-national_number": "N1"})
    text = response.content.decode()
    assert "this person may be in the register already" in text
    assert f"{standing.family_name}, {standing.given_name}" in text
    assert Patient.objects.get(registry_number=standing.registry_number).get_absolute_url() in text
    assert Patient.objects.count() == 1
    assert Event.objects.filter(action=Action.READ, changes__shown="names in a list").count() == 1
    assert send(**{"identity-national_number": "N1", "another_person": "on"}).status_code == 302
    assert Patient.objects.count() == 2


def test_of_another_clinics_duplicate_only_the_admin_to_ask_is_said(send, south):
    elsewhere = IdentityFactory(patient=PatientFactory(clinic=south), family_name="Duarte", given_name="Elena")
    text = send().content.decode()
    assert "ask the coordinating admin" in text
    assert elsewhere.registry_number not in text
    assert "South" not in text
    assert send(another_person="on").status_code == 302


def test_another_clinics_same_hospital_number_is_no_duplicate(send, south):
    IdentityFactory(patient=PatientFactory(clinic=south), family_name="Silva", hospital_number="K-7701")
    assert send().status_code == 302


def test_the_clinic_is_asked_only_where_there_is_a_choice(client_of, clinician, north, south):
    client = client_of(clinician)
    assert 'name="clinic"' not in client.get(URL).content.decode()
    Membership.objects.create(user=clinician, clinic=south, role="assistant")
    client = client_of(type(clinician).objects.get(pk=clinician.pk))
    assert 'name="clinic"' in client.get(URL).content.decode()
    assert client.post(URL, filled()).status_code == 200
    assert nothing_is_saved()
    client.post(URL, filled(clinic=south.public_id))
    assert Patient.objects.get().registry_number == "SOU-00001"


def test_nobody_registers_into_a_clinic_they_only_read(client_of, clinician, south):
    Membership.objects.create(user=clinician, clinic=south, role="monitor")
    client = client_of(type(clinician).objects.get(pk=clinician.pk))
    client.post(URL, filled(clinic=south.public_id))
    assert Patient.objects.get().registry_number == "NOR-00001"


@pytest.mark.parametrize("who", ["monitor", "researcher", "admin"])
def test_who_may_not_write_may_not_register(client_of, request, who):
    client = client_of(request.getfixturevalue(who))
    assert client.get(URL).status_code == 403
    assert client.post(URL, filled()).status_code == 403
    assert nothing_is_saved()


def test_the_version_of_the_last_consent_is_offered(client_of, clinician):
    client = client_of(clinician)
    client.post(URL, filled(**{"consent-form_version": "2026-B"}))
    assert 'value="2026-B"' in client.get(URL).content.decode()


def test_the_header_of_a_record_page_names_the_patient_and_tells_it_once(client_of, clinician, monitor):
    client = client_of(clinician)
    client.post(URL, filled())
    consent = Consent.objects.get()
    url = reverse("patients:record", args=["consent", consent.public_id])
    text = client.get(url).content.decode()
    for shown in ("Elena Duarte", "NOR-00001", "58 y, female", "lcSSc since 2009", "registry, research use"):
        assert shown in text
    assert Event.objects.filter(action=Action.READ, patient="NOR-00001").count() == 1
    text = client_of(monitor).get(url).content.decode()
    assert "NOR-00001" in text
    assert "Duarte" not in text
    assert Event.objects.filter(action=Action.READ, patient="NOR-00001").count() == 1
