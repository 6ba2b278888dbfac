"""Which accounts and which events somebody may see: neither carries a clinic of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.apps import apps
from django.contrib.auth.models import AnonymousUser
from django.db.models import Q, QuerySet, TextField
from django.db.models.functions import Cast

from calcinosis_registry.accounts.models import User
from calcinosis_registry.audit.models import Action, Event, EventQuerySet
from calcinosis_registry.clinics.models import Membership, Transfer
from calcinosis_registry.clinics.policy import grants, may
from calcinosis_registry.clinics.roles import Permission
from calcinosis_registry.clinics.whereabouts import events_of_clinics

# Changes of these apps are no clinical content: whoever sees the event sees its values.
PLAIN_APPS = frozenset({"accounts", "clinics"})
# Of a patient's move both clinics read from where to where, and what became of it.
OPEN_OF_A_MOVE = frozenset({"clinics", "state"})


def people_visible_to(user: User | AnonymousUser) -> QuerySet[User]:
    """Accounts with a role, past or present, in a clinic whose accounts ``user`` manages; all for the whole's admin."""
    if None in grants(user).get(Permission.MANAGE_ACCOUNTS, set()):
        return User.objects.all()
    memberships = Membership.objects.visible_to(user, Permission.MANAGE_ACCOUNTS)
    return User.objects.filter(pk__in=memberships.values("user"))


def governs(user: User | AnonymousUser, person: User) -> bool:
    """Every role of ``person`` lies in clinics ``user`` manages: nobody acts on another clinic's or a higher admin."""
    theirs = person.memberships.not_over().values_list("clinic_id", flat=True)
    held = grants(user).get(Permission.MANAGE_ACCOUNTS, set())
    return bool(held) and (None in held or set(theirs) <= held)


def events_visible_to(user: User | AnonymousUser, permission: Permission) -> EventQuerySet:
    """Events about patients of the clinics the permission is held in, and what their people did besides."""
    held = grants(user).get(permission, set())
    if not held:
        return Event.objects.none()
    if None in held:
        return Event.objects.all()
    about = events_of_clinics(one for one in held if one is not None)
    people = Membership.objects.filter(clinic__in=held).values("user")
    accounts = Q(model=User._meta.label_lower, object_id__in=people)  # also what strangers tried with them
    return Event.objects.filter(about | Q(patient="", actor_id__in=people) | accounts)


def concerning(events: EventQuerySet, *registry_numbers: str) -> EventQuerySet:
    """Events about a patient, lists and exports that showed the number among others included. Several numbers: those of
    one person."""
    asked = Q()
    for number in registry_numbers:
        asked |= Q(patient=number)
        asked |= Q(patient="", action__in=[Action.READ, Action.EXPORT], shown__contains=f'"{number}"')
    return events.annotate(shown=Cast("changes", TextField())).filter(asked)


# What an account may not read although the clinic is its own: each is called with an event and the account. The rooms
# above add theirs in their AppConfig.ready().
WITHHELD: list[Callable[[Event, Any], bool]] = []


def told(
    event: Event, *, user: User | AnonymousUser, clinic_of: Callable[[str], int | None]
) -> dict[str, Any]:  # fmt: skip
    """{field: [old, new]} of an event as this person may read it; values that are not theirs to read are None.

    ``clinic_of``: the clinic that has a number's record now (whereabouts.py); only who works there reads values.
    """
    app = event.model.partition(".")[0]
    if event.patient:
        clinic_id = clinic_of(event.patient)
        needed = Permission.SEE_IDENTITY if app == "identity" else Permission.VIEW_RECORDS
        open_values = clinic_id is not None and may(user, needed, clinic_id)
        open_values = open_values and not any(withholds(event, user) for withholds in WITHHELD)
    else:
        # Sign-ins, roles and counts; a list of names that was read names its patients.
        open_values = app in PLAIN_APPS or "patients" not in event.changes
    known = OPEN_OF_A_MOVE if event.model == Transfer._meta.label_lower else frozenset()
    return {name: value if open_values or name in known else None for name, value in event.changes.items()}


def record_name(label: str) -> str:
    """``patients.visit`` → “visit”; the label itself when the model is gone."""
    try:
        return str(apps.get_model(label)._meta.verbose_name)
    except (LookupError, ValueError):
        return label


def as_text(value: Any) -> str:
    """``old → new`` for a change, the description for a reading, nothing for what is hidden."""
    if isinstance(value, list) and len(value) == 2:
        old, new = ("–" if one in (None, "") else str(one) for one in value)
        return f"{old} → {new}"
    if isinstance(value, list):
        return ", ".join(str(one) for one in value)
    return "" if value is None else str(value)
