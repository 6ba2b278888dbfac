"""The N-th statement of a command that writes fails: what it says it does is done or not, and again it is done."""

from __future__ import annotations

import datetime
import io
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from calcinosis_registry.quality.models import DataQuery
from calcinosis_registry.records.kept import KEPT, Draft
from calcinosis_registry.rights.management.commands import replay_erasures
from calcinosis_registry.rights.services import confirm_erasure, request_erasure
from calcinosis_registry.sealing import DRAFTS
from patients.models import Patient, Summary
from tests.factories import DataQueryFactory, MembershipFactory, PatientFactory, known_lesions
from tests.operations.test_fail_at_n import Failing, State, differing, outermost, rows, shape, some

__all__ = ["outermost"]
SAMPLE = 5
DAY = datetime.date(2026, 3, 10)


@dataclass(frozen=True)
class Command:
    """``before`` makes what it works on; ``arguments`` are what an operator types; ``in_steps``: it goes row by row,
    person by person, and may stop between two of them."""

    arguments: tuple[str, ...]
    before: Callable[[], Any]
    in_steps: bool = False


def two_patients() -> list[Patient]:
    found = [PatientFactory() for _number in range(2)]
    for patient in found:
        known_lesions(patient, DAY, [("HAND.D1.PULP", "R"), ("ELBOW", "L")])
    return found


def old_drafts() -> None:
    owner = MembershipFactory().user
    for number in range(3):
        Draft.objects.create(
            owner=owner, token=f"t{number}", form="visit", subject="new", address="/", content=DRAFTS.seal("note=x"),
            updated_at=timezone.now() - KEPT - datetime.timedelta(days=1),
        )  # fmt: skip


def stale_summaries() -> None:
    two_patients()
    QuerySet(Summary).update(lesion_count=77)


def stale_questions() -> None:
    """Open ones of records that are gone, and none where a check would ask."""
    for patient in two_patients():
        about = {"clinic": patient.clinic, "patient": patient.registry_number, "rule": "plausible"}
        DataQueryFactory(**about, model="patients.visit", object_id=patient.pk + 9_000_000)


def came_back() -> None:
    """A person erased before, whom a restored backup brought back."""
    clinic = MembershipFactory().clinic
    patient = PatientFactory(clinic=clinic)
    asked = request_erasure(
        patient=patient, basis="CONSENT", reason="by letter", by=MembershipFactory(clinic=clinic).user,
        now=timezone.now(),
    )  # fmt: skip
    number = patient.registry_number
    confirm_erasure(asked=asked, by=MembershipFactory(clinic=clinic, role="admin").user, now=timezone.now())
    known_lesions(PatientFactory(clinic=clinic, registry_number=number), DAY, [("ELBOW", "L")])


# Not here: load_demo (invented people, batch by batch; a stopped one is thrown away with its directory) and restore
# (into an empty place, tried in test_backup.py; an interrupted one is run again).
COMMANDS = {
    "create_admin": Command(("create_admin", "first@example.org", "First Admin"), lambda: None),
    "purge_drafts": Command(("purge_drafts",), old_drafts),
    "recheck": Command(("recheck", "--from-start"), stale_questions),
    "rebuild_summaries": Command(("rebuild_summaries",), stale_summaries),
    "replay_erasures": Command(("replay_erasures",), came_back, in_steps=True),
    "reseal": Command(("reseal",), old_drafts, in_steps=True),
}


@dataclass
class Ran:
    before: State
    after: State
    failed: bool
    again: State | None = None


@pytest.fixture
def run(settings, tmp_path, monkeypatch) -> Callable[..., Ran]:
    settings.DATA_DIR, settings.FILES_DIR, settings.EXPORTS_DIR = tmp_path, tmp_path / "files", tmp_path / "exports"
    settings.WITNESS_DIR = tmp_path / "witness"
    # VACUUM is for outside a transaction; what it does to erased bytes is tried in tests/rights.
    monkeypatch.setattr(replay_erasures, "connection", SimpleNamespace(vendor="another"))

    def run(command: Command, around: Callable = lambda stack: None, *, again: bool = False) -> Ran:
        with transaction.atomic():
            command.before()
            before, failed = rows(), False
            with ExitStack() as stack:
                around(stack)
                try:
                    quietly(command)
                except (DatabaseError, CommandError):
                    failed = True
            connection.needs_rollback = False
            ran = Ran(before, rows(), failed)
            if again:
                quietly(command)
                ran.again = rows()
            transaction.set_rollback(True)
        for left in (tmp_path / "witness").glob("*"):
            left.unlink()
        return ran

    return run


def quietly(command: Command) -> None:
    call_command(*command.arguments, stdout=io.StringIO(), stderr=io.StringIO())


@pytest.mark.django_db
@pytest.mark.parametrize("name", COMMANDS)
def test_a_statement_that_fails_leaves_before_or_after_and_the_next_run_does_it(name: str, run):
    command = COMMANDS[name]
    counted = Failing()
    whole, twin = run(command, counted.statements), run(command)
    volatile = differing(whole.after, twin.after) | differing(whole.before, twin.before)
    after, before = shape(whole.after, volatile), shape(whole.before, volatile)
    assert not whole.failed and after == shape(twin.after, volatile)
    assert after != before or name == "reseal", "nothing was written"
    wrong = []
    for n in some(counted.seen, SAMPLE):
        ran = run(command, (failing := Failing(n)).statements, again=name != "create_admin")
        found = shape(ran.after, volatile)
        untouched = ran.failed and found == shape(ran.before, volatile)
        if failing.seen >= n and not (untouched or found == after or command.in_steps):
            wrong.append(f"statement {n} of {counted.seen}: between")
        if ran.again is not None and shape(ran.again, volatile) != after:
            wrong.append(f"statement {n} of {counted.seen}: the next run did not do it")
    assert not wrong, "\n".join(wrong)
    assert DataQuery.objects.count() == 0, "everything was undone"
