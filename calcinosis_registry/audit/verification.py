"""Walk the chain and say where it first breaks."""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from django.db import DataError, connection
from django.db.models import Max
from django.utils.translation import gettext as _

from calcinosis_registry.audit import chain, guards, witness
from calcinosis_registry.audit.models import Action, Event, sealing_key

CHUNK, STEP = 5000, 20_000
READ = (*chain.BOUND, "changes", "reason", "salt", "seal")
_COLUMNS = ", ".join(READ)
_BOUND = len(chain.BOUND)
_CHANGES = _BOUND - 2  # behind number and time
_PATIENT, _COMMITMENT = chain.BOUND.index("patient"), chain.BOUND.index("commitment")


@dataclass(frozen=True)
class Broken:
    """The first event that is not as it was written; None where the fault is not one event's."""

    event: int | None
    why: str


@dataclass(frozen=True)
class Place:
    """How far the walk is: the last event that fits, and its seal."""

    event: int = 0
    seal: str = chain.FIRST


@dataclass(frozen=True)
class Verdict:
    reached: Place
    broken: Broken | None = None


def verify(progress: Callable[[int], None] = lambda done: None) -> Verdict:
    """The whole trail: triggers, every event, the head kept outside the database."""
    standing = _ready()
    if isinstance(standing, Broken):
        return Verdict(Place(), standing)
    reached = Place()
    while True:
        verdict = verify_some(reached, CHUNK, head=standing)
        if verdict.broken:
            return verdict
        if verdict.reached.event == reached.event:
            return Verdict(reached, tail_missing(reached, standing))
        reached = verdict.reached
        progress(reached.event)


def verify_step(after: int) -> tuple[Verdict, bool]:
    """One step of a walk that a page makes in many requests: (how far, is it over)."""
    standing = _ready()
    seal = Event.objects.filter(pk=after).values_list("seal", flat=True).first() if after else chain.FIRST
    if isinstance(standing, Broken) or seal is None:
        gone = Broken(after, _("it is not there any more"))
        return Verdict(Place(), standing if isinstance(standing, Broken) else gone), True
    verdict = verify_some(Place(after, seal), STEP, head=standing)
    if verdict.broken or verdict.reached.event >= after + STEP:
        return verdict, verdict.broken is not None
    return Verdict(verdict.reached, tail_missing(verdict.reached, standing)), True


def last_event() -> int:
    """The number of the newest event: how far there is to go."""
    return Event.objects.order_by("-pk").values_list("pk", flat=True).first() or 0


def _ready() -> witness.Head | Broken | None:
    """The head to compare with; Broken when the walk need not begin."""
    if names := guards.missing():
        return Broken(None, guards.MISSING.format(names=", ".join(names)))
    return _head()


def verify_some(after: Place, count: int, *, head: witness.Head | None = None) -> Verdict:
    """At most ``count`` events after one that fits."""
    reached, key = after, sealing_key()
    blanked: list[tuple[str, int]] = []
    try:
        for row in _rows(after.event, count):
            number, seal = row[0], row[-1]
            why = _misfit(row, reached, key)
            if not why and head is not None and number == head.id and seal != head.seal:
                why = _("another event stood here when the head was noted")
            if why:
                return Verdict(reached, _first(_unexplained(blanked), Broken(number, why)))
            if not row[-2]:
                blanked.append((row[_PATIENT], number))
            reached = Place(number, seal)
    except (ValueError, TypeError, AttributeError, OverflowError, DataError) as problem:
        broken = Broken(reached.event + 1, _("the row cannot be read (%(problem)s)") % {"problem": problem})
        return Verdict(reached, _first(_unexplained(blanked), broken))
    return Verdict(reached, _unexplained(blanked))


def tail_missing(reached: Place, head: witness.Head | None) -> Broken | None:
    """Does the chain end before the head that was noted outside the database?"""
    if head is None:
        if not reached.event:
            return None
        return Broken(None, _("the head of the chain is not in WITNESS_DIR: a cut-off tail could not be found"))
    if reached.event < head.id:
        lost = head.id - reached.event
        told = _("%(lost)s events at the end are missing: there were %(count)s")
        return Broken(reached.event + 1, told % {"lost": lost, "count": head.id})
    return None


def _head() -> witness.Head | Broken | None:
    try:
        return witness.head()
    except (witness.Unreadable, OSError) as problem:
        told = _("the head of the chain in WITNESS_DIR cannot be read (%(problem)s)")
        return Broken(None, told % {"problem": problem})


def _rows(after: int, count: int) -> Iterator[tuple]:
    """Straight from the table: a million of them through the models' converters would take half as long again."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {_COLUMNS} FROM audit_event WHERE id > %s ORDER BY id LIMIT {count:d}", [after])  # noqa: S608
        while some := cursor.fetchmany(1000):
            for number, at, *values in some:
                if isinstance(at, str):  # SQLite
                    at = datetime.datetime.fromisoformat(at).replace(tzinfo=datetime.UTC)
                values[_CHANGES] = json.loads(values[_CHANGES], parse_float=chain.number)
                yield (number, at, *values)


def _misfit(row: tuple, before: Place, key: bytes) -> str:
    """What is wrong with this event, in words; "" when it fits."""
    bound, (changes, reason, salt, seal) = row[:_BOUND], row[_BOUND:]
    if bound[0] != before.event + 1:
        missing = bound[0] - before.event - 1
        return _("%(count)s events before it are missing") % {"count": missing}
    if chain.seal(key, before.seal, bound) != seal:
        return _("its seal does not fit: it, or the order, was changed")
    erased = not salt and not changes and not reason
    fits = erased or (salt and chain.commitment(salt, changes, reason) == bound[_COMMITMENT])
    return "" if fits else _("its values were changed")


def _unexplained(blanked: list[tuple[str, int]]) -> Broken | None:
    """The first event without values that no erasure of its patient follows."""
    if not blanked:
        return None
    erased = Event.objects.filter(action=Action.ERASE, patient__in={patient for patient, _number in blanked})
    until = dict(erased.order_by().values_list("patient").annotate(Max("pk")))
    for patient, number in blanked:
        if not patient or number >= until.get(patient, 0):
            return Broken(number, _("its values are gone, and no erasure says why"))
    return None


def _first(*broken: Broken | None) -> Broken | None:
    found = [one for one in broken if one is not None]
    return min(found, key=lambda one: one.event or 0) if found else None
