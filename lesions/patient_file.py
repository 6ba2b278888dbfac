"""Everything kept about one patient, in a fixed number of queries however much there is.

Visits, lesions, observations and the many small kinds of record (treatments, labs, images, scores, ...) come in one
UNION ALL that hands over each row as a JSON array: the queries of a patient page cost little, the number of them and
the ORM cost much.
"""

from __future__ import annotations

import datetime
import json
from collections import namedtuple
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from functools import cache
from typing import Any, NamedTuple, TypeVar

from django.db import connection, models
from django.db.models import OuterRef, Subquery

from calcinosis_registry.audit.models import Action, Event
from calcinosis_registry.records.models import Record, record_kinds
from lesions.models import (
    ComplicationLesion,
    HandScore,
    ImagingFile,
    ImagingLesion,
    ImagingMeasure,
    Lesion,
    LesionObservation,
    ProcedureLesion,
    SecondReading,
    SkinScore,
    TreatmentLesion,
)
from patients.models import Patient, PatientRecord, Visit

M = TypeVar("M", bound=models.Model)
Reader = Callable[[Any], Any]
LINKS = {
    TreatmentLesion: "course_id", ProcedureLesion: "procedure_id", ComplicationLesion: "complication_id",
    ImagingLesion: "study_id",
}  # fmt: skip
EVENTS = 120
_DECODE = json.JSONDecoder(parse_float=Decimal).decode

# The columns of an observation that the page shows; anything else of it would be a query of its own.
OBSERVED = (
    "lesion_id", "visit_id", "status_change", "observed", "ulcerated", "ulcer_size_mm", "infection", "length_mm",
    "width_mm", "area_mm2", "count_estimate",
)  # fmt: skip
Observed = namedtuple("Observed", OBSERVED)  # type: ignore[misc]  # the names stand once


def newest_events(patient: Patient, *, before: int | None = None) -> list[Event]:
    """The newest changes of the patient's records, newest first; readings are left out. ``before``: older than that."""
    events = Event.objects.filter(patient__in=patient.numbers).exclude(action=Action.READ)
    return list((events.filter(pk__lt=before) if before else events)[:EVENTS])


def kinds_at(visit: Visit) -> set[type[PatientRecord]]:
    """The kinds of which something was recorded at a visit: one query that spares a query of each other kind."""
    if visit.pk is None:
        return set()
    models_ = record_kinds(PatientRecord)
    with connection.cursor() as cursor:
        cursor.execute(_kinds_statement(), [visit.pk] * len(models_))
        return {models_[position] for (position,) in cursor.fetchall()}


def last_change_of(registry_number: OuterRef) -> Subquery:
    """The seal of the last change of a patient's records, for a query of patients; readings are no change."""
    events = Event.objects.of_patient(registry_number).exclude(action=Action.READ)  # type: ignore[arg-type]
    return Subquery(events.values("seal")[:1])


class PatientFile:
    """Every record of a patient: ``file[TreatmentCourse]`` is a list; ``file.lesion_ids(course)`` its lesions.

    ``visits`` oldest first, each with ``mrss`` (0-51 or None) of its skin score; ``lesions`` in order of their numbers;
    ``observations`` rows with the columns of OBSERVED, in no order. ``reader``: the account that reads the file; of a
    radiograph it is the second reader of, it holds no reading and no measurement but the account's own.
    """

    def __init__(self, patient: Patient, *, reader: int | None) -> None:
        self._rows: dict[type[models.Model], list[Any]] = {branch.model: [] for branch in _branches()}
        with connection.cursor() as cursor:
            cursor.execute(_statement(connection.vendor), [patient.pk] * len(self._rows))
            told = cursor.fetchall()
        branches = _branches()
        for position, row in told:
            branch = branches[position]
            self._rows[branch.model].append(branch.read(_DECODE(row)))
        self._keep_blind(reader)
        self.observations: list[Any] = self._rows[LesionObservation]
        self.lesions: list[Lesion] = sorted(self._rows[Lesion], key=lambda one: one.number)
        self.visits: list[Visit] = sorted(self._rows[Visit], key=lambda one: (one.visit_date, one.pk))
        self._know(patient)
        self._links: dict[tuple[type[models.Model], int], list[int]] = {}
        for link, key in LINKS.items():
            target: Any = link._meta.get_field(key.removesuffix("_id")).related_model
            for row in self._rows[link]:
                self._links.setdefault((target, getattr(row, key)), []).append(row.lesion_id)

    def _keep_blind(self, reader: int | None) -> None:
        """As ReadingQuerySet and MeasureQuerySet do: the rows of the union come by a way of their own."""
        unfinished = {
            (one.study_id, one.reader_id) for one in self._rows[SecondReading] if not one.ended_at and one.reader_id
        }
        self._rows[HandScore] = [
            one for one in self._rows[HandScore]
            if one.rater_id == reader or not {(one.study_id, reader), (one.study_id, one.rater_id)} & unfinished
        ]  # fmt: skip
        self._rows[ImagingMeasure] = [
            one for one in self._rows[ImagingMeasure]
            if one.measured_by_id == reader or (one.study_id, reader) not in unfinished
        ]  # fmt: skip

    def _know(self, patient: Patient) -> None:
        """Every record has its patient and visit without a query."""
        visits = {visit.pk: visit for visit in self.visits}
        mrss = {score.visit_id: score.total for score in self._rows[SkinScore]}
        for visit in self.visits:
            visit.patient = patient
            visit.mrss = mrss.get(visit.pk)  # type: ignore[attr-defined]
        for model, rows in self._rows.items():
            if issubclass(model, PatientRecord) and model is not LesionObservation:
                for record in rows:
                    record.patient = patient
                    if record.visit_id is None or record.visit_id in visits:
                        record.visit = visits.get(record.visit_id)
        self._rows[Patient] = [patient]

    def __getitem__(self, model: type[M]) -> list[M]:
        return self._rows[model]

    def one(self, model: type[M]) -> M | None:
        """The record of a kind of which there is one."""
        return next(iter(self._rows[model]), None)

    def find(self, label: str, key: int | None) -> Record | None:
        """The record an event or a data query is about, by the label of its model; None where it is gone."""
        model = next((one for one in self._rows if one._meta.label_lower == label and issubclass(one, Record)), None)
        if model is None or model is LesionObservation:  # an observation is read in a few columns, and is no page
            return None
        return next((one for one in self._rows[model] if one.pk == key), None)

    def lesion_ids(self, record: models.Model) -> list[int]:
        return self._links.get((type(record), record.pk), [])


class _Branch(NamedTuple):
    """One part of the union. ``where``: SQL that tells the patient's rows; ``names`` of the columns; ``read_by``: what
    makes a value of the JSON of a column, by its place, where that is not the value itself."""

    model: type[models.Model]
    where: str
    fields: Sequence[models.Field]
    names: list[str]
    read_by: list[tuple[int, Reader]]

    def read(self, values: list[Any]) -> Any:
        for place, reader in self.read_by:
            values[place] = reader(values[place])
        if self.model is LesionObservation:
            return Observed._make(values)
        return self.model.from_db(None, self.names, values)


@cache
def _branches() -> list[_Branch]:
    def branch(model: type[models.Model], where: str, fields: Iterable[models.Field] | None = None) -> _Branch:
        columns = list(fields or model._meta.concrete_fields)
        readers = [(place, _reader(one)) for place, one in enumerate(columns)]
        read_by = [(place, reader) for place, reader in readers if reader is not None]
        return _Branch(model, where, columns, [one.attname for one in columns], read_by)

    observed = [LesionObservation._meta.get_field(name.removesuffix("_id")) for name in OBSERVED]
    # The header of an image can be long, and no page of the patient shows it.
    pictured = [one for one in ImagingFile._meta.concrete_fields if one.name != "header"]
    lesion = "lesion_id IN (SELECT id FROM lesions_lesion WHERE patient_id = %s)"
    study = "study_id IN (SELECT id FROM lesions_imagingstudy WHERE patient_id = %s)"
    own = "patient_id = %s"
    return [
        branch(Visit, own),
        *(branch(model, own) for model in record_kinds(PatientRecord) if model is not LesionObservation),
        branch(LesionObservation, own, observed),  # type: ignore[arg-type]  # many rows, few columns
        *(branch(link, lesion) for link in LINKS),
        branch(ImagingFile, study, pictured),
        branch(SecondReading, study),
    ]


@cache
def _kinds_statement() -> str:
    tables = [connection.ops.quote_name(model._meta.db_table) for model in record_kinds(PatientRecord)]
    parts = [
        f"SELECT {position} AS part WHERE EXISTS (SELECT 1 FROM {table} WHERE visit_id = %s)"  # noqa: S608  no input
        for position, table in enumerate(tables)
    ]
    return " UNION ALL ".join(parts)


@cache
def _statement(vendor: str) -> str:
    """Written from the models; the only values are the patient's key. Rows come in the order they were entered."""
    array, cast = ("json_build_array", "::text") if vendor == "postgresql" else ("json_array", "")
    parts = []
    for position, branch in enumerate(_branches()):
        columns = ", ".join(connection.ops.quote_name(one.column) for one in branch.fields)
        table = connection.ops.quote_name(branch.model._meta.db_table)
        parts.append(f"SELECT {position} AS part, {array}({columns}){cast} AS body FROM {table} WHERE {branch.where}")  # noqa: S608  no input
    return " UNION ALL ".join(parts)


def _reader(field: models.Field) -> Reader | None:
    """What makes of a column's JSON what the ORM would give; None where they are the same."""
    if isinstance(field, models.JSONField):
        return lambda raw: json.loads(raw) if isinstance(raw, str) else raw
    if hasattr(field, "from_db_value"):
        return field.from_db_value
    if isinstance(field, models.DecimalField):
        unit = Decimal(1).scaleb(-field.decimal_places)
        return lambda raw: None if raw is None else Decimal(raw).quantize(unit)
    if isinstance(field, models.DateTimeField):
        return _moment
    if isinstance(field, models.DateField):
        return lambda raw: None if raw is None else datetime.date.fromisoformat(raw)
    if isinstance(field, models.BooleanField):
        return lambda raw: None if raw is None else bool(raw)
    return None


def _moment(raw: str | None) -> datetime.datetime | None:
    if raw is None:
        return None
    moment = datetime.datetime.fromisoformat(raw)
    return moment if moment.tzinfo else moment.replace(tzinfo=datetime.UTC)
