"""The one place where consent, a project's clinics and privacy are applied. Reports and exports read only this.

Linked tidy tables, one row per record: ``patient`` is the pseudonym; ``visit_no``, ``lesion_no``, … link, and count
within the patient. Birth dates, names, bookkeeping never get here. Rows stand in the order of the pseudonyms.

Who belongs to it is asked of the register, now; what is known of them is read from a snapshot that misses nothing saved
before. The tables are read when somebody asks for them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import models

from calcinosis_registry.accounts.models import User
from calcinosis_registry.cohorts import expressions
from calcinosis_registry.cohorts.anonymous import anonymous as without_names
from calcinosis_registry.cohorts.anonymous import groups_of
from calcinosis_registry.cohorts.builder import matching
from calcinosis_registry.cohorts.columns import Column, every, pair_of
from calcinosis_registry.cohorts.engine import Engine, engine
from calcinosis_registry.cohorts.links import link_tables, numbered
from calcinosis_registry.cohorts.models import ResearchProject
from calcinosis_registry.cohorts.pseudonyms import Cipher
from calcinosis_registry.cohorts.scope import Scope, may_export, scope_of
from calcinosis_registry.cohorts.snapshot import building
from calcinosis_registry.cohorts.structure import levels
from lesions.blinding import why_not_given
from patients.models import Patient

if TYPE_CHECKING:
    import pyarrow

Row = tuple[Any, ...]
# (columns by name) → the rows with just these columns, in the order of the table
Read = Callable[[Sequence[str]], "pyarrow.RecordBatchReader"]


@dataclass(frozen=True)
class Person:
    """A patient as the dataset knows one; ``shift`` in days, back. ``coded``: the pseudonym the ledger knows one by."""

    pk: int
    pseudonym: str
    clinic: str
    shift: int
    coded: str


@dataclass(frozen=True)
class Table:
    """``columns`` in order; the rows are read anew each time, some at once. ``kinds``: of record, two of pairs."""

    name: str
    label: str
    columns: tuple[Column, ...]
    read: Read
    kinds: tuple[str, ...]

    @property
    def kind(self) -> str:
        return self.kinds[0]

    @property
    def header(self) -> list[str]:
        return [column.name for column in self.columns]

    @property
    def schema(self) -> pyarrow.Schema:
        """Names and Arrow types of the columns, told without reading a row."""
        import pyarrow as pa  # heavy

        return pa.schema([(column.name, column.arrow_type) for column in self.columns])

    def batches(self) -> pyarrow.RecordBatchReader:
        """The rows as Arrow, some at once; null is no value."""
        import pyarrow as pa

        answer, schema = self.read(self.header), self.schema
        typed = (batch.select(self.header).cast(schema) for batch in answer)
        return pa.RecordBatchReader.from_batches(schema, typed)

    def arrow(self) -> pyarrow.Table:
        """The table whole, typed as ``schema``."""
        return self.batches().read_all()

    def rows(self) -> Iterator[Row]:
        for batch in self.batches():
            yield from zip(*(column.to_pylist() for column in batch.columns), strict=True)


@dataclass(frozen=True)
class Dataset:
    """{name: Table} and the people in them, by pseudonym. ``as_of``: the moment the values were read at."""

    tables: dict[str, Table]
    people: tuple[Person, ...]
    include_text: bool
    all_visits: bool
    as_of: str = ""
    kept: building.Kept | None = None  # the snapshot stays while the dataset lives
    anonymous: bool = False
    coarseness: str = ""  # of an anonymous one, in words
    withdrawn: int = 0  # patients of a frozen cohort who are not in it any more


def population(scope: Scope) -> models.QuerySet[Patient]:
    """The patients of the scope's clinics with a research consent in force."""
    rows = Patient.objects.consented_to_research()
    return rows if scope.clinics is None else rows.filter(clinic__in=scope.clinics)


def why_not_taken(user: User, project: ResearchProject | None) -> str:
    """Why this person may not take the rows of a project now, nor see what only they tell; "" when they may."""
    return may_export(user, project) or why_not_given(user, population(scope_of(user, project)))


def build(
    *, definition: Any, scope: Scope, include_text: bool = False, all_visits: bool = False, anonymous: bool = False,
    tell: building.Tell = building.nothing,
) -> Dataset:  # fmt: skip
    """The dataset of a question inside a scope. Raises DefinitionError, and StandsOut when ``anonymous``.

    Records of unsigned visits are left out unless ``all_visits``; free text unless ``include_text``.
    """
    snapshot, kept = building.hold(tell)
    patients = matching(definition, population(scope), all_visits=all_visits, items=scope.items)
    people = people_of(patients, scope, anonymous=anonymous)
    runs = _open(snapshot, people, all_visits=all_visits)
    tables = shown(tables_of(runs, all_visits=all_visits), scope, include_text=include_text)
    made = Dataset(tables, people, include_text, all_visits, snapshot.at, kept)
    return coarse(made) if anonymous else made


def coarse(dataset: Dataset) -> Dataset:
    """Under the anonymous profile. Raises StandsOut."""
    tables, step, _k = without_names(dataset.tables)
    return replace(dataset, tables=tables, anonymous=True, coarseness=step.words)


def smallest_group(dataset: Dataset) -> dict[str, Any]:
    """k: how many patients share the rarest combination of the declared quasi-identifiers, 0 without patients."""
    groups, by = groups_of(dataset.tables["patients"])
    return {"size": min(groups.values(), default=0), "by": by}


def shown(tables: Iterable[Table], scope: Scope, *, include_text: bool) -> dict[str, Table]:
    """The tables and columns that the scope's items let be seen; a record of which nothing is shown is no table."""
    found: dict[str, Table] = {}
    left_out: set[str] = set()
    for table in tables:
        columns = tuple(
            one for one in table.columns
            if one.is_key or (scope.shows(one.key(table)) and (include_text or not one.is_text))
        )  # fmt: skip
        says = len(table.kinds) > 1 or table.kind == "patient" or any(not one.is_key for one in columns)
        if says and not left_out & set(table.kinds):
            found[table.name] = replace(table, columns=columns)
        else:
            left_out.update(table.kinds)
    return found


def people_of(patients: models.QuerySet[Patient], scope: Scope, *, anonymous: bool) -> tuple[Person, ...]:
    """By pseudonym. Anonymous ones are others than the coded ones, so that the two cannot be laid side by side."""
    purpose = scope.project.public_id if scope.project else "report"
    cipher = Cipher(settings.PSEUDONYM_KEY, purpose)
    names = Cipher(settings.PSEUDONYM_KEY, f"{purpose}|anonymous") if anonymous else cipher
    clinics: dict[str, str] = {}
    found = []
    for pk, public_id, clinic in patients.order_by("pk").values_list("pk", "public_id", "clinic__public_id"):
        where = clinics.get(clinic) or clinics.setdefault(clinic, names.clinic(clinic))
        coded = cipher.patient(public_id)
        name = names.patient(public_id) if anonymous else coded
        found.append(Person(pk, name, where, cipher.shift(public_id), coded))
    return tuple(sorted(found, key=lambda person: person.pseudonym))


def _open(snapshot: building.Snapshot, people: Sequence[Person], *, all_visits: bool) -> Engine:
    import pyarrow as pa

    runs = engine()
    for name in snapshot.tables():
        runs.open(name, snapshot.folder, changed=bool(snapshot.changed))
    rows = pa.table(
        {
            "person": pa.array([one.pk for one in people], pa.int64()),
            "patient_name": pa.array([one.pseudonym for one in people], pa.string()),
            "clinic_name": pa.array([one.clinic for one in people], pa.string()),
            "shift": pa.array([one.shift for one in people], pa.int64()),
        }
    )
    runs.add("people", rows)
    for kind in sorted(numbered()):
        runs.keep(expressions.numbers_of(kind), expressions.numbering(kind, runs.dialect, all_visits=all_visits))
    return runs


def tables_of(runs: Engine, *, all_visits: bool) -> Iterator[Table]:
    """Each reads what it is asked for, and the keys its rows are ordered by, in columns of their own names."""

    def read(name: str) -> Read:
        def answer(columns: Sequence[str]) -> Any:
            return runs.batches(expressions.sql(name, runs.dialect, frozenset(columns), all_visits=all_visits))

        return answer

    for level in levels().values():
        label = str(level.model._meta.verbose_name_plural)
        yield Table(level.table, label, tuple(every(level)), read(level.table), (level.kind,))
    for link in link_tables():
        name, kinds = expressions.pairs_table(link), (link.source.kind, link.target.kind)
        label = f"{link.source.title}: {link.target.model._meta.verbose_name_plural}"
        yield Table(name, label, tuple(pair_of(link)), read(name), kinds)
