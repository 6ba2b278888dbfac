"""The cards of the patient page beside lesions and course: labs, images, what is left to do, other records."""

from __future__ import annotations

import datetime
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from django.db import models
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from calcinosis_registry.codebook.fields import PartialDateField
from calcinosis_registry.codebook.items import item_fields
from calcinosis_registry.quality.models import DataQuery
from calcinosis_registry.records.addresses import address
from calcinosis_registry.records.display import words
from calcinosis_registry.records.models import Record
from lesions.figures import sparkline
from lesions.models import (
    AdverseEvent,
    Complication,
    ImagingFile,
    ImagingMeasure,
    ImagingStudy,
    Lesion,
    LesionObservation,
    Procedure,
    TreatmentCourse,
)
from lesions.patient_file import PatientFile
from patients import units
from patients.kinds import kinds
from patients.models import Antibody, Consent, Diagnosis, LaboratoryResult, Patient, Visit, VisitRecord, VisitState

# Kinds with a card of their own, or a place in another one.
SHOWN_ELSEWHERE = {
    Patient, Consent, Diagnosis, Antibody, Lesion, LesionObservation, TreatmentCourse, Procedure, Complication,
    AdverseEvent, ImagingStudy, LaboratoryResult,
}  # fmt: skip
DATES = (PartialDateField, models.DateField)
BRIEF = 4  # values of a record told in one line
RECENT = 3  # records of a kind shown before the rest is folded away
ADULT = 18


def page_of(record: Record | None) -> str:
    """The page on which a record is read and changed; "" for none."""
    if record is None or isinstance(record, ImagingFile):
        return ""
    if isinstance(record, Visit | ImagingStudy):
        return record.get_absolute_url()
    return address("patients:record", record.kind(), ..., of=record.public_id)


# --- Laboratory -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class LabRow:
    """The newest result of one analyte. ``unusual``: outside the plausible range; ``reported``: as the laboratory said,
    "" where that is the same."""

    result: LaboratoryResult
    value: str
    unit: str
    reported: str
    unusual: bool
    previous: str
    previous_on: datetime.date | None
    spark: SafeString


def lab_rows(results: Iterable[LaboratoryResult], patient: Patient) -> list[LabRow]:
    """In the order of the analyte list."""
    by_analyte: dict[str, list[LaboratoryResult]] = defaultdict(list)
    for one in results:
        by_analyte[one.analyte].append(one)
    return [_lab_row(code, by_analyte[code], patient) for code in units.ANALYTES if code in by_analyte]


def _lab_row(code: str, results: list[LaboratoryResult], patient: Patient) -> LabRow:
    results.sort(key=lambda one: (one.collected_on, one.pk))
    newest, before = results[-1], results[-2] if len(results) > 1 else None
    age = patient.age_on(newest.collected_on)
    label = _("%(name)s over time") % {"name": newest.get_analyte_display()}
    points = [(float(one.collected_on.toordinal()), float(one.value)) for one in results]
    value, unit = units.shown(newest.value), newest.unit
    reported = f"{newest.comparator}{newest.value_original.normalize():f} {units.words(newest.unit_original)}"
    return LabRow(
        newest,
        f"{newest.comparator}{value}",
        units.words(unit),
        "" if newest.unit_original == unit else reported,
        not units.within(newest.value, units.soft_range(code, adult=age is None or age >= ADULT)),
        f"{before.comparator}{units.shown(before.value)}" if before else "",
        before.collected_on if before else None,
        mark_safe(sparkline(points, label=label, width=80) if len(points) > 2 else ""),
    )


# --- Imaging ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class StudyCard:
    study: ImagingStudy
    picture: ImagingFile | None
    files: int
    lesions: list[str]
    measures: int


def study_cards(file: PatientFile, labels: dict[int, str]) -> list[StudyCard]:
    """Newest first; undated last. ``picture``: the first file with a preview."""
    files: dict[int, list[ImagingFile]] = defaultdict(list)
    for one in file[ImagingFile]:
        files[one.study_id].append(one)
    measured = Counter(one.study_id for one in file[ImagingMeasure])
    cards = []
    for study in newest_first(file[ImagingStudy], "study_date"):
        own = files[study.pk]
        picture = next((one for one in own if one.has_preview), None)
        marked = [labels[key] for key in sorted(file.lesion_ids(study)) if key in labels]
        cards.append(StudyCard(study, picture, len(own), marked, measured[study.pk]))
    return cards


def newest_first(records: Sequence[Any], name: str) -> list[Any]:
    """By a partial date, the undated last."""
    return sorted(records, key=lambda one: (str(getattr(one, name) or ""), one.pk), reverse=True)


# --- What else there is -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Line:
    """One record in a line: when, what it is called ("" where that says no more than its kind), its first answers."""

    record: Any
    when: str
    name: str
    text: str
    url: str


@dataclass(frozen=True)
class Group:
    """The records of one kind, newest first. ``add``: the page that adds one, "" where only a visit can."""

    title: str
    kind: str
    lines: list[Line]
    add: str


def other_records(file: PatientFile, patient: Patient) -> tuple[list[Group], list[Group]]:
    """(kinds with records, kinds without that can be added here)."""
    filled, empty = [], []
    for kind, model in kinds().items():
        if model in SHOWN_ELSEWHERE:
            continue
        lines = [line_of(record) for record in file[model] if not _on_an_image(record)]
        lines.sort(key=lambda line: (line.when, line.record.pk), reverse=True)
        at_visit = issubclass(model, VisitRecord)
        add = "" if at_visit else address("patients:record_add", ..., kind, of=patient.public_id)
        group = Group(model.title(), kind, lines, add)
        if lines:
            filled.append(group)
        elif add:
            empty.append(group)
    return filled, empty


def _on_an_image(record: Any) -> bool:
    """A measurement of a study stands with its study."""
    return isinstance(record, ImagingMeasure) and record.study_id is not None


def line_of(record: Record) -> Line:
    """The visit's date, else the record's own first date; its first answers in words."""
    if isinstance(record, VisitRecord) and record.visit is not None:
        when = str(record.visit.visit_date)
    else:
        dates = (getattr(record, one.name) for one in _dated_and_told(type(record))[0])
        when = str(next((day for day in dates if day is not None), ""))[:10]
    name = "" if str(record) == record.title() else str(record)
    return Line(record, when, name, brief(record, name), page_of(record))


@cache
def _dated_and_told(model: type[Record]) -> tuple[list[models.Field], list[models.Field]]:
    """(the items that are dates, those whose answers a line tells)"""
    dates: list[models.Field] = [one for one in item_fields(model) if isinstance(one, DATES)]
    return dates, [one for one in item_fields(model) if one not in dates and one.editable]


def brief(record: Record, name: str = "") -> str:
    """``sleep disturbed: yes; quality of life: 6``: the first answers that are no dates and not the record's name."""
    told: list[str] = []
    for one in _dated_and_told(type(record))[1]:
        text = words(one, getattr(record, one.name))
        if text and text not in name:
            told.append(f"{one.verbose_name}: {text}")
        if len(told) > BRIEF:
            return "; ".join(told[:BRIEF]) + "; …"
    return "; ".join(told)


# --- What is left to do -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Task:
    """One thing to do: ``names`` of answers still open, or a question asked ``since`` a day; ``url`` where to do it."""

    title: str
    url: str
    names: list[str] = field(default_factory=list)
    since: datetime.datetime | None = None


@dataclass
class Todo:
    next_due: datetime.date | None
    follow_up: str
    missing: list[Task] = field(default_factory=list)
    unsigned: list[Task] = field(default_factory=list)
    queries: list[Task] = field(default_factory=list)

    @property
    def nothing(self) -> bool:
        return not (self.missing or self.unsigned or self.queries)

    @property
    def lists(self) -> list[tuple[str, bool, list[Task]]]:
        """(title, is it a doubt about something entered, tasks)"""
        return [
            (_("Still to answer"), False, self.missing),
            (_("To sign"), False, self.unsigned),
            (_("Open questions"), True, self.queries),
        ]


def todo_of(patient: Patient, visits: Sequence[Visit], file: PatientFile, queries: Iterable[DataQuery]) -> Todo:
    """What a clinician should do next for this patient. ``queries``: the open ones."""
    summary = getattr(patient, "summary", None)
    follow_up = summary.follow_up if summary else None
    todo = Todo(summary.next_due_on if summary else None, str(follow_up.label) if follow_up else "")
    diagnosis = file.one(Diagnosis)
    if diagnosis is None:
        add = address("patients:record_add", ..., Diagnosis.kind(), of=patient.public_id)
        todo.missing.append(Task(Diagnosis.title(), add))
    for record in (patient, diagnosis):
        if record is not None and (names := names_missing(record)):
            todo.missing.append(Task(type(record).title(), page_of(record), names))
    for visit in reversed(visits):
        title = _("Visit of %(date)s") % {"date": visit.visit_date}
        if visit.state == VisitState.OPEN:
            todo.missing.append(Task(title, page_of(visit), names_missing(visit)))
        elif visit.state == VisitState.COMPLETE:
            todo.unsigned.append(Task(title, page_of(visit)))
    for query in queries:
        url = page_of(file.find(query.model, query.object_id))
        todo.queries.append(Task(query.message, url, since=query.opened_at))
    return todo


def names_missing(record: Record) -> list[str]:
    return [str(one.verbose_name) for one in record.missing()]
