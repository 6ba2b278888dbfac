"""Who read or exported this patient? One line for each account, the latest first."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from django.db.models import Count, Max, Min

from calcinosis_registry.audit.models import Action, EventQuerySet
from calcinosis_registry.clinics.scope import concerning


@dataclass
class Access:
    """What one account did. ``roles``: those it had then."""

    name: str
    roles: list[str]
    reads: int
    exports: int
    first: datetime.datetime
    last: datetime.datetime


def access_to(events: EventQuerySet, *registry_numbers: str) -> list[Access]:
    """``events``: those the asking person may see. Several numbers: those of one person."""
    found: dict[int | None, Access] = {}
    asked = concerning(events, *registry_numbers).filter(action__in=[Action.READ, Action.EXPORT])
    rows = asked.order_by().values_list("actor_id", "actor_name", "actor_role", "action")
    for actor, name, role, action, count, first, last in rows.annotate(Count("pk"), Min("at"), Max("at")):
        line = found.setdefault(actor, Access(name, [], 0, 0, first, last))
        if role and role not in line.roles:
            line.roles.append(role)
        line.reads += count if action == Action.READ else 0
        line.exports += count if action == Action.EXPORT else 0
        if last >= line.last:
            line.name, line.last = name, last
        line.first = min(line.first, first)
    return sorted(found.values(), key=lambda line: line.last, reverse=True)
