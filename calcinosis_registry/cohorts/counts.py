"""How many patients a question finds, as the person may see it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Aggregate, Count, F, QuerySet, Sum
from django.utils.translation import gettext as _

from calcinosis_registry.cohorts.builder import parse
from calcinosis_registry.cohorts.compiling import clause
from calcinosis_registry.cohorts.dataset import population
from calcinosis_registry.cohorts.facts import outdated, unknown_to_facts
from calcinosis_registry.cohorts.language import Group, Join
from calcinosis_registry.cohorts.mapping import mapped
from calcinosis_registry.cohorts.models import Facts
from calcinosis_registry.cohorts.scope import HIDDEN_BELOW, MIXED, Cell, Scope
from calcinosis_registry.cohorts.scope import Count as Shown
from calcinosis_registry.cohorts.sentences import phrase
from patients.models import Patient


@dataclass(frozen=True)
class Step:
    """One condition and how many patients are left (join: all, none) or found by it alone (join: any)."""

    sentence: str
    count: Shown
    part: int = 0  # of 1000, beside everybody: the length of its bar


def count(definition: Any, scope: Scope) -> Shown:
    """Raises DefinitionError."""
    return count_of(parse(definition, items=scope.items).group, scope)


MOST_STALE = 1000  # more than these, and the records are asked of everybody


def count_of(group: Group, scope: Scope) -> Shown:
    """From the narrow rows where they know all that is asked, else from the records."""
    asked = EXACT if scope.exact else PROTECTED
    found = _from_facts(group, scope, asked) or from_records(group, population(scope), asked)
    if scope.exact:
        return scope.count(found["number"])
    return scope.count(found["number"], Cell(found["total"] or 0, found["mixed"] or 0))


def from_records(group: Group, patients: QuerySet[Patient], asked: Mapping[str, Aggregate]) -> dict[str, int]:
    if group.parts:
        patients = patients.filter(clause(group, all_visits=False))
    return patients.aggregate(**asked)


def _from_facts(group: Group, scope: Scope, asked: Mapping[str, Aggregate]) -> dict[str, int] | None:
    """None where the rows do not tell. Who was saved since their row was made is asked of the records."""
    rewritten = mapped(group)
    if rewritten is None or outdated().exists():
        return None
    late = unknown_to_facts(most=MOST_STALE)
    if late is None:
        return None
    rows = Facts.objects.filter(rewritten)
    rows = rows.filter(counted_in__isnull=False) if scope.clinics is None else rows.filter(counted_in__in=scope.clinics)
    found = (rows.exclude(pk__in=late) if late else rows).aggregate(**asked)
    if late:
        more = from_records(group, population(scope).filter(pk__in=late), asked)
        found = {name: (number or 0) + (more[name] or 0) for name, number in found.items()}
    return found


# Whom a count is of, added up in the same query (scope.Cell).
EXACT: dict[str, Aggregate] = {"number": Count("*")}
PROTECTED: dict[str, Aggregate] = {**EXACT, "total": Sum("pk"), "mixed": Sum(F("pk") * F("pk") % MIXED)}


def flow(definition: Any, scope: Scope) -> list[Step]:
    """The way from everyone to the cohort, a condition at a time; everyone is the first. Raises DefinitionError."""
    group = parse(definition, items=scope.items).group
    everyone = count_of(Group(Join.ALL, ()), scope)
    steps = [Step(_("Consented to research, clinics in scope"), everyone, 1000)]
    for index, part in enumerate(group.parts):
        parts = (part,) if group.join is Join.ANY else group.parts[: index + 1]
        asked = Group(Join.NONE if group.join is Join.NONE else Join.ALL, parts)
        words = phrase(part, None)
        counted = count_of(asked, scope)
        before = everyone if group.join is Join.ANY else steps[-1].count
        counted = _no_more(counted, before)
        steps.append(Step(words[:1].upper() + words[1:], counted, _part(counted, everyone)))
    return steps


def _no_more(counted: Shown, before: Shown) -> Shown:
    """A step never shows more than the one before it, whatever the lots were; this tells nothing new."""
    if before.number is None or (counted.number is not None and counted.number > before.number):
        return before
    return counted


def _part(counted: Shown, everyone: Shown) -> int:
    """Of 1000; what is hidden has the bar of the smallest that is shown."""
    number = HIDDEN_BELOW / 2 if counted.number is None else counted.number
    return round(1000 * min(number / everyone.number, 1)) if everyone.number else 0


@dataclass(frozen=True)
class Overlap:
    """Two cohorts beside each other, every number protected by itself."""

    one: Shown
    other: Shown
    both: Shown
    only_one: Shown
    only_other: Shown
    either: Shown

    @property
    def parts(self) -> tuple[int, int, int]:
        """Of 1000: in the first only, in both, in the second only."""
        numbers = [HIDDEN_BELOW / 2 if part.number is None else part.number for part in self.middle]
        whole = sum(numbers)
        one, both = (round(1000 * part / whole) if whole else 0 for part in numbers[:2])
        return one, both, 1000 - one - both if whole else 0

    @property
    def middle(self) -> tuple[Shown, Shown, Shown]:
        return self.only_one, self.both, self.only_other


def overlap(one: Any, other: Any, scope: Scope) -> Overlap:
    """Raises DefinitionError."""
    first, second = (parse(definition, items=scope.items).group for definition in (one, other))
    without = [Group(Join.NONE, (group,)) for group in (first, second)]
    return Overlap(
        one=count_of(first, scope),
        other=count_of(second, scope),
        both=count_of(Group(Join.ALL, (first, second)), scope),
        only_one=count_of(Group(Join.ALL, (first, without[1])), scope),
        only_other=count_of(Group(Join.ALL, (second, without[0])), scope),
        either=count_of(Group(Join.ANY, (first, second)), scope),
    )
