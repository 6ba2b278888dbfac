"""The chapters of a report worked out: the rows of a question, grouped, counted and drawn."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from calcinosis_registry.cohorts.dataset import build
from calcinosis_registry.cohorts.engine import room_on_the_disk
from calcinosis_registry.cohorts.scope import Scope
from calcinosis_registry.cohorts.snapshot.building import Tell, nothing
from calcinosis_registry.reports.chapters import characteristics, course, events, lesions, outcomes, treatments
from calcinosis_registry.reports.exhibits import Exhibit
from calcinosis_registry.reports.frame import frame
from calcinosis_registry.reports.grouping import columns_for, grouping
from calcinosis_registry.reports.outline import CHARACTERISTICS, GROUPED, Chapter
from calcinosis_registry.reports.subject import Subject
from calcinosis_registry.reports.summaries import sheet_of
from calcinosis_registry.reports.telling import Teller

CHAPTERS: Mapping[str, Callable[[Subject], list[Exhibit]]] = {
    "lesions": lesions.chapter,
    "events": events.chapter,
    "course": course.chapter,
    "treatments": treatments.chapter,
    "outcomes": outcomes.chapter,
}


def subject_of(*, definition: Any, scope: Scope, by: str = "", tell: Tell = nothing) -> Subject:
    """The patients of a question as the chapters know them. Raises DefinitionError, or NoRoom."""
    with room_on_the_disk():
        data = frame(build(definition=definition, scope=scope, tell=tell), columns_for(by))
    return Subject(data, grouping(data, by), Teller(scope, data.keys))


def chapter(key: str, subject: Subject) -> Chapter:
    """One chapter of them."""
    by, tell, patients = subject.by, subject.tell, subject.tell.count(subject.n)
    groups = [(name, tell.n(by.members(place))) for place, name in enumerate(by.names)] if by.grouped else []
    missing = tell.n(by.missing) if by.missing else ""
    told: Any = {"groups": groups, "missing": missing, "refused": by.refused} if key in GROUPED else {}
    if key != CHARACTERISTICS:
        return Chapter(key, patients, CHAPTERS[key](subject), **told)
    found, lines = characteristics.table(subject)
    return Chapter(
        key,
        patients,
        [characteristics.features(subject, found)],
        table=lines,
        sheet=sheet_of(lines, subject.by),
        **told,
    )
