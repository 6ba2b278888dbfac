"""A register that rests can be read; nothing is saved, nothing typed is lost, and who looked is still written down."""

from __future__ import annotations

import io
import threading

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.urls import reverse

from calcinosis_registry import read_only
from calcinosis_registry.audit.models import Action, Event
from calcinosis_registry.jobs.models import Job, State
from calcinosis_registry.jobs.services import ask
from patients.models import Patient
from tests.factories import PASSWORD, IdentityFactory, PatientFactory, TreatmentCourseFactory
from tests.operations.test_error_pages import Form
from tests.sent_forms import sent_by

pytestmark = pytest.mark.django_db
WHY = "We move to the new server until 14:00."


def said(state: str, *why: str) -> str:
    out = io.StringIO()
    call_command("read_only", state, *why, stdout=out)
    return out.getvalue()


@pytest.fixture(autouse=True)
def data_dir(settings, tmp_path):
    settings.DATA_DIR = tmp_path


@pytest.fixture
def clara(client_of, clinician):
    return client_of(clinician)


@pytest.fixture
def patient(north):
    patient = PatientFactory(clinic=north)
    IdentityFactory(patient=patient)
    return patient


def test_pages_are_read_under_a_banner_and_whoever_looked_is_written_down(clara, patient):
    said("on", WHY)
    before = Event.objects.filter(action=Action.READ).count()
    for address in (patient.get_absolute_url(), reverse("home"), reverse("patients:list")):
        page = clara.get(address)
        assert page.status_code == 200 and WHY in page.content.decode()
    found = clara.post(reverse("patients:search"), {"q": patient.registry_number}, follow=True)
    assert found.status_code == 200
    assert Event.objects.filter(action=Action.READ).count() > before


def test_a_save_is_answered_with_the_reason_and_what_was_typed_and_goes_through_afterwards(clara, patient):
    course = TreatmentCourseFactory(patient=patient)
    address = reverse("patients:record", args=["treatmentcourse", course.public_id])
    form = sent_by(clara.get(address)) | {"route": "TOPICAL", "reason": "read again"}
    said("on", WHY)
    events = Event.objects.count()
    page = clara.post(address, form)
    assert page.status_code == 503 and page["Retry-After"] == "300"
    text = page.content.decode()
    assert "can only be read at present" in text and WHY in text
    assert Event.objects.count() == events
    course.refresh_from_db()
    assert course.route != "TOPICAL"

    assert "Saving works again" in said("off")
    assert clara.post(address, Form(text).values).status_code == 302
    course.refresh_from_db()
    assert course.route == "TOPICAL"


def test_the_trail_refuses_where_no_page_stands_before_it(patient):
    said("on", WHY)
    with pytest.raises(read_only.ReadOnly, match="Nothing was changed"), transaction.atomic():
        TreatmentCourseFactory(patient=patient)
    assert not patient.treatmentcourse_set.exists()


def test_people_come_and_go(client, clinician):
    clinician.set_password(PASSWORD)
    clinician.save()
    said("on", WHY)
    page = client.post(reverse("account_login"), {"login": clinician.email, "password": PASSWORD}, follow=True)
    assert page.status_code == 200 and Event.objects.filter(action=Action.SIGN_IN).exists()
    assert client.post(reverse("account_logout")).status_code == 302


def test_jobs_wait(researcher):
    job = ask(kind="export", title="Export", arguments={}, by=researcher)
    said("on", WHY)
    call_command("work", once=True)
    assert Job.objects.get(pk=job.pk).state == State.WAITING


def test_commands_that_change_the_register_say_one_sentence():
    said("on", WHY)
    with pytest.raises(CommandError, match="read-only at present: We move"):
        call_command("load_demo", patients=1, clinics=2, seed=1)
    assert not Patient.objects.exists()


def test_the_operator_says_why_and_is_told_how_it_stands():
    with pytest.raises(CommandError, match="Say why"):
        said("on")
    with pytest.raises(CommandError, match="longer than 300"):
        said("on", "x" * 301)
    assert said("status") == "Saving works.\n" and "was not read-only" in said("off")
    said("on", WHY)
    assert said("status") == f"Read-only: {WHY}\n"


@pytest.mark.postgres  # SQLite's writers stand in one line anyway
@pytest.mark.django_db(transaction=True)
def test_it_rests_only_when_the_last_save_has_ended(north):
    """The command waits for whoever holds the chain, and nothing is written behind its back."""
    holds, may_end, told = threading.Event(), threading.Event(), []

    def save() -> None:
        try:
            with transaction.atomic():
                PatientFactory(clinic=north)
                holds.set()
                may_end.wait(20)
            told.append("saved")
        finally:
            connection.close()

    def rest() -> None:
        try:
            said("on", WHY)
            told.append("rests")
        finally:
            connection.close()

    saving, resting = threading.Thread(target=save), threading.Thread(target=rest)
    saving.start()
    assert holds.wait(20)
    resting.start()
    resting.join(0.5)
    assert resting.is_alive()
    may_end.set()
    saving.join(20)
    resting.join(20)
    assert told == ["saved", "rests"] and Patient.objects.count() == 1
    with pytest.raises(read_only.ReadOnly):
        PatientFactory(clinic=north)
