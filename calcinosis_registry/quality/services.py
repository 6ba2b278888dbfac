"""Findings become data queries; queries whose finding is gone are closed."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from calcinosis_registry.audit import trail
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
    asked = DataQuery.objects.open().filter(patient=patient).exclude(rule="")
    standing = [query for query in asked if (query.model, query.object_id) in keys]
    known = {(q.model, q.object_id, q.field, q.rule): q for q in standing}
    settled = [query for key, query in known.items() if key not in wanted]
    fresh = [
        DataQuery(
            clinic_id=clinic_id, patient=patient, model=model, object_id=pk, field=field, rule=rule,
            message=found.message, opened_at=now,
        )
        for (model, pk, field, rule), found in wanted.items()
        if (model, pk, field, rule) not in known
    ]  # fmt: skip
    for query in settled:
        query.status, query.closed_at = QueryStatus.CLOSED, now
    if settled or fresh:
        with trail.together():
            DataQuery.objects.bulk_update(settled, ["status", "closed_at"])
            DataQuery.objects.bulk_create(fresh)
    return [query for key, query in known.items() if key in wanted] + fresh


def close_removed(record: Any, *, because: str, now: datetime.datetime) -> None:
    """A question about a record that is being removed has nothing left to ask about. Answers given stay."""
    asked = list(DataQuery.objects.open().of_record(record))
    for query in asked:
        query.status, query.closed_at = QueryStatus.CLOSED, now
        query.answer = query.answer or because
    if asked:
        DataQuery.objects.bulk_update(asked, ["status", "closed_at", "answer"])
