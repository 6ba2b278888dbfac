"""All rows of one patient after another's: for formats that are told patient by patient."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from calcinosis_registry.cohorts.dataset import Dataset

Rows = list[dict[str, Any]]


def by_patient(dataset: Dataset, counts: dict[str, int]) -> Iterator[tuple[str, dict[str, Rows]]]:
    """(pseudonym, {table: rows as {column: value}}), tables without a row left out. ``counts`` is filled on the way.

    Every table stands in the order of the pseudonyms, so a few patients are in memory at once.
    """
    counts.update(dict.fromkeys(dataset.tables, 0))
    waiting: dict[str, tuple[str, list[Any]]] = {}
    names = {name: table.header for name, table in dataset.tables.items()}
    groups = {name: groupby(table.rows(), key=lambda row: row[0]) for name, table in dataset.tables.items()}

    def advance(name: str) -> None:
        found = next(groups[name], None)
        if found is None:
            waiting.pop(name, None)
        else:
            waiting[name] = (found[0], list(found[1]))

    for name in groups:
        advance(name)
    last = ""
    while waiting:
        patient = min(pseudonym for pseudonym, _rows in waiting.values())
        if patient <= last:
            raise RuntimeError("A table does not stand in the order of the pseudonyms: a patient would be told twice")
        last = patient
        mine = {name: waiting[name][1] for name in dataset.tables if name in waiting and waiting[name][0] == patient}
        for name, rows in mine.items():
            counts[name] += len(rows)
            advance(name)
        yield patient, {name: [dict(zip(names[name], row, strict=True)) for row in rows] for name, rows in mine.items()}
