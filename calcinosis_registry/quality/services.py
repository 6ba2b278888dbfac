"""Findings become data queries, and close when the finding is gone; people ask, answer, close and reopen others."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from calcinosis_registry.accounts.models import User
from calcinosis_registry.audit import trail
from calcinosis_registry.audit.models import Action, Event
from calcinosis_registry.quality.findings import Finding
from calcinosis_registry.quality.models import DataQuery, QueryStatus


def recheck(
    records: Sequence[Any],
    *,
    findings: Mapping[Any, Iterable[Finding]],
    clinic_id: int,
    patient: str,
    now: datetime.datetime,
) -> list[DataQuery]:
    """Compare what the checks find now with the open queries of these records: open new ones, close the settled.

    ``findings``: {record: its findings}. All records belong to one patient. Returns the queries open afterwards.
    """
    wanted = {
        (one._meta.label_lower, one.pk, found.field, found.rule): found
        for one in records
        for found in findings.get(one, ())
    }
    keys = {(one._meta.label_lower, one.pk) for one in records}
    asked = DataQuery.objects.filter(patient=patient).standing_or_settled_by_hand()
    of_these = [query for query in asked if (query.model, query.object_id) in keys]
    known = {_key(one): one for one in of_these if one.status != QueryStatus.CLOSED}
    dismissed = {(_key(one), one.message) for one in of_these if one.status == QueryStatus.CLOSED}
    settled = [query for key, query in known.items() if key not in wanted]
    moved = [query for key, query in known.items() if key in wanted and _asks_anew(query, wanted[key])]
    fresh = [
        DataQuery(
            clinic_id=clinic_id, patient=patient, model=model, object_id=pk, field=field, rule=rule,
            message=found.message[:400], opened_at=now,
        )
        for (model, pk, field, rule), found in wanted.items()
        if (model, pk, field, rule) not in known
        and ((model, pk, field, rule), found.message[:400]) not in dismissed
    ]  # fmt: skip
    _close(settled, _("The rule finds nothing any more."), now)
    if settled or fresh or moved:
        with trail.together():
            DataQuery.objects.bulk_update(settled, ["status", "closed_at", "closed_because"])
            DataQuery.objects.bulk_update(moved, ["message", "status"])
            DataQuery.objects.bulk_create(fresh)
    return [query for key, query in known.items() if key in wanted] + fresh


def _close(queries: Iterable[DataQuery], because: str, now: datetime.datetime) -> None:
    for query in queries:
        query.status, query.closed_at, query.closed_because = QueryStatus.CLOSED, now, because


def _key(query: DataQuery) -> tuple[str, int, str, str]:
    return query.model, query.object_id, query.field, query.rule


def _asks_anew(query: DataQuery, found: Finding) -> bool:
    """Another value, and still a doubt: the question follows, and an answer about the old value is none."""
    if query.message == found.message[:400]:
        return False
    query.message, query.status = found.message[:400], QueryStatus.OPEN
    return True


def raise_query(
    *, record: Any, clinic_id: int, patient: str, field: str, message: str, by: User, now: datetime.datetime
) -> DataQuery:
    """A person asks about a record, or one field of it."""
    if not message.strip():
        raise ValidationError({"message": _("Write the question.")})
    query = DataQuery(
        clinic_id=clinic_id, patient=patient, model=record._meta.label_lower, object_id=record.pk, field=field,
        message=message.strip(), raised_by=by, opened_at=now,
    )  # fmt: skip
    query.save()
    return query


def answer_query(*, query: DataQuery, answer: str, by: User, now: datetime.datetime) -> None:
    """Open → answered; a better answer may follow until it is closed."""
    if query.status == QueryStatus.CLOSED:
        raise ValidationError(_("It is closed already; reopen it to answer."))
    if not answer.strip():
        raise ValidationError({"answer": _("Write the answer.")})
    query.answer, query.status = answer.strip(), QueryStatus.ANSWERED
    query.answered_by, query.answered_at = by, now
    query.save()


def close_query(*, query: DataQuery, because: str, by: User, now: datetime.datetime) -> None:
    """Open or answered → closed, with a reason. Who answered somebody else's question does not close it."""
    if query.status == QueryStatus.CLOSED:
        raise ValidationError(_("It is closed already."))
    if query.raised_by_id not in (None, by.pk) and query.answered_by_id == by.pk:
        raise ValidationError(_("You answered it: whoever asked, or another person, closes it."))
    if not because.strip():
        raise ValidationError({"because": _("Say why it is closed.")})
    query.status, query.closed_at, query.closed_by = QueryStatus.CLOSED, now, by
    query.closed_because = because.strip()
    with trail.because(query.closed_because):
        query.save()


def reopen_query(*, query: DataQuery, because: str, by: User, now: datetime.datetime) -> None:
    """Answered or closed → open, with a reason."""
    if query.status == QueryStatus.OPEN:
        raise ValidationError(_("It is open already."))
    if not because.strip():
        raise ValidationError({"because": _("Say why it is opened again.")})
    same = DataQuery.objects.open().filter(model=query.model, object_id=query.object_id, field=query.field)
    if query.rule and same.filter(rule=query.rule).exclude(pk=query.pk).exists():
        raise ValidationError(_("The same rule asks it again already, in another query."))
    query.status, query.closed_at, query.closed_by, query.closed_because = QueryStatus.OPEN, None, None, ""
    with trail.because(because.strip()):
        query.save()


@dataclass(frozen=True)
class Step:
    """One step in the life of a query, as the trail kept it."""

    at: datetime.datetime
    who: str
    what: str
    text: str


def steps_of(query: DataQuery) -> list[Step]:
    """Asked, answered, closed, opened again: oldest first."""
    found = []
    for event in Event.objects.of_record(DataQuery, query.pk).order_by("pk"):
        status, answer = _new(event, "status"), _new(event, "answer")
        if event.action == Action.CREATE:
            found.append(Step(event.at, event.actor_name if query.raised_by_id else "", _("asked"), query.message))
        elif status == QueryStatus.CLOSED:
            # The reason of the event may be that of the save in which a check found nothing any more.
            who = event.actor_name if _new(event, "closed_by") else ""
            found.append(Step(event.at, who, _("closed"), _new(event, "closed_because") or event.reason))
        elif answer:
            found.append(Step(event.at, event.actor_name, _("answered"), answer))
        elif status == QueryStatus.OPEN:
            asked = _new(event, "message")  # a check asks about another value
            found.append(Step(event.at, "" if asked else event.actor_name, _("opened again"), asked or event.reason))
    return found


def _new(event: Event, name: str) -> str:
    values = event.changes.get(name)
    return str(values[1] or "") if isinstance(values, list) else ""


def close_removed(record: Any, *, because: str, now: datetime.datetime) -> None:
    """A question about a record that is being removed has nothing left to ask about. Answers given stay."""
    asked = list(DataQuery.objects.open().of_record(record))
    _close(asked, because, now)
    if asked:
        DataQuery.objects.bulk_update(asked, ["status", "closed_at", "closed_because"])


def close_gone(*, patient: str, records: Iterable[Any], because: str, now: datetime.datetime) -> None:
    """Close what is asked about records of the given kinds that are there no more. ``records``: all of the patient."""
    there = {(one._meta.label_lower, one.pk) for one in records}
    kinds = {label for label, _pk in there}
    asked = DataQuery.objects.open().filter(patient=patient)
    gone = [one for one in asked if one.model in kinds and (one.model, one.object_id) not in there]
    _close(gone, because, now)
    if gone:
        DataQuery.objects.bulk_update(gone, ["status", "closed_at", "closed_because"])
