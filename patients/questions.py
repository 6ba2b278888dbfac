"""Data queries as people meet them: which ones a list shows, and the record each one asks about."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import models
from django.db.models import Count, Min, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from calcinosis_registry.accounts.models import User
from calcinosis_registry.clinics.roles import Permission
from calcinosis_registry.quality.models import DataQuery, DataQueryQuerySet, QueryStatus
from patients.kinds import kinds
from patients.listing import with_names
from patients.models import Patient, Visit

PAGE_SIZE = 50
UNSETTLED = "UNSETTLED"
STATES = [(UNSETTLED, _("Not closed")), *QueryStatus.choices]
RULE, PERSON = "rule", "person"
ORIGINS = [(RULE, _("A check")), (PERSON, _("A person"))]
AGES = [("30", _("30 days or more")), ("90", _("90 days or more")), ("365", _("A year or more"))]


def askable() -> dict[str, type[Any]]:
    """{kind: model} of every record a question can be asked about."""
    return {**kinds(), Visit.kind(): Visit}


def narrowed(rows: DataQueryQuerySet, asked: Mapping[str, Any], *, now: datetime.datetime) -> DataQueryQuerySet:
    """``rows`` that fit the filters: {state, origin, age, clinic: value}; without a state, those not closed."""
    state = asked.get("state") or UNSETTLED
    rows = rows.open() if state == UNSETTLED else rows.filter(status=state)
    if asked.get("origin") == RULE:
        rows = rows.exclude(rule="")
    elif asked.get("origin") == PERSON:
        rows = rows.filter(rule="")
    if asked.get("age"):
        rows = rows.filter(opened_at__lte=now - datetime.timedelta(days=int(asked["age"])))
    return rows.filter(clinic=asked["clinic"]) if asked.get("clinic") else rows


@dataclass(frozen=True)
class Page:
    """The oldest first; ``after`` leads to the next page, "" at the end."""

    rows: list[DataQuery]
    after: str


def page_of(rows: DataQueryQuerySet, *, after: str, size: int = PAGE_SIZE) -> Page:
    place_ = rows.model.objects.filter(public_id=after).values_list("opened_at", "pk").first() if after else None
    if place_:
        at, pk = place_
        rows = rows.filter(Q(opened_at__gt=at) | Q(opened_at=at, pk__gt=pk))
    found = list(rows.select_related("clinic").order_by("opened_at", "pk")[: size + 1])
    return Page(found[:size], found[size - 1].public_id if len(found) > size else "")


@dataclass(frozen=True)
class ClinicCount:
    """What stands in one clinic. ``oldest``: days the oldest one has been open."""

    name: str
    public_id: str
    open: int
    answered: int
    oldest: int


def counts(rows: DataQueryQuerySet, *, now: datetime.datetime) -> list[ClinicCount]:
    """Per clinic, those not closed."""
    found = rows.open().order_by().values("clinic__name", "clinic__public_id")
    found = found.annotate(
        open=Count("pk", filter=Q(status=QueryStatus.OPEN)),
        answered=Count("pk", filter=Q(status=QueryStatus.ANSWERED)),
        oldest=Min("opened_at"),
    )
    return [
        ClinicCount(
            one["clinic__name"], one["clinic__public_id"], one["open"], one["answered"], (now - one["oldest"]).days
        )
        for one in found.order_by("clinic__name")
    ]


def name_patients(queries: Iterable[DataQuery], *, user: User) -> None:
    """``about``: the patient each one is about, with the name where it may be seen."""
    queries = list(queries)
    patients = Patient.objects.visible_to(user, Permission.VIEW_RECORDS)
    rows = patients.filter(registry_number__in={query.patient for query in queries})
    rows = rows.select_related("summary").prefetch_related("diagnosis_set")
    known = {row.registry_number: row for row in with_names(list(rows), user=user)}
    for query in queries:
        query.about = known.get(query.patient)  # type: ignore[attr-defined]


def place(queries: Iterable[DataQuery], *, user: User) -> None:
    """Give each query (its ``about`` set) its age, its record and field in words, and the page of the record."""
    now = timezone.now()
    by_model: dict[str, list[DataQuery]] = {}
    for query in queries:
        by_model.setdefault(query.model, []).append(query)
    pages = {model._meta.label_lower: model for model in askable().values()}
    for label, asked in by_model.items():
        model = pages.get(label)
        ids = [query.object_id for query in asked]
        rows = model.objects.visible_to(user, Permission.VIEW_RECORDS).in_bulk(ids) if model else {}
        names = _names(model) if model else {}
        for query in asked:
            query.days = (now - query.opened_at).days  # type: ignore[attr-defined]
            query.kind = model.title() if model else ""  # type: ignore[attr-defined]
            query.field_name = names.get(query.field, query.field)  # type: ignore[attr-defined]
            query.record = rows.get(query.object_id)  # type: ignore[attr-defined]
            query.url = _page(query.record, query)  # type: ignore[attr-defined]


def _names(model: type[models.Model]) -> dict[str, str]:
    return {one.name: str(one.verbose_name) for one in model._meta.concrete_fields}


def _page(record: Any, query: DataQuery) -> str:
    at = f"#div_id_{query.field}" if query.field else ""
    if isinstance(record, Visit):
        return record.get_absolute_url() + at
    if record is not None:
        return reverse("patients:record", args=[record.kind(), record.public_id]) + at
    about = query.about  # type: ignore[attr-defined]
    return about.get_absolute_url() if about else ""
