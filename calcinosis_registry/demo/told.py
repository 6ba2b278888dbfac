"""What a story is made of: records told as plain values, and the dice that decide."""

from __future__ import annotations

import datetime
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypeVar

from calcinosis_registry.codebook.partial_dates import PartialDate

T = TypeVar("T")
YEAR = 365.25


@dataclass(eq=False, slots=True)
class Told:
    """One record. ``kind`` is ``app.model``; a value may be another Told record, which the loader makes a key.

    ``row`` is what the loader made of it, ``content`` the bytes of a file and ``preview`` its picture as PNG.
    """

    kind: str
    values: dict[str, Any]
    row: Any = None
    content: bytes = b""
    preview: bytes = b""

    def __getitem__(self, name: str) -> Any:
        return self.values.get(name)


def years(count: float) -> datetime.timedelta:
    return datetime.timedelta(days=round(count * YEAR))


def days(count: float) -> datetime.timedelta:
    return datetime.timedelta(days=round(count))


def number(value: float, places: int = 1) -> Decimal:
    """A measured value as it is written down."""
    return Decimal(f"{value:.{places}f}")


def working_day(day: datetime.date) -> datetime.date:
    """The day itself, or the Monday after it."""
    return day + datetime.timedelta(days=(7 - day.weekday()) if day.weekday() > 4 else 0)


class Dice:
    """A seeded generator with the few throws a story needs. The same seed throws the same."""

    def __init__(self, seed: str) -> None:
        self.random = random.Random(seed)

    def chance(self, share: float) -> bool:
        return self.random.random() < share

    def pick(self, weights: Mapping[T, float]) -> T:
        """One key, as often as its weight says."""
        return self.random.choices(list(weights), weights=list(weights.values()))[0]

    def one_of(self, options: Sequence[T]) -> T:
        return self.random.choice(options)

    def some(self, options: Sequence[T], most: int) -> list[T]:
        """One to ``most`` different ones, in their order."""
        chosen = self.random.sample(range(len(options)), min(self.random.randint(1, most), len(options)))
        return [options[place] for place in sorted(chosen)]

    def between(self, low: float, high: float) -> float:
        return self.random.uniform(low, high)

    def whole(self, low: int, high: int) -> int:
        return self.random.randint(low, high)

    def normal(self, mean: float, spread: float, low: float, high: float) -> float:
        return min(max(self.random.gauss(mean, spread), low), high)

    def nrs(self, mean: float, spread: float = 1.0) -> int:
        """A rating from 0 to 10."""
        return round(self.normal(mean, spread, 0, 10))

    def answer(self, share: float, unknown: float = 0.04, blank: float = 0.0) -> str:
        """Yes, no, unknown, or not asked (blank)."""
        if blank and self.chance(blank):
            return ""
        return "U" if self.chance(unknown) else "Y" if self.chance(share) else "N"

    def maybe(self, share: float, value: T, otherwise: T) -> T:
        """The value in ``share`` of cases: what is not always written down."""
        return value if self.chance(share) else otherwise

    def day(self, first: datetime.date, last: datetime.date) -> datetime.date:
        return first + datetime.timedelta(days=self.random.randint(0, max((last - first).days, 0)))

    def remembered(self, day: datetime.date, *, unknown: float = 0.03) -> PartialDate:
        """A date as people remember it: mostly the year, sometimes the month, rarely the day."""
        if self.chance(unknown):
            return PartialDate()
        known = self.pick({"year": 0.45, "month": 0.33, "day": 0.22})
        if known == "day":
            return PartialDate.of(day)
        return PartialDate(day.year, day.month if known == "month" else None)
