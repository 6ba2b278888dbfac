"""Table 1: what a cohort is like, as a whole and by group. Pure: a Frame in, numbers with their denominators out.

Every number is counted from the rows an export of the same cohort holds.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from django.utils.translation import gettext as _

from calcinosis_registry.codebook.catalogue import codes_of
from calcinosis_registry.cohorts.items import askable
from calcinosis_registry.reports.crowd import Crowd, crowds
from calcinosis_registry.reports.exhibits import OutOfScope, Sheet
from calcinosis_registry.reports.frame import Frame
from calcinosis_registry.reports.grouping import Grouping
from calcinosis_registry.reports.statistics import comparison
from calcinosis_registry.reports.telling import NONE, Teller
from calcinosis_registry.reports.variables import NOT_ASKED, VARIABLES, Variable


@dataclass(frozen=True)
class Part:
    """One code of a variable: how many have it."""

    code: str
    label: str
    count: Crowd


@dataclass(frozen=True)
class Summary:
    """One variable: ``answered`` is the denominator; ``parts`` for codes, ``quartiles`` (25, 50, 75 %) for numbers."""

    variable: Variable
    answered: Crowd
    missing: Crowd
    parts: tuple[Part, ...] = ()
    quartiles: tuple[float, float, float] | None = None
    numbers: tuple[float, ...] = ()

    @property
    def counts(self) -> dict[str, Crowd]:
        """{code: who} of all codes."""
        return {part.code: part.count for part in self.parts}

    @property
    def shares(self) -> dict[str, int]:
        """{code: how many}; a yes has its no."""
        found: dict[str, int] = dict(self.counts)
        return found if self.variable.item else found | {"N": int(self.answered) - sum(map(int, found.values()))}


@dataclass(frozen=True)
class Compared:
    """A variable of everyone (``whole``) and of each group, with the largest standardised difference between two."""

    whole: Summary
    groups: tuple[Summary, ...] = ()
    difference: float = math.nan


def table_one(data: Frame, by: Grouping | None = None) -> list[Compared]:
    """Every variable of Table 1 whose items are in scope, in order; by group where ``by`` has some."""
    found = []
    for variable in VARIABLES:
        try:
            found.append(compare(variable, data, by))
        except OutOfScope:  # left out, and with it what would be told of it
            continue
    return found


def compare(variable: Variable, data: Frame, by: Grouping | None = None) -> Compared:
    values = variable.values(data)
    whole = summarise(variable, values, range(len(values)))
    if by is None or not by.grouped:
        return Compared(whole)
    members = [by.members(place).places.tolist() for place in range(len(by.names))]
    groups = [summarise(variable, [values[one] for one in some], some) for some in members]
    # What the groups are made of sets them apart by itself.
    pairs = [] if variable.item == by.key else [_apart(one, other) for one, other in combinations(groups, 2)]
    known = [one for one in pairs if not math.isnan(one)]
    return Compared(whole, tuple(groups), max(known) if known else math.nan)


def summarise(variable: Variable, values: Sequence[Any], places: Sequence[int]) -> Summary:
    """``places``: whose value each is."""
    asked = [(value, place) for value, place in zip(values, places, strict=True) if value is not NOT_ASKED]
    known = [(value, place) for value, place in asked if value is not None]
    answered, missing = (Crowd([place for _value, place in some]) for some in (
        known, [one for one in asked if one[0] is None]))  # fmt: skip
    if variable.item:
        found = crowds((str(value) for value, _place in known), answered.places.tolist())
        labels = dict(codes_of(askable()[variable.item].field))
        parts = tuple(Part(code, str(label), found[code]) for code, label in labels.items() if found[code])
        return Summary(variable, answered, missing, parts)
    if not variable.unit:
        return Summary(variable, answered, missing, (Part("Y", _("Yes"), Crowd([at for value, at in known if value])),))
    numbers = tuple(float(value) for value, _place in known)
    return Summary(variable, answered, missing, quartiles=comparison.quartiles(numbers), numbers=numbers)


def _apart(one: Summary, other: Summary) -> float:
    if one.variable.unit:
        return comparison.difference_of_means(one.numbers, other.numbers)
    return comparison.difference_of_shares(one.shares, other.shares)


# ---- as it may be shown


@dataclass(frozen=True)
class Cell:
    """A variable, or one code of it, in one group."""

    count: str = ""
    percent: str = ""
    quartiles: str = ""

    @property
    def text(self) -> str:
        return self.quartiles or (f"{self.count} ({self.percent} %)" if self.percent else self.count)


@dataclass(frozen=True)
class Line:
    """One line of the table as text; ``part`` is "" on the line of the variable itself."""

    name: str
    label: str
    part: str
    cells: tuple[Cell, ...]
    difference: str
    answered: str
    missing: str
    references: tuple[str, ...] = ()


def lines(compared: Sequence[Compared], tell: Teller) -> list[Line]:
    """The table as this reader may see it: small counts and what would give them away are protected."""
    return [line for one in compared for line in _lines(one, tell)]


def _lines(one: Compared, tell: Teller) -> list[Line]:
    whole, variable = one.whole, one.whole.variable
    columns = (whole, *one.groups)
    answered, missing = tell.n(whole.answered), tell.n(whole.missing)
    label = f"{variable.label} ({variable.unit})" if variable.unit else str(variable.label)
    alone = not variable.item
    cells = _cells(columns, "Y" if alone and not variable.unit else "", tell)
    head = Line(variable.name, label, "", cells, _difference(one, tell), answered, missing, variable.references)
    rest = [
        Line(variable.name, str(variable.label), part.label, _cells(columns, part.code, tell), "", answered, missing,
             variable.of_parts.get(part.code, ()))
        for part in ([] if alone else whole.parts)
    ]  # fmt: skip
    return [head, *rest]


def _cells(columns: Sequence[Summary], code: str, tell: Teller) -> tuple[Cell, ...]:
    return tuple(_cell(summary, code, tell) for summary in columns)


def _cell(summary: Summary, code: str, tell: Teller) -> Cell:
    if summary.variable.unit:
        if summary.quartiles is None or not tell.enough(summary.answered):
            return Cell(quartiles=NONE if summary.quartiles is None else "")
        shown = sorted(tell.middle(value, summary.answered) for value in summary.quartiles)
        low, middle, high = (f"{value:.1f}" for value in shown)
        return Cell(quartiles=f"{middle} [{low}–{high}]")
    if not code:
        return Cell()
    count = summary.counts.get(code, Crowd())
    share = tell.share(count, summary.answered)
    return Cell(tell.n(count), "" if share is None else f"{100 * share:.{1 if tell.exact else 0}f}")


def _difference(one: Compared, tell: Teller) -> str:
    """Of protected groups only where every one is large enough for its median."""
    if math.isnan(one.difference) or not all(tell.enough(group.answered) for group in one.groups):
        return NONE if one.groups else ""
    return "∞" if math.isinf(one.difference) else f"{one.difference:.{2 if tell.exact else 1}f}"


def sheet_of(table: Sequence[Line], by: Grouping) -> Sheet:
    """The whole table as text, one row a line, one column set a group."""
    names = [_("All patients"), *(by.names if by.grouped else ())]
    header = ["variable", "label", "part"]
    for place, name in enumerate(names):
        told = "" if not place else f" [{name}]"
        header += [f"n{told}", f"percent{told}", f"median_iqr{told}"]
    header += [*(["standardised_difference"] if by.grouped else []), "answered", "missing"]
    rows = []
    for line in table:
        cells = [text for cell in line.cells for text in (cell.count, cell.percent, cell.quartiles)]
        difference = [line.difference] if by.grouped else []
        rows.append((line.name, line.label, line.part, *cells, *difference, line.answered, line.missing))
    return Sheet(tuple(header), tuple(rows))
