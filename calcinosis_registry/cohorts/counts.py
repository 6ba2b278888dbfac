"""How many patients a question finds, as the person may see it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from calcinosis_registry.cohorts.builder import parse
from calcinosis_registry.cohorts.compiling import clause
from calcinosis_registry.cohorts.dataset import population
from calcinosis_registry.cohorts.language import Group, Join
from calcinosis_registry.cohorts.scope import Count, Scope
from calcinosis_registry.cohorts.sentences import phrase


@dataclass(frozen=True)
class Step:
    """One condition and how many patients are left (join: all, none) or found by it alone (join: any)."""

    sentence: str
    count: Count


def count(definition: Any, scope: Scope) -> Count:
    """Raises DefinitionError."""
    return count_of(parse(definition, items=scope.items).group, scope)


def count_of(group: Group, scope: Scope) -> Count:
    patients = population(scope)
    if group.parts:
        patients = patients.filter(clause(group, all_visits=False))
    return scope.count(patients.count())


def flow(definition: Any, scope: Scope) -> list[Step]:
    """The way from everyone to the cohort, a condition at a time. Raises DefinitionError."""
    group = parse(definition, items=scope.items).group
    steps = []
    for index, part in enumerate(group.parts):
        parts = (part,) if group.join is Join.ANY else group.parts[: index + 1]
        asked = Group(Join.NONE if group.join is Join.NONE else Join.ALL, parts)
        words = phrase(part, None)
        steps.append(Step(words[:1].upper() + words[1:], count_of(asked, scope)))
    return steps
