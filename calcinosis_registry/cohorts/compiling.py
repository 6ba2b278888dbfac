"""A checked question → a clause over patients. Every record is an EXISTS of its own, so no join multiplies rows.

Each function returns a clause about the row of the queryset right outside it: ``OuterRef`` reaches one level out.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable
from functools import reduce
from operator import and_, or_
from typing import Any

from django.db import models
from django.db.models import CharField, Exists, F, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Cast, Concat

from calcinosis_registry.cohorts.days import FirstDay, LastDay, constant
from calcinosis_registry.cohorts.items import Askable, Kind, Operator
from calcinosis_registry.cohorts.language import Group, HowOften, Join, Node, Records, Relation, Test, When, Which
from calcinosis_registry.cohorts.structure import Level
from calcinosis_registry.cohorts.ways import above, below, day_of
from patients.models.visit import VisitType

DAY = datetime.timedelta(days=1)
_TEXT: Any = CharField(max_length=16)
EVERYONE, NOBODY = ~Q(pk__in=[]), Q(pk__in=[])


def clause(group: Group, *, all_visits: bool) -> Q:
    """The question as a clause over patients."""
    return _Compiler(all_visits=all_visits).group(group, None)


class _Compiler:
    def __init__(self, *, all_visits: bool) -> None:
        self.all_visits = all_visits

    def group(self, group: Group, level: Level | None) -> Q:
        tests = [self.node(part, level) for part in group.parts]
        if not tests:
            return NOBODY if group.join is Join.ANY else EVERYONE
        if group.join is Join.ALL:
            return reduce(and_, tests)
        found = reduce(or_, tests)
        return ~found if group.join is Join.NONE else found

    def node(self, node: Node, level: Level | None) -> Q:
        if isinstance(node, Group):
            return self.group(node, level)
        if isinstance(node, Records):
            return self.records(node, level)
        if level is None:
            raise TypeError("a test is read as a record outside one")
        return self.test(node, level)

    # ---- records

    def records(self, node: Records, outer: Level | None) -> Q:
        """``outer``: the level of the row right outside; None for the patient."""
        way = node.level.patient if outer is None else below(outer.kind)[node.level.kind]
        if node.which in (Which.EVER, Which.BASELINE):
            rows = self.fitting(node, self.rows(node.level, **{way: OuterRef("pk")}))
            return self.counted(node, rows)
        # The one row is sought among all of the same patient (or row above), two levels further in.
        rivals = self.rows(node.level, **{way: OuterRef(OuterRef("pk"))})
        return Q(Exists(self.chosen(node, self.rows(node.level, **{way: OuterRef("pk")}), rivals)))

    def rows(self, level: Level, **narrowed: Any) -> QuerySet:
        rows = level.model._default_manager.filter(**narrowed).order_by()
        return rows if self.all_visits else rows.filter(level.signed())

    def counted(self, node: Records, rows: QuerySet) -> Q:
        """EXISTS with an offset: the database stops counting as soon as it knows."""
        if node.times is None:
            return Q(Exists(rows))
        number = node.times.number

        def at_least(n: int) -> Q:
            return Q(Exists(rows[n - 1 : n])) if n > 1 else Q(Exists(rows)) if n else EVERYONE

        if node.times.operator is HowOften.AT_LEAST:
            return at_least(number)
        if node.times.operator is HowOften.AT_MOST:
            return ~at_least(number + 1)
        return at_least(number) & ~at_least(number + 1)

    def chosen(self, node: Records, rows: QuerySet, rivals: QuerySet) -> QuerySet:
        """The first or last row of its kind that also fits; or the first or last of those whose tests fit."""
        such = node.which in (Which.FIRST_SUCH, Which.LAST_SUCH)
        if such:
            rivals = rivals.filter(self.group(node.of, node.level))
        else:
            rows = rows.filter(self.group(node.of, node.level))
        way = day_of(node.level, node.dated)
        rivals = rivals.annotate(low=FirstDay(way), high=LastDay(way)).filter(low__isnull=False)
        order = ("low", "pk") if node.which in (Which.FIRST, Which.FIRST_SUCH) else ("-high", "-pk")
        rows = rows.filter(pk=Subquery(rivals.order_by(*order).values("pk")[:1]))
        return self.in_time(node, rows)

    def fitting(self, node: Records, rows: QuerySet) -> QuerySet:
        if node.which is Which.BASELINE:
            way = "visit_type" if node.level.visit == "pk" else f"{node.level.visit}__visit_type"
            rows = rows.filter(**{way: VisitType.BASELINE})
        return self.in_time(node, rows.filter(self.group(node.of, node.level)))

    # ---- time

    def in_time(self, node: Records, rows: QuerySet) -> QuerySet:
        if node.when is None:
            return rows
        way = day_of(node.level, node.dated)
        rows = rows.annotate(low=FirstDay(way), high=LastDay(way)).filter(low__isnull=False)
        if node.when.day is not None:
            day = constant(node.when.day)
            return rows.filter(_in_time(node.when, (F("low"), F("high")), (day, day)))
        event = node.when.event
        if event is None:
            raise TypeError("a time has a day or an event")
        key = node.level.patient if node.level.is_patient else f"{node.level.patient}_id"
        return rows.filter(Exists(self.events(event, node.when, key)))

    def events(self, event: Records, when: When, key: str) -> QuerySet:
        """The rows of the event in the life of the same patient, at the right distance of the row right outside."""
        rows = self.rows(event.level, **{event.level.patient: OuterRef(key)})
        if event.which in (Which.EVER, Which.BASELINE):
            rows = self.fitting(event, rows)
        else:
            rivals = self.rows(event.level, **{event.level.patient: OuterRef(OuterRef(key))})
            rows = self.chosen(event, rows, rivals)
        way = day_of(event.level, event.dated)
        rows = rows.annotate(begun=FirstDay(way), over=LastDay(way)).filter(begun__isnull=False)
        return rows.filter(_in_time(when, (OuterRef("low"), OuterRef("high")), (F("begun"), F("over"))))

    # ---- tests

    def test(self, test: Test, level: Level) -> Q:
        if test.item.level is level:
            return value_test(test)
        key = above(level.kind)[test.item.level.kind]
        return Q(Exists(self.rows(test.item.level, pk=OuterRef(f"{key}_id")).filter(value_test(test))))


def _in_time(when: When, row: tuple[Any, Any], event: tuple[Any, Any]) -> Q:
    """Certain whatever the missing months and days are: the whole interval of the row lies right of the other."""
    (low, high), (begun, over) = row, event
    days = when.days
    if days is None:
        return _less(over, low) if when.relation is Relation.AFTER else _less(high, begun)
    after = _most(high, begun, days)
    before = _most(over, low, days)
    if when.relation is Relation.AROUND:
        return after & before
    return (_most(over, low, 0) & after) if when.relation is Relation.AFTER else (_most(high, begun, 0) & before)


def _less(one: Any, other: Any) -> Q:
    return Q(_Compared(one, other, days=-1))


def _most(one: Any, other: Any, days: int) -> Q:
    """``one`` is at most so many days after ``other``."""
    return Q(_Compared(one, other, days=days))


class _Compared(models.Func):
    """``one <= other + days``, of two day numbers."""

    output_field = models.BooleanField()
    conditional = True
    template = "(%(expressions)s)"
    arg_joiner = " <= "

    def __init__(self, one: Any, other: Any, *, days: int) -> None:
        shifted = models.ExpressionWrapper(other + Value(days), output_field=models.IntegerField())
        super().__init__(one, shifted)


# ---- one value


def value_test(test: Test) -> Q:
    """The clause of one row's value; a negative one is true of an answered value only."""
    item, operator = test.item, test.operator
    if operator is Operator.ANSWERED:
        return answered(item)
    if operator is Operator.NOT_ANSWERED:
        return ~answered(item)
    if operator is Operator.IS_NOT:
        return answered(item) & ~_positive(item, Operator.IS, test.value)
    return _positive(item, operator, test.value)


def _positive(item: Askable, operator: Operator, value: Any) -> Q:
    name = item.field.name
    if item.kind is Kind.PARTIAL_DATE:
        return _interval(name, operator, value)
    if item.kind is Kind.CODES:
        codes: Iterable[Any] = value if isinstance(value, tuple) else (value,)
        return reduce(or_, (Q(**{f"{name}__has": code}) for code in codes))
    if isinstance(item.field, models.DateTimeField):
        name = f"{name}__date"
    lookups: dict[Operator, Callable[[], Q]] = {
        Operator.IS: lambda: Q(**{f"{name}__in": item.with_inside(value)}),
        Operator.ANY_OF: lambda: Q(**{f"{name}__in": item.with_inside(value)}),
        Operator.AT_LEAST: lambda: Q(**{f"{name}__gte": value}),
        Operator.AT_MOST: lambda: Q(**{f"{name}__lte": value}),
        Operator.BETWEEN: lambda: Q(**{f"{name}__gte": value[0], f"{name}__lte": value[1]}),
        Operator.BEFORE: lambda: Q(**{f"{name}__lt": value}),
        Operator.AFTER: lambda: Q(**{f"{name}__gt": value}),
    }
    return lookups[operator]()


def answered(item: Askable) -> Q:
    name = item.field.name
    filled = Q(**{f"{name}__isnull": False})
    return filled & ~Q(**{f"{name}__exact": ""}) if item.kind in (Kind.CODE, Kind.CODES, Kind.TEXT) else filled


def _interval(name: str, operator: Operator, value: Any) -> Q:
    """Of a partial date. "2015-99" stands after every day of 2015 and before 2016: text order is that of intervals."""
    whole = Cast(F(name), _TEXT)
    end = Concat(Cast(F(name), _TEXT), Value("-99"), output_field=_TEXT)
    known = Q(**{f"{name}__isnull": False}) & ~Q(_Same(whole, Value("unknown")))
    if operator is Operator.BEFORE:
        return known & Q(_Below(end, Value(value.isoformat())))
    if operator is Operator.AFTER:
        return known & Q(_Below(Value(value.isoformat()), whole))
    low, high = value
    return known & Q(_Below(Value((low - DAY).isoformat()), whole)) & Q(_Below(end, Value((high + DAY).isoformat())))


class _Below(models.Func):
    output_field = models.BooleanField()
    conditional = True
    template = "(%(expressions)s)"
    arg_joiner = " < "


class _Same(_Below):
    arg_joiner = " = "
