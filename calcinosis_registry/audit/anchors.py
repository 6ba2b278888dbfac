"""Anchors: the end of the chain at a moment, written down where whoever has the database and the key cannot reach.

The head (witness.py) tells a cut-off tail from a chain that ends there, and lies beside the keys. An anchor is one line
that leaves the machine: appended to a file elsewhere, mailed to the data protection officer, kept in a backup. Somebody
with database *and* key could write the whole trail anew; then it fits itself, and not the anchors.
"""

from __future__ import annotations

import datetime
import re
from collections import Counter
from collections.abc import Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass, field

from django.utils import timezone
from django.utils.translation import gettext as _

from calcinosis_registry.audit import guards, verification, witness
from calcinosis_registry.audit.models import Action, Event
from calcinosis_registry.audit.verification import Broken, Place

# As it is mailed and printed: calcinosis-registry 2026-11-23T08:15:00+00:00 event 1234 3f…
_LINE = re.compile(r"calcinosis-registry (\S{25,32}) event ([1-9]\d{0,17}) ([0-9a-f]{64})")
_MANY = 500
_CLOCKS = datetime.timedelta(minutes=1)  # clocks are set right now and then


@dataclass(frozen=True)
class Anchor:
    """The chain ended with this event, sealed so, at that time."""

    at: datetime.datetime
    event: int
    seal: str

    def __str__(self) -> str:
        return f"calcinosis-registry {self.at.isoformat(timespec='seconds')} event {self.event} {self.seal}"


@dataclass(frozen=True)
class Restore:
    """An event that says a backup was restored. Who has database and key can write such a one."""

    event: int
    at: datetime.datetime

    def explains(self, anchor: Anchor) -> bool:
        """After a restore the events behind the backup are lost, and their numbers are given again."""
        return self.event <= anchor.event and self.at >= anchor.at


@dataclass
class Compared:
    """``fit``: anchors whose event stands as it did; ``explained``: {restore: how many only it explains}; ``broken``:
    the first event that is not what an anchor says, where nothing explains it."""

    fit: int = 0
    explained: Counter[Restore] = field(default_factory=Counter)
    broken: Broken | None = None


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
    compared = compare(since[-1:])
    if broken := compared.broken:
        raise NotWell(f"event {broken.event}: {broken.why}")
    # Where only a restore explains the last anchor, everything is checked again.
    reached = Place(last.event, last.seal) if last and compared.fit else Place()
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
    found = []
    for told, event, seal in _LINE.findall(text):
        with suppress(ValueError):  # no time
            at = datetime.datetime.fromisoformat(told)
            found.append(Anchor(at if at.tzinfo else at.replace(tzinfo=datetime.UTC), int(event), seal))
    return found


def last() -> Anchor | None:
    """Raises witness.Unreadable."""
    return kept[-1] if (kept := _kept()) else None


def compare_kept() -> Compared:
    """With the anchors of WITNESS_DIR."""
    try:
        return compare(_kept())
    except (witness.Unreadable, OSError) as problem:
        why = _("the anchors in WITNESS_DIR cannot be read (%(problem)s)") % {"problem": problem}
        return Compared(broken=Broken(None, why))


def compare(anchors: Iterable[Anchor], *, accepted: Collection[int] = ()) -> Compared:
    """Stops at the first anchor that nothing explains. ``accepted``: numbers of the restores that somebody knows of; an
    anchor that one of these explains counts for it."""
    found, restores = Compared(), None
    wanted = sorted(anchors, key=lambda one: one.event)
    for start in range(0, len(wanted), _MANY):
        some = wanted[start : start + _MANY]
        seals = dict(Event.objects.filter(pk__in=[one.event for one in some]).values_list("pk", "seal"))
        for anchor in some:
            if seals.get(anchor.event) == anchor.seal:
                found.fit += 1
                continue
            restores = _restores(accepted) if restores is None else restores
            by = next((one for one in restores if one.explains(anchor)), None)
            if by is None:
                found.broken = _broken(anchor, there=anchor.event in seals)
                return found
            found.explained[by] += 1
    return found


def _broken(anchor: Anchor, *, there: bool) -> Broken:
    when = {"when": anchor.at.isoformat(timespec="seconds")}
    if there:
        return Broken(anchor.event, _("another event stood here when it was anchored, %(when)s") % when)
    return Broken(anchor.event, _("it was anchored, %(when)s, and is missing") % when)


def _restores(accepted: Collection[int]) -> list[Restore]:
    """Those that can be true, the accepted ones first: none is of the future, or later than the event after it."""
    found = []
    told = Event.objects.filter(action=Action.RESTORE).order_by("pk").values_list("pk", "at")
    for number, at in told:
        after = Event.objects.filter(pk__gt=number).order_by("pk").values_list("at", flat=True).first()
        if at <= min(after or at, timezone.now()) + _CLOCKS:
            found.append(Restore(number, at))
    return sorted(found, key=lambda one: (one.event not in accepted, one.event))


def _kept() -> list[Anchor]:
    lines = witness.remembered(witness.ANCHORS)
    return [Anchor(datetime.datetime.fromisoformat(one["at"]), one["event"], one["seal"]) for one in lines]
