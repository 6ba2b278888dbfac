"""A form sent twice saves once; one that comes when its session is over is kept for its writer and nobody else."""

from __future__ import annotations

import datetime
import threading
from collections.abc import Callable
from typing import Any

import pytest
import time_machine
from django.db import connection, connections
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from calcinosis_registry.audit.models import Action, Event
from calcinosis_registry.identity.models import Identity
from calcinosis_registry.records.models import Draft, Submission
from lesions.models import LesionObservation, TreatmentCourse
from lesions.visit_entry import VisitPage
from patients.models import Patient, Visit
from tests.factories import DiagnosisFactory, PatientFactory, VisitFactory, known_lesions
from tests.patients.test_register import filled
from tests.records.test_record_form import COURSE
from tests.sent_forms import sent_by

TIMES = 20
REGISTER = "/patients/register/"


@pytest.fixture
def patient(north) -> Patient:
    return PatientFactory(clinic=north)


@pytest.fixture
def clara(client_of, clinician) -> Client:
    return client_of(clinician)


def new_visit(patient: Patient) -> str:
    return reverse("lesions:visit_new", args=[patient.public_id])


def add(patient: Patient, kind: str) -> str:
    return reverse("patients:record_add", args=[patient.public_id, kind])


def page_registration(client: Client, patient: Patient) -> tuple[str, dict[str, Any]]:
    sent = sent_by(client.get(REGISTER))
    return REGISTER, sent | filled(public_id=sent["public_id"])


def page_visit(client: Client, patient: Patient) -> tuple[str, dict[str, Any]]:
    url = new_visit(patient)
    new = {"new-1-site": "KNEE", "new-1-laterality": "L", "new-1-lesion_kind": "SINGLE"}
    more = {"visit_date": "2026-02-01", "visit_type": "BASELINE", "new-1-seen-size_method": "CALIPER"}
    return url, sent_by(client.get(url)) | new | more


def page_record(client: Client, patient: Patient) -> tuple[str, dict[str, Any]]:
    url = add(patient, "treatmentcourse")
    typed = {name: value for name, value in COURSE.items() if name != "version"}
    return url, sent_by(client.get(url)) | typed


def page_missed(client: Client, patient: Patient) -> tuple[str, dict[str, Any]]:
    url = reverse("patients:visit_missed", args=[patient.public_id])
    return url, sent_by(client.get(url)) | {"visit_date": "2026-01-07", "missed_reason": "unknown"}


MADE: dict[Callable[..., Any], Any] = {
    page_registration: lambda: Patient.objects.count() - 1 + Identity.objects.count(),
    page_visit: lambda: Visit.objects.count(),
    page_record: lambda: TreatmentCourse.objects.count(),
    page_missed: lambda: Visit.objects.count(),
}
# Another answer in one field of the form.
OTHER = {page_registration: ("identity-given_name", "Other"), page_record: ("agent_other", "other")}
each_page = pytest.mark.parametrize("page", MADE, ids=lambda one: one.__name__)


@each_page
def test_twenty_identical_forms_make_one_record_and_lead_to_the_same_page(clara, patient, page):
    url, form = page(clara, patient)
    answers = [clara.post(url, form) for _ in range(TIMES)]
    assert {answer.status_code for answer in answers} == {302}
    assert len({answer.url for answer in answers}) == 1
    assert MADE[page]() == (2 if page is page_registration else 1)
    assert not Draft.objects.exists()


def test_a_visit_sent_again_while_the_first_is_still_being_saved_leads_to_the_first(clara, patient, monkeypatch):
    url, form = page_visit(clara, patient)
    del form["submission"]
    entry = VisitPage.entry

    def entry_while_the_first_is_saved(page: VisitPage) -> Any:
        made = entry(page)
        VisitFactory(patient=patient, public_id=form["public_id"], visit_date=datetime.date(2026, 2, 1))
        return made

    monkeypatch.setattr(VisitPage, "entry", entry_while_the_first_is_saved)
    answer = clara.post(url, form)
    assert (answer.status_code, answer.url) == (302, Visit.objects.get().get_absolute_url())


@each_page
def test_the_same_form_with_other_content_is_refused_and_keeps_what_was_typed(clara, patient, page):
    url, form = page(clara, patient)
    clara.post(url, form)
    made = MADE[page]()
    changed, value = OTHER.get(page, ("visit_date", "2026-01-09"))
    other = form | {changed: value}
    answer = clara.post(url, other)
    assert answer.status_code == 422
    assert "was saved already" in answer.content.decode()
    again = sent_by(answer)
    assert again[changed] == other[changed]
    assert MADE[page]() == made
    # Sent once more on purpose it is another one, with a number and key of its own.
    assert again["submission"] != form["submission"]
    assert again.get("public_id", "1") != form.get("public_id", "2")


def test_a_change_sent_twice_is_one_change_and_no_conflict(clara, patient):
    diagnosis = DiagnosisFactory(patient=patient)
    url = reverse("patients:record", args=["diagnosis", diagnosis.public_id])
    form = sent_by(clara.get(url)) | {"first_calcinosis": "2011"}
    assert [clara.post(url, form).status_code for _ in range(TIMES)] == [302] * TIMES
    assert Event.objects.of_record(type(diagnosis), diagnosis.pk).filter(action=Action.CHANGE).count() == 1
    # Gone back in the browser, and changed again: the page no longer shows what is saved.
    assert clara.post(url, form | {"first_calcinosis": "2012"}).status_code == 409


def test_a_refused_form_may_come_again(clara, patient):
    url, form = page_visit(clara, patient)
    assert clara.post(url, form | {"visit_date": "2999-01-01"}).status_code == 200
    assert not Submission.objects.exists()
    assert clara.post(url, form).status_code == 302


def test_the_answer_to_a_late_retry_says_when_it_was_saved(clara, patient):
    url, form = page_visit(clara, patient)
    clara.post(url, form)
    with time_machine.travel(timezone.now() + datetime.timedelta(minutes=2), tick=True):
        assert "Nothing was made twice" in clara.post(url, form, follow=True).content.decode()


def test_the_key_of_somebody_else_makes_ones_own_record(clara, client_of, assistant, patient):
    url, form = page_visit(clara, patient)
    anna = client_of(assistant)
    clara.post(url, form)
    mine = sent_by(anna.get(url)) | {"submission": form["submission"], "visit_date": "2026-03-01"}
    assert anna.post(url, mine | {"visit_type": "FOLLOW_UP"}).status_code == 302
    assert Visit.objects.count() == 2


# ---- At the same moment


def at_once(clients: list[Client], send: Callable[[Client], Any]) -> list[Any]:
    """What each client is answered, all sending at the same moment."""
    gate, answers = threading.Barrier(len(clients)), []

    def run(client: Client) -> None:
        gate.wait()
        try:
            answers.append(send(client))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=[client]) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
@each_page
def test_twenty_forms_at_the_same_moment_make_one_record(client_of, clinician, north, page):
    patient = PatientFactory(clinic=north)
    clients = [client_of(clinician) for _ in range(TIMES)]
    url, form = page(clients[0], patient)
    answers = at_once(clients, lambda client: client.post(url, form))
    assert {answer.status_code for answer in answers} == {302}
    assert len({answer.url for answer in answers}) == 1
    assert MADE[page]() == (2 if page is page_registration else 1)


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_two_people_saving_one_visit_at_the_same_moment_lose_nothing(client_of, clinician, assistant, north):
    visit = known_lesions(PatientFactory(clinic=north), datetime.date(2026, 5, 12), [("ELBOW", "L")])
    url = visit.get_absolute_url()
    for turn in range(10):
        people = {client_of(clinician): "pain_nrs", client_of(assistant): "patient_global"}
        forms = {person: sent_by(person.get(url)) | {name: str(turn)} for person, name in people.items()}
        answers = at_once(list(people), lambda person, forms=forms: (person, person.post(url, forms[person])))
        by_person = dict(answers)
        late = [person for person, answer in by_person.items() if answer.status_code == 409]
        assert sorted(answer.status_code for answer in by_person.values()) in ([302, 409], [302, 302])
        for person in late:
            assert person.post(url, sent_by(by_person[person])).status_code == 302
        visit.refresh_from_db()
        assert (visit.pain_nrs, visit.patient_global) == (turn, turn)
    assert LesionObservation.objects.count() == 1 and connection.vendor == "postgresql"


# ---- Without a session, with another one, with a stale token


def test_a_form_that_comes_signed_out_waits_for_its_writer_byte_for_byte(clara, client_of, assistant, patient):
    visit = VisitFactory(patient=patient)
    url = visit.get_absolute_url()
    typed = ("½ mm 🦴 žluť \r\n" * 4000)[:50_000]
    form = sent_by(clara.get(url)) | {"note": typed, "then": "stay", "pain_nrs": "3"}
    answer = Client().post(url, form)
    assert answer.status_code == 302 and answer.url.startswith("/account/sign-in/?next=/visits/")
    draft = Draft.objects.get()
    assert draft.data()["note"] == typed
    restored = clara.get(f"{draft.restore_url}&held=1")
    assert "You were signed out while saving" in restored.content.decode()
    again = sent_by(restored)
    assert again["note"] == typed
    assert clara.post(url, again | {"note": "short"}).status_code == 302
    assert (Visit.objects.get().note, Visit.objects.get().pain_nrs) == ("short", 3)
    assert not Draft.objects.exists()
    other = client_of(assistant).get(draft.restore_url)
    assert other.context["keeping"].gone


def test_a_form_sent_while_another_account_is_signed_in_saves_nothing_and_stays_its_writers(
    clara, client_of, assistant, clinician, patient
):
    url, form = page_visit(clara, patient)
    answer = client_of(assistant).post(url, form, follow=True)
    assert "opened by another account" in answer.content.decode()
    assert not Visit.objects.exists()
    assert Draft.objects.get().owner == clinician
    assert "Drafts to finish" not in answer.content.decode()
    assert "Drafts to finish" in clara.get("/").content.decode()


def test_a_stale_token_loses_nothing(clinician, patient):
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(clinician)
    url, form = page_visit(strict, patient)
    answer = strict.post(url, form | {"csrfmiddlewaretoken": "x" * 64})
    assert answer.status_code == 302 and not Visit.objects.exists()
    assert strict.post(url, sent_by(strict.get(answer.url))).status_code == 302
    assert Visit.objects.count() == 1


def test_a_form_from_elsewhere_is_refused_and_not_kept(clinician, patient):
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(clinician)
    url, form = page_visit(strict, patient)
    forged = form | {"draft": "x", "csrfmiddlewaretoken": "x" * 64}
    assert strict.post(url, forged).status_code == 403
    # The slip of one page opens no other.
    other = PatientFactory(clinic=patient.clinic)
    assert strict.post(new_visit(other), form | {"csrfmiddlewaretoken": ""}).status_code == 403
    assert not Draft.objects.exists() and not Visit.objects.exists()


def test_a_visit_signed_meanwhile_keeps_the_typing_as_a_draft(clara, patient):
    visit = VisitFactory(patient=patient)
    url = visit.get_absolute_url()
    form = sent_by(clara.get(url)) | {"note": "typed while it was being signed"}
    Visit.objects.bulk_update([_signed(visit)], ["state"])
    assert clara.post(url, form).url == url
    assert Draft.objects.get().data()["note"] == "typed while it was being signed"


def _signed(visit: Visit) -> Visit:
    visit.state = "SIGNED"
    return visit
