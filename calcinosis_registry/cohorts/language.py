"""What a question is made of, once checked (reading.py). docs/decisions/0020 says why it is as it is.

    {"version": 2, "join": "all" | "any" | "none", "conditions": [group or record, …]}
    group   {"join": …, "conditions": […]}
    record  {"record": "lesion", "join": …, "conditions": [test, group or record, …],
             "which": "ever" | "first" | "last" | "first such" | "last such" | "baseline",
             "times": {"operator": "at least" | "at most" | "exactly", "number": 2},
             "dated": "treatmentcourse.stop",
             "when": {"relation": "after" | "before" | "around", "months": 6, "day": "2024-03-01" or "event": record}}
    test    {"item": "lesion.site", "operator": "is", "value": "HAND"}

All tests of a record are about the same row. A test may ask a row above it (the lesion of an observation), a record
inside a record asks the rows below (the observations of a lesion). A question of the first version, without
"version", has tests alone and no groups; it is read for good.

Missing values: a test is true of an answered value only (but "not answered"); "none", "at most" and "exactly 0" mean
that no such record is known. A partial date passes when it does whatever the missing month or day is; a record
without its date is never first or last, nor before or after anything.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as __

from calcinosis_registry.cohorts.items import Askable, Operator
from calcinosis_registry.cohorts.structure import Level

VERSION = 2
MOST_CONDITIONS = 100
MOST_LEVELS = 6
MOST_TIMES, MOST_MONTHS = 1000, 1200
DAYS_PER_MONTH = 30.4375  # 365.25 / 12; the sentence says the days


class Join(models.TextChoices):
    ALL = "all", __("all of these")
    ANY = "any", __("any of these")
    NONE = "none", __("none of these")


class Which(models.TextChoices):
    EVER = "ever", __("any such record")
    FIRST = "first", __("the first record")
    LAST = "last", __("the last record")
    FIRST_SUCH = "first such", __("the first such record")
    LAST_SUCH = "last such", __("the last such record")
    BASELINE = "baseline", __("a record of the baseline visit")


class HowOften(models.TextChoices):
    AT_LEAST = "at least", __("at least")
    AT_MOST = "at most", __("at most")
    EXACTLY = "exactly", __("exactly")


class Relation(models.TextChoices):
    AFTER = "after", __("after")
    BEFORE = "before", __("before")
    AROUND = "around", __("before or after")


class DefinitionError(ValueError):
    """It cannot be asked. ``problems``: one sentence each; ``places``: {(0, 2), third of the first: its problem}."""

    def __init__(self, problems: Sequence[str], places: dict[tuple[int, ...], str] | None = None) -> None:
        super().__init__(" ".join(problems))
        self.problems = list(problems)
        self.places = places or {}


@dataclass(frozen=True)
class Test:
    """One value of one row."""

    item: Askable
    operator: Operator
    value: Any


@dataclass(frozen=True)
class Group:
    join: Join
    parts: tuple[Node, ...]


@dataclass(frozen=True)
class Times:
    operator: HowOften
    number: int


@dataclass(frozen=True)
class When:
    """``months`` None: on a later (earlier) day; else within so many months, the same day too."""

    relation: Relation
    months: int | None
    day: datetime.date | None = None
    event: Records | None = None

    @property
    def days(self) -> int | None:
        return None if self.months is None else round(self.months * DAYS_PER_MONTH)


@dataclass(frozen=True)
class Records:
    """A patient (or a row above) has such rows of ``level``. ``dated``: the date item that says when a row was."""

    level: Level
    of: Group
    which: Which = Which.EVER
    times: Times | None = None
    when: When | None = None
    dated: str = ""


Node = Test | Group | Records


@dataclass(frozen=True)
class Question:
    """A checked definition."""

    group: Group
    version: int = field(default=VERSION)


def nodes(node: Node) -> Iterator[Node]:
    """The node and everything in it, events too."""
    yield node
    if isinstance(node, Group):
        for part in node.parts:
            yield from nodes(part)
    elif isinstance(node, Records):
        yield from nodes(node.of)
        if node.when is not None and node.when.event is not None:
            yield from nodes(node.when.event)
