"""A planned visit that did not take place leaves its reason, and the next appointment counts."""

from __future__ import annotations

import datetime

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils import timezone

from patients.models import Patient, Summary, Visit, VisitState
from patients.services import after_save
from tests.factories import PatientFactory, VisitFactory

SEEN, PLANNED, NEXT = (datetime.date(2025, 11, 3), datetime.date(2026, 5, 4), datetime.date(2026, 11, 2))


@pytest.fixture
def patient(north):
    """Seen once, and due on PLANNED."""
    patient = PatientFactory(clinic=north)
    visit = VisitFactory(patient=patient, visit_date=SEEN, next_visit_due=PLANNED)
    after_save(patient=patient, records=[visit], now=timezone.now())
    return patient


@pytest.fixture
def miss(client_of, clinician, patient):
    client = client_of(clinician)

    def sent(**changes):
        form = {"visit_date": str(PLANNED), "missed_reason": "ill at home", "version": "0"} | changes
        return client.post(reverse("patients:visit_missed", args=[patient.public_id]), form)

    return sent


def test_a_missed_visit_is_kept_with_its_reason_and_does_not_count_as_seen(miss, patient):
    assert miss().status_code == 302
    missed = Visit.objects.get(visit_date=PLANNED)
    assert (missed.state, missed.missed_reason) == (VisitState.MISSED, "ill at home")
    summary = Summary.objects.get(patient=patient)
    assert (summary.visit_count, summary.last_visit_on, summary.next_due_on) == (1, SEEN, PLANNED)


def test_its_new_appointment_is_what_is_due(miss, patient):
    miss(next_visit_due=str(NEXT))
    assert Summary.objects.get(patient=patient).next_due_on == NEXT


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"missed_reason": ""}, "required"),
        ({"visit_date": str(SEEN)}, "is recorded already"),
        ({"visit_date": "2999-01-01"}, "in the future"),
        ({"visit_date": ""}, "required"),
        ({"next_visit_due": str(SEEN)}, "must be after this one"),
    ],
)
def test_what_cannot_be_is_refused_beside_the_field_and_nothing_is_saved(miss, changes, said):
    page = miss(**changes)
    assert page.status_code == 200
    assert said in page.content.decode()
    assert Visit.objects.count() == 1


def test_the_same_form_sent_twice_makes_one_visit(miss):
    miss()
    miss()
    assert Visit.objects.count() == 2


def test_without_consent_it_is_refused(miss, patient):
    Patient.objects.bulk_update([_withdrawn(patient)], ["registry_consent"])
    assert "No consent to the registry" in miss().content.decode()


def _withdrawn(patient: Patient) -> Patient:
    patient.registry_consent = False
    return patient


def test_a_reason_belongs_to_a_missed_visit_and_to_no_other(patient):
    attended = VisitFactory(patient=patient, missed_reason="ill at home")
    assert attended.missed_reason == ""
    with pytest.raises(ValidationError, match="why it was missed"):
        VisitFactory(patient=patient, state="MISSED", missed_reason=" ")


def test_a_visit_that_took_place_after_all_is_filled_in_on_its_page(miss, client_of, clinician, patient):
    miss()
    missed = Visit.objects.get(visit_date=PLANNED)
    client = client_of(clinician)
    assert "Missed: ill at home" in client.get(missed.get_absolute_url()).content.decode()
    form = {"version": missed.version, "visit_date": str(PLANNED), "visit_type": "TELE", "pain_nrs": "4",
            "reason": "it took place"}  # fmt: skip
    client.post(missed.get_absolute_url(), form)
    taken = Visit.objects.get(visit_date=PLANNED)
    assert (taken.state, taken.missed_reason, taken.pain_nrs) == (VisitState.OPEN, "", 4)


def test_the_first_visit_after_a_missed_one_is_the_baseline(client_of, clinician, north):
    fresh = PatientFactory(clinic=north)
    VisitFactory(patient=fresh, visit_date=SEEN, state="MISSED", missed_reason="unknown")
    page = client_of(clinician).get(reverse("lesions:visit_new", args=[fresh.public_id]))
    assert page.context["visit"].visit_type == "BASELINE"
