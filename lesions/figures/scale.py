"""The line of time, and the small arithmetic of placing words: pure functions of numbers."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

from lesions.svg import SOFT, ULCER, quoted

DAY = datetime.timedelta(days=1)
LETTER = 0.56  # mean width of a letter of the font, in font sizes
FONT = 11.5
MONTHS_UP_TO = 730  # days


@dataclass(frozen=True)
class Span:
    """A day known as an interval; None where that side is not known at all."""

    earliest: datetime.date | None
    latest: datetime.date | None


@dataclass(frozen=True)
class TimeScale:
    """Days to horizontal units between ``left`` and ``right``."""

    start: datetime.date
    end: datetime.date
    left: float
    right: float

    def at(self, day: datetime.date) -> float:
        """The place of a day, held inside the picture."""
        share = (day - self.start) / max(self.end - self.start, DAY)
        return self.left + (self.right - self.left) * min(max(share, 0.0), 1.0)

    def ticks(self, least: float = 44) -> list[tuple[datetime.date, str]]:
        """Days to name, at least ``least`` units apart: months of up to two years, years of a longer time."""
        per_year = (self.right - self.left) * 365.25 / max((self.end - self.start).days, 1)
        months = next((step for step in (1, 3, 6) if per_year * step / 12 >= least), 12)
        if (self.end - self.start).days <= MONTHS_UP_TO and months < 12:
            days = [(datetime.date(year, month, 1)) for year in self._years() for month in range(1, 13, months)]
            return [(day, f"{day:%Y-%m}") for day in days if self.start <= day <= self.end]
        step = next(step for step in (1, 2, 5, 10, 20, 50) if per_year * step >= least or step == 50)
        first_days = [datetime.date(year, 1, 1) for year in self._years() if year % step == 0]
        return [(day, str(day.year)) for day in first_days if self.start <= day <= self.end]

    def _years(self) -> range:
        return range(self.start.year, self.end.year + 1)


def text_width(text: str, size: float = FONT) -> float:
    """A generous guess: a picture made on the server cannot measure."""
    return len(text) * size * LETTER


def rows_without_overlap(extents: Sequence[tuple[float, float]], gap: float = 10) -> list[int]:
    """The row of each (left, right), in order: the first row where it covers nothing."""
    ends: list[float] = []
    rows = []
    for left, right in extents:
        row = next((number for number, end in enumerate(ends) if end + gap <= left), len(ends))
        if row == len(ends):
            ends.append(right)
        ends[row] = right
        rows.append(row)
    return rows


def apart(wanted: Iterable[tuple[float, str, str]], least: float) -> list[tuple[float, str, str]]:
    """(level, text, look) pushed down until none covers another."""
    placed: list[tuple[float, str, str]] = []
    for level, text, look in sorted(wanted):
        floor = placed[-1][0] + least if placed else level
        placed.append((max(level, floor), text, look))
    return placed


def label(
    text: object,
    x: float,
    y: float,
    kind: str,
    *,
    anchor: str | None = None,
    size: float = FONT,
    weight: int | None = None,
) -> str:
    """Words at a spot, of a class."""
    fill = ULCER if "ulcer" in kind else SOFT
    bold = f' font-weight="{weight}"' if weight else ""
    held = f' text-anchor="{anchor}"' if anchor else ""
    # Written out: a picture has a hundred labels, and element() costs four times as much.
    return (
        f'<text x="{x:.4g}" y="{y:.4g}" class="{kind}" font-size="{size:.4g}"{bold}{held} fill="{fill}">'
        f"{escape(str(text))}</text>"
    )


def linked(content: str, href: str, name: str) -> str:
    """A group that opens a page, where there is one. By keyboard the table below leads there: hundreds of points would
    stand in the way of everything after them."""
    if href:
        return f'<a href={quoted(href)} class="fig-link" aria-label={quoted(name)} tabindex="-1">{content}</a>'
    return f"<g>{content}</g>"


def shape(kind: str, x: float, y: float, r: float, *, look: str, fill: str) -> str:
    """A circle, square, diamond, triangle or cross of about radius r around (x, y)."""
    if kind == "circle":
        return f'<circle cx="{x:.4g}" cy="{y:.4g}" r="{r:.4g}" class="{look}" fill="{fill}"/>'
    if kind == "square":
        side = f'width="{r * 1.8:.4g}" height="{r * 1.8:.4g}"'
        return f'<rect x="{x - r * 0.9:.4g}" y="{y - r * 0.9:.4g}" {side} class="{look}" fill="{fill}"/>'
    if kind == "triangle":
        d = f"M{x:.1f} {y - r:.1f}l{r * 1.1:.1f} {r * 1.9:.1f}h{-r * 2.2:.1f}Z"
    elif kind == "cross":
        a, b = r * 0.45, r * 1.1
        d = f"M{x - a:.1f} {y - b:.1f}h{2 * a:.1f}v{b - a:.1f}h{b - a:.1f}v{2 * a:.1f}h{a - b:.1f}v{b - a:.1f}"
        d += f"h{-2 * a:.1f}v{a - b:.1f}h{a - b:.1f}v{-2 * a:.1f}h{b - a:.1f}Z"
    else:
        a = r * 1.2
        d = f"M{x:.1f} {y - a:.1f}l{a:.1f} {a:.1f}l{-a:.1f} {a:.1f}l{-a:.1f} {-a:.1f}Z"
    return f'<path d="{d}" class="{look}" fill="{fill}"/>'
