"""A date as far as it is known: day, month, year, or explicitly unknown. Never silently 1 January.

A PartialDate is an interval of days. Order and validation use the interval: 1987 is not "before" 1987-03.
"""

from __future__ import annotations

import calendar
import datetime
import enum
import re
from dataclasses import dataclass
from functools import total_ordering

_FORM = re.compile(r"(\d{4})(?:-(\d{1,2})(?:-(\d{1,2}))?)?", re.ASCII)
_MONTH_FIRST = re.compile(r"(\d{1,2})/(\d{4})", re.ASCII)
_UNKNOWN = {"unknown", "unk", "?"}


class Precision(enum.StrEnum):
    DAY = "day"
    MONTH = "month"
    YEAR = "year"
    UNKNOWN = "unknown"


@total_ordering
@dataclass(frozen=True, eq=True)
class PartialDate:
    """Year, month and day; month and day may be missing; all missing means "unknown", which is an answer."""

    year: int | None = None
    month: int | None = None
    day: int | None = None

    @classmethod
    def parse(cls, text: str) -> PartialDate:
        """From ``YYYY``, ``YYYY-MM``, ``YYYY-MM-DD``, ``MM/YYYY`` or ``unknown``. Raises ValueError otherwise."""
        text = text.strip().lower()
        if text in _UNKNOWN:
            return cls()
        if found := _MONTH_FIRST.fullmatch(text):
            month, year = (int(part) for part in found.groups())
            day = None
        elif found := _FORM.fullmatch(text):
            year, month, day = (int(part) if part else None for part in found.groups())  # type: ignore[assignment]
        else:
            raise ValueError(f"{text!r} is not a year, a year and month, a date or “unknown”")
        parsed = cls(year, month, day)
        parsed.latest  # noqa: B018  raises ValueError for 30 February and month 13
        return parsed

    @classmethod
    def of(cls, day: datetime.date) -> PartialDate:
        return cls(day.year, day.month, day.day)

    @property
    def precision(self) -> Precision:
        if self.year is None:
            return Precision.UNKNOWN
        if self.month is None:
            return Precision.YEAR
        return Precision.MONTH if self.day is None else Precision.DAY

    @property
    def earliest(self) -> datetime.date | None:
        """First day of the interval; None when unknown."""
        return None if self.year is None else datetime.date(self.year, self.month or 1, self.day or 1)

    @property
    def latest(self) -> datetime.date | None:
        """Last day of the interval; None when unknown."""
        if self.year is None:
            return None
        month = 12 if self.month is None else self.month
        if not 1 <= month <= 12 or self.year < 1:
            raise ValueError("month must be between 1 and 12")
        day = calendar.monthrange(self.year, month)[1] if self.day is None else self.day
        return datetime.date(self.year, month, day)

    def can_be_on_or_before(self, other: PartialDate | datetime.date) -> bool:
        """Could some day of this interval be on or before some day of the other? Unknown always could."""
        latest = other.latest if isinstance(other, PartialDate) else other
        return self.earliest is None or latest is None or self.earliest <= latest

    def __bool__(self) -> bool:
        return True

    def __str__(self) -> str:
        if self.year is None:
            return "unknown"
        parts = [f"{self.year:04d}"] + [f"{part:02d}" for part in (self.month, self.day) if part is not None]
        return "-".join(parts)

    def __lt__(self, other: PartialDate) -> bool:
        # Earliest day first, the wider interval first, unknown last: a stable order for lists, not a medical claim.
        return str(self) < str(other)
