"""Data queries: checks ask and withdraw by themselves; people ask, answer, close and reopen."""

from __future__ import annotations

import datetime
import io

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from calcinosis_registry.audit.models import Event
from calcinosis_registry.quality.models import DataQuery, QueryStatus
from patients.models import Visit
from tests.factories import DataQueryFactory, IdentityFactory, PatientFactory, VisitFactory

HEAVY = {"visit_date": "2026-05-12", "visit_type": "FOLLOW_UP", "weight_kg": "240", "reason": "Weighed again."}


@pytest.fixture
def visit(north) -> Visit:
    patient = PatientFactory(clinic=north)
    IdentityFactory(patient=patient)
    return VisitFactory(patient=patient)


@pytest.fixture
def clara(client_of, clinician) -> Client:
    return client_of(clinician)


@pytest.fixture
def mona(client_of, monitor) -> Client:
    return client_of(monitor)


def at(name: str, query: DataQuery) -> str:
    return reverse(f"queries:{name}", args=[query.public_id])


def save(client: Client, **changes):
    visit = Visit.objects.get()
    assert client.post(visit.get_absolute_url(), HEAVY | {"version": visit.version} | changes).status_code == 302


def asked(mona: Client, visit: Visit, **sent) -> DataQuery:
    page = reverse("queries:ask", args=["visit", visit.public_id])
    assert mona.post(page, {"message": "Is the pain right?", "field": "pain_nrs"} | sent).status_code == 302
    return DataQuery.objects.latest("pk")


# By rules


def test_a_check_asks_and_the_question_goes_when_the_value_is_put_right(clara, visit):
    save(clara)
    query = DataQuery.objects.get()
    assert (query.status, query.rule, query.raised_by) == (QueryStatus.OPEN, "plausible", None)
    save(clara, weight_kg="84")
    query.refresh_from_db()
    assert (query.status, query.closed_by) == (QueryStatus.CLOSED, None)
    assert query.closed_at and query.closed_because
    assert "The rule finds nothing any more." in clara.get(at("query", query)).content.decode()


def test_what_a_person_closed_is_not_asked_again_in_the_same_words(clara, mona, visit):
    save(clara)
    query = DataQuery.objects.get()
    clara.post(at("answer", query), {"answer": "Weighed twice."})
    mona.post(at("close", query), {"because": "Confirmed."})
    save(clara, note="Something else.")
    assert not DataQuery.objects.open().exists()
    save(clara, weight_kg="245")
    assert DataQuery.objects.open().get().message.startswith("Weight is 245")


def test_an_answer_about_another_value_is_no_answer(clara, visit):
    save(clara)
    clara.post(at("answer", DataQuery.objects.get()), {"answer": "Weighed twice."})
    save(clara, weight_kg="250")
    query = DataQuery.objects.get()
    assert query.status == QueryStatus.OPEN and "250" in query.message


# By hand


def test_a_monitor_asks_a_clinician_answers_the_monitor_closes(clara, mona, monitor, clinician, visit):
    query = asked(mona, visit)
    assert (query.status, query.field, query.raised_by) == (QueryStatus.OPEN, "pain_nrs", monitor)
    clara.post(at("answer", query), {"answer": "As the patient said."})
    query.refresh_from_db()
    assert (query.status, query.answered_by, bool(query.answered_at)) == (QueryStatus.ANSWERED, clinician, True)
    mona.post(at("close", query), {"because": "Thank you."})
    query.refresh_from_db()
    assert (query.status, query.closed_by, query.closed_because) == (QueryStatus.CLOSED, monitor, "Thank you.")
    mona.post(at("reopen", query), {"because": "The letter says 7."})
    query.refresh_from_db()
    assert (query.status, query.closed_at, query.closed_by) == (QueryStatus.OPEN, None, None)
    page = mona.get(at("query", query)).content.decode()
    told = ("Mona Monitor", "Is the pain right?", "As the patient said.", "Thank you.", "The letter says 7.")
    assert all(one in page for one in told)
    assert [step.what for step in mona.get(at("query", query)).context["steps"]] == [
        "asked", "answered", "closed", "opened again"
    ]  # fmt: skip


def test_each_act_is_one_event_with_its_reason(clara, mona, visit):
    query = asked(mona, visit)
    for client, act, sent in ((clara, "answer", {"answer": "Yes."}), (mona, "close", {"because": "Right then."})):
        before = Event.objects.filter(model="quality.dataquery").count()
        client.post(at(act, query), sent)
        assert Event.objects.filter(model="quality.dataquery").count() == before + 1
    told = Event.objects.filter(model="quality.dataquery").latest("pk")
    assert (told.reason, told.actor_name, told.patient) == ("Right then.", "Mona Monitor", query.patient)


def test_it_stands_beside_its_field_on_the_visit_page_and_on_the_work_list(clara, mona, visit):
    query = asked(mona, visit)
    page = clara.get(visit.get_absolute_url()).content.decode()
    rating = page[page.index('data-rating="pain_nrs"') :]
    assert at("query", query) in rating[: rating.index("</fieldset>")]
    home = clara.get("/").content.decode()
    assert "Is the pain right?" in home and at("query", query) in home
    assert "Is the pain right?" in clara.get(visit.patient.get_absolute_url()).content.decode()


def test_it_stands_beside_its_field_on_a_records_page(clara, mona, visit):
    patient = visit.patient
    ask = reverse("queries:ask", args=["patient", patient.public_id])
    assert ask in mona.get(reverse("patients:record", args=["patient", patient.public_id])).content.decode()
    mona.post(ask, {"message": "Left-handed?", "field": "dominant_hand"})
    page = clara.get(reverse("patients:record", args=["patient", patient.public_id])).content.decode()
    field = page[page.index('id="div_id_dominant_hand"') :]
    assert "Left-handed?" in field[: field.index("</fieldset>")]


def test_a_question_about_another_record_of_the_same_number_is_not_shown(clara, visit, north):
    other = VisitFactory(patient=visit.patient, visit_date=datetime.date(2026, 6, 1))
    DataQueryFactory(
        clinic=north, patient=visit.patient.registry_number, model="patients.laboratoryresult", object_id=other.pk,
        message="Not about a visit",
    )  # fmt: skip
    assert "Not about a visit" not in clara.get(other.get_absolute_url()).content.decode()


@pytest.mark.parametrize(("act", "sent"), [("answer", {"answer": " "}), ("close", {"because": ""}), ("reopen", {})])
def test_every_act_needs_its_words(clara, mona, visit, act, sent):
    query = asked(mona, visit)
    if act == "reopen":
        clara.post(at("answer", query), {"answer": "Yes."})
    before = DataQuery.objects.get().status
    answer = (clara if act == "answer" else mona).post(at(act, query), sent)
    assert answer.status_code == 422 and "field-error" in answer.content.decode()
    assert DataQuery.objects.get().status == before


def test_a_question_needs_words_and_a_field_of_the_record(mona, visit):
    page = reverse("queries:ask", args=["visit", visit.public_id])
    for sent in ({"message": "  "}, {"message": "x" * 401}, {"message": "Why?", "field": "signed_by"}):
        assert mona.post(page, sent).status_code == 422
    assert not DataQuery.objects.exists()


def test_who_answered_anothers_question_does_not_close_it(clara, mona, visit):
    query = asked(mona, visit)
    clara.post(at("answer", query), {"answer": "Yes."})
    answer = clara.post(at("close", query), {"because": "Done."})
    assert answer.status_code == 422 and "You answered it" in answer.content.decode()
    assert DataQuery.objects.get().status == QueryStatus.ANSWERED


def test_the_states_allow_only_their_acts(clara, mona, visit):
    query = asked(mona, visit)
    assert mona.post(at("reopen", query), {"because": "Again."}).status_code == 422
    mona.post(at("close", query), {"because": "Mistake."})
    late = clara.post(at("answer", query), {"answer": "It was weighed twice."})
    assert late.status_code == 422 and "You wrote: It was weighed twice." in late.content.decode()
    assert mona.post(at("close", query), {"because": "Again."}).status_code == 422
    assert DataQuery.objects.get().status == QueryStatus.CLOSED


def test_an_assistant_answers_and_neither_asks_nor_closes(client_of, assistant, mona, visit):
    anna = client_of(assistant)
    query = asked(mona, visit)
    assert anna.post(at("close", query), {"because": "x"}).status_code == 403
    assert anna.get(reverse("queries:ask", args=["visit", visit.public_id])).status_code == 403
    assert anna.post(at("answer", query), {"answer": "Yes."}).status_code == 302


# The list


def test_the_list_counts_per_clinic_and_filters(client_of, clinician, north, south, visit):
    about = {"clinic": north, "patient": visit.patient.registry_number, "object_id": visit.pk}
    old = timezone.now() - datetime.timedelta(days=100)
    DataQueryFactory(**about, message="Old by a person", opened_at=old)
    DataQueryFactory(**about, message="Of a check", rule="plausible")
    DataQueryFactory(**about, message="Answered one", status="ANSWERED")
    DataQueryFactory(**about, message="Closed one", status="CLOSED")
    DataQueryFactory(clinic=south, patient="SOU-1", object_id=1, message="Foreign")
    client = client_of(clinician)

    def shown(**asked):
        page = client.get(reverse("queries:list"), asked)
        return [query.message for query in page.context["queries"]]

    assert shown() == ["Old by a person", "Of a check", "Answered one"]
    assert shown(state="CLOSED") == ["Closed one"]
    assert shown(origin="rule") == ["Of a check"]
    assert shown(age="90") == ["Old by a person"]
    assert shown(state="nonsense", age="-1") == ["Old by a person", "Of a check", "Answered one"]
    (count,) = client.get(reverse("queries:list")).context["clinics"]
    assert (count.name, count.open, count.answered, count.oldest) == ("North", 2, 1, 100)


def test_the_list_goes_on_where_the_page_ended(clara, visit, north):
    for n in range(60):
        DataQueryFactory(clinic=north, patient=visit.patient.registry_number, object_id=visit.pk, message=f"Q{n}")
    first = clara.get(reverse("queries:list"))
    assert len(first.context["queries"]) == 50 and first.context["after"]
    second = clara.get(reverse("queries:list"), {"after": first.context["after"]})
    assert [one.message for one in second.context["queries"]] == [f"Q{n}" for n in range(50, 60)]
    assert len(clara.get(reverse("queries:list"), {"after": "nothing"}).context["queries"]) == 50


# All over again


def recheck(*options: str) -> str:
    out = io.StringIO()
    call_command("recheck", *options, stdout=out, stderr=io.StringIO())
    return out.getvalue()


@pytest.fixture
def here(settings, tmp_path):
    settings.DATA_DIR = tmp_path
    return tmp_path / "recheck.position"


def test_recheck_opens_and_closes_over_everything_and_changes_nothing_the_second_time(here, visit, north):
    for n in range(5):
        VisitFactory(patient=PatientFactory(clinic=north), weight_kg=240 + n)
    stale = DataQueryFactory(
        clinic=north, patient=visit.patient.registry_number, object_id=visit.pk, rule="plausible", field="weight_kg"
    )
    gone = DataQueryFactory(clinic=north, patient=visit.patient.registry_number, object_id=987_654)
    assert "6 patients; 2 questions were open, 5 are now" in recheck("--batch", "2")
    for query in (stale, gone):
        query.refresh_from_db()
        assert query.status == QueryStatus.CLOSED and query.closed_because
    events = Event.objects.count()
    assert "5 questions were open, 5 are now" in recheck()
    assert Event.objects.count() == events and not here.exists()


def test_a_stopped_recheck_goes_on_where_it_stood(here, north, monkeypatch):
    for n in range(4):
        VisitFactory(patient=PatientFactory(clinic=north), weight_kg=240 + n)
    from lesions.management.commands import recheck as command

    real, calls = command.recheck_records, []

    def failing(**found):
        calls.append(found["patient"])
        if len(calls) == 3:
            raise KeyboardInterrupt
        return real(**found)

    monkeypatch.setattr(command, "recheck_records", failing)
    with pytest.raises(KeyboardInterrupt):
        recheck("--batch", "1")
    assert DataQuery.objects.count() == 2 and here.exists()
    assert "Going on after 2 patients" in recheck("--batch", "1")
    assert DataQuery.objects.open().count() == 4 and not here.exists()
    assert calls[3] == calls[2]  # where it was stopped
