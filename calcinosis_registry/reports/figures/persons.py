"""One mark a person or lesion: waterfall and swimmer plot. For those who may see single people only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from calcinosis_registry.reports.figures.canvas import (
    INK,
    LINE,
    SERIES,
    SOFT,
    WIDTH,
    Axis,
    clip,
    element,
    key,
    picture,
    rule,
    spot,
    text,
)

LEFT, RIGHT = 64.0, 16.0


@dataclass(frozen=True)
class Drop:
    """``change`` in %; ``group``: which of the names; ``told``: the mark in words."""

    change: float
    group: int
    told: str


def waterfall(
    title: str, description: str, drops: Sequence[Drop], names: Sequence[str], *, limit: float, beside: str, cut: str
) -> str:
    """Bars sorted by change, the growing first; beyond +100 % a bar is cut and marked. Lines at ± ``limit``."""
    top, tall, least, most = 20.0, 300.0, -100.0, 100.0
    x_room, y = WIDTH - LEFT - RIGHT, Axis(least, most, top + tall, top)
    wide = min(x_room / max(len(drops), 1), 34.0)
    parts: list[str] = []
    for level in (-100, -50, 0, 50, 100):
        parts.append(rule(LEFT, y.at(level), WIDTH - RIGHT, y.at(level)))
        parts.append(text(f"{level:+d} %" if level else "0 %", LEFT - 8, y.at(level) + 4, anchor="end", size=11.5))
    for side in (y.at(limit), y.at(-limit)):
        parts += [rule(LEFT, side, WIDTH - RIGHT, side, kind="limit", stroke=SOFT, dash="5 4", width=1.3)]
    for index, one in enumerate(sorted(drops, key=lambda drop: -drop.change)):
        x, end = LEFT + wide * index, y.at(min(max(one.change, least), most))
        height = max(abs(end - y.at(0)), 1.5)
        bar = element("rect", x=x + 0.5, y=min(end, y.at(0)), width=max(wide - 1.5, 0.8), height=height,
                      fill=SERIES[one.group % 8], class_=f"area s{one.group % 8 + 1}")  # fmt: skip
        if one.change > most:
            bar += element("path", d=f"M{x + wide / 2 - 4:.1f} {top - 3:.1f}l4 -6l4 6Z", fill=INK, class_="ink-mark")
        parts.append(spot(bar, one.told))
    parts.append(rule(LEFT, y.at(0), WIDTH - RIGHT, y.at(0), kind="axis", stroke=INK, width=1.3))
    parts.append(text(beside, LEFT - 40, top - 8 if not any(one.change > most for one in drops) else top - 12, size=12))
    drawn, more = key(names, LEFT, top + tall + 30, line=False)
    if any(one.change > most for one in drops):
        drawn += text(cut, LEFT, top + tall + 30 + more, size=11.5)
        more += 18
    return picture(title, description, top + tall + 24 + more, "".join([*parts, drawn]))


@dataclass(frozen=True)
class Course:
    """A bar of a swimmer: years from ``start`` to ``stop``, of one of the names; ``open``: still going on."""

    start: float
    stop: float
    group: int
    open: bool
    told: str


@dataclass(frozen=True)
class Swimmer:
    """One person: ``followed`` years, courses, and marks (year, kind, in words); kinds: ulcer, new, death."""

    label: str
    followed: float
    courses: Sequence[Course]
    marks: Sequence[tuple[float, str, str]] = ()


def swimmers(
    title: str, description: str, people: Sequence[Swimmer], names: Sequence[str], marks: dict[str, str], *, below: str
) -> str:
    """A lane a person, from registration; ``marks``: {kind: in words} for the key."""
    row, left, top = 22.0, 92.0, 12.0
    longest = max([one.followed for one in people] + [course.stop for one in people for course in one.courses] + [0.5])
    earliest = min([0.0] + [course.start for one in people for course in one.courses])
    x = Axis(max(earliest, -5.0), longest, left, WIDTH - 24)
    base = top + row * len(people)
    parts = [rule(x.at(0), top - 4, x.at(0), base + 4, kind="axis", stroke=SOFT)]
    for tick in x.ticks(8):
        parts.append(rule(x.at(tick), top - 2, x.at(tick), base + 4))
        parts.append(text(f"{tick:g}", x.at(tick), base + 20, anchor="middle", size=11.5))
    for index, one in enumerate(people):
        parts.append(_swimmer(one, x, top + row * index, row, left))
    parts.append(text(below, (left + WIDTH - 24) / 2, base + 38, anchor="middle"))
    drawn, more = key(names, left, base + 62, line=False)
    level, at = base + 62 + more, left
    for kind, told in marks.items():
        drawn += _mark(kind, at + 8, level - 4) + text(told, at + 22, level, kind="ink-text", fill=INK)
        at += 44 + len(told) * 6.8
    return picture(title, description, level + 10, "".join([*parts, drawn]))


def _swimmer(one: Swimmer, x: Axis, y: float, row: float, left: float) -> str:
    parts = [text(clip(one.label, left - 12, 11.5), left - 12, y + row / 2 + 4, anchor="end", size=11.5)]
    parts.append(element("rect", x=x.at(0), y=y + 4, width=max(x.at(one.followed) - x.at(0), 1), height=row - 8, rx=3,
                         fill=LINE, class_="track"))  # fmt: skip
    for course in one.courses:
        begin, end = x.at(max(course.start, x.low)), x.at(course.stop)
        look = {"fill": SERIES[course.group % 8], "class_": f"area s{course.group % 8 + 1}", "fill_opacity": 0.85}
        drawn = element("rect", x=begin, y=y + 4, width=max(end - begin, 2.5), height=row - 8, rx=3, **look)
        if course.open:
            drawn += element("path", d=f"M{end + 1:.1f} {y + 5:.1f}l6 {row / 2 - 5:.1f}l-6 {row / 2 - 5:.1f}Z", **look)
        parts.append(spot(drawn, f"{one.label}: {course.told}"))
    parts += [spot(_mark(kind, x.at(year), y + row / 2), f"{one.label}: {told}") for year, kind, told in one.marks]
    return "".join(parts)


def _mark(kind: str, x: float, y: float) -> str:
    """Black on a white edge: seen on every bar."""
    look = {"fill": INK, "stroke": "#ffffff", "stroke_width": 1.3, "class_": "ink-mark"}
    if kind == "ulcer":
        return element("circle", cx=x, cy=y, r=4.6, **look)
    if kind == "new":
        return element("path", d=f"M{x:.1f} {y - 6:.1f}l5.5 10h-11Z", **look)
    return element("path", d=f"M{x - 4.5:.1f} {y - 4.5:.1f}h9v9h-9Z", **look)
