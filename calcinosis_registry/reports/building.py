"""From a question and a reader to the chapters of a report, kept until anything in the register changes."""

from __future__ import annotations

import pickle
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from threading import Lock
from typing import Any

from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as __

from calcinosis_registry.audit.models import Event
from calcinosis_registry.cohorts.dataset import build
from calcinosis_registry.cohorts.scope import Scope
from calcinosis_registry.reports.chapters import characteristics, course, events, lesions, outcomes, treatments
from calcinosis_registry.reports.exhibits import Exhibit, Sheet
from calcinosis_registry.reports.frame import frame
from calcinosis_registry.reports.grouping import columns_for, grouping
from calcinosis_registry.reports.subject import Subject
from calcinosis_registry.reports.summaries import Line, sheet_of
from calcinosis_registry.reports.telling import Teller

CHARACTERISTICS = "characteristics"
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
    """``patients``: how many it is about, as counted; ``groups``: names and sizes; ``refused``: why there are none."""

    key: str
    patients: int
    exhibits: list[Exhibit]
    groups: list[tuple[str, int]] = field(default_factory=list)
    missing: int = 0
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
    found = [KEPT.get(_key(definition, scope, key, by)) for key in keys]
    if all(found):
        return [one for one in found if one is not None]
    names = [_key(definition, scope, key, by) for key in keys]  # before the reading: a change meanwhile is seen later
    subject = subject_of(definition=definition, scope=scope, by=by)
    made = [_chapter(key, subject) for key in keys]
    for name, one in zip(names, made, strict=True):
        KEPT.put(name, one)
    return made


def subject_of(*, definition: Any, scope: Scope, by: str = "") -> Subject:
    """The patients of a question as the chapters know them. Raises DefinitionError."""
    data = frame(build(definition=definition, scope=scope), columns_for(by))
    return Subject(data, grouping(data, by), Teller(scope))


def _chapter(key: str, subject: Subject) -> Chapter:
    groups = list(zip(subject.by.names, subject.by.sizes(), strict=True)) if subject.by.grouped else []
    told: Any = {"groups": groups, "missing": subject.by.missing, "refused": subject.by.refused}
    if key != CHARACTERISTICS:
        return Chapter(key, subject.n, CHAPTERS[key](subject), **told)
    found, lines = characteristics.table(subject)
    return Chapter(
        key,
        subject.n,
        [characteristics.features(subject, found)],
        table=lines,
        sheet=sheet_of(lines, subject.by),
        **told,
    )


# ---- kept in this process


def _key(definition: Any, scope: Scope, chapter: str, by: str) -> bytes:
    """A hash of everything a chapter depends on; the last event stands for all records."""
    last = Event.objects.order_by("-pk").values_list("pk", flat=True).first()
    clinics = None if scope.clinics is None else sorted(scope.clinics)
    items = None if scope.items is None else sorted(scope.items)
    project = scope.project.public_id if scope.project else ""
    told = (last, definition, clinics, scope.exact, project, items, chapter, by, get_language())
    return sha256(repr(told).encode()).digest()


class Kept:
    """The chapters asked for last, of a bounded size and age: a repair without an event is seen in 10 minutes."""

    MOST, LONGEST = 24_000_000, 600  # bytes in all; seconds

    def __init__(self) -> None:
        self._found: OrderedDict[bytes, tuple[float, bytes]] = OrderedDict()
        self._lock = Lock()

    def get(self, key: bytes) -> Chapter | None:
        with self._lock:
            at, kept = self._found.get(key, (0.0, b""))
            if not kept or time.monotonic() - at > self.LONGEST:
                return None
            self._found.move_to_end(key)
        return pickle.loads(kept)  # noqa: S301  written by this process, never stored

    def put(self, key: bytes, chapter: Chapter) -> None:
        kept = pickle.dumps(chapter)
        with self._lock:
            self._found[key] = time.monotonic(), kept
            while sum(len(one) for _at, one in self._found.values()) > self.MOST:
                self._found.popitem(last=False)

    def clear(self) -> None:
        with self._lock:
            self._found.clear()


KEPT = Kept()
