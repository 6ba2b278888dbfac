"""A question while it is being built: flat form fields ↔ a tree of drafts ↔ a definition, right or wrong.

Every node has an id; ``node`` lists them in order, ``parent-3`` says where 3 stands ("" for the top), ``kind-3`` what
it is (group, record, event, test). A button posts all of it with ``action`` (add:3, group:3, event:3, remove:3, …), so
the page works without script.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.http import QueryDict
from django.utils.translation import gettext as _

from calcinosis_registry.cohorts.items import OPERATORS, PLACES, WITH_TWO, Askable, Kind, Operator, askable
from calcinosis_registry.cohorts.language import MOST_CONDITIONS, VERSION
from calcinosis_registry.cohorts.reading import ANSWER, EVENT, NEGATIVE, Place
from calcinosis_registry.cohorts.structure import Level, levels
from calcinosis_registry.cohorts.ways import above, below, date_items, day_of
from lesions.sites import SITES

MOST_NODES = 4 * MOST_CONDITIONS
CODED = (Kind.CODE, Kind.CODES, Kind.BOOLEAN)
RECORD_FIELDS = ("record", "join", "which", "times", "number", "relation", "months", "against", "day", "dated")
KEPT = ("join", "record", "which", "dated")  # of a saved record, as they are
FIELDS = {
    "group": ("join",), "record": RECORD_FIELDS, "event": RECORD_FIELDS, "test": ("item", "operator"),
}  # fmt: skip


@dataclass
class Draft:
    """One node as typed. ``given``: its fields; ``values``: of a test."""

    id: str
    kind: str
    given: dict[str, str] = field(default_factory=dict)
    values: list[str] = field(default_factory=list)
    parts: list[Draft] = field(default_factory=list)
    event: Draft | None = None
    error: str = ""
    inside: str = ""  # the kind of record it stands in; "" at the top

    def all(self) -> Iterator[Draft]:
        yield self
        for one in [*self.parts, *([self.event] if self.event else [])]:
            yield from one.all()

    # ---- what the template shows

    @property
    def level(self) -> Level | None:
        return levels().get(self.given.get("record", ""))

    @property
    def item(self) -> Askable | None:
        return askable().get(self.given.get("item", ""))

    @property
    def join(self) -> str:
        return self.given.get("join") or "all"

    @property
    def operators(self) -> list[tuple[str, Any]]:
        """ "is any of" is said by choosing several."""
        if not self.item:
            return []
        shown = [one for one in OPERATORS[self.item.kind] if one is not Operator.ANY_OF or self.item.kind is Kind.TEXT]
        return [(one.value, one.label if one is not Operator.IS_NOT else _is_not()) for one in shown]

    @property
    def operator(self) -> str:
        chosen = self.given.get("operator", "")
        return "is" if chosen == Operator.ANY_OF and self.codes else chosen

    @property
    def codes(self) -> dict[str, str]:
        return self.item.codes if self.item and self.item.kind in CODED else {}

    @property
    def is_long(self) -> bool:
        return len(self.codes) > 7

    @property
    def is_place(self) -> bool:
        """Its codes are places of the body: they can be chosen on the map too."""
        return bool(self.item and self.item.key in PLACES)

    @property
    def choices(self) -> list[tuple[str, str, int]]:
        """(code, label, how deep inside others) of a long list; places in the order of the body."""
        if self.is_place:
            return [(code, label, min(_depth(code), 4)) for code, label in self.codes.items()]
        return [(code, label, 0) for code, label in self.codes.items()]

    @property
    def chosen_words(self) -> str:
        return ", ".join(str(self.codes[one]) for one in self.values if one in self.codes)

    @property
    def input_type(self) -> str:
        return "date" if self.item and self.item.kind in (Kind.DATE, Kind.PARTIAL_DATE) else "text"

    @property
    def takes_two(self) -> bool:
        return bool(self.item and Operator.BETWEEN in OPERATORS[self.item.kind])

    @property
    def first(self) -> str:
        return self.values[0] if self.values else ""

    @property
    def second(self) -> str:
        return self.values[1] if len(self.values) > 1 else ""

    @property
    def elsewhere(self) -> str:
        """The kind of the row above that a test asks, where it is not the record it stands in."""
        return self.item.level.title if self.item and self.inside and self.item.level.kind != self.inside else ""

    @property
    def has_day(self) -> bool:
        return bool(self.level and day_of(self.level, self.given.get("dated", "")))

    @property
    def has_baseline(self) -> bool:
        return bool(self.level and self.level.visit)

    @property
    def dates(self) -> list[tuple[str, str]]:
        return [(key, askable()[key].label) for key in date_items(self.level)] if self.level else []

    @property
    def is_plain(self) -> bool:
        """Nothing asked of when and how often: the fold of a record stays shut."""
        return not any(self.given.get(name) for name in ("relation", "dated")) and self.given.get("which", "ever") in (
            "", "ever",
        )  # fmt: skip

    # ---- as data

    @property
    def is_unfinished(self) -> bool:
        """Added, but not answered yet: it is neither counted nor wrong before somebody saves."""
        if self.kind == "test":
            return "answered" not in self.given.get("operator", "") and not any(one.strip() for one in self.values)
        return bool(self.parts or self.kind == "group") and all(one.is_unfinished for one in self.parts)

    def told(self, *, whole: bool) -> list[Draft]:
        """The parts that are asked; ``whole``: the unfinished ones too."""
        return [one for one in self.parts if whole or not one.is_unfinished]

    def data(self, *, whole: bool = True) -> dict[str, Any]:
        if self.kind == "test":
            return self._test()
        inside = [one.data(whole=whole) for one in self.told(whole=whole)]
        found: dict[str, Any] = {"join": self.join, "conditions": inside}
        if self.kind == "group":
            return found
        given = self.given
        found = {"record": given.get("record", ""), **found}
        if given.get("which", "ever") not in ("", "ever"):
            found["which"] = given["which"]
        if given.get("times") == "none":
            found["times"] = {"operator": "exactly", "number": 0}
        elif given.get("times"):
            found["times"] = {"operator": given["times"], "number": given.get("number", "")}
        if given.get("dated"):
            found["dated"] = given["dated"]
        if given.get("relation"):
            found["when"] = self._when(whole=whole)
        return found

    def _when(self, *, whole: bool) -> dict[str, Any]:
        when: dict[str, Any] = {"relation": self.given["relation"]}
        if self.given.get("months", "").strip():
            when["months"] = self.given["months"].strip()
        if self.given.get("against") == "event" and self.event is not None:
            return when | {"event": self.event.data(whole=whole)}
        return when | {"day": self.given.get("day", "")}

    def _test(self) -> dict[str, Any]:
        operator = self.given.get("operator") or (self.operators[0][0] if self.operators else "")
        given = [one for one in self.values if one.strip()]
        if operator == Operator.IS and len(given) > 1:
            operator = Operator.ANY_OF.value
        value: Any = given[0] if len(given) == 1 else given
        if operator in [one.value for one in WITH_TWO] or operator == Operator.ANY_OF:
            value = given
        found = {"item": self.given.get("item", ""), "operator": operator}
        return found if "answered" in operator else found | {"value": value}

    def place_errors(self, problems: Mapping[Place, str], place: Place = (), *, whole: bool) -> None:
        """Put the problems of a DefinitionError beside the nodes they are about."""
        self.error = problems.get(place, "")
        for index, one in enumerate(self.told(whole=whole)):
            one.place_errors(problems, (*place, index), whole=whole)
        if self.event is not None:
            self.event.place_errors(problems, (*place, EVENT), whole=whole)


def _is_not() -> str:
    return _("is not")


def _depth(code: str) -> int:
    parent = SITES[code].parent if code in SITES else ""
    return 1 + _depth(parent) if parent else 0


def definition_of(root: Draft, *, whole: bool) -> dict[str, Any]:
    return {"version": VERSION, **root.data(whole=whole)}


# ---- from the form


def posted(data: QueryDict) -> Draft:
    """The tree as posted; what names no place in it is left out, and what is too much too (reading.py says so)."""
    root = Draft("", "group", {"join": data.get("join", "all")})
    known: dict[str, Draft] = {"": root}
    for name in data.getlist("node")[: MOST_NODES + 1]:
        kind, parent = data.get(f"kind-{name}", ""), known.get(data.get(f"parent-{name}", ""))
        if kind not in FIELDS or parent is None or name in known or parent.kind == "test":
            continue
        given = {one: data.get(f"{one}-{name}", "") for one in FIELDS[kind]}
        draft = Draft(name, kind, given, data.getlist(f"value-{name}"))
        known[name] = draft
        _hang(draft, parent)
    return root


def _hang(draft: Draft, parent: Draft) -> None:
    draft.inside = parent.given.get("record", "") if parent.kind in ("record", "event") else parent.inside
    if draft.kind == "event":
        parent.event, draft.inside = draft, ""
    else:
        parent.parts.append(draft)


def act(root: Draft, action: str, data: QueryDict) -> str:
    """Do what a button asks. Returns what is wrong with it, for the place of the button; "" when done."""
    verb, _sign, name = action.partition(":")
    target = next((one for one in root.all() if one.id == name), None)
    if target is None:
        return ""
    if verb == "remove" and target is not root:
        for one in root.all():
            one.parts = [part for part in one.parts if part is not target]
            one.event = None if one.event is target else one.event
    elif verb == "group" and target.kind != "test":
        _hang(Draft(_fresh(root), "group", {"join": "any"}), target)
    elif verb in ("add", "event") and target.kind != "test":
        item = find_item(data.get(f"pick-{verb}-{name}", "") or data.get(f"pick-{name}", ""))
        if item is None:
            return "unknown"
        _add(root, target, item, as_event=verb == "event")
    return ""


def _add(root: Draft, target: Draft, item: Askable, *, as_event: bool) -> None:
    """A test of the record it is about; a record of its own where there is none for it."""
    test = Draft(_fresh(root), "test", {"item": item.key})
    kind = target.given.get("record", "") if target.kind in ("record", "event") else target.inside
    if as_event or not (kind and (item.level.kind == kind or item.level.kind in above(kind))):
        record = Draft(_fresh(root, 1), "event" if as_event else "record", {"record": item.level.kind, "which": "ever"})
        _hang(record, target)
        target = record
    _hang(test, target)


def _fresh(root: Draft, more: int = 0) -> str:
    return str(max((int(one.id) for one in root.all() if one.id.isdigit()), default=0) + 1 + more)


def find_item(text: str) -> Askable | None:
    """By key, or by the words of the list: ``Lesion: Site``."""
    text = text.strip()
    if text in askable():
        return askable()[text]
    return next((one for one in askable().values() if named(one).casefold() == text.casefold()), None)


def named(item: Askable) -> str:
    return f"{item.level.title}: {item.label}"


def choosable(kind: str, items: frozenset[str] | None) -> Iterable[Askable]:
    """What may be added where a record of this kind is asked: its items, of the rows above, and records below."""
    kinds = {kind, *above(kind), *below(kind)} if kind else set(levels())
    return [one for one in askable().values() if one.level.kind in kinds and (items is None or one.key in items)]


# ---- from a definition


def drafted(definition: Mapping[str, Any]) -> Draft:
    """The tree of a saved question, of either version; what it can no longer ask stays, and says so."""
    root = Draft("", "group", {"join": str(definition.get("join", "all"))})
    for one in definition.get("conditions", []):
        _draft(one, root, root)
    return root


def _draft(node: Mapping[str, Any], parent: Draft, root: Draft) -> None:
    if "item" in node:
        _draft_test(node, parent, root)
        return
    kind = "record" if "record" in node else "group"
    draft = Draft(_fresh(root), kind, {name: str(node.get(name) or "") for name in KEPT})
    _hang(draft, parent)
    _fill(draft, node, root)


def _fill(draft: Draft, node: Mapping[str, Any], root: Draft) -> None:
    times, when = node.get("times") or {}, node.get("when") or {}
    draft.given["times"], draft.given["number"] = str(times.get("operator", "")), str(times.get("number", ""))
    if draft.given["number"] == "0":
        draft.given["times"] = "none"
    draft.given |= {name: str(when.get(name) or "") for name in ("relation", "months", "day")}
    draft.given["against"] = "event" if when.get("event") else "day"
    for one in node.get("conditions", []):
        _draft(one, draft, root)
    if event := when.get("event"):
        given = {name: str(event.get(name) or "") for name in KEPT}
        _hang(inner := Draft(_fresh(root), "event", given), draft)
        _fill(inner, event, root)


def _draft_test(node: Mapping[str, Any], parent: Draft, root: Draft) -> None:
    operator, value = str(node.get("operator", "")), node.get("value")
    if not parent.inside and parent.kind == "group":  # of the first version: "of some record", "of none"
        if operator in NEGATIVE:
            _hang(none := Draft(_fresh(root), "group", {"join": "none"}), parent)
            parent, operator = none, ANSWER[Operator(operator)].value
        record = str(node["item"]).split(".")[0]
        _hang(held := Draft(_fresh(root), "record", {"record": record, "which": "ever"}), parent)
        parent = held
    values = [_text(one) for one in value] if isinstance(value, list) else [] if value is None else [_text(value)]
    _hang(Draft(_fresh(root), "test", {"item": str(node["item"]), "operator": operator}, values), parent)


def _text(value: Any) -> str:
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)
