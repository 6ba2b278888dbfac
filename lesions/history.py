"""The newest changes of a patient's records in words, one act (a save) at a time."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from django.apps import apps
from django.utils import timezone
from django.utils.translation import gettext as _

from calcinosis_registry.audit.models import Action, Event
from calcinosis_registry.codebook.items import Privacy, item_of
from calcinosis_registry.records.display import told
from calcinosis_registry.records.models import Record
from lesions.models import Lesion
from lesions.patient_cards import page_of
from patients.put_back import may_be_put_back, name_of

Find = Callable[[str, int | None], Record | None]
ACTS = 20
ACTIONS = dict(Action.choices)
CHANGES = 12  # of one record in one act


@dataclass
class Told:
    """What happened to one record. ``changes``: (field, before, after), only for changes; ``url``: where it is read;
    ``gone``: the number of the event that removed it, where that can be taken back."""

    what: str
    action: str
    reason: str
    url: str
    changes: list[tuple[str, str, str]] = field(default_factory=list)
    gone: int = 0


@dataclass
class Act:
    """Everything one person did in one request. ``oldest``: the number of its first event."""

    at: datetime.datetime
    who: str
    told: list[Told] = field(default_factory=list)
    oldest: int = 0

    @property
    def summary(self) -> str:
        """``visit created, 8 lesion observations created``"""
        counts: dict[str, int] = {}
        for one in self.told:
            counts[f"{one.what} {one.action}"] = counts.get(f"{one.what} {one.action}", 0) + 1
        return ", ".join(f"{words} (×{n})" if n > 1 else words for words, n in counts.items())

    @property
    def details(self) -> list[Told]:
        return [one for one in self.told if one.changes or one.reason or one.url or one.gone]


def acts(
    events: Iterable[Event], find: Find, *, identities: bool, withheld: Callable[[Event], bool]
) -> list[Act]:  # fmt: skip
    """The newest acts out of ``events`` (newest first). ``find(model, id)``: the record itself, where it still is.

    ``identities``: may names, birth dates and the like be told? Without, only that they changed. ``withheld``: is an
    event's content kept from this reader?
    """
    found: list[Act] = []
    key: Any = None
    for event in events:
        own = (event.request_id or event.at, event.actor_id)
        if own != key:
            if len(found) == ACTS:
                break
            found.append(Act(event.at, event.actor_name))
            key = own
        found[-1].told.append(_told(event, find, identities=identities, withheld=withheld(event)))
        found[-1].oldest = event.pk
    return found


def _told(event: Event, find: Find, *, identities: bool, withheld: bool) -> Told:
    try:
        model = apps.get_model(event.model)
    except (LookupError, ValueError):
        return Told(event.model, str(ACTIONS.get(event.action, event.action)), event.reason, "")
    record = find(event.model, event.object_id)
    what = str(model._meta.verbose_name)
    if isinstance(record, Lesion):
        what = f"{what} {record.label}"
    words = Told(what, str(ACTIONS.get(event.action, event.action)), event.reason, page_of(record))
    if withheld:
        words.reason = _("not shown before your second reading is finished")
    elif event.action == Action.CHANGE:
        hidden = set() if identities else _identifying(model)
        for (label, before, after), name in zip(told(model, event).changes, event.changes, strict=True):
            shown = (label, "", _("not shown")) if name in hidden else (label, before, after)
            words.changes.append(shown)
    elif record is None and may_be_put_back(event, now=timezone.now()):
        words.what, words.gone = f"{what} {name_of(event)}".rstrip(), event.pk
    del words.changes[CHANGES:]
    return words


def _identifying(model: Any) -> set[str]:
    """Everything of an identity; of other records what the codebook calls identifying."""
    if model._meta.label_lower.startswith("identity."):
        return {one.name for one in model._meta.concrete_fields}
    marked = [(one.name, item_of(one)) for one in model._meta.concrete_fields]
    return {name for name, item in marked if item is not None and item.privacy == Privacy.IDENTITY}
