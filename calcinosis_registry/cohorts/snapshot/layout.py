"""What a snapshot holds: a file per kind of record, with the stored values that datasets are made of, and no more.

Names, texts of identity and bookkeeping stay out. The birth date is in it, because ages are worked out from it, and so
are the keys that tell which rows are whose: a snapshot is kept like the database.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.db import connection, models

from calcinosis_registry.codebook.fields import CodesField, PartialDateField
from calcinosis_registry.cohorts.columns import columns_of
from calcinosis_registry.cohorts.links import Link, link_tables, links_of
from calcinosis_registry.cohorts.snapshot.worked_out import WORKED_LESION, WORKED_VISIT
from calcinosis_registry.cohorts.structure import Level, levels
from lesions.models import Lesion
from patients.models import Patient, Visit

# Values no column shows as they are, and that something is worked out from.
ALSO = {
    "patient": ("birth_date", "public_id", "registry_number", "clinic_id"),
    "visit": ("visit_date", "state"),
    "lesion": ("number", "site", "laterality", "lineage", "first_recorded"),
    "lesionobservation": ("status_change", "observed", "ulcerated", "infection", "area_mm2"),
    "imagingstudy": ("calcinosis_present", "body_region", "laterality", "study_date"),
}
# The day in the middle of a date known as far as it is; null for "unknown", which is as long as a month.
MIDDLE, MIDDLE_OF = (
    "__middle",
    """
CASE length(nullif({0}, 'unknown')) WHEN 10 THEN CAST({0} AS DATE) WHEN 4 THEN CAST({0} || '-01-01' AS DATE) + 182
WHEN 7 THEN CAST({0} || '-01' AS DATE) + CAST(floor((day(last_day(CAST({0} || '-01' AS DATE))) - 1) / 2) AS INTEGER) END
""",
)
FORMAT = 1  # of the files; another number makes the next build a whole one


@dataclass(frozen=True)
class Cell:
    """A column of a file. ``source``: its column in the database, quoted. ``type``: DuckDB's."""

    name: str
    source: str
    type: str
    field: models.Field | None = None

    @property
    def is_text(self) -> bool:
        return self.type in ("VARCHAR", "DATE") or (self.type.startswith("DECIMAL") and not _sqlite())

    def read(self) -> str:
        """How the database is asked for it: plain numbers and text, so that both databases answer alike."""
        if isinstance(self.field, models.DateTimeField) and not _sqlite():
            return f"CAST({self.source} AT TIME ZONE 'UTC' AS text)"
        if self.type.startswith("DECIMAL") and _sqlite():
            return f"CAST({self.source} AS REAL)"
        if self.type == "BOOLEAN":
            return f"CAST({self.source} AS INTEGER)"
        return f"CAST({self.source} AS TEXT)" if self.is_text else self.source

    def write(self) -> str:
        """What DuckDB makes of the answer."""
        name = f'"{self.name}"'
        if isinstance(self.field, CodesField):
            return f"nullif(replace(trim({name}, '|'), '|', ';'), '') AS {name}"
        if isinstance(self.field, PartialDateField):
            return f"nullif({name}, '') AS {name}, {MIDDLE_OF.format(name)} AS \"{self.name}{MIDDLE}\""
        if self.type == "VARCHAR":
            return f"nullif({name}, '') AS {name}"
        return f"CAST({f'left({name}, 10)' if self.type == 'DATE' else name} AS {self.type}) AS {name}"

    def sample(self) -> str:
        """Any value of the type: a first row that tells the driver what kind of column follows."""
        return "''" if self.is_text else "0.0" if self.type.startswith("DECIMAL") else "0"


@dataclass(frozen=True)
class Stored:
    """One file: ``origin`` is the FROM of the database; ``patient`` the column there that tells whose a row is."""

    name: str
    model: type[models.Model]
    origin: str
    patient: str
    cells: tuple[Cell, ...]

    @property
    def schema(self) -> dict[str, str]:
        middles = {f"{one.name}{MIDDLE}": "DATE" for one in self.cells if isinstance(one.field, PartialDateField)}
        return {cell.name: cell.type for cell in self.cells} | middles


def _sqlite() -> bool:
    return connection.vendor == "sqlite"


def _quoted(*names: str) -> str:
    return ".".join(connection.ops.quote_name(name) for name in names)


def _column(meta: Any, name: str) -> str:
    return meta.get_field(name).column


@cache
def files() -> dict[str, Stored]:
    """{name: file} of every kind of record and of every table of pairs."""
    found = {level.kind: _of_level(level) for level in levels().values()}
    return found | {pairs_name(link): _of_pairs(link) for link in link_tables()}


def pairs_name(link: Link) -> str:
    return f"{link.source.kind}_{link.target.kind}"


def _of_level(level: Level) -> Stored:
    meta = level.model._meta
    table = meta.db_table
    origin = _quoted(table)

    def own(name: str) -> str:
        return _quoted(table, _column(meta, name))

    patient, visit = own("id"), ""
    if level.model is Visit:
        patient, visit = own("patient"), own("id")
    elif level.model is not Patient:
        origin, patient = _way(level, level.patient)
        visit = _way(level, level.visit)[1] if level.visit else ""
    cells = [Cell("pk", own("id"), "BIGINT"), Cell("patient", patient, "BIGINT")]
    cells += [Cell("visit", visit, "BIGINT")] if visit else []
    for name in _needed(level):
        field = next(one for one in meta.concrete_fields if one.attname == name)
        cells.append(Cell(name, own(field.name), _type(field), field))
    return Stored(level.kind, level.model, origin, patient, tuple(cells))


def _way(level: Level, path: str) -> tuple[str, str]:
    """(FROM, column) of a key that stands in the record, or in the record it belongs to."""
    meta = level.model._meta
    if "__" not in path:
        return _quoted(meta.db_table), _quoted(meta.db_table, _column(meta, path))
    between, last = path.split("__")
    field: Any = meta.get_field(between)
    beyond = field.related_model._meta
    joined = f"{_quoted(meta.db_table, field.column)} = {_quoted(beyond.db_table, beyond.pk.column)}"
    origin = f"{_quoted(meta.db_table)} JOIN {_quoted(beyond.db_table)} ON {joined}"
    return origin, _quoted(beyond.db_table, _column(beyond, last))


def _needed(level: Level) -> Iterator[str]:
    columns = [one for one in columns_of(level, include_text=True) if not one.calculated]
    shown = [path for one in columns for path in one.paths if "__" not in path]
    maintained = Lesion.MAINTAINED if level.model is Lesion else ()
    names = [*shown, *(link.attname for link in links_of(level)), *ALSO.get(level.kind, ()), *maintained]
    yield from (name for name in dict.fromkeys(names))


def _type(field: models.Field) -> str:
    if isinstance(field, models.DecimalField):
        return f"DECIMAL({field.max_digits}, {field.decimal_places})"
    if isinstance(field, models.BooleanField):
        return "BOOLEAN"
    if isinstance(field, models.DateField):
        return "DATE"
    return "BIGINT" if isinstance(field, models.IntegerField | models.ForeignKey) else "VARCHAR"


def _of_pairs(link: Link) -> Stored:
    model = link.field.remote_field.through
    table, source = model._meta.db_table, link.source.model._meta
    ours, theirs = (
        _quoted(table, _column(model._meta, name()))
        for name in (link.field.m2m_field_name, link.field.m2m_reverse_field_name)
    )
    origin = f"{_quoted(table)} JOIN {_quoted(source.db_table)} ON {ours} = {_quoted(source.db_table, 'id')}"
    patient = _quoted(source.db_table, _column(source, link.source.patient))
    named = (("pk", _quoted(table, "id")), ("patient", patient), ("source", ours), ("target", theirs))
    return Stored(pairs_name(link), model, origin, patient, tuple(Cell(name, one, "BIGINT") for name, one in named))


def fingerprint() -> str:
    """Of everything a file's content depends on but the data: another one makes the next build a whole one."""
    told = {name: [one.origin, one.schema] for name, one in files().items()}
    return hashlib.sha256(json.dumps([FORMAT, told, WORKED_LESION, WORKED_VISIT], sort_keys=True).encode()).hexdigest()
