"""From a question and a reader to the chapters of a report, kept until a record they are made of changes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as __

from calcinosis_registry.cohorts.dataset import build
from calcinosis_registry.cohorts.scope import Count, Scope
from calcinosis_registry.cohorts.snapshot.building import Tell, nothing
from calcinosis_registry.reports import kept
from calcinosis_registry.reports.chapters import characteristics, course, events, lesions, outcomes, treatments
from calcinosis_registry.reports.exhibits import Exhibit, Sheet
from calcinosis_registry.reports.frame import frame
from calcinosis_registry.reports.grouping import columns_for, grouping
from calcinosis_registry.reports.subject import Subject
from calcinosis_registry.reports.summaries import Line, sheet_of
from calcinosis_registry.reports.telling import Teller

CHARACTERISTICS, PDF = "characteristics", "pdf"
LONGEST = 600  # seconds: a repair without an event is seen in 10 minutes
TITLES: Mapping[str, Any] = {
    CHARACTERISTICS: __("Table 1"),
    "lesions": __("Lesions"),
    "events": __("Events"),
    "course": __("Time to event"),
    "treatments": __("Treatments"),
    "outcomes": __("Outcomes"),
}
CHAPTERS: Mapping[str, Callable[[Subject], list[Exhibit]]] = {
    "lesions": lesions.chapter,
    "events": events.chapter,
    "course": course.chapter,
    "treatments": treatments.chapter,
    "outcomes": outcomes.chapter,
}
GROUPED = frozenset({CHARACTERISTICS, "events", "course", "outcomes"})  # chapters that can be told by group


@dataclass(frozen=True)
class Chapter:
    """``patients``: how many, as may be shown; ``groups``: names and sizes; ``refused``: why there are none."""

    key: str
    patients: Count
    exhibits: list[Exhibit]
    groups: list[tuple[str, str]] = field(default_factory=list)
    missing: str = ""
    refused: str = ""
    table: list[Line] = field(default_factory=list)
    sheet: Sheet | None = None

    @property
    def title(self) -> str:
        return str(TITLES[self.key])

    def exhibit(self, key: str) -> Exhibit | None:
        return next((one for one in self.exhibits if one.key == key), None)


def chapters(*, definition: Any, scope: Scope, keys: tuple[str, ...], by: str = "") -> list[Chapter]:
    """Chapters of one report, from one reading of the dataset. Raises DefinitionError."""
    found = [kept.get(_name(definition, scope, key, by)) for key in keys]
    known = [one for one in found if one is not None and time.time() - one[0].at < LONGEST]
    if len(known) == len(keys) and all(head.is_current for head in {head for head, _made in known}):
        return [made for _head, made in known]
    return list(make(definition=definition, scope=scope, keys=keys, by=by))


def make(
    *, definition: Any, scope: Scope, keys: tuple[str, ...] = tuple(TITLES), by: str = "", tell: Tell = nothing
) -> Iterator[Chapter]:
    """Make chapters one by one and keep them. Raises DefinitionError."""
    head = kept.Head.now()  # before the reading: a change meanwhile is seen later
    subject = subject_of(definition=definition, scope=scope, by=by, tell=tell)
    for place, key in enumerate(keys):
        tell(str(TITLES[key]), place, len(keys) + 1)
        made = _chapter(key, subject)
        kept.put(_name(definition, scope, key, by), head, made)
        yield made


def made_before(
    *, definition: Any, scope: Scope, key: str, by: str = "", printed: tuple[str, ...] = ()
) -> tuple[kept.Head, Any] | None:
    """A chapter, or the PDF, as it was made last, unless somebody's consent changed since. ``printed``: what the PDF
    says of whose report it is."""
    found = kept.get(_name(definition, scope, key, by, printed))
    return None if found is None or found[0].somebody_left else found


def keep_pdf(pdf: bytes, head: kept.Head, *, definition: Any, scope: Scope, by: str, printed: tuple[str, ...]) -> None:
    kept.put(_name(definition, scope, PDF, by, printed), head, pdf)


def subject_of(*, definition: Any, scope: Scope, by: str = "", tell: Tell = nothing) -> Subject:
    """The patients of a question as the chapters know them. Raises DefinitionError."""
    data = frame(build(definition=definition, scope=scope, tell=tell), columns_for(by))
    return Subject(data, grouping(data, by), Teller(scope, data.keys))


def _chapter(key: str, subject: Subject) -> Chapter:
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


def _name(definition: Any, scope: Scope, chapter: str, by: str, printed: tuple[str, ...] = ()) -> str:
    """Of everything a chapter depends on but the records."""
    by = by if chapter in GROUPED or chapter == PDF else ""
    clinics = None if scope.clinics is None else sorted(scope.clinics)
    items = None if scope.items is None else sorted(scope.items)
    project = scope.project.public_id if scope.project else ""
    return kept.name_of(definition, clinics, scope.exact, project, items, chapter, by, printed, get_language())
