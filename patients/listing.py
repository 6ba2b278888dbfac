"""The patient list: which rows, in which order, one page at a time by keyset (never OFFSET)."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from calcinosis_registry.accounts.models import User
from calcinosis_registry.clinics.roles import Permission
from calcinosis_registry.identity.models import Identity
from calcinosis_registry.identity.services import names_of
from calcinosis_registry.quality.models import DataQuery
from patients.models import FollowUp, Patient
from patients.models.patient import PatientQuerySet

PAGE_SIZE = 50
COUNTED_UP_TO = 10_000  # an exact count of everything costs more than it tells

R = TypeVar("R", bound=PatientQuerySet)


@dataclass(frozen=True)
class Order:
    """One order of the list; rows without a value come last, ties go by key."""

    column: str
    label: Any
    descending: bool = False


ORDERS = {
    "number": Order("registry_number", _("Registry number")),
    "last": Order("summary__last_visit_on", _("Last visit"), descending=True),
    "next": Order("summary__next_due_on", _("Next visit")),
    "active": Order("summary__active_lesions", _("Active lesions"), descending=True),
}

# What is left to do for a patient, beside the follow-up states.
TO_COMPLETE, TO_SIGN, ASKED = "complete", "sign", "asked"
WORK = [
    *FollowUp.choices,
    (TO_COMPLETE, _("Visit to complete")),
    (TO_SIGN, _("Visit to sign")),
    (ASKED, _("Open data query")),
]


@dataclass(frozen=True)
class Page:
    """``after`` and ``before``: the public ids that lead to the next and the previous page, "" for none."""

    rows: list[Patient]
    after: str = ""
    before: str = ""


def narrowed(rows: R, asked: Mapping[str, Any], *, user: User, today: datetime.date) -> R:
    """``rows`` that fit the filters: {status, disease, subset, ulcer, work, clinic: value}, empty ones left out."""
    plain = {
        "status": "status", "disease": "diagnosis__primary_ctd", "subset": "diagnosis__ssc_subset", "clinic": "clinic",
    }  # fmt: skip
    rows = rows.filter(**{path: asked[name] for name, path in plain.items() if asked.get(name)})
    if asked.get("ulcer"):
        rows = rows.with_ulcer()
    work = asked.get("work")
    if work in FollowUp.values:
        rows = rows.in_follow_up(work, today)
    elif work == TO_COMPLETE:
        rows = rows.filter(summary__open_visits__gt=0)
    elif work == TO_SIGN:
        rows = rows.filter(summary__unsigned_visits__gt=0)
    elif work == ASKED:
        queries = DataQuery.objects.visible_to(user, Permission.VIEW_RECORDS).open()
        rows = rows.filter(registry_number__in=queries.values("patient"))
    return rows


def counted(rows: PatientQuerySet) -> tuple[int, bool]:
    """(how many, whether that is exact): counting stops at 10,000."""
    count = rows.order_by()[: COUNTED_UP_TO + 1].count()
    return min(count, COUNTED_UP_TO), count <= COUNTED_UP_TO


def page_of(rows: R, scope: R, *, order: str, after: str = "", before: str = "", size: int = PAGE_SIZE) -> Page:
    """The page behind (or in front of) the patient with that public id; an id outside ``scope`` starts at the top.

    ``scope``: every row the person may see, so that a patient who no longer fits the filter still marks the place.
    """
    column, descending = ORDERS[order].column, ORDERS[order].descending
    mark = after or before
    place = scope.filter(public_id=mark).values_list(column, "pk").first() if mark.isalnum() else None
    backwards = bool(before and not after and place)
    found = rows.order_by(*_ordering(column, descending, backwards=backwards))
    if place:
        found = found.filter(_beyond(column, *place, descending=descending, backwards=backwards))
    window = list(found.select_related("summary", "clinic").prefetch_related("diagnosis_set")[: size + 1])
    more, shown = len(window) > size, window[:size]
    if backwards:
        shown.reverse()
    if not shown:
        return Page([])
    return Page(
        shown,
        after=shown[-1].public_id if more or backwards else "",
        before=shown[0].public_id if (more if backwards else place) else "",
    )


def _ordering(column: str, descending: bool, *, backwards: bool) -> list[Any]:
    value = F(column).desc if descending is not backwards else F(column).asc
    if column == ORDERS["number"].column:
        return [value()]
    empty = {"nulls_first": True} if backwards else {"nulls_last": True}
    return [value(**empty), "-pk" if backwards else "pk"]


def _beyond(column: str, value: Any, pk: int, *, descending: bool, backwards: bool) -> Q:
    """Rows beyond (value, pk) in that order; a unique column is one range of its index."""
    further = Q(**{f"{column}__{'lt' if descending is not backwards else 'gt'}": value})
    if column == ORDERS["number"].column:
        return further
    ties = Q(**{f"pk__{'lt' if backwards else 'gt'}": pk})
    empty = Q(**{f"{column}__isnull": True})
    if value is None:
        return (empty & ties) | ~empty if backwards else empty & ties
    beyond = further | (Q(**{column: value}) & ties)
    return beyond if backwards else beyond | empty


def found_by(rows: R, text: str, *, user: User) -> R:
    """Registry number, name or hospital number begins with ``text``; names count only where they may be seen."""
    named = Identity.objects.visible_to(user, Permission.SEE_IDENTITY).called(text)
    found = Q(registry_number__startswith=text.strip().upper()) | Q(registry_number__in=named.values("registry_number"))
    # "Above 0" is a range of the index, "not null" would read every patient.
    doubles = Patient.objects.filter(found, merged_into__gt=0)
    return rows.filter(found | Q(pk__in=doubles.values("merged_into")))


def record_of(rows: R, **double: str) -> Patient | None:
    """The record, among ``rows``, that the registration with this number or public id became part of."""
    known = Patient.objects.filter(merged_into__isnull=False, **double)
    return rows.filter(pk__in=known.values("merged_into")).first()


def with_names(rows: list[Patient], *, user: User) -> list[Patient]:
    """The same rows with ``name`` and ``disease`` set for a list; one event tells whose names were shown."""
    names = names_of(user=user, registry_numbers=[row.registry_number for row in rows])
    for row in rows:
        identity = names.get(row.registry_number)
        row.name = f"{identity.family_name}, {identity.given_name}" if identity else ""  # type: ignore[attr-defined]
        row.disease = next(iter(row.diagnosis_set.all()), None)  # type: ignore[attr-defined]
    return rows
