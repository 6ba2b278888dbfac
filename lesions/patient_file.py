"""Everything kept about one patient, in a fixed number of queries however much there is.

The many small kinds of record (treatments, labs, images, scores, ...) come in one UNION ALL that hands over each row as
a JSON array (performance.md: the queries of a patient page cost little, the number of them and the ORM cost much).
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterable
from decimal import Decimal
from functools import cache
from typing import Any, TypeVar

from django.db import connection, models
from django.db.models import OuterRef, Subquery

from calcinosis_registry.audit.models import Action, Event
from calcinosis_registry.records.models import Record, record_kinds
from lesions.models import (
    ComplicationLesion,
    ImagingFile,
    ImagingLesion,
    Lesion,
    LesionObservation,
    ProcedureLesion,
    SkinScore,
    TreatmentLesion,
)
from patients.models import Patient, PatientRecord, Visit

M = TypeVar("M", bound=models.Model)
VISIT = Visit._meta.label_lower
LINKS = {
    TreatmentLesion: "course_id", ProcedureLesion: "procedure_id", ComplicationLesion: "complication_id",
    ImagingLesion: "study_id",
}  # fmt: skip
APART = (Lesion, LesionObservation)  # read by themselves: many rows, few columns
EVENTS = 120

# The columns of an observation that the page shows; anything else of it would be a query of its own.
OBSERVED = (
    "lesion_id", "visit_id", "status_change", "ulcerated", "ulcer_size_mm", "infection", "length_mm", "width_mm",
    "area_mm2", "count_estimate",
)  # fmt: skip


def visits_of(patient: Patient) -> list[Visit]:
    """Oldest first, each with ``mrss`` (0-51 or None) of its skin score."""
    mrss = SkinScore.objects.filter(visit=OuterRef("pk")).values("total")[:1]
    visits = list(Visit.objects.filter(patient=patient).annotate(mrss=Subquery(mrss)))
    for visit in visits:
        visit.patient = patient
    return visits


def lesions_of(patient: Patient) -> list[Lesion]:
    """In order of their numbers."""
    return list(Lesion.objects.filter(patient=patient).order_by("number"))


def observations_of(patient: Patient) -> list[Any]:
    """Rows with the columns of OBSERVED, in no order."""
    return list(LesionObservation.objects.filter(patient=patient).order_by().values_list(*OBSERVED, named=True))


def newest_events(patient: Patient, *, before: int | None = None) -> list[Event]:
    """The newest changes of the patient's records, newest first; readings are left out. ``before``: older than that."""
    events = Event.objects.of_patient(patient.registry_number).exclude(action=Action.READ)
    return list((events.filter(pk__lt=before) if before else events)[:EVENTS])


def kinds_at(visit: Visit) -> set[type[PatientRecord]]:
    """The kinds of which something was recorded at a visit: one query that spares a query of each other kind."""
    if visit.pk is None:
        return set()
    models_ = record_kinds(PatientRecord)
    with connection.cursor() as cursor:
        cursor.execute(_kinds_statement(), [visit.pk] * len(models_))
        return {models_[position] for (position,) in cursor.fetchall()}


class PatientFile:
    """Every other record of a patient: ``file[TreatmentCourse]`` is a list; ``file.lesion_ids(course)`` its lesions.

    ``known``: the patient, visits and lesions, read before.
    """

    def __init__(self, patient: Patient, known: Iterable[Record]) -> None:
        self._rows: dict[type[models.Model], list[Any]] = {model: [] for model, _table, _names in _branches()}
        self._known = {(one._meta.label_lower, one.pk): one for one in known}
        with connection.cursor() as cursor:
            cursor.execute(_statement(connection.vendor), [patient.pk] * len(self._rows))
            for position, row in cursor.fetchall():
                model, _where, fields = _branches()[position]
                record = model.from_db(None, [one.attname for one in fields], _values(fields, row))
                if isinstance(record, PatientRecord):
                    record.patient = patient
                    record.visit = self._known.get((VISIT, record.visit_id))  # type: ignore[assignment]
                self._rows[model].append(record)
        self._links: dict[tuple[type[models.Model], int], list[int]] = {}
        for link, key in LINKS.items():
            target: Any = link._meta.get_field(key.removesuffix("_id")).related_model
            for row in self._rows[link]:
                self._links.setdefault((target, getattr(row, key)), []).append(row.lesion_id)

    def __getitem__(self, model: type[M]) -> list[M]:
        return self._rows[model]

    def one(self, model: type[M]) -> M | None:
        """The record of a kind of which there is one."""
        return next(iter(self._rows[model]), None)

    def find(self, label: str, key: int | None) -> Record | None:
        """The record an event or a data query is about, by the label of its model; None where it is gone."""
        if (label, key) in self._known:
            return self._known[label, key]  # type: ignore[index]
        model = next((one for one in self._rows if one._meta.label_lower == label and issubclass(one, Record)), None)
        return next((one for one in self._rows[model] if one.pk == key), None) if model else None

    def lesion_ids(self, record: models.Model) -> list[int]:
        return self._links.get((type(record), record.pk), [])


@cache
def _branches() -> list[tuple[type[models.Model], str, list[models.Field]]]:
    """(model, SQL that tells the patient's rows, columns) of each part of the union."""
    kinds = [model for model in record_kinds(PatientRecord) if model not in APART]
    found = [(model, "patient_id = %s", list(model._meta.concrete_fields)) for model in kinds]
    lesion = "lesion_id IN (SELECT id FROM lesions_lesion WHERE patient_id = %s)"
    found += [(link, lesion, list(link._meta.concrete_fields)) for link in LINKS]
    study = "study_id IN (SELECT id FROM lesions_imagingstudy WHERE patient_id = %s)"
    # The header of an image can be long, and no page of the patient shows it.
    columns = [one for one in ImagingFile._meta.concrete_fields if one.name != "header"]
    return [*found, (ImagingFile, study, columns)]  # type: ignore[list-item]


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
    for position, (model, where, fields) in enumerate(_branches()):
        columns = ", ".join(connection.ops.quote_name(one.column) for one in fields)
        table = connection.ops.quote_name(model._meta.db_table)
        parts.append(f"SELECT {position} AS part, {array}({columns}){cast} AS body FROM {table} WHERE {where}")  # noqa: S608  no input
    return " UNION ALL ".join(parts)


def _values(fields: list[models.Field], row: str) -> list[Any]:
    return [_value(field, raw) for field, raw in zip(fields, json.loads(row, parse_float=Decimal), strict=True)]


def _value(field: models.Field, raw: Any) -> Any:
    """A column's value out of JSON as the ORM would give it."""
    if raw is None:
        return field.from_db_value(None) if hasattr(field, "from_db_value") else None
    if isinstance(field, models.JSONField):
        return json.loads(raw) if isinstance(raw, str) else raw
    if hasattr(field, "from_db_value"):
        return field.from_db_value(raw)
    if isinstance(field, models.DecimalField):
        return Decimal(raw).quantize(Decimal(1).scaleb(-field.decimal_places))
    if isinstance(field, models.DateTimeField):
        moment = datetime.datetime.fromisoformat(raw)
        return moment if moment.tzinfo else moment.replace(tzinfo=datetime.UTC)
    if isinstance(field, models.DateField):
        return datetime.date.fromisoformat(raw)
    if isinstance(field, models.BooleanField):
        return bool(raw)
    return raw
