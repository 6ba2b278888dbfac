"""All rows of one patient after another's: for formats that are told patient by patient."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from calcinosis_registry.cohorts.dataset import Dataset, Table

Rows = list[dict[str, Any]]
T = TypeVar("T")


def by_patient(
    dataset: Dataset, counts: dict[str, int], wanted: Mapping[str, Collection[str]] | None = None
) -> Iterator[tuple[str, dict[str, Rows]]]:
    """(pseudonym, {table: rows as {column: value}}), tables without a row left out. ``counts`` is filled on the way.

    ``wanted``: {table: columns beside the patient}; other tables are not read. All of every table without it.
    """

    def rows(table: Table) -> Iterator[tuple[str, dict[str, Any]]]:
        names = [one for one in table.header if wanted is None or one == "patient" or one in wanted[table.name]]
        for batch in table.batches():
            columns = (batch.column(name).to_pylist() for name in names)
            for row in zip(*columns, strict=True):
                yield row[0], dict(zip(names, row, strict=True))

    yield from told_by_patient(dataset, counts, rows, wanted)


def told_by_patient(
    dataset: Dataset, counts: dict[str, int], told: Callable[[Table], Iterator[tuple[str, T]]],
    names: Collection[str] | None = None,
) -> Iterator[tuple[str, dict[str, list[T]]]]:  # fmt: skip
    """The same of what ``told`` makes of a table: (pseudonym, anything) for each row in order.

    Every table stands in the order of the pseudonyms, so a few patients are in memory at once.
    """
    tables = [name for name in dataset.tables if names is None or name in names]
    counts.update(dict.fromkeys(tables, 0))
    waiting: dict[str, tuple[str, list[T]]] = {}
    groups = {name: groupby(told(dataset.tables[name]), key=itemgetter(0)) for name in tables}

    def advance(name: str) -> None:
        found = next(groups[name], None)
        if found is None:
            waiting.pop(name, None)
        else:
            waiting[name] = (found[0], [one for _patient, one in found[1]])

    for name in groups:
        advance(name)
    last = ""
    while waiting:
        patient = min(pseudonym for pseudonym, _rows in waiting.values())
        if patient <= last:
            raise RuntimeError("A table does not stand in the order of the pseudonyms: a patient would be told twice")
        last = patient
        mine = {name: waiting[name][1] for name in tables if name in waiting and waiting[name][0] == patient}
        for name, rows in mine.items():
            counts[name] += len(rows)
            advance(name)
        yield patient, mine
