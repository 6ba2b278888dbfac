"""The dataset once more, row by row in Python from the database: what the expressions must agree with.

Written independently of them: through the models, one patient at a time, with the rules of lesions/ and patients/.
"""

from __future__ import annotations

import datetime
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from django.db import models

from calcinosis_registry.codebook.partial_dates import PartialDate, Precision
from calcinosis_registry.cohorts.columns import Column, Kind, Rule
from calcinosis_registry.cohorts.dataset import Dataset, Person
from calcinosis_registry.cohorts.links import Link, link_tables, links_of, numbered
from calcinosis_registry.cohorts.structure import Level, levels
from lesions.models import ImagingStudy, Lesion, LesionObservation
from lesions.outcome import first_visit, incident_lesions, outcomes
from patients.models import LaboratoryResult, Patient, Visit

Row = tuple[Any, ...]


def rows_of(dataset: Dataset, name: str) -> list[Row]:
    """What the table ``name`` must hold."""
    table = dataset.tables[name]
    for level in levels().values():
        if level.table == name:
            return [row for one in dataset.people for row in _of_person(level, table.columns, one, dataset.all_visits)]
    link = next(one for one in link_tables() if f"{one.source.table}_{one.target.table}" == name)
    return [row for one in dataset.people for row in _pairs(link, one, dataset.all_visits)]


def _of_person(level: Level, columns: tuple[Column, ...], person: Person, all_visits: bool) -> Iterator[Row]:
    ours = numbers(level, person.pk, all_visits=all_visits) if level.kind in numbered() else {}
    theirs = {link.name: numbers(link.target, person.pk, all_visits=all_visits) for link in links_of(level)}
    keys = {link.name: link.attname for link in links_of(level)}
    worked_out = _worked_out(level.model, person.pk)
    rows = _stored(level, person.pk, all_visits=all_visits)
    if level.model is Lesion and not all_visits:
        for one in rows:
            seen = LesionObservation.objects.filter(lesion=one, visit__state="SIGNED").select_related("visit")
            one.settle(list(seen.order_by("visit__visit_date", "visit_id")))
    for one in sorted(rows, key=lambda one: (ours.get(one.pk, 0), one.pk)):
        cells = []
        for column in columns:
            if column.rule is Rule.NUMBER:
                cells.append(ours[one.pk])
            elif column.rule is Rule.LINK:
                cells.append(theirs[column.name].get(getattr(one, keys[column.name])))
            elif column.rule is Rule.WORKED_OUT:
                value = worked_out.get(one.pk)
                cells.append(int(value) if isinstance(value, bool) else value)
            else:
                cells.append(_cell(column, one, person))
        yield tuple(cells)


def _stored(level: Level, patient: int, *, all_visits: bool) -> list[Any]:
    rows = level.model._default_manager.filter(**{level.patient: patient}).order_by()
    return list(rows if all_visits else rows.filter(level.signed()))


def _cell(column: Column, one: Any, person: Person) -> Any:
    if column.rule is Rule.PATIENT:
        return person.pseudonym
    if column.rule is Rule.CLINIC:
        return person.clinic
    back = datetime.timedelta(days=person.shift)
    if column.rule in (Rule.AGE, Rule.VERY_OLD):
        born: Patient = one if isinstance(one, Patient) else one.patient
        years = born.age_on(getattr(one, column.paths[1]))
        if years is None:
            return None
        return int(years >= 90) if column.rule is Rule.VERY_OLD else min(years, 90)
    value = getattr(one, column.paths[0])
    if column.rule is Rule.UNIT:
        return LaboratoryResult(analyte=value).unit
    if value is None or value == "":
        return None
    if column.rule is Rule.DATE:
        return (value.date() if isinstance(value, datetime.datetime) else value) - back
    if column.rule is Rule.PRECISION:
        return value.precision.value
    if column.rule in (Rule.EARLIEST, Rule.LATEST):
        return getattr(_shifted(value, back), column.rule.value)
    if column.kind is Kind.CODES:
        return ";".join(value) or None
    if column.kind is Kind.BOOLEAN:
        return int(value)
    return float(value) if column.kind is Kind.DECIMAL and not column.digits else value


def _shifted(value: PartialDate, back: datetime.timedelta) -> PartialDate:
    if value.precision is Precision.UNKNOWN:
        return value
    middle = value.earliest + (value.latest - value.earliest) // 2 - back
    if value.precision is Precision.YEAR:
        return PartialDate(middle.year)
    return PartialDate(middle.year, middle.month) if value.precision is Precision.MONTH else PartialDate.of(middle)


def numbers(level: Level, patient: int, *, all_visits: bool) -> dict[int, int]:
    """{key: number within the patient} of the exported rows. Rows left out keep their number."""
    rows = level.model._default_manager.filter(**{level.patient: patient})
    kept = set((rows if all_visits else rows.filter(level.signed())).order_by().values_list("pk", flat=True))
    if level.model is Lesion:
        found = dict(rows.order_by().values_list("pk", "number"))
    else:
        order = ("visit_date", "pk") if level.model is Visit else ("pk",)
        found = {pk: place + 1 for place, pk in enumerate(rows.order_by(*order).values_list("pk", flat=True))}
    return {pk: number for pk, number in found.items() if pk in kept}


def _pairs(link: Link, person: Person, all_visits: bool) -> list[Row]:
    through = link.field.remote_field.through._default_manager
    ours, theirs = link.field.m2m_field_name(), link.field.m2m_reverse_field_name()
    pairs = through.filter(**{f"{ours}__{link.source.patient}": person.pk}).values_list(f"{ours}_id", f"{theirs}_id")
    first, second = (numbers(one, person.pk, all_visits=all_visits) for one in (link.source, link.target))
    return sorted(
        (person.pseudonym, first[one], second[other]) for one, other in pairs if one in first and other in second
    )


def _worked_out(model: type[models.Model], patient: int) -> dict[int, Any]:
    visits = list(Visit.objects.filter(patient=patient).order_by("visit_date", "pk"))
    lesions = {one.pk: one for one in Lesion.objects.filter(patient=patient)}
    seen: list[LesionObservation] = list(LesionObservation.objects.filter(patient=patient))
    first = first_visit(visits)
    studies = list(ImagingStudy.objects.filter(patient=patient, calcinosis_present="N"))
    incident = incident_lesions(first, lesions, seen, studies)
    if model is Lesion:
        return {pk: pk in incident for pk in lesions}
    found: dict[int, Any] = defaultdict(lambda: None)
    return found | outcomes(first, seen, incident) if model is Visit else found
