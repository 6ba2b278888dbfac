"""The one place where consent, a project's clinics and privacy are applied. Reports and exports read only this.

Linked tidy tables, one row per record: ``patient`` is the pseudonym; ``visit_no``, ``lesion_no``, … link, and count
within the patient. Birth dates, names, bookkeeping never get here. Rows stand in the order of the pseudonyms.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import models
from django.utils.translation import gettext as _

from calcinosis_registry.cohorts.builder import matching
from calcinosis_registry.cohorts.calculated import calculated_values
from calcinosis_registry.cohorts.columns import Column, Kind, Person, columns_of
from calcinosis_registry.cohorts.links import Link, link_tables, links_of, numbered, numbers
from calcinosis_registry.cohorts.pseudonyms import Cipher
from calcinosis_registry.cohorts.scope import Scope
from calcinosis_registry.cohorts.structure import Level, levels
from lesions.models import Lesion, LesionObservation
from patients.models import Patient

if TYPE_CHECKING:
    import pyarrow

CHUNK = 500  # patients whose rows are in memory at once
Row = tuple[Any, ...]
NOTHING: dict[str, Any] = {"outcome": None, "incident": False}  # of a visit or lesion that tells nothing


@dataclass(frozen=True)
class Table:
    """``columns`` in order; ``rows()`` reads the register anew each time, a few patients at once."""

    name: str
    label: str
    columns: tuple[Column, ...]
    rows: Callable[[], Iterator[Row]]

    @property
    def header(self) -> list[str]:
        return [column.name for column in self.columns]

    @property
    def schema(self) -> pyarrow.Schema:
        """Names and Arrow types of the columns, told without reading a row."""
        import pyarrow as pa  # heavy

        return pa.schema([(column.name, column.arrow_type) for column in self.columns])

    def arrow(self) -> pyarrow.Table:
        """The table whole, typed as ``schema``; null is no value."""
        import pyarrow as pa

        cells = list(zip(*self.rows(), strict=True)) or [()] * len(self.columns)
        arrays = [pa.array(some, one.arrow_type) for some, one in zip(cells, self.columns, strict=True)]
        return pa.table(arrays, schema=self.schema)


@dataclass(frozen=True)
class Dataset:
    """{name: Table} and the people in them, by pseudonym."""

    tables: dict[str, Table]
    people: tuple[Person, ...]
    include_text: bool
    all_visits: bool


def population(scope: Scope) -> models.QuerySet[Patient]:
    """The patients of the scope's clinics with a research consent in force."""
    rows = Patient.objects.consented_to_research()
    return rows if scope.clinics is None else rows.filter(clinic__in=scope.clinics)


def build(*, definition: Any, scope: Scope, include_text: bool = False, all_visits: bool = False) -> Dataset:
    """The dataset of a question inside a scope. Raises DefinitionError.

    Records of unsigned visits are left out unless ``all_visits``; free text unless ``include_text``.
    """
    cipher = Cipher(settings.PSEUDONYM_KEY, scope.project.public_id if scope.project else "report")
    patients = matching(definition, population(scope), all_visits=all_visits, items=scope.items)
    people = tuple(sorted(_people(patients, cipher), key=lambda person: person.pseudonym))
    shown = {level.kind: _shown(level, scope, include_text=include_text) for level in levels().values()}
    kept = {kind: columns for kind, columns in shown.items() if columns or levels()[kind].is_patient}
    tables = [_table(levels()[kind], people, columns, all_visits=all_visits) for kind, columns in kept.items()]
    tables += [
        _link_table(link, people, all_visits=all_visits)
        for link in link_tables()
        if link.source.kind in kept and link.target.kind in kept
    ]
    return Dataset({table.name: table for table in tables}, people, include_text, all_visits)


def _shown(level: Level, scope: Scope, *, include_text: bool) -> list[Column]:
    """The columns of a record that the scope's items let be seen; a record with none is no table."""
    return [one for one in columns_of(level, include_text=include_text) if scope.shows(one.key(level))]


def _people(patients: models.QuerySet[Patient], cipher: Cipher) -> Iterator[Person]:
    for pk, public_id, clinic in patients.order_by("pk").values_list("pk", "public_id", "clinic__public_id"):
        yield Person(pk, cipher.patient(public_id), cipher.clinic(clinic), cipher.shift(public_id))


def _key(name: str, label: str, missing: str = "") -> Column:
    return Column(name, label, (), lambda person: None, Kind.NUMBER, missing=missing)


def _patient_key() -> Column:
    return Column("patient", _("Patient (pseudonym)"), (), lambda person: person.pseudonym, Kind.KEY)


def _table(level: Level, people: Sequence[Person], columns: Sequence[Column], *, all_visits: bool) -> Table:
    own = [_key(level.number, _("Number of the row, within the patient"))] if level.kind in numbered() else []
    links = links_of(level)
    keys = [_patient_key(), *own, *(_key(one.name, one.label, _("none, or one left out")) for one in links)]

    def rows() -> Iterator[Row]:
        for some in _chunks(people):
            yield from _rows(level, links, columns, some, own=bool(own), all_visits=all_visits)

    return Table(level.table, str(level.model._meta.verbose_name_plural), (*keys, *columns), rows)


def _chunks(people: Sequence[Person]) -> Iterator[dict[int, Person]]:
    for start in range(0, len(people), CHUNK):
        yield {person.pk: person for person in people[start : start + CHUNK]}


def _rows(
    level: Level,
    links: Sequence[Link],
    columns: Sequence[Column],
    people: dict[int, Person],
    *,
    own: bool,
    all_visits: bool,
) -> Iterator[Row]:
    """The rows of a few patients: a constant number of queries."""
    place = {pk: index for index, pk in enumerate(people)}
    ours = numbers(level, place, all_visits=all_visits) if own else {}
    theirs = [numbers(link.target, place, all_visits=all_visits) for link in links]
    now = _lesions_by_signed_visits(place) if level.model is Lesion and not all_visits else {}
    paths = list(dict.fromkeys(path for column in columns for path in column.paths if not column.calculated))
    worked_out = calculated_values(level.model, list(people)) if any(one.calculated for one in columns) else {}
    stored = _stored(level, [link.attname for link in links] + paths, place, all_visits=all_visits)
    for patient_id, pk, *values in sorted(stored, key=lambda row: (place[row[0]], ours.get(row[1], 0), row[1])):
        person = people[patient_id]
        linked = [known.get(value) for known, value in zip(theirs, values, strict=False)]
        cells = dict(zip(paths, values[len(links) :], strict=True)) | now.get(pk, {}) | worked_out.get(pk, NOTHING)
        yield (
            person.pseudonym,
            *([ours[pk]] if own else []),
            *linked,
            *(column.say(person, *(cells[path] for path in column.paths)) for column in columns),
        )


def _stored(level: Level, paths: list[str], patients: Any, *, all_visits: bool) -> list[Row]:
    key = "pk" if level.is_patient else f"{level.patient}_id"
    rows = level.model._default_manager.filter(**{f"{level.patient}__in": list(patients)}).order_by()
    if not all_visits:
        rows = rows.filter(level.signed())
    return list(rows.values_list(key, "pk", *paths))


def _lesions_by_signed_visits(patients: Any) -> dict[int, dict[str, Any]]:
    """The maintained columns as the signed visits alone would leave them: {lesion: {column: value}}."""
    lesions = Lesion.objects.filter(patient__in=list(patients)).in_bulk()
    seen: dict[int, list[LesionObservation]] = {}
    rows = LesionObservation.objects.filter(levels()["lesionobservation"].signed(), patient__in=list(patients))
    needed = ("lesion", "visit__visit_date", "status_change", "ulcerated", "infection", "area_mm2")
    for one in rows.select_related("visit").only(*needed).order_by("visit__visit_date", "visit_id"):
        seen.setdefault(one.lesion_id, []).append(one)
    found = {}
    for pk, lesion in lesions.items():
        lesion.settle(seen.get(pk, []))
        found[pk] = {name: getattr(lesion, name) for name in Lesion.MAINTAINED}
    return found


def _link_table(link: Link, people: Sequence[Person], *, all_visits: bool) -> Table:
    """Which lesions a record is about: one row per pair."""
    source, target = link.source, link.target
    keys = (_patient_key(), _key(source.number, source.title), _key(target.number, target.title))

    def rows() -> Iterator[Row]:
        for some in _chunks(people):
            place = {pk: index for index, pk in enumerate(some)}
            ours, theirs = (numbers(one, place, all_visits=all_visits) for one in (source, target))
            pairs = [
                (some[patient].pseudonym, ours[one], theirs[other])
                for patient, one, other in link.pairs(list(some))
                if one in ours and other in theirs
            ]
            yield from sorted(pairs)

    return Table(
        f"{source.table}_{target.table}", f"{source.title}: {target.model._meta.verbose_name_plural}", keys, rows
    )
