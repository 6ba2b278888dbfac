"""How many patients a question finds, as the person may see it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import Count, F, QuerySet, Sum

from calcinosis_registry.cohorts.builder import parse
from calcinosis_registry.cohorts.compiling import clause
from calcinosis_registry.cohorts.dataset import population
from calcinosis_registry.cohorts.facts import outdated, stale
from calcinosis_registry.cohorts.language import Group, Join
from calcinosis_registry.cohorts.mapping import mapped
from calcinosis_registry.cohorts.models import Facts
from calcinosis_registry.cohorts.scope import MIXED, Cell, Scope
from calcinosis_registry.cohorts.scope import Count as Shown
from calcinosis_registry.cohorts.sentences import phrase
from patients.models import Patient


@dataclass(frozen=True)
class Step:
    """One condition and how many patients are left (join: all, none) or found by it alone (join: any)."""

    sentence: str
    count: Shown


def count(definition: Any, scope: Scope) -> Shown:
    """Raises DefinitionError."""
    return count_of(parse(definition, items=scope.items).group, scope)


MOST_STALE = 1000  # more than these, and the records are asked of everybody


def count_of(group: Group, scope: Scope) -> Shown:
    """From the narrow rows where they know all that is asked, else from the records."""
    found = _from_facts(group, scope) or _from_records(group, population(scope))
    return scope.count(found["number"], Cell(found["total"] or 0, found["mixed"] or 0))


def _from_records(group: Group, patients: QuerySet[Patient]) -> dict[str, int]:
    if group.parts:
        patients = patients.filter(clause(group, all_visits=False))
    return patients.aggregate(**NUMBERS)


def _from_facts(group: Group, scope: Scope) -> dict[str, int] | None:
    """None where the rows do not tell. Who was saved since their row was made is asked of the records."""
    asked = mapped(group)
    if asked is None or outdated().exists():
        return None
    late = list(stale().values_list("pk", flat=True)[: MOST_STALE + 1])
    if len(late) > MOST_STALE:
        return None
    rows = Facts.objects.filter(asked)
    rows = rows.filter(counted_in__isnull=False) if scope.clinics is None else rows.filter(counted_in__in=scope.clinics)
    found = (rows.exclude(pk__in=late) if late else rows).aggregate(**NUMBERS)
    if late:
        more = _from_records(group, population(scope).filter(pk__in=late))
        found = {name: (number or 0) + (more[name] or 0) for name, number in found.items()}
    return found


# Whom a count is of, added up in the same query (scope.Cell).
NUMBERS = {"number": Count("pk"), "total": Sum("pk"), "mixed": Sum(F("pk") * F("pk") % MIXED)}


def flow(definition: Any, scope: Scope) -> list[Step]:
    """The way from everyone to the cohort, a condition at a time. Raises DefinitionError."""
    group = parse(definition, items=scope.items).group
    steps: list[Step] = []
    for index, part in enumerate(group.parts):
        parts = (part,) if group.join is Join.ANY else group.parts[: index + 1]
        asked = Group(Join.NONE if group.join is Join.NONE else Join.ALL, parts)
        words = phrase(part, None)
        counted = count_of(asked, scope)
        if steps and group.join is not Join.ANY:
            counted = _no_more(counted, steps[-1].count)
        steps.append(Step(words[:1].upper() + words[1:], counted))
    return steps


def _no_more(counted: Shown, before: Shown) -> Shown:
    """A step never shows more than the one before it, whatever the lots were; this tells nothing new."""
    if before.number is None or (counted.number is not None and counted.number > before.number):
        return before
    return counted
