"""Writing the trail: who acts, why, and events that share the transaction of the change they tell of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from django.db import models, transaction
from django.utils import timezone

from calcinosis_registry.audit import witness
from calcinosis_registry.audit.models import Action, Event


@dataclass(frozen=True)
class Actor:
    """Plain values of the account as it was then."""

    id: int | None = None
    name: str = "system"
    role: str = ""
    source: str = "command line"
    request_id: str = ""


_actor: ContextVar[Actor] = ContextVar("actor", default=Actor())
_reason: ContextVar[str] = ContextVar("reason", default="")
_pending: ContextVar[list[Event] | None] = ContextVar("pending", default=None)


@contextmanager
def acting(actor: Actor) -> Iterator[None]:
    """Everything inside is done by ``actor``."""
    token = _actor.set(actor)
    try:
        yield
    finally:
        _actor.reset(token)


def current_actor() -> Actor:
    return _actor.get()


@contextmanager
def because(reason: str) -> Iterator[None]:
    """Every event inside carries this reason."""
    token = _reason.set(reason)
    try:
        yield
    finally:
        _reason.reset(token)


@contextmanager
def together() -> Iterator[None]:
    """One transaction whose events are written as one insert at its end. Nested uses join the outermost."""
    if (outer := _pending.get()) is not None:
        told = len(outer)
        try:
            with transaction.atomic():
                yield
        except BaseException:
            del outer[told:]  # what was rolled back did not happen
            raise
        return
    pending: list[Event] = []
    token = _pending.set(pending)
    try:
        with transaction.atomic():
            yield
            Event.objects.bulk_create(pending)
    finally:
        _pending.reset(token)


def write(events: Iterable[Event]) -> None:
    """Add events in the current transaction. If they cannot be written, the change is not made."""
    pending = _pending.get()
    if pending is not None:
        pending.extend(events)
        return
    if events := list(events):
        Event.objects.bulk_create(events)


def event(
    action: Action,
    *,
    about: models.Model | None = None,
    patient: str = "",
    changes: dict[str, Any] | None = None,
    reason: str = "",
) -> Event:
    """An unsaved event by the current actor, now."""
    actor = _actor.get()
    return Event(
        at=timezone.now(),
        action=action,
        actor_id=actor.id,
        actor_name=actor.name,
        actor_role=actor.role,
        source=actor.source,
        request_id=actor.request_id,
        model=about._meta.label_lower if about is not None else "",
        object_id=about.pk if about is not None else None,
        patient=patient or _patient_of(about),
        changes=changes or {},
        reason=reason or _reason.get(),
    )


def tell(action: Action, **about: Any) -> None:
    """Write one event by itself: a reading, an export, a sign-in."""
    write([event(action, **about)])


def _patient_of(record: models.Model | None) -> str:
    return getattr(record, "trail_patient", "") if record is not None else ""


def continue_after_restore(*, reason: str) -> int:
    """The database is a restored backup: one event says how many events are lost, and the head goes back to it.

    Returns that number. To be called once, after a restore, before anybody works on.
    """
    known = witness.head()
    with transaction.atomic():
        last = Event.objects.aggregate(last=models.Max("pk"))["last"] or 0
        lost = max(known.id - last, 0) if known else 0
        tell(Action.RESTORE, changes={"events": [known.id if known else last, last], "lost": lost}, reason=reason)
    event = Event.objects.get(pk=last + 1)
    witness.note(event.pk, event.seal, even_back=True)
    return lost
