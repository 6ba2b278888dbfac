"""How many patients a question finds, as the person may see it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from calcinosis_registry.cohorts.builder import matching, parse
from calcinosis_registry.cohorts.dataset import population
from calcinosis_registry.cohorts.scope import Count, Scope


@dataclass(frozen=True)
class Step:
    """One condition and how many patients are left (join: all) or found by it alone (join: any)."""

    sentence: str
    count: Count


def count(definition: Any, scope: Scope) -> Count:
    """Raises DefinitionError."""
    return scope.count(matching(definition, population(scope), items=scope.items).count())


def flow(definition: Any, scope: Scope) -> list[Step]:
    """The way from everyone to the cohort, a condition at a time. Raises DefinitionError."""
    question = parse(definition)
    given = definition.get("conditions", [])
    steps = []
    for index, condition in enumerate(question.conditions):
        asked = given[: index + 1] if question.join == "all" else [given[index]]
        steps.append(Step(condition.sentence, count({"join": "all", "conditions": asked}, scope)))
    return steps
