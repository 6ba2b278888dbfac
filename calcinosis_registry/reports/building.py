"""From a question and a reader to the chapters of a report, kept until a record they are made of changes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from django.utils.translation import get_language

from calcinosis_registry.cohorts.scope import Scope
from calcinosis_registry.cohorts.snapshot.building import Tell, nothing
from calcinosis_registry.reports import kept, making
from calcinosis_registry.reports.outline import GROUPED, TITLES, Chapter

PDF = "pdf"
LONGEST = 600  # seconds: a repair without an event is seen in 10 minutes


def chapters(*, definition: Any, scope: Scope, keys: tuple[str, ...], by: str = "") -> list[Chapter]:
    """Chapters of one report, from one reading of the dataset. Raises DefinitionError, or NoRoom."""
    found = [kept.get(_name(definition, scope, key, by)) for key in keys]
    known = [one for one in found if one is not None and time.time() - one[0].at < LONGEST]
    if len(known) == len(keys) and all(head.is_current for head in {head for head, _made in known}):
        return [made for _head, made in known]
    return list(make(definition=definition, scope=scope, keys=keys, by=by))


def make(
    *, definition: Any, scope: Scope, keys: tuple[str, ...] = tuple(TITLES), by: str = "", tell: Tell = nothing
) -> Iterator[Chapter]:
    """Make chapters one by one and keep them. Raises DefinitionError, or NoRoom."""
    head = kept.Head.now()  # before the reading: a change meanwhile is seen later
    subject = making.subject_of(definition=definition, scope=scope, by=by, tell=tell)
    for place, key in enumerate(keys):
        tell(str(TITLES[key]), place, len(keys) + 1)
        made = making.chapter(key, subject)
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


def _name(definition: Any, scope: Scope, chapter: str, by: str, printed: tuple[str, ...] = ()) -> str:
    """Of everything a chapter depends on but the records."""
    by = by if chapter in GROUPED or chapter == PDF else ""
    clinics = None if scope.clinics is None else sorted(scope.clinics)
    items = None if scope.items is None else sorted(scope.items)
    project = scope.project.public_id if scope.project else ""
    return kept.name_of(definition, clinics, scope.exact, project, items, chapter, by, printed, get_language())
