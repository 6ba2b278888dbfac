"""The chain of events: nothing in it can be changed, and whoever gets around that is found."""

from __future__ import annotations

import datetime
import random
from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from django.test import Client

from calcinosis_registry.audit import chain, guards, trail, verification, witness
from calcinosis_registry.audit.models import Action, Event
from tests.factories import LesionFactory, PatientFactory

pytestmark = pytest.mark.django_db

THEN = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
COLUMNS = [field.column for field in Event._meta.concrete_fields]
TEXTS = [name for name in COLUMNS if name not in ("id", "at", "actor_id", "object_id", "changes")]


def an_event(number: int, **other: Any) -> Event:
    """The ``number``-th of a varied lot."""
    return Event(**{
        "at": THEN + datetime.timedelta(seconds=number, microseconds=number),
        "action": list(Action)[number % 3], "actor_id": number % 4 or None, "actor_name": f"Person {number % 5}",
        "actor_role": "clinician NOR", "source": "web 10.0.0.1", "request_id": f"r{number}", "model": "patients.visit",
        "object_id": number, "patient": f"NOR-{number % 7:05d}", "reason": f"why {number}",
        "changes": {"note": [None, f"Größe “{number}”"], "pain": [number % 10, number / 4], "big": [1e20, 1.0, -0.5]},
        **other,
    })  # fmt: skip


@pytest.fixture
def written() -> list[Event]:
    """Thirty events, the head of the chain noted as after a commit."""
    events = Event.objects.bulk_create([an_event(number) for number in range(30)])
    witness.note(events[-1].pk, events[-1].seal, even_back=True)
    return events


def verify() -> str:
    """What the command says."""
    out = StringIO()
    call_command("verify_audit", stdout=out, stderr=StringIO())
    return out.getvalue()


def raw(sql: str, values: Any = ()) -> int:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return cursor.rowcount


def test_an_untouched_trail_is_as_it_was_written(written):
    assert "30 events, each as it was written" in verify()


def test_events_are_numbered_without_gaps_even_after_a_rollback(written):
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        trail.tell(Action.SIGN_IN)
        raise ZeroDivisionError
    trail.tell(Action.SIGN_IN)
    assert Event.objects.first().pk == 31
    assert "31 events" in verify()


def test_what_the_registers_own_paths_write_is_one_chain(written, north):
    with trail.together():
        patient = PatientFactory(clinic=north)
        LesionFactory(patient=patient)
    patient.sex_at_birth = "M"
    patient.save()
    trail.tell(Action.READ, about=patient, changes={"shown": "identity", "when": datetime.date(2026, 1, 1)})
    assert Event.objects.count() > 33 and "as it was written" in verify()


# ---- The database refuses


def refused(sql: str, values: Any = ()) -> None:
    with pytest.raises(DatabaseError, match=r"append-only|unique constraint"), transaction.atomic():
        raw(sql, values)


def test_no_connection_changes_or_removes_an_event(written):
    refused("UPDATE audit_event SET actor_name = 'Nobody' WHERE id = 3")
    refused("UPDATE audit_event SET changes = '{}', reason = '', salt = '' WHERE id = 3")
    refused("DELETE FROM audit_event WHERE id = 30")
    refused("DELETE FROM audit_event")
    assert "30 events" in verify()


def test_no_event_is_replaced_by_another_of_its_number(written):
    names = ", ".join(COLUMNS)
    copied = f"SELECT {names} FROM audit_event WHERE id = 3"
    if connection.vendor == "sqlite":
        refused(f"INSERT OR REPLACE INTO audit_event ({names}) {copied}")
        refused(f"REPLACE INTO audit_event ({names}) {copied}")
    refused(f"INSERT INTO audit_event ({names}) {copied}")
    conflict = "ON CONFLICT (id) DO UPDATE SET actor_name = 'Nobody'"
    refused(f"INSERT INTO audit_event ({names}) {copied} AND true {conflict}")


@pytest.mark.postgres
def test_the_table_is_not_truncated_nor_its_triggers_slept_through(written):
    refused("TRUNCATE audit_event")
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        raw("SET LOCAL session_replication_role = replica")
        raw("DELETE FROM audit_event")


def test_an_erasure_blanks_the_events_before_it_and_nothing_else(written):
    trail.tell(Action.ERASE, patient="NOR-00003", reason="asked for")
    blank = "UPDATE audit_event SET changes = '{}', reason = '', salt = ''"
    refused(f"{blank} WHERE patient = 'NOR-00004'")
    refused(f"{blank} WHERE action = 'erase'")
    refused(f"{blank}, actor_name = 'Nobody' WHERE patient = 'NOR-00003' AND action <> 'erase'")
    refused("UPDATE audit_event SET reason = '', salt = '' WHERE patient = 'NOR-00003' AND action <> 'erase'")
    assert raw(f"{blank} WHERE patient = 'NOR-00003' AND action <> 'erase'") == 4
    assert "31 events" in verify()


# ---- Whoever gets around the triggers is found


def row(number: int) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(COLUMNS)} FROM audit_event WHERE id = %s", [number])
        return list(cursor.fetchone())


def flip(dice: random.Random, number: int, last: int) -> int:
    name = dice.choice([one for one in COLUMNS if one != "id"])
    if name == "at":
        raw("UPDATE audit_event SET at = %s WHERE id = %s", [THEN.replace(year=2025), number])
    elif name == "changes":
        raw("UPDATE audit_event SET changes = %s WHERE id = %s", ['{"note": [null, "none"]}', number])
    elif name in ("actor_id", "object_id"):
        raw(f"UPDATE audit_event SET {name} = COALESCE({name}, 0) + 1 WHERE id = %s", [number])
    else:
        value, longest = row(number)[COLUMNS.index(name)], Event._meta.get_field(name).max_length
        raw(f"UPDATE audit_event SET {name} = %s WHERE id = %s", [f"{value}x"[-longest:], number])
    return number


def cut_out(dice: random.Random, number: int, last: int) -> int:
    raw("DELETE FROM audit_event WHERE id = %s", [number])
    return number if number == last else number + 1


def cut_off(dice: random.Random, number: int, last: int) -> int:
    raw("DELETE FROM audit_event WHERE id >= %s", [number])
    return number


def swap(dice: random.Random, number: int, last: int) -> int:
    number = min(number, last - 1)
    for old, new in ((number, -1), (number + 1, number), (-1, number + 1)):
        raw("UPDATE audit_event SET id = %s WHERE id = %s", [new, old])
    return number


def slip_in(dice: random.Random, number: int, last: int) -> int:
    for place in range(last, number - 1, -1):
        raw("UPDATE audit_event SET id = %s WHERE id = %s", [place + 1, place])
    values = row(number + 1)
    values[COLUMNS.index("id")] = number
    raw(f"INSERT INTO audit_event ({', '.join(COLUMNS)}) VALUES ({', '.join(['%s'] * len(COLUMNS))})", values)
    return number + 1  # the copy itself stands where its twin stood


def blank(dice: random.Random, number: int, last: int) -> int:
    raw("UPDATE audit_event SET changes = '{}', reason = '', salt = '' WHERE id = %s", [number])
    return number


def seal_again(dice: random.Random, number: int, last: int, upto: int | None = None) -> int:
    """With everything but the key."""
    raw("UPDATE audit_event SET actor_name = 'Nobody' WHERE id = %s", [number])
    before = row(number - 1)[COLUMNS.index("seal")] if number > 1 else chain.FIRST
    for event in Event.objects.filter(pk__gte=number, pk__lte=upto or number).order_by("pk"):
        event.commitment = chain.commitment(event.salt, event.changes, event.reason)
        before = chain.seal(b"guessed", before, [getattr(event, name) for name in chain.BOUND])
        raw("UPDATE audit_event SET seal = %s WHERE id = %s", [before, event.pk])
    return number


def seal_the_tail_again(dice: random.Random, number: int, last: int) -> int:
    return seal_again(dice, number, last, upto=last)


TAMPERS: tuple[Callable[[random.Random, int, int], int], ...] = (
    flip, cut_out, cut_off, swap, slip_in, blank, seal_again, seal_the_tail_again,
)  # fmt: skip


def tampered(tamper: Callable[[random.Random, int, int], int], dice: random.Random, number: int, last: int) -> None:
    """Tamper with one event, look whether it is found and named, and put everything back."""
    with transaction.atomic():
        guards.lift()
        expected = tamper(dice, number, last)
        guards.install()
        verdict = verification.verify()
        transaction.set_rollback(True)
    assert verdict.broken is not None, f"{tamper.__name__} of event {number} was not found"
    assert verdict.broken.event == expected, f"{tamper.__name__} of event {number}: {verdict.broken}"


@pytest.mark.parametrize("tamper", TAMPERS, ids=lambda one: one.__name__)
def test_a_tamper_is_found_and_its_first_event_named(written, tamper):
    dice = random.Random(7)
    for number in (1, 2, 17, 29, 30):
        tampered(tamper, dice, number, 30)


@pytest.mark.long
def test_a_thousand_of_a_thousand_tampers_are_found():
    last, dice = 400, random.Random(1)
    events = Event.objects.bulk_create([an_event(number) for number in range(last)])
    witness.note(last, events[-1].seal, even_back=True)
    for number in range(1000):
        tampered(TAMPERS[number % len(TAMPERS)], dice, dice.randint(1, last), last)
    assert "400 events" in verify()


def test_each_column_is_bound(written):
    """A column added one day and forgotten in the chain would be free to change."""
    assert set(COLUMNS) == {*chain.BOUND, *guards.BLANKED, "seal"}
    for name in TEXTS:
        with transaction.atomic():
            guards.lift()
            raw(f"UPDATE audit_event SET {name} = 'y' WHERE id = 9")
            guards.install()
            assert verification.verify().broken.event == 9
            transaction.set_rollback(True)


def test_a_row_that_cannot_even_be_read_is_named(written):
    if connection.vendor == "postgresql":
        pytest.skip("PostgreSQL stores no such value")
    guards.lift()
    raw("UPDATE audit_event SET at = 'yesterday' WHERE id = 12")
    guards.install()
    with pytest.raises(CommandError, match="event 12: the row cannot be read"):
        verify()


def test_the_command_fails_and_names_the_event(written):
    guards.lift()
    raw("UPDATE audit_event SET patient = 'NOR-99999' WHERE id = 5")
    guards.install()
    with pytest.raises(CommandError, match="NOT as it was written: event 5: its seal does not fit"):
        verify()


def test_a_missing_tail_is_counted(written):
    guards.lift()
    raw("DELETE FROM audit_event WHERE id > 20")
    guards.install()
    with pytest.raises(CommandError, match="event 21: 10 events at the end are missing: there were 30"):
        verify()


def test_after_a_restore_the_trail_says_what_is_lost_and_goes_on(written):
    guards.lift()
    raw("DELETE FROM audit_event WHERE id > 20")
    guards.install()
    out = StringIO()
    call_command("verify_audit", after_restore="backup of the night", stdout=out, stderr=StringIO())
    assert "10 events after the backup are lost" in out.getvalue() and "21 events, each" in out.getvalue()
    told = Event.objects.first()
    assert (told.action, told.changes, told.reason) == (
        Action.RESTORE, {"events": [30, 20], "lost": 10}, "backup of the night"
    )  # fmt: skip
    trail.tell(Action.SIGN_IN)
    assert "22 events" in verify()


@pytest.mark.parametrize("left", [b"", b"x" * 256])
def test_a_lost_or_damaged_head_is_said(written, left):
    (settings.WITNESS_DIR / "audit-head").write_bytes(left)
    with pytest.raises(CommandError, match="head of the chain"):
        verify()


def test_another_key_fits_nothing(written, settings):
    settings.AUDIT_KEY = "another"
    witness.note(30, written[-1].seal, even_back=True)
    with pytest.raises(CommandError, match="event 1: its seal does not fit"):
        verify()


# ---- Triggers are there, or nothing starts


def test_without_its_triggers_the_register_does_not_start_and_migrate_brings_them_back(written):
    guards.refuse()
    assert Client().get("/health/ready").json()["checks"]["trail"] is True
    name = sorted(guards._found(connection))[0]
    raw(f"DROP TRIGGER {name}" + (" ON audit_event" if connection.vendor == "postgresql" else ""))
    assert guards.missing() == [name]
    with pytest.raises(ImproperlyConfigured, match=name):
        guards.refuse()
    answer = Client().get("/health/ready")
    assert answer.status_code == 503 and answer.json()["checks"]["trail"] is False
    with pytest.raises(CommandError, match="triggers are missing"):
        verify()
    call_command("migrate", verbosity=0)
    assert guards.missing() == []


def test_a_trigger_that_does_nothing_is_no_trigger(written):
    if connection.vendor == "postgresql":
        nothing = "LANGUAGE plpgsql AS 'BEGIN RETURN OLD; END'"
        raw(f"CREATE OR REPLACE FUNCTION audit_event_guard() RETURNS trigger {nothing}")
    else:
        raw("DROP TRIGGER audit_event_delete")
        raw("CREATE TRIGGER audit_event_delete BEFORE DELETE ON audit_event BEGIN SELECT 1; END")
    assert guards.missing()
    guards.install()
    refused("DELETE FROM audit_event")


def test_the_head_is_noted_after_the_commit_and_never_goes_back(written, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        trail.tell(Action.SIGN_IN)
    assert witness.head().id == 31
    witness.note(7, "f" * 64)
    assert witness.head().id == 31


@pytest.mark.django_db(transaction=True)
def test_a_head_that_cannot_be_written_does_not_undo_what_is_saved(monkeypatch, caplog):
    def full(*_args: Any, **_more: Any) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(witness, "note", full)
    trail.tell(Action.SIGN_IN)
    assert Event.objects.get().action == Action.SIGN_IN
    assert "disk full" in caplog.text
