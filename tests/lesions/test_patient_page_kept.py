"""The clinical sections of the patient page are kept between requests: never old, never for the wrong eyes, bounded."""

from __future__ import annotations

import datetime

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django.utils.safestring import mark_safe

from calcinosis_registry.audit import trail
from calcinosis_registry.audit.traced import Traced
from calcinosis_registry.clinics.models import Membership
from calcinosis_registry.codebook.partial_dates import PartialDate
from calcinosis_registry.identity.models import Identity
from calcinosis_registry.quality.models import DataQuery
from lesions.models import Lesion, TreatmentCourse
from lesions.patient_file import _branches
from lesions.views import kept
from lesions.views.kept import Kept, Sections
from lesions.views.patient_page import KEPT
from patients.models import Patient, Summary
from tests.factories import DiagnosisFactory, IdentityFactory, PatientFactory, known_lesions


@pytest.fixture(autouse=True)
def _nothing_kept():
    KEPT.clear()
    yield
    KEPT.clear()


@pytest.fixture
def patient(north):
    found = PatientFactory(clinic=north)
    IdentityFactory(patient=found, given_name="Elena", family_name="Duarte")
    DiagnosisFactory(patient=found)
    known_lesions(found, datetime.date(2025, 1, 7), [("HAND.D1.PULP", "R"), ("ELBOW", "R")], targets=1)
    return found


def page(client, patient: Patient) -> str:
    response = client.get(patient.get_absolute_url())
    assert response.status_code == 200
    return response.content.decode()


def was_made(client, patient: Patient) -> bool:
    """Were the sections made anew for this request? Only then is the patient's file read."""
    with CaptureQueriesContext(connection) as told:
        page(client, patient)
    return any("lesions_lesionobservation" in one["sql"] for one in told)


def test_reading_a_page_again_does_not_make_it_again(client_of, clinician, patient):
    client = client_of(clinician)
    first = page(client, patient)
    assert not was_made(client, patient)
    without_token = [line for line in first.splitlines() if "csrf" not in line]
    assert [line for line in page(client, patient).splitlines() if "csrf" not in line] == without_token


def test_a_record_entered_through_its_page_shows_at_once(client_of, clinician, patient):
    client = client_of(clinician)
    assert "Colchicine" not in page(client, patient)
    url = f"/patients/{patient.public_id}/treatmentcourse/add/"
    answers = {"agent": "COLCHICINE", "route": "ORAL", "start": "2024", "version": "0"}
    assert client.post(url, answers).status_code == 302
    assert "Colchicine" in page(client, patient)


@pytest.mark.parametrize("change", ["saved", "removed", "asked", "withdrawn"])
def test_whatever_changes_of_a_patient_shows_at_once(client_of, clinician, patient, change):
    course = TreatmentCourse(patient=patient, agent="DILTIAZEM", route="ORAL", start=PartialDate(2023))
    course.save()
    client = client_of(clinician)
    before = page(client, patient)
    assert not was_made(client, patient)
    if change == "saved":
        lesion = Lesion.objects.filter(patient=patient).first()
        lesion.visibility = "IMAGING_ONLY"
        lesion.save()
        expected = "imaging only"
    elif change == "removed":
        course.delete()
        expected = "No treatment is recorded."
    elif change == "asked":
        DataQuery(
            clinic=patient.clinic, patient=patient.registry_number, model="lesions.lesion",
            object_id=Lesion.objects.filter(patient=patient).first().pk, message="Is it the right thumb?",
        ).save()  # fmt: skip
        expected = "Is it the right thumb?"
    else:
        patient.registry_consent = False
        patient.save()
        expected = "No consent to the registry is in force"
    assert expected not in before
    assert expected in page(client, patient)


def test_whatever_the_page_reads_tells_the_trail_whose_it_is():
    """An event without its patient would leave the kept page as it was."""
    assert len(_branches()) > 30
    for model in [branch.model for branch in _branches()] + [DataQuery]:
        assert issubclass(model, Traced), model
        assert isinstance(model.trail_patient, property), f"{model.__name__} does not say whose it is"


def test_a_repair_without_an_event_shows_at_once_too(client_of, clinician, patient):
    client = client_of(clinician)
    Summary.objects.filter(patient=patient).update(active_lesions=7)
    assert "7 active of 2 ever" in page(client, patient)
    call_command("rebuild_summaries")
    assert "2 active of 2 ever" in page(client, patient)


def test_what_one_role_saw_is_not_shown_to_another(client_of, clinician, monitor, patient):
    assert "/add/" in page(client_of(clinician), patient)
    text = page(client_of(monitor), patient)
    assert "/add/" not in text
    assert "Duarte" not in text
    assert "/add/" in page(client_of(clinician), patient)


def test_a_role_that_ended_finds_no_page_however_lately_it_was_kept(client_of, clinician, patient):
    client = client_of(clinician)
    page(client, patient)
    membership = Membership.objects.get(user=clinician)
    membership.valid_from = membership.valid_until = timezone.localdate() - datetime.timedelta(days=1)
    membership.save()
    assert client.get(patient.get_absolute_url()).status_code == 404


def test_no_name_is_kept_and_a_new_name_shows_at_once(client_of, clinician, patient):
    client = client_of(clinician)
    assert "Elena Duarte" in page(client, patient)
    held = repr(list(KEPT._found.items()))
    assert "Right thumb" in held
    assert not any(secret in held for secret in ("Elena", "Duarte", str(patient.birth_date)))
    identity = Identity.objects.get(registry_number=patient.registry_number)
    identity.family_name = "Duarte-Lima"
    identity.save()
    assert "Elena Duarte-Lima" in page(client, patient)


def test_each_showing_of_a_name_is_told_though_the_page_is_kept(client_of, clinician, patient):
    client = client_of(clinician)
    for _time in range(3):
        page(client, patient)
    told = trail.Event.objects.of_patient(patient.registry_number).filter(action="read", actor_id=clinician.pk)
    assert told.count() == 3


def test_another_day_makes_the_page_again(client_of, clinician, patient, monkeypatch):
    client = client_of(clinician)
    page(client, patient)
    tomorrow = timezone.localdate() + datetime.timedelta(days=1)
    monkeypatch.setattr(timezone, "localdate", lambda *_args: tomorrow)
    assert was_made(client, patient)


def sections(text: str) -> Sections:
    return Sections(mark_safe(text), mark_safe(""), None)


def test_the_sections_asked_for_last_are_kept_as_far_as_there_is_room():
    found = Kept(most=10)
    for key in (b"a", b"b"):
        found.get(key, lambda: sections("1234"))
    found.get(b"a", pytest.fail)  # asked for again: b is now the oldest
    found.get(b"c", lambda: sections("1234"))
    found.get(b"a", pytest.fail)
    made = []
    found.get(b"b", lambda: made.append(1) or sections("1234"))
    assert made
    found.get(b"huge", lambda: sections("x" * 11))
    assert not found._found
    assert found._size == 0


def test_nothing_is_kept_longer_than_ten_minutes(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(kept.time, "monotonic", lambda: now[0])
    found = Kept()
    found.get(b"a", lambda: sections("old"))
    now[0] += kept.LONGEST_SECONDS - 1
    found.get(b"a", pytest.fail)
    now[0] += 2
    assert found.get(b"a", lambda: sections("new")).main == "new"
    assert found._size == 3
    now[0] += kept.LONGEST_SECONDS + 1
    found.get(b"b", lambda: sections("other"))
    assert list(found._found) == [b"b"]
