"""The funnel plot: shares of units of different size, and how far chance alone would scatter them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from calcinosis_registry.reports.figures.canvas import (
    INK,
    PAPER,
    SERIES,
    SOFT,
    WIDTH,
    Axis,
    clip,
    element,
    picture,
    rule,
    spot,
    text,
)
from calcinosis_registry.reports.figures.curves import LEFT, RIGHT, TALL, TOP, grid

Limits = Sequence[tuple[float, float, float]]
DASHES = (None, "7 4", "2 3")


@dataclass(frozen=True)
class Place:
    """A clinic: ``whole`` patients, ``share`` of them; ``own``: the reader's; ``clinics``: how many stand there.

    ``low``, ``high``: what a protected share may stand for.
    """

    label: str
    whole: float
    share: float
    told: str
    own: bool = False
    clinics: int = 1
    low: float | None = None
    high: float | None = None


def funnel(
    title: str, description: str, places: Sequence[Place], *, target: float, inner: Limits, outer: Limits,
    names: tuple[str, str, str], below: str, beside: str,
) -> str:  # fmt: skip
    """Shares against size; ``inner``, ``outer``: (size, low, high) of the 95 % and 99.8 % limits."""
    x = Axis(0, max(size for size, _low, _high in inner), LEFT, WIDTH - RIGHT)
    shown = [one.share if one.low is None else one.low for one in places] + [
        low for size, low, _high in outer if size >= min(one.whole for one in places)
    ]
    y = Axis(math.floor(10 * min(shown) + 1e-9) / 10, 1, TOP + TALL, TOP)
    parts = [grid(x, y, x.ticks(6), below, beside, lambda value: f"{100 * value:.0f} %")]
    parts.append(rule(x.start, y.at(target), x.end, y.at(target), kind="limit-target", stroke=INK, width=1.4))
    for limits, dash in ((inner, DASHES[1]), (outer, DASHES[2])):
        parts += [_limit([(one[0], one[which]) for one in limits], x, y, dash) for which in (1, 2)]
    parts += [_place(one, x, y) for one in places]
    base, left = TOP + TALL + 58, LEFT
    for index, (name, dashes) in enumerate(zip(names, DASHES, strict=True)):
        kind, stroke = ("limit", SOFT) if index else ("limit-target", INK)
        parts.append(rule(left, base - 4, left + 24, base - 4, kind=kind, stroke=stroke, width=1.6, dash=dashes))
        parts.append(text(name, left + 30, base, kind="ink-text", fill=INK))
        left += 60 + len(name) * 6.6
    return picture(title, description, base + 12, "".join(parts))


def _limit(points: Sequence[tuple[float, float]], x: Axis, y: Axis, dash: str | None) -> str:
    """As far as it is inside the picture."""
    inside = [(size, value) for size, value in points if value >= y.low]
    path = "M" + "L".join(f"{x.at(size):.1f} {y.at(value):.1f}" for size, value in inside)
    return element("path", d=path, fill="none", stroke=SOFT, stroke_width=1.5, stroke_dasharray=dash,
                   class_="limit") if len(inside) > 1 else ""  # fmt: skip


def _place(one: Place, x: Axis, y: Axis) -> str:
    a, b = x.at(one.whole), y.at(one.share)
    said = f"{one.label}: {one.told}, {100 * one.share:.0f} %"
    if not one.own:
        dot = element("circle", cx=a, cy=b, r=5.5, fill=SERIES[0], stroke=PAPER, stroke_width=1.2, class_="area s1")
        many = text(f"× {one.clinics}", a + 8, b - 7, size=11.5, halo=True) if one.clinics > 1 else ""
        return spot(_range(one, a, y) + dot + many, said)
    shape = element("path", d=f"M{a:.1f} {b - 9:.1f}l9 9l-9 9l-9 -9Z", fill=SERIES[1], stroke=PAPER, stroke_width=1.2,
                    class_="area s2")  # fmt: skip
    above = b - 16 if b > TOP + 24 else b + 26  # beside the mark the lines would run through the name
    end = "end" if a > WIDTH - 160 else "middle"
    name = text(clip(one.label, 200), a + (9 if end == "end" else 0), above, anchor=end, kind="ink-text", fill=INK,
                weight=600, halo=True)  # fmt: skip
    return spot(shape + name, said)


def _range(one: Place, x: float, y: Axis) -> str:
    if one.low is None or one.high is None:
        return ""
    return rule(x, y.at(max(one.low, y.low)), x, y.at(min(one.high, 1.0)), kind="line s1", stroke=SERIES[0], width=1.3)
