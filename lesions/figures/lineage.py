"""Where lesions came from and went: a bar for each from its first day to its last, with what splits, merges and comes
back drawn between them."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lesions.figures.course import Layout
from lesions.figures.scale import DAY, TimeScale, label, linked
from lesions.svg import ACCENT, ACCENT_WASH, INK, NAMESPACE, SOFT, element, words

ROW, TOP, BAR = 25.0, 18.0, 9.0
SPLIT, MERGE, RECURRENCE = "split", "merge", "recurrence"


@dataclass(frozen=True)
class Life:
    """One lesion. ``last``: None while it is there; ``end``: the drawing of how it ended, around a spot."""

    name: str
    about: str
    first: datetime.date
    last: datetime.date | None
    title: str
    href: str = ""
    end: Callable[[float, float], str] | None = None


@dataclass(frozen=True)
class Bond:
    """From one life to another, by their places in the list, on ``day``."""

    kind: str
    origin: int
    target: int
    day: datetime.date
    title: str


@dataclass(frozen=True)
class Lineage:
    lives: Sequence[Life]
    bonds: Sequence[Bond]
    first: datetime.date
    today: datetime.date
    title: str
    description: str


def draw_lineage(one: Lineage, layout: Layout, uid: str) -> str:
    """The picture as SVG text; a narrow one names each lesion above its bar."""
    left = layout.left if layout.names_above else layout.left + 88
    scale = TimeScale(one.first, one.today + DAY, left, layout.width - layout.right)
    step = ROW + (14 if layout.names_above else 0)
    levels = [TOP + step * number + (20 if layout.names_above else 8) for number in range(len(one.lives))]
    bottom = TOP + step * len(one.lives) + 2
    parts = []
    for day, name in scale.ticks():
        x = scale.at(day)
        rule = {"stroke": SOFT, "stroke_opacity": 0.25, "class_": "fig-rule"}
        parts += [
            element("line", x1=x, x2=x, y1=TOP - 8, y2=bottom, **rule),
            label(name, x + 3, bottom + 13, "fig-tick"),
        ]
    parts += [_life(life, level, scale, layout) for life, level in zip(one.lives, levels, strict=True)]
    parts += [_bond(bond, levels, scale, one.lives) for bond in one.bonds]
    named = words("title", one.title, id=f"{uid}-title") + words("desc", one.description, id=f"{uid}-desc")
    return element(
        "svg", named + "".join(parts),
        xmlns=NAMESPACE, class_="course lineage", viewBox=f"0 0 {layout.width:g} {bottom + 20:g}", role="group",
        aria_labelledby=f"{uid}-title", aria_describedby=f"{uid}-desc", font_family="Inter, sans-serif",
    )  # fmt: skip


def _life(life: Life, level: float, scale: TimeScale, layout: Layout) -> str:
    start, end = scale.at(life.first), scale.at(life.last or scale.end)
    over = life.last is not None
    bar = element(
        "rect", class_="fig-bar is-over" if over else "fig-bar", x=start, y=level - BAR / 2, height=BAR, rx=4,
        width=max(end - start, 3.0), fill=ACCENT_WASH, stroke=SOFT if over else ACCENT, stroke_width=1.1,
    )  # fmt: skip
    if layout.names_above:
        named = label(f"{life.name} {life.about}", 0, level - 11, "fig-bar-name", size=10.5)
    else:
        name = label(life.name, 0, level + 4, "fig-name", weight=600)
        named = name + label(life.about, 34, level + 4, "fig-tick", size=10.5)
    if over and life.end is not None:
        bar += life.end(end, level)
    elif not over:
        arrow = f"M{end + 2:.1f} {level - 5:.1f}l7 5l-7 5"
        bar += element("path", class_="fig-arrow", d=arrow, fill="none", stroke=ACCENT, stroke_width=1.8)
    return linked(words("title", life.title) + named + bar, life.href, life.title)


def _bond(bond: Bond, levels: Sequence[float], scale: TimeScale, lives: Sequence[Life]) -> str:
    """A split leads down from the bar it left, a merge into the bar it joined, a recurrence over the time between."""
    x, from_, to = scale.at(bond.day), levels[bond.origin], levels[bond.target]
    way = BAR / 2 if to > from_ else -BAR / 2
    look = {"fill": "none", "stroke": INK, "stroke_width": 1.4, "class_": f"fig-bond is-{bond.kind}"}
    if bond.kind == RECURRENCE:
        ended = lives[bond.origin].last or bond.day
        path = f"M{scale.at(ended):.1f} {from_ + way:.1f}V{(from_ + to) / 2:.1f}H{x:.1f}V{to - way:.1f}"
        drawn = element("path", d=path, stroke_dasharray="3 3", **look)
    else:
        drawn = element("path", d=f"M{x:.1f} {from_ + way:.1f}V{to - way:.1f}", **look)
    head = 4 if way > 0 else -4
    tip = f"M{x - 3.5:.1f} {to - way - head:.1f}L{x:.1f} {to - way:.1f}L{x + 3.5:.1f} {to - way - head:.1f}"
    return element("g", words("title", bond.title) + drawn + element("path", d=tip, **look))
