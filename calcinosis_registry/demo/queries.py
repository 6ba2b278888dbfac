"""Data queries of an invented register: what the checks find, and what a monitor asked."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from itertools import chain
from typing import Any

from django.db.models import prefetch_related_objects
from django.utils import timezone

from calcinosis_registry.accounts.models import User
from calcinosis_registry.clinics.models import Membership
from calcinosis_registry.clinics.roles import Role
from calcinosis_registry.demo.staff import public_id
from calcinosis_registry.demo.told import Dice, days
from calcinosis_registry.quality.findings import Finding
from calcinosis_registry.quality.models import DataQuery, QueryStatus
from calcinosis_registry.records.models import Record
from lesions import checks
from lesions.models import LesionObservation
from patients.models import Patient, Visit, VisitState

OPEN_FOR = datetime.timedelta(days=200)  # older findings have been answered
ANSWERS = ("Checked against the record: right.", "Typing error, corrected.", "As measured.")
CLOSED = "Answered."
ASKED = "Please check this visit against the letter."


def raise_queries(rows: Sequence[Any], seen: dict[int, list[LesionObservation]], dice: Dice) -> None:
    """Findings of all records; the recent ones are open, the older answered and closed.

    ``seen``: {lesion: its observations, oldest first}; the newest is also looked at beside the earlier ones.
    """
    newest: dict[int, datetime.date] = {}
    for row in rows:
        if isinstance(row, Visit) and row.state != VisitState.MISSED:
            newest[row.patient_id] = max(newest.get(row.patient_id, row.visit_date), row.visit_date)
    # A visit compares itself with the consents: one query for all instead of one each.
    prefetch_related_objects([row for row in rows if isinstance(row, Patient)], "consent_set")
    beside: dict[Any, list[Finding]] = {
        one[-1]: list(checks.observation_findings(one[-1], one[:-1])) for one in seen.values() if one
    }
    found = []
    who = {(one.clinic_id, one.role): one.user for one in Membership.objects.select_related("user").order_by("-pk")}
    for row in rows:
        if not isinstance(row, Record):
            continue
        day = _day_of(row)
        for finding in chain(row.findings(), beside.get(row, [])):
            query = _query(row, dice, day)
            query.field, query.rule, query.message = finding.field, finding.rule, finding.message[:400]
            _answer(query, dice, who, recent=newest.get(_patient_of(row).pk, day) - day < OPEN_FOR)
            found.append(query)
        if isinstance(row, Visit) and row.state != VisitState.MISSED and dice.chance(0.02):
            query = _query(row, dice, day)
            query.message, query.raised_by = ASKED, who.get((query.clinic_id, Role.MONITOR))
            _answer(query, dice, who, recent=newest[row.patient_id] == row.visit_date)
            found.append(query)
    DataQuery.objects.bulk_create(found)


def _patient_of(row: Any) -> Patient:
    return row.patient


def _day_of(row: Any) -> datetime.date:
    visit = row if isinstance(row, Visit) else getattr(row, "visit", None)
    if visit is not None:
        return visit.visit_date
    return getattr(row, "collected_on", None) or row.patient.registered_on


def _query(row: Any, dice: Dice, day: datetime.date) -> DataQuery:
    patient = _patient_of(row)
    return DataQuery(
        public_id=public_id(dice), clinic_id=patient.clinic_id, patient=patient.registry_number,
        model=row._meta.label_lower, object_id=row.pk, opened_at=_noon(day),
    )  # fmt: skip


def _answer(query: DataQuery, dice: Dice, who: dict[tuple[int | None, str], User], *, recent: bool) -> None:
    if recent and dice.chance(0.75):
        return
    query.answer = dice.one_of(ANSWERS)
    query.status = QueryStatus.ANSWERED if recent else QueryStatus.CLOSED
    query.answered_at = query.opened_at + days(dice.between(1, 3))
    query.answered_by = who.get((query.clinic_id, Role.CLINICIAN))
    if not recent:
        query.closed_at = query.opened_at + days(dice.between(3, 60))
        query.closed_by = who.get((query.clinic_id, Role.MONITOR), query.answered_by)
        query.closed_because = CLOSED


def _noon(day: datetime.date) -> datetime.datetime:
    return datetime.datetime(day.year, day.month, day.day, 12, tzinfo=timezone.get_current_timezone())
