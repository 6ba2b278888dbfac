"""Anchors: the end of the chain at a moment, written down where whoever has the database and the key cannot reach.

The head (witness.py) tells a cut-off tail from a chain that ends there, and lies beside the keys. An anchor is one line
that leaves the machine: appended to a file elsewhere, mailed to the data protection officer, kept in a backup. Somebody
with database *and* key could write the whole trail anew; then it fits itself, and not the anchors.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable
from dataclasses import dataclass

from django.utils import timezone
from django.utils.translation import gettext as _

from calcinosis_registry.audit import guards, verification, witness
from calcinosis_registry.audit.models import Action, Event
from calcinosis_registry.audit.verification import Broken, Place

# As it is mailed and printed: calcinosis-registry 2026-11-23T08:15:00+00:00 event 1234 3f…
_LINE = re.compile(r"calcinosis-registry (\S{25,32}) event ([1-9]\d{0,18}) ([0-9a-f]{64})")
_MANY = 500


@dataclass(frozen=True)
class Anchor:
    """The chain ended with this event, sealed so, at that time."""

    at: datetime.datetime
    event: int
    seal: str

    def __str__(self) -> str:
        return f"calcinosis-registry {self.at.isoformat(timespec='seconds')} event {self.event} {self.seal}"


class NotWell(Exception):
    """Why there is no anchor: what lies before it is not as it was written."""


def take() -> Anchor | None:
    """Check what was written since the last anchor, and write the next one down. None for an empty trail.

    Raises NotWell; then the older anchors still stand.
    """
    if names := guards.missing():
        raise NotWell(guards.MISSING.format(names=", ".join(names)))
    since = _kept()
    last = since[-1] if since else None
    if broken := contradicted(since[-1:]):
        raise NotWell(f"event {broken.event}: {broken.why}")
    reached = Place(last.event, last.seal) if last and not _restored_over(last) else Place()
    while True:
        verdict = verification.verify_some(reached, verification.CHUNK)
        if verdict.broken is not None:
            raise NotWell(f"event {verdict.broken.event}: {verdict.broken.why}")
        if verdict.reached.event == reached.event:
            break
        reached = verdict.reached
    if not reached.event:
        return None
    anchor = Anchor(timezone.now(), reached.event, reached.seal)
    witness.remember(witness.ANCHORS, {"at": anchor.at.isoformat(), "event": anchor.event, "seal": anchor.seal})
    return anchor


def read(text: str) -> list[Anchor]:
    """The anchors in a file or a mail; other lines are passed over."""
    return [Anchor(datetime.datetime.fromisoformat(at), int(event), seal) for at, event, seal in _LINE.findall(text)]


def last() -> Anchor | None:
    """Raises witness.Unreadable."""
    return kept[-1] if (kept := _kept()) else None


def contradicted_by_kept() -> Broken | None:
    """The first event that is not what an anchor of WITNESS_DIR says."""
    try:
        return contradicted(_kept())
    except (witness.Unreadable, OSError) as problem:
        return Broken(None, _("the anchors in WITNESS_DIR cannot be read (%(problem)s)") % {"problem": problem})


def contradicted(anchors: Iterable[Anchor]) -> Broken | None:
    """The first event that is not what an anchor says, unless a restored backup explains it."""
    wanted = sorted(anchors, key=lambda one: one.event)
    for start in range(0, len(wanted), _MANY):
        some = wanted[start : start + _MANY]
        seals = dict(Event.objects.filter(pk__in=[one.event for one in some]).values_list("pk", "seal"))
        for anchor in some:
            if seals.get(anchor.event) == anchor.seal or _restored_over(anchor):
                continue
            when = {"when": anchor.at.isoformat(timespec="seconds")}
            if anchor.event in seals:
                return Broken(anchor.event, _("another event stood here when it was anchored, %(when)s") % when)
            return Broken(anchor.event, _("it was anchored, %(when)s, and is missing") % when)
    return None


def _restored_over(anchor: Anchor) -> bool:
    """After a restore the events behind the backup are lost, and their numbers are given again."""
    restored = Event.objects.filter(action=Action.RESTORE, pk__lte=anchor.event, at__gte=anchor.at)
    return restored.exists()


def _kept() -> list[Anchor]:
    lines = witness.remembered(witness.ANCHORS)
    return [Anchor(datetime.datetime.fromisoformat(one["at"]), one["event"], one["seal"]) for one in lines]
