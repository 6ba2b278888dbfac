"""The codebook of a dataset: one row per column of every table, with all that is declared about it."""

from __future__ import annotations

from collections.abc import Iterator

from django.utils.translation import gettext as _

from calcinosis_registry.codebook.catalogue import Entry, calculated, entry
from calcinosis_registry.cohorts.columns import Column
from calcinosis_registry.cohorts.dataset import Dataset

HEADER = (
    "table", "column", "label", "meaning", "kind", "type", "unit", "codes", "missing", "possible", "plausible",
    "condition", "terms", "item", "source", "verified",
)  # fmt: skip


def rows(dataset: Dataset) -> Iterator[tuple[str, ...]]:
    """One row per column of every table."""
    known = calculated()
    for table in dataset.tables.values():
        for column in table.columns:
            about = entry(column.field) if column.field is not None else known.get(column.calculated)
            yield (table.name, column.name, column.label, *_meaning(column, about))


def _meaning(column: Column, about: Entry | None) -> tuple[str, ...]:
    codes = " | ".join(f"{code} = {label}" for code, label in column.codes)
    ours = (column.unit, codes, column.missing)
    if about is None:
        return ("", column.kind, "", *ours, "", "", "", "", "", "", "")
    verified = _("yes") if about.verified else _("no")
    return (
        about.meaning, column.kind, about.type, *ours, about.possible, about.plausible, about.condition, about.terms,
        about.key, about.source, verified,
    )  # fmt: skip
