"""Paper for the figures: sizes, colours, axes, words. SVG text with presentation attributes (a file by itself, PDF) and
classes (the page, light and dark: report.css). Nothing is told by colour alone.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from lesions.svg import ACCENT, INK, LINE, NAMESPACE, PAPER, SOFT, element, words

__all__ = ["ACCENT", "DASHES", "INK", "LINE", "PAPER", "SERIES", "SOFT", "WIDTH", "Axis", "clip", "element", "picture",
           "rule", "spot", "text", "tick_step", "words"]  # fmt: skip

WIDTH = 760.0
# Okabe–Ito hues darkened to 4.5:1 on white; each with its dash, so that a black-and-white print still tells them apart.
SERIES = (ACCENT, "#b84a00", "#0069a6", "#97386f", "#7d5a00", "#3c4855", "#a8123a", "#00704f")
DASHES = (None, "7 3", "2 3", "9 3 2 3", "5 2 1 2 1 2", "1 2", "12 4", "4 4")
LETTER = 0.54  # mean width of a letter, in font sizes


@dataclass(frozen=True)
class Axis:
    """Values ``low`` to ``high`` laid out from ``start`` to ``end`` units."""

    low: float
    high: float
    start: float
    end: float

    def at(self, value: float) -> float:
        if self.high == self.low:
            return (self.start + self.end) / 2
        return self.start + (self.end - self.start) * (value - self.low) / (self.high - self.low)

    def ticks(self, about: int = 6) -> list[float]:
        step = tick_step(self.high - self.low, about)
        first = math.ceil(self.low / step - 1e-9)
        return [step * one for one in range(first, math.floor(self.high / step + 1e-9) + 1)]


def tick_step(span: float, about: int) -> float:
    """1, 2, 2.5 or 5 times a power of ten, for about so many ticks."""
    if span <= 0:
        return 1.0
    rough = span / max(about, 1)
    power = 10.0 ** math.floor(math.log10(rough))
    return next(step * power for step in (1, 2, 2.5, 5, 10) if step * power >= rough * 0.999)


def text(
    content: object, x: float, y: float, *, anchor: str | None = None, size: float = 12, kind: str = "soft-text",
    fill: str = SOFT, weight: int | None = None, halo: bool = False,
) -> str:  # fmt: skip
    """``halo``: paper around the letters, where lines run behind them."""
    around = {"stroke": PAPER, "stroke_width": 4, "stroke_linejoin": "round", "paint_order": "stroke"} if halo else {}
    return words("text", content, x=x, y=y, text_anchor=anchor, font_size=size, font_weight=weight, fill=fill,
                 class_=f"{kind} halo" if halo else kind, **around)  # fmt: skip


def rule(x1: float, y1: float, x2: float, y2: float, *, kind: str = "grid", stroke: str = LINE, dash: str | None = None,
         width: float = 1.0) -> str:  # fmt: skip
    return element("line", x1=x1, y1=y1, x2=x2, y2=y2, class_=kind, stroke=stroke, stroke_width=width,
                   stroke_dasharray=dash)  # fmt: skip


def spot(content: str, tip: str) -> str:
    """A mark that says what it is on hover and by keyboard (report.js reads the title)."""
    return element("g", words("title", tip) + content, class_="spot")


def clip(label: object, room: float, size: float = 12) -> str:
    """The words, cut with an ellipsis where they would not fit."""
    told, most = str(label), max(int(room / (size * LETTER)), 2)
    return told if len(told) <= most else told[: most - 1].rstrip() + "…"


def picture(title: str, description: str, height: float, content: str, *, width: float = WIDTH) -> str:
    return element(
        "svg", words("title", title) + words("desc", description) + content, xmlns=NAMESPACE,
        viewBox=f"0 0 {width:g} {height:g}", role="img", font_family="Inter, Arial, sans-serif", class_="figure",
    )  # fmt: skip


def key(
    names: Sequence[str], x: float, y: float, *, line: bool = True, room: float = WIDTH, looks: Sequence[int] = ()
) -> tuple[str, float]:
    """(drawing, height): which look is whose, in as many lines as it takes."""
    parts, left, top = [], x, y
    for place, name in enumerate(names):
        index = looks[place] if looks else place
        told = clip(name, 240)
        wide = 30 + len(told) * 12 * LETTER + 18
        if left + wide > room and left > x:
            left, top = x, top + 20
        look = f"s{index % len(SERIES) + 1}"
        colour = SERIES[index % len(SERIES)]
        if line:
            parts.append(rule(left, top - 4, left + 24, top - 4, kind=f"line {look}", stroke=colour, width=2.2,
                              dash=DASHES[index % len(DASHES)]))  # fmt: skip
        else:
            parts.append(element("rect", x=left + 4, y=top - 11, width=14, height=12, rx=2, fill=colour,
                                 class_=f"area {look}"))  # fmt: skip
        parts.append(text(told, left + 30, top, kind="ink-text", fill=INK))
        left += wide
    return "".join(parts), top - y + 20
