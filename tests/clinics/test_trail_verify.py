"""The button “Verify the trail”, and the filters by record."""

from __future__ import annotations

import pytest
from django.db import connection

from calcinosis_registry.audit import guards, verification, witness
from calcinosis_registry.audit.models import Event
from tests.clinics.test_trail import an_event

pytestmark = pytest.mark.django_db
FETCH = {"X-Requested-With": "fetch"}


@pytest.fixture
def page(client_of, admin):
    for number in range(12):
        an_event(f"NOR-{number:05d}")
    last = Event.objects.first()
    witness.note(last.pk, last.seal, even_back=True)
    return client_of(admin)


def walk(client) -> list[dict]:
    told = [{"reached": 0, "over": False}]
    while not told[-1]["over"]:
        told.append(client.post("/trail/verify/", {"after": told[-1]["reached"]}, headers=FETCH).json())
    return told[1:]


def tamper(number: int) -> None:
    guards.lift()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE audit_event SET actor_name = 'Nobody' WHERE id = %s", [number])
    guards.install()


def test_the_script_walks_the_trail_in_steps(page, monkeypatch):
    monkeypatch.setattr(verification, "STEP", 5)
    told, last = walk(page), Event.objects.first().pk
    assert [one["reached"] for one in told][:2] == [5, 10] and len(told) >= 3
    assert told[-1]["words"] == f"{last} events, each as it was written." and not told[-1]["broken"]
    assert {one["last"] for one in told} == {last}


def test_the_step_that_finds_a_tamper_names_the_event(page, monkeypatch):
    monkeypatch.setattr(verification, "STEP", 5)
    tamper(8)
    told = walk(page)
    assert len(told) == 2 and told[-1]["broken"] and "event 8: its seal does not fit" in told[-1]["words"]


def test_a_cut_off_tail_is_told_at_the_end(page):
    last = Event.objects.first().pk
    guards.lift()
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM audit_event WHERE id = %s", [last])
    guards.install()
    assert "1 events at the end are missing" in walk(page)[-1]["words"]


def test_without_a_script_the_whole_is_verified_at_once(page):
    assert "each as it was written" in page.post("/trail/verify/", follow=True).content.decode()
    tamper(3)
    assert "event 3:" in page.post("/trail/verify/", follow=True).content.decode()


def test_nonsense_in_the_step_begins_again(page):
    assert page.post("/trail/verify/", {"after": "²"}, headers=FETCH).json()["broken"] is False
    assert page.post("/trail/verify/", {"after": "99999"}, headers=FETCH).json()["broken"] is True


def test_the_trail_is_narrowed_to_a_kind_of_record_and_one_of_them(page):
    an_event("NOR-00077", model="lesions.lesion")
    rows = page.get("/trail/", {"record": "lesions.lesion"}).context["rows"]
    assert [row["event"].patient for row in rows] == ["NOR-00077"]
    assert len(page.get("/trail/", {"record": "lesions.lesion", "number": "1"}).context["rows"]) == 1
    assert page.get("/trail/", {"record": "lesions.lesion", "number": "2"}).context["rows"] == []
