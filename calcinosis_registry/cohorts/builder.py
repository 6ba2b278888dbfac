"""A question as data → a queryset of patients, and a sentence. What a question is: language.py."""

from __future__ import annotations

from typing import Any

from django.db import models

from calcinosis_registry.cohorts.compiling import clause
from calcinosis_registry.cohorts.language import MOST_CONDITIONS, DefinitionError, Question
from calcinosis_registry.cohorts.reading import parse
from calcinosis_registry.cohorts.sentences import sentence
from patients.models import Patient

__all__ = ["MOST_CONDITIONS", "DefinitionError", "Question", "describe", "matching", "parse"]


def describe(definition: Any) -> str:
    """The question as one sentence. Raises DefinitionError."""
    return sentence(parse(definition))


def matching(
    definition: Any,
    patients: models.QuerySet[Patient],
    *,
    all_visits: bool = False,
    items: frozenset[str] | None = None,
) -> models.QuerySet[Patient]:
    """Those of ``patients`` the question describes, by the rows the dataset would hold. Raises DefinitionError.

    ``items``: the only items it may ask about (Scope.items); None for all.
    """
    question = parse(definition, items=items)
    return patients.filter(clause(question.group, all_visits=all_visits)) if question.group.parts else patients
