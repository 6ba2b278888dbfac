"""Which stretch of time the course shows: all of it, the last years, or from one day to another. Pure."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from django.utils.translation import gettext as _

SPANS = {"1y": 1, "3y": 3}  # years up to today


@dataclass(frozen=True)
class Window:
    """Both days included. ``span``: the button that stands for it, "" where two days were given."""

    first: datetime.date
    last: datetime.date
    span: str = ""

    def holds(self, day: datetime.date) -> bool:
        return self.first <= day <= self.last

    def shifted(self, *, later: bool) -> str:
        """The query of the stretch of the same length before or after this one."""
        length = self.last - self.first + datetime.timedelta(days=1)
        try:
            first = self.first + length if later else self.first - length
            return urlencode({"from": first, "to": first + length - datetime.timedelta(days=1)})
        except OverflowError:
            return urlencode({"from": self.first, "to": self.last})


@dataclass(frozen=True)
class Asked:
    """What an address asks for: a window (None: all of it), or what is wrong with it in words."""

    window: Window | None = None
    problem: str = ""


def asked(query: Mapping[str, str], today: datetime.date) -> Asked:
    """``span`` is "1y", "3y" or "all"; ``from`` and ``to`` are days, either may be missing."""
    span = query.get("span", "")
    if span in SPANS:
        return Asked(Window(_years_before(today, SPANS[span]), today, span))
    if span not in ("", "all"):
        return Asked(problem=_("“%(what)s” is no stretch of time: all of it is shown.") % {"what": span[:20]})
    days: list[datetime.date | None] = []
    for name in ("from", "to"):
        typed = query.get(name, "").strip()
        try:
            days.append(datetime.date.fromisoformat(typed) if typed else None)
        except ValueError:
            return Asked(problem=_("“%(what)s” is no date such as 2026-05-12: all is shown.") % {"what": typed[:20]})
    first, last = days
    if first is None and last is None:
        return Asked()
    window = Window(first or datetime.date.min, last or today)
    if window.first >= window.last:
        return Asked(problem=_("“From” must be before “to”: all of it is shown."))
    return Asked(window)


def _years_before(day: datetime.date, years: int) -> datetime.date:
    try:
        return day.replace(year=day.year - years)
    except ValueError:  # 29 February
        return day.replace(year=day.year - years, day=28)
