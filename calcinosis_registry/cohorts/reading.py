"""A definition as stored or posted → a checked Question; every mistake is named, with the place where it stands."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from typing import Any

from django.utils.translation import gettext as _

from calcinosis_registry.cohorts.items import OPERATORS, Askable, Operator, askable
from calcinosis_registry.cohorts.language import (
    MOST_CONDITIONS,
    MOST_LEVELS,
    MOST_MONTHS,
    MOST_TIMES,
    VERSION,
    DefinitionError,
    Group,
    HowOften,
    Join,
    Node,
    Question,
    Records,
    Relation,
    Test,
    Times,
    When,
    Which,
)
from calcinosis_registry.cohorts.structure import Level, levels
from calcinosis_registry.cohorts.ways import above, below, date_items, day_of

Place = tuple[int, ...]
EVENT = -1  # in a place: the event of a record's "when"
NEGATIVE = (Operator.IS_NOT, Operator.NOT_ANSWERED)
ANSWER = {Operator.IS_NOT: Operator.IS, Operator.NOT_ANSWERED: Operator.ANSWERED}
RECORD_KEYS = {"record", "join", "conditions", "which", "times", "dated", "when"}


def parse(definition: Any, *, items: frozenset[str] | None = None) -> Question:
    """Check a definition. Raises DefinitionError naming every item, operator and value that is wrong.

    ``items``: the only ones it may ask about.
    """
    if not isinstance(definition, dict) or set(definition) - {"version", "join", "conditions"}:
        raise DefinitionError([_("A question has “version”, “join” and “conditions”, nothing else.")])
    version = definition.get("version", 1)
    if version not in (1, VERSION) or isinstance(version, bool):
        raise DefinitionError([_("This register reads questions of version 1 and 2, not “%(v)s”.") % {"v": version}])
    _measure(definition)
    reader = _Reader(items)
    group = reader.group(definition, (), None)
    if reader.problems:
        raise DefinitionError([*reader.problems.values()], reader.problems)
    return Question(group)


def _measure(definition: dict[str, Any]) -> None:
    """Refuse what is too large before anything walks into it. No recursion: it may be deeper than Python goes."""
    waiting, found = [(definition, 1)], 0
    while waiting:
        node, depth = waiting.pop()
        if depth > 2 * MOST_LEVELS:
            raise DefinitionError([_("Groups stand at most %(n)s deep inside each other.") % {"n": MOST_LEVELS}])
        inside = node.get("conditions", [])
        if not isinstance(inside, list):
            continue
        found += len(inside)
        if found > 4 * MOST_CONDITIONS:
            told = {"n": MOST_CONDITIONS, "given": f"{found:,}"}
            raise DefinitionError(
                [_("A question has at most %(n)s conditions; this one has %(given)s or more.") % told]
            )
        waiting += [(one, depth + 1) for one in [*inside, _event(node)] if isinstance(one, dict)]


def _event(node: dict[str, Any]) -> Any:
    when = node.get("when")
    return when.get("event") if isinstance(when, dict) else None


class _Reader:
    """Reads node by node; what is wrong is kept by its place, and reading goes on."""

    def __init__(self, items: frozenset[str] | None) -> None:
        self.items = items
        self.problems: dict[Place, str] = {}
        self.tests = 0

    def wrong(self, place: Place, problem: str) -> None:
        self.problems.setdefault(place, problem)

    def group(self, given: dict[str, Any], place: Place, level: Level | None) -> Group:
        join, inside = given.get("join", "all"), given.get("conditions", [])
        if not isinstance(join, str) or join not in Join.values:
            self.wrong(place, _("“join” is “all”, “any” or “none”, not “%(value)s”.") % {"value": join})
            join = Join.ALL
        if not isinstance(inside, list):
            self.wrong(place, _("“conditions” is a list."))
            inside = []
        if len(place) >= MOST_LEVELS:
            self.wrong(place, _("Groups stand at most %(n)s deep inside each other.") % {"n": MOST_LEVELS})
            inside = []
        parts = [one for n, part in enumerate(inside) for one in self._node(part, (*place, n), level)]
        return Group(Join(join), tuple(parts))

    def _node(self, given: Any, place: Place, level: Level | None) -> Iterator[Node]:
        """One part; nothing where it is wrong."""
        try:
            if not isinstance(given, dict):
                raise ValueError(_("A condition has “item”, “operator” and “value”, nothing else."))
            if "record" in given:
                yield self.records(given, place, level)
            elif "item" in given or not given.keys() & {"join", "conditions"}:
                yield self._test(given, level)
            elif set(given) - {"join", "conditions"}:
                raise ValueError(_("A group has “join” and “conditions”, nothing else."))
            elif not given.get("conditions"):
                raise ValueError(_("This group is empty: add a condition to it, or remove it."))
            else:
                yield self.group(given, place, level)
        except ValueError as error:
            self.wrong(place, str(error))

    # ---- records

    def records(self, given: dict[str, Any], place: Place, outer: Level | None) -> Records:
        if unknown := sorted(map(str, set(given) - RECORD_KEYS)):
            raise ValueError(_("A record has no “%(key)s”.") % {"key": unknown[0]})
        kind = given["record"]
        level = levels().get(kind) if isinstance(kind, str) else None
        if level is None:
            raise ValueError(_("“%(kind)s” is not a kind of record that can be asked.") % {"kind": kind})
        if outer is not None and kind not in below(outer.kind):
            told = {"kind": level.title, "outer": outer.title}
            raise ValueError(_("%(kind)s is no record of a %(outer)s.") % told)
        if not given.get("conditions") and not given.get("when") and level.is_patient:
            raise ValueError(_("Add a condition."))
        which = self._which(given, level)
        dated = given.get("dated") or ""
        if dated and dated not in date_items(level):
            raise ValueError(_("“%(item)s” is no date of %(kind)s.") % {"item": dated, "kind": level.title})
        self._in_scope(dated)
        needs_day = which not in (Which.EVER, Which.BASELINE) or bool(given.get("when"))
        if needs_day and not day_of(level, dated):
            raise ValueError(_("%(kind)s has no date: it is neither first nor last.") % {"kind": level.title})
        times = self._times(given.get("times"), which)
        when = self._when(given.get("when"), place)
        return Records(level, self.group(given, place, level), which, times, when, dated)

    def _which(self, given: dict[str, Any], level: Level) -> Which:
        which = given.get("which", Which.EVER)
        if not isinstance(which, str) or which not in Which.values:
            raise ValueError(_("There is no “%(which)s” of records.") % {"which": which})
        if which == Which.BASELINE and not level.visit:
            raise ValueError(_("%(kind)s belongs to no visit: it has no baseline.") % {"kind": level.title})
        return Which(which)

    def _times(self, given: Any, which: Which) -> Times | None:
        if given is None:
            return None
        if not isinstance(given, dict) or set(given) != {"operator", "number"}:
            raise ValueError(_("“times” has “operator” and “number”, nothing else."))
        operator = given["operator"]
        if not isinstance(operator, str) or operator not in HowOften.values:
            raise ValueError(_("How often is “at least”, “at most” or “exactly”, not “%(v)s”.") % {"v": operator})
        number = _whole(given["number"], MOST_TIMES)
        if operator == HowOften.AT_LEAST and number == 0:
            raise ValueError(_("“At least 0” is true of everybody: ask for at least 1."))
        if which not in (Which.EVER, Which.BASELINE):
            raise ValueError(_("There is one first and one last record: it cannot be counted."))
        return Times(HowOften(operator), number)

    def _when(self, given: Any, place: Place) -> When | None:
        if not given:
            return None
        if not isinstance(given, dict) or set(given) - {"relation", "months", "day", "event"}:
            raise ValueError(_("“when” has “relation”, “months”, and “day” or “event”, nothing else."))
        relation, months = given.get("relation"), given.get("months")
        if not isinstance(relation, str) or relation not in Relation.values:
            raise ValueError(_("A time is “after”, “before” or “around”, not “%(v)s”.") % {"v": relation})
        if months is not None and months != "":
            months = _whole(months, MOST_MONTHS)
        elif relation == Relation.AROUND:
            raise ValueError(_("Say within how many months."))
        else:
            months = None
        if (given.get("day") in (None, "")) == (given.get("event") is None):
            raise ValueError(_("A time is before or after a day or another record: give one of them."))
        if given.get("event") is None:
            return When(Relation(relation), months, day=_day(given["day"]))
        event = given["event"]
        if not isinstance(event, dict) or "record" not in event:
            raise ValueError(_("An event is a record."))
        if event.get("times") is not None:
            raise ValueError(_("An event is one record: it cannot be counted."))
        spot = (*place, EVENT)
        try:
            found = self.records(event, spot, None)
        except ValueError as error:
            self.wrong(spot, str(error))
            return None
        if not day_of(found.level, found.dated):
            raise ValueError(_("%(kind)s has no date: nothing is before or after it.") % {"kind": found.level.title})
        return When(Relation(relation), months, event=found)

    # ---- tests

    def _test(self, given: dict[str, Any], level: Level | None) -> Node:
        """A test of a row; outside a record, as in the first version, "of some record", and negations "of none"."""
        test = self._checked(given)
        if level is not None:
            if test.item.level is not level and test.item.level.kind not in above(level.kind):
                told = {"item": test.item.key, "kind": level.title}
                raise ValueError(_("%(item)s is not an item of %(kind)s.") % told)
            return test
        if test.operator not in NEGATIVE:
            return Records(test.item.level, Group(Join.ALL, (test,)))
        positive = Test(test.item, ANSWER[test.operator], test.value)
        found = Records(test.item.level, Group(Join.ALL, (positive,)))
        return Group(Join.NONE, (found,))

    def _checked(self, given: dict[str, Any]) -> Test:
        if set(given) - {"item", "operator", "value"}:
            raise ValueError(_("A condition has “item”, “operator” and “value”, nothing else."))
        self.tests += 1
        if self.tests > MOST_CONDITIONS:
            raise ValueError(_("A question has at most %(n)s conditions.") % {"n": MOST_CONDITIONS})
        item, operator = self._item(given.get("item")), given.get("operator")
        named = {"item": item.key, "operator": operator}
        if not isinstance(operator, str) or operator not in Operator.values:
            raise ValueError(_("%(item)s: there is no operator “%(operator)s”.") % named)
        if Operator(operator) not in OPERATORS[item.kind]:
            raise ValueError(_("%(item)s cannot be asked with “%(operator)s”.") % named)
        try:
            return Test(item, Operator(operator), item.value(Operator(operator), given.get("value")))
        except ValueError as error:
            raise ValueError(_("%(item)s: %(problem)s.") % {**named, "problem": error}) from None

    def _item(self, key: Any) -> Askable:
        item = askable().get(key) if isinstance(key, str) else None
        if item is None and not key:
            raise ValueError(_("Choose an item."))
        if item is None:
            told = {"item": str(key)[:80]}
            raise ValueError(_("“%(item)s” is not an item that can be asked, or no longer is.") % told)
        self._in_scope(item.key)
        return item

    def _in_scope(self, key: str) -> None:
        if key and self.items is not None and key not in self.items:
            raise ValueError(_("“%(item)s” lies outside the items of this project.") % {"item": key})


def _whole(given: Any, most: int) -> int:
    text = str(given).strip()
    if isinstance(given, bool) or not (text.isascii() and text.isdigit()) or len(text) > 6 or int(text) > most:
        raise ValueError(
            _("“%(value)s” is not a whole number from 0 to %(most)s.") % {"value": text[:40], "most": most}
        )
    return int(text)


def _day(given: Any) -> datetime.date:
    try:
        return datetime.date.fromisoformat(str(given))
    except ValueError:
        raise ValueError(_("“%(value)s” is not a date such as 2026-03-12") % {"value": str(given)[:40]} + ".") from None
