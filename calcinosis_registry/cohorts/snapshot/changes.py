"""Who changed since a snapshot, told by the chain: what a saved record is never missed by."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import models

from calcinosis_registry.audit.models import Action, Event
from calcinosis_registry.cohorts.snapshot.layout import files

WRITTEN = (Action.CREATE, Action.CHANGE, Action.DELETE, Action.SIGN, Action.UNLOCK, Action.ERASE)
MOST = 50_000  # changed patients whose rows are read one by one; beyond them the whole register is read


@dataclass(frozen=True)
class Changes:
    """``numbers``: registry numbers of the patients whose rows may differ. ``whole``: why that is unknown, or ""."""

    numbers: frozenset[str] = frozenset()
    whole: str = ""

    def __bool__(self) -> bool:
        return bool(self.numbers or self.whole)


def since(event: int, seal: str) -> Changes:
    """What happened after this event of the chain."""
    if event and not Event.objects.filter(pk=event, seal=seal).exists():
        return Changes(whole="the chain is another one")
    later = Event.objects.filter(pk__gt=event).order_by()
    if later.filter(action=Action.RESTORE).exists():
        return Changes(whole="a backup was restored")
    kinds = {one.model._meta.label_lower for one in files().values()}
    told = later.filter(models.Q(model__in=kinds) | models.Q(action=Action.ERASE), action__in=WRITTEN)
    numbers = frozenset(told.values_list("patient", flat=True).distinct()[: MOST + 1])
    if "" in numbers:
        return Changes(whole="a change names no patient")
    if len(numbers) > MOST:
        return Changes(whole=f"more than {MOST:,} patients changed")
    return Changes(numbers)
