"""Which questions the narrow row answers (facts.py), and how: the list of rewrites. Everything else asks the records.

A record condition is rewritten where it is "ever", at any time, of one test of its own value; groups where all in them
are. Each rewrite says the same of a patient as the records would: "some record has code X" is a bit, "some record has
at least n" is the greatest value, "so many records" is their number.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from operator import and_, or_
from typing import Any

from django.db.models import F, Q, Value
from django.db.models.lookups import GreaterThan

from calcinosis_registry.cohorts.facts import LEAST, MOST, ROWS, ULCERATED, places
from calcinosis_registry.cohorts.items import Kind, Operator
from calcinosis_registry.cohorts.language import Group, HowOften, Join, Node, Records, Test, Times, Which

ONCE = Times(HowOften.AT_LEAST, 1)


class NotMapped(Exception):
    """The narrow row does not know this."""


def mapped(group: Group) -> Q | None:
    """The question as a clause over Facts; None where it asks more than they know."""
    try:
        return _group(group)
    except NotMapped:
        return None


def _group(group: Group) -> Q:
    tests = [_node(part) for part in group.parts]
    if not tests:
        return Q(pk__in=[]) if group.join is Join.ANY else ~Q(pk__in=[])
    if group.join is Join.ALL:
        return reduce(and_, tests)
    found = reduce(or_, tests)
    return ~found if group.join is Join.NONE else found


def _node(node: Node) -> Q:
    if isinstance(node, Group):
        return _group(node)
    if not isinstance(node, Records) or node.which is not Which.EVER or node.when is not None or node.dated:
        raise NotMapped
    if not node.of.parts and node.level.kind in ROWS:
        return _counted(ROWS[node.level.kind], node.times or ONCE)
    if len(node.of.parts) != 1 or node.of.join is Join.NONE:
        raise NotMapped
    test = node.of.parts[0]
    if not isinstance(test, Test) or test.item.level is not node.level:
        raise NotMapped
    if test.item.key == ULCERATED and test.operator is Operator.IS and test.value is True:
        return _counted("ulcerated_lesions", node.times or ONCE)
    found = _test(test)
    times = node.times or ONCE
    if times == ONCE:
        return found
    if times.number == 0 and times.operator is not HowOften.AT_LEAST:
        return ~found
    raise NotMapped


def _counted(column: str, times: Times) -> Q:
    lookups = {HowOften.AT_LEAST: "gte", HowOften.AT_MOST: "lte", HowOften.EXACTLY: "exact"}
    return Q(**{f"{column}__{lookups[times.operator]}": times.number})


def _test(test: Test) -> Q:
    key, operator = test.item.key, test.operator
    if key in places():
        return _mask(test)
    rules: dict[Operator, Callable[[], Q]] = {}
    if key in MOST:
        rules |= {
            Operator.AT_LEAST: lambda: _compared(MOST[key], "gte", test.value),
            Operator.AFTER: lambda: _compared(MOST[key], "gt", test.value),
            Operator.ANSWERED: lambda: Q(**{f"{MOST[key]}__isnull": False}),
        }
    if key in LEAST:
        rules |= {
            Operator.AT_MOST: lambda: _compared(LEAST[key], "lte", test.value),
            Operator.BEFORE: lambda: _compared(LEAST[key], "lt", test.value),
        }
    if operator not in rules:
        raise NotMapped
    return rules[operator]()


def _compared(column: str, lookup: str, value: Any) -> Q:
    number = value if column.endswith("_on") else float(value)
    return Q(**{f"{column}__isnull": False, f"{column}__{lookup}": number})


def _mask(test: Test) -> Q:
    item, known = test.item, places()[test.item.key]
    if test.operator in (Operator.IS, Operator.ANY_OF):
        return _bits(known[code] for code in item.with_inside(test.value) if code in known)
    if test.operator is Operator.IS_NOT and item.kind is Kind.CODE:
        asked = set(item.with_inside(test.value))
        return _bits(place for code, place in known.items() if code not in asked)
    if test.operator is Operator.ANSWERED:
        return _bits(known.values())
    raise NotMapped


def _bits(wanted: Any) -> Q:
    """Is any of these bits set?"""
    masks: dict[str, int] = {}
    for column, bit in wanted:
        masks[column] = masks.get(column, 0) | bit
    return reduce(or_, (Q(GreaterThan(F(name).bitand(mask), Value(0))) for name, mask in masks.items()), Q(pk__in=[]))
