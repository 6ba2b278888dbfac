"""Consent opens entry and export, a withdrawal ends both at once, and at 18 the person is asked."""

from __future__ import annotations

import datetime

import pytest
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone

from calcinosis_registry.codebook.partial_dates import PartialDate
from calcinosis_registry.cohorts.dataset import population
from calcinosis_registry.cohorts.scope import Scope
from calcinosis_registry.quality.models import DataQuery
from lesions.models import TreatmentCourse
from patients.models import Consent, Patient, Status, Visit
from patients.services import after_save
from tests.factories import PatientFactory, VisitFactory

EVERYONE = Scope(None, exact=True)


def given(patient: Patient, day: str, **changes) -> Consent:
    fields = {"form_version": "v1", "given_by": "PERSON", "registry": True, "research": True} | changes
    consent = Consent(patient=patient, consented_on=datetime.date.fromisoformat(day), **fields)
    consent.save()
    after_save(patient=patient, records=[consent], now=timezone.now())
    return consent


@pytest.fixture
def patient(north):
    return PatientFactory(clinic=north)


@pytest.fixture
def withdraw(client_of, clinician):
    """``withdraw(consent)`` on its page."""
    client = client_of(clinician)

    def sent(consent: Consent, day: str = "2026-06-01"):
        form = {
            "version": consent.version, "consented_on": str(consent.consented_on), "form_version": "v1",
            "given_by": "PERSON", "registry": "on", "research": "on", "withdrawn_on": day,
        }  # fmt: skip
        assert client.post(reverse("patients:record", args=["consent", consent.public_id]), form).status_code == 302
        return client

    return sent


def test_a_withdrawal_on_the_consents_page_stops_exports_and_locks_entry_at_once(patient, withdraw):
    consent = given(patient, "2026-01-02")
    visit = VisitFactory(patient=patient)
    assert list(population(EVERYONE)) == [patient]
    client = withdraw(consent)
    assert list(population(EVERYONE)) == []
    page = client.post(
        reverse("patients:record_add", args=[patient.public_id, "treatmentcourse"]),
        {"agent": "DILTIAZEM", "intent": "CALCINOSIS", "route": "ORAL"},
    )
    assert "No consent to the registry is in force" in page.content.decode()
    assert not TreatmentCourse.objects.exists()
    for record in (Visit.objects.get(pk=visit.pk), Visit(patient=Patient.objects.get(), visit_type="FOLLOW_UP")):
        record.visit_date = datetime.date(2026, 6, 2)
        with pytest.raises(ValidationError, match="No consent"):
            record.save()


def test_a_withdrawal_is_kept_where_the_patient_lacks_an_answer_that_is_needed_today(patient, withdraw):
    consent = given(patient, "2026-01-02")
    QuerySet(Patient).update(sex_at_birth="")  # as an earlier version left it
    withdraw(consent)
    assert list(population(EVERYONE)) == [] and not Patient.objects.get().research_consent


def test_a_withdrawal_does_not_bring_an_older_consent_back(patient, withdraw):
    given(patient, "2020-01-02")
    withdraw(given(patient, "2024-01-02"))
    assert list(population(EVERYONE)) == []
    assert not Patient.objects.get().registry_consent


def test_withdrawing_an_older_form_after_the_newest_was_given_ends_that_too(patient, withdraw):
    older = given(patient, "2020-01-02")
    given(patient, "2024-01-02")
    withdraw(older)
    assert not Patient.objects.get().registry_consent


def test_a_consent_given_after_a_withdrawal_opens_entry_again(patient, withdraw):
    withdraw(given(patient, "2024-01-02"), "2025-01-02")
    given(Patient.objects.get(), "2026-01-02")
    assert list(population(EVERYONE)) == [patient]


def test_after_a_withdrawal_only_the_status_of_the_person_can_change(patient, withdraw):
    withdraw(given(patient, "2024-01-02"))
    person = Patient.objects.get()
    person.status, person.death_date = Status.DEAD, PartialDate(2026, 7)
    person.save()
    person.smoking = "NEVER"
    with pytest.raises(ValidationError, match="only the status"):
        person.save()


def test_somebody_who_opted_out_is_in_no_export(patient):
    patient.status = Status.OPTED_OUT
    patient.save()
    assert list(population(EVERYONE)) == []


def test_a_guardians_consent_is_asked_about_at_18_until_the_person_gives_theirs(north):
    patient = PatientFactory(clinic=north, birth_date=PartialDate(2008, 1, 5))
    given(patient, "2024-01-02", given_by="GUARDIAN", child_assent="Y")
    for day in (datetime.date(2026, 1, 4), datetime.date(2026, 1, 5)):
        visit = VisitFactory(patient=patient, visit_date=day)
        after_save(patient=patient, records=[visit], now=timezone.now())
    asked = DataQuery.objects.open().get(rule="consent_at_18")
    assert asked.object_id == visit.pk
    given(patient, "2026-01-06")
    assert not DataQuery.objects.open().filter(rule="consent_at_18").exists()


def test_a_child_who_consents_alone_is_asked_about(north):
    given(PatientFactory(clinic=north, birth_date=PartialDate(2012, 1, 5)), "2026-01-06")
    assert DataQuery.objects.open().filter(rule="consent_of_child").exists()
