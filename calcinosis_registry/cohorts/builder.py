"""A question as data → a queryset of patients.

    {"join": "all" | "any", "conditions": [{"item": "patient.sex_at_birth", "operator": "is", "value": "F"}, …]}

For records a patient has several of, "is" means in at least one record, "is not" in none; a place holds all places
inside it. A date known to the year or
month is before (after) a day only when the whole year or month is. No condition means everyone.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import and_, or_
from typing import Any

from django.db import models
from django.db.models import CharField, Exists, F, OuterRef, Q, Value
from django.db.models.functions import Cast, Concat
from django.utils.translation import gettext as _

from calcinosis_registry.cohorts.items import OPERATORS, WITHOUT_VALUE, Askable, Kind, Operator, askable
from patients.models import Patient

MOST_CONDITIONS = 50
DAY = datetime.timedelta(days=1)
_TEXT: Any = CharField(max_length=16)


class DefinitionError(ValueError):
    """It cannot be asked. ``problems``: one sentence each; ``places``: {index of a condition: its problem}."""

    def __init__(self, problems: Sequence[str], places: dict[int, str] | None = None) -> None:
        super().__init__(" ".join(problems))
        self.problems = list(problems)
        self.places = places or {}


@dataclass(frozen=True)
class Condition:
    """One checked condition; ``value`` is typed."""

    item: Askable
    operator: Operator
    value: Any

    @property
    def sentence(self) -> str:
        """``Lesion: Site is any of “Thumb” or “Elbow”``."""
        subject = f"{self.item.level.title}: {self.item.label}"
        words = str(self.operator.label)
        if self.operator in WITHOUT_VALUE:
            return f"{subject} {words}"
        if self.operator is Operator.BETWEEN:
            between = {"low": self.item.words(self.value[0]), "high": self.item.words(self.value[1])}
            return f"{subject} {words} {_('%(low)s and %(high)s') % between}"
        return f"{subject} {words} {self.item.words(self.value)}"


@dataclass(frozen=True)
class Question:
    """A checked definition."""

    join: str
    conditions: tuple[Condition, ...]


def parse(definition: Any, *, items: frozenset[str] | None = None) -> Question:
    """Check a definition. Raises DefinitionError naming every item, operator and value that is wrong.

    ``items``: the only ones it may ask about.
    """
    if not isinstance(definition, dict) or set(definition) - {"join", "conditions"}:
        raise DefinitionError([_("A question has “join” and “conditions”, nothing else.")])
    join, given = definition.get("join", "all"), definition.get("conditions", [])
    problems = [] if join in ("all", "any") else [_("“join” is “all” or “any”, not “%(value)s”.") % {"value": join}]
    if not isinstance(given, list) or len(given) > MOST_CONDITIONS:
        raise DefinitionError([*problems, _("“conditions” is a list of at most %(n)s.") % {"n": MOST_CONDITIONS}])
    places: dict[int, str] = {}
    conditions = []
    for index, one in enumerate(given):
        try:
            conditions.append(_condition(one, items))
        except ValueError as error:
            places[index] = str(error)
    if problems or places:
        raise DefinitionError([*problems, *places.values()], places)
    return Question(join, tuple(conditions))


def _condition(given: Any, items: frozenset[str] | None) -> Condition:
    if not isinstance(given, dict) or set(given) - {"item", "operator", "value"}:
        raise ValueError(_("A condition has “item”, “operator” and “value”, nothing else."))
    key, operator = given.get("item"), given.get("operator")
    item = askable().get(key) if isinstance(key, str) else None
    if item is None:
        raise ValueError(_("“%(item)s” is not an item that can be asked.") % {"item": key})
    if items is not None and key not in items:
        raise ValueError(_("“%(item)s” lies outside the items of this project.") % {"item": key})
    named = {"item": key}
    if not isinstance(operator, str) or operator not in Operator.values:
        raise ValueError(_("%(item)s: there is no operator “%(operator)s”.") % {**named, "operator": operator})
    if Operator(operator) not in OPERATORS[item.kind]:
        raise ValueError(_("%(item)s cannot be asked with “%(operator)s”.") % {**named, "operator": operator})
    try:
        return Condition(item, Operator(operator), item.value(Operator(operator), given.get("value")))
    except ValueError as error:
        raise ValueError(_("%(item)s: %(problem)s.") % {**named, "problem": error}) from None


def describe(definition: Any) -> str:
    """The question as one sentence."""
    question = parse(definition)
    if not question.conditions:
        return _("Every patient.")
    glue = _("; and ") if question.join == "all" else _("; or ")
    return _("Patients with %(conditions)s.") % {"conditions": glue.join(one.sentence for one in question.conditions)}


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
    tests = [clause(one, all_visits=all_visits) for one in question.conditions]
    if not tests:
        return patients
    return patients.filter(reduce(and_ if question.join == "all" else or_, tests))


def clause(condition: Condition, *, all_visits: bool) -> Q:
    """The condition as a clause over patients; negation is outside, so that it means "in no record"."""
    negative = condition.operator in (Operator.IS_NOT, Operator.NOT_ANSWERED)
    level = condition.item.level
    test, extra = _test(condition)
    rows = level.model._default_manager.filter(**{level.patient: OuterRef("pk")}).order_by()
    if not all_visits:
        rows = rows.filter(level.signed())
    found = Q(Exists(rows.annotate(**extra).filter(test)))
    return ~found if negative else found


def _test(condition: Condition) -> tuple[Q, dict[str, Any]]:
    """The test of one row, and the annotations it needs."""
    name, value, operator = condition.item.field.name, condition.value, condition.operator
    if operator in WITHOUT_VALUE:
        return _answered(condition.item), {}
    if condition.item.kind is Kind.PARTIAL_DATE:
        return _interval(operator, value), {
            "whole": Cast(F(name), _TEXT),
            # "2015-99" stands after every day of 2015 and before 2016: text order is the order of the intervals.
            "end": Concat(Cast(F(name), _TEXT), Value("-99"), output_field=_TEXT),
        }
    if condition.item.kind is Kind.CODES:
        codes = value if isinstance(value, tuple) else (value,)
        return reduce(or_, (Q(**{f"{name}__has": code}) for code in codes)), {}
    if isinstance(condition.item.field, models.DateTimeField):
        name = f"{name}__date"
    lookups: dict[Operator, Callable[[], Q]] = {
        Operator.IS: lambda: Q(**{f"{name}__in": condition.item.with_inside(value)}),
        Operator.IS_NOT: lambda: Q(**{f"{name}__in": condition.item.with_inside(value)}),
        Operator.ANY_OF: lambda: Q(**{f"{name}__in": condition.item.with_inside(value)}),
        Operator.AT_LEAST: lambda: Q(**{f"{name}__gte": value}),
        Operator.AT_MOST: lambda: Q(**{f"{name}__lte": value}),
        Operator.BETWEEN: lambda: Q(**{f"{name}__gte": value[0], f"{name}__lte": value[1]}),
        Operator.BEFORE: lambda: Q(**{f"{name}__lt": value}),
        Operator.AFTER: lambda: Q(**{f"{name}__gt": value}),
    }
    return lookups[operator](), {}


def _answered(item: Askable) -> Q:
    name = item.field.name
    filled = Q(**{f"{name}__isnull": False})
    return filled & ~Q(**{f"{name}__exact": ""}) if item.kind in (Kind.CODE, Kind.CODES, Kind.TEXT) else filled


def _interval(operator: Operator, value: Any) -> Q:
    known = ~Q(whole="unknown")
    if operator is Operator.BEFORE:
        return known & Q(end__lt=value.isoformat())
    if operator is Operator.AFTER:
        return known & Q(whole__gt=value.isoformat())
    low, high = value
    return known & Q(whole__gt=(low - DAY).isoformat(), end__lt=(high + DAY).isoformat())
