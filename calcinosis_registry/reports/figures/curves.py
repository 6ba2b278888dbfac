"""Step curves with their bands and the numbers at risk; lines of means over time."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from calcinosis_registry.reports.figures.canvas import (
    DASHES,
    INK,
    PAPER,
    SERIES,
    SOFT,
    WIDTH,
    Axis,
    element,
    key,
    picture,
    rule,
    spot,
    text,
)

LEFT, RIGHT, TOP, TALL = 64.0, 24.0, 32.0, 290.0


@dataclass(frozen=True)
class Step:
    """One curve: (time, value) as it changes, ``band`` (time, low, high), ``at_risk`` in words at the ticks.

    A value of None is hidden: no line goes over it.
    """

    label: str
    points: Sequence[tuple[float, float | None]]
    band: Sequence[tuple[float, float, float]] = ()
    censored: Sequence[tuple[float, float]] = ()
    at_risk: Sequence[str] = ()
    end: float = 0.0

    @property
    def runs(self) -> list[list[tuple[float, float]]]:
        """Points that a line joins."""
        runs: list[list[tuple[float, float]]] = [[]]
        for time, value in self.points:
            if value is None:
                runs.append([])
            else:
                runs[-1].append((time, value))
        return [run for run in runs if run]


def ticks_of(longest: float) -> list[float]:
    """Where the numbers at risk stand."""
    return Axis(0, max(longest, 0.5), 0, 1).ticks(6)


def step_curves(
    title: str, description: str, curves: Sequence[Step], *, longest: float, below: str, beside: str, risk: str,
    upper: float = 1.0, named: bool = False,
) -> str:  # fmt: skip
    """Steps from time 0; ``below``, ``beside``: the axes in words; ``risk``: the head of the numbers at risk.

    ``named``: a curve is of one group among several, and says of which, also when it is alone.
    """
    x = Axis(0, max(longest, 0.5), LEFT, WIDTH - RIGHT)
    y = Axis(0, upper, TOP + TALL, TOP)
    ticks = x.ticks(6)
    parts = [grid(x, y, ticks, below, beside, lambda value: f"{100 * value:.0f} %")]
    parts += [_band(one, x, y, index) for index, one in enumerate(curves)]
    parts += [_steps(one, x, y, index) for index, one in enumerate(curves)]
    base = TOP + TALL + 58
    if len(curves) > 1 or named:
        drawn, tall = key([one.label for one in curves], LEFT, base)
        parts.append(drawn)
        base += tall
    if any(one.at_risk for one in curves):
        parts.append(text(risk, LEFT - 40, base + 6, size=11.5, weight=600, kind="ink-text", fill=INK))
        for index, one in enumerate(curves):
            level = base + 26 + 18 * index
            if len(curves) > 1:
                look = f"s{index % 8 + 1}"
                parts.append(rule(LEFT - 40, level - 4, LEFT - 18, level - 4, kind=f"line {look}", width=2.2,
                                  stroke=SERIES[index % 8], dash=DASHES[index % 8]))  # fmt: skip
            parts += [text(told, x.at(tick), level, anchor="middle", size=11.5, kind="ink-text", fill=INK)
                      for tick, told in zip(ticks, one.at_risk, strict=False)]  # fmt: skip
        base += 26 + 18 * len(curves)
    return picture(title, description, base, "".join(parts))


def grid(x: Axis, y: Axis, ticks: Sequence[float], below: str, beside: str, shown: Callable[[float], str]) -> str:
    parts = []
    for level in y.ticks(5):
        parts.append(rule(x.start, y.at(level), x.end, y.at(level)))
        parts.append(text(shown(level), x.start - 8, y.at(level) + 4, anchor="end", size=11.5))
    for tick in ticks:
        parts.append(rule(x.at(tick), y.start, x.at(tick), y.start + 5, kind="axis", stroke=SOFT))
        parts.append(text(f"{tick:g}", x.at(tick), y.start + 19, anchor="middle", size=11.5))
    parts.append(rule(x.start, y.start, x.end, y.start, kind="axis", stroke=SOFT))
    parts.append(text(below, (x.start + x.end) / 2, y.start + 37, anchor="middle", size=12))
    parts.append(text(beside, x.start - 40, y.end - 18, size=12))
    return "".join(parts)


def _stairs(points: Sequence[tuple[float, float]], x: Axis, y: Axis, end: float) -> str:
    path = [f"M{x.at(points[0][0]):.1f} {y.at(points[0][1]):.1f}"]
    path += [f"H{x.at(time):.1f}V{y.at(value):.1f}" for time, value in points[1:]]
    return "".join(path) + (f"H{x.at(end):.1f}" if end > points[-1][0] else "")


def _band(one: Step, x: Axis, y: Axis, index: int) -> str:
    """One area for each run without a gap; a single step has none."""
    runs: list[list[tuple[float, float, float]]] = [[]]
    for time, low, high in one.band:
        if math.isnan(low) or math.isnan(high):
            runs.append([])
        else:
            runs[-1].append((time, low, high))
    return "".join(
        element("path", d=_area(run, one.end if run is runs[-1] else 0.0, x, y), fill=SERIES[index % 8],
                fill_opacity=0.13, class_=f"band s{index % 8 + 1}")
        for run in runs
        if len(run) > 1
    )  # fmt: skip


def _area(run: Sequence[tuple[float, float, float]], end: float, x: Axis, y: Axis) -> str:
    upper = _stairs([(time, high) for time, _low, high in run], x, y, end)
    lower = [(time, low) for time, low, _high in run]
    back = [f"V{y.at(lower[-1][1]):.1f}"]
    for (time, _value), (_before, value) in zip(reversed(lower[1:]), reversed(lower[:-1]), strict=True):
        back.append(f"H{x.at(time):.1f}V{y.at(value):.1f}")
    back.append(f"H{x.at(lower[0][0]):.1f}Z")
    return upper + "".join(back)


def _steps(one: Step, x: Axis, y: Axis, index: int) -> str:
    runs = one.runs
    if not runs:
        return ""
    colour, look = SERIES[index % 8], f"s{index % 8 + 1}"
    ends = [*(run[-1][0] for run in runs[:-1]), one.end]
    way = "".join(_stairs(run, x, y, end) for run, end in zip(runs, ends, strict=True))
    line = element("path", d=way, fill="none", stroke=colour, stroke_width=2.2,
                   stroke_dasharray=DASHES[index % 8], stroke_linejoin="round", class_=f"line {look}")  # fmt: skip
    lonely = [run[0] for run in runs if len(run) == 1 and one.end <= run[0][0]]
    line += "".join(element("circle", cx=x.at(time), cy=y.at(value), r=3, fill=PAPER, stroke=colour, stroke_width=2,
                            class_=f"dot {look}") for time, value in lonely)  # fmt: skip
    ticks = "".join(rule(x.at(time), y.at(value) - 4, x.at(time), y.at(value) + 4, kind=f"line {look}", stroke=colour,
                         width=1.3) for time, value in one.censored)  # fmt: skip
    spots = []
    for time, value in _thinned([point for run in runs for point in run]):
        dot = element("circle", cx=x.at(time), cy=y.at(value), r=7, class_=f"reach {look}", fill="transparent")
        spots.append(spot(dot, f"{one.label}, {time:.2g}: {100 * value:.1f} %"))
    return line + ticks + "".join(spots)


def _thinned(points: Sequence[tuple[float, float]], most: int = 40) -> list[tuple[float, float]]:
    """So many that a keyboard can walk them."""
    step = max(len(points) // most, 1)
    return [*points[::step], *([points[-1]] if (len(points) - 1) % step else [])]


# ---- means over time


Point = tuple[float, float, float, float, str]  # time, value, low, high, in words; NaN limits where there are none


@dataclass(frozen=True)
class Line:
    label: str
    points: Sequence[Point]


def lines(
    title: str, description: str, series: Sequence[Line], *, low: float, high: float, longest: float, below: str,
    beside: str, step: float, zero: bool = False,
) -> str:  # fmt: skip
    """Means with their intervals over time, a tick every ``step``; ``zero``: mark the line of no change."""
    end = step * math.ceil(max(longest, step) / step)
    x, y = Axis(0, end, LEFT, WIDTH - RIGHT), Axis(low, high, TOP + TALL, TOP)
    parts = [
        grid(x, y, [step * one for one in range(round(end / step) + 1)], below, beside, lambda value: f"{value:g}")
    ]
    if zero and low < 0 < high:
        parts.append(rule(x.start, y.at(0), x.end, y.at(0), kind="axis", stroke=INK, width=1.4))
    for index, one in enumerate(series):
        parts.append(_line(one, x, y, index, aside=6.0 * (index - (len(series) - 1) / 2)))
    base = TOP + TALL + 58
    drawn, tall = key([one.label for one in series], LEFT, base)
    return picture(title, description, base + tall, "".join([*parts, drawn]))


def _line(one: Line, x: Axis, y: Axis, index: int, aside: float) -> str:
    colour, look = SERIES[index % 8], f"s{index % 8 + 1}"
    at = [(x.at(time) + aside, y.at(value)) for time, value, *_rest in one.points]
    path = "M" + "L".join(f"{a:.1f} {b:.1f}" for a, b in at) if at else ""
    parts = [element("path", d=path, fill="none", stroke=colour, stroke_width=2, stroke_dasharray=DASHES[index % 8],
                     class_=f"line {look}")] if len(at) > 1 else []  # fmt: skip
    for (a, b), (_time, _value, low, high, told) in zip(at, one.points, strict=True):
        mark = element("circle", cx=a, cy=b, r=9, fill="transparent", class_="reach")
        if not math.isnan(low):
            ends = (max(low, y.low), min(high, y.high))
            mark += rule(a, y.at(ends[0]), a, y.at(ends[1]), kind=f"line {look}", stroke=colour, width=1.4)
        mark += element("circle", cx=a, cy=b, r=4, fill=PAPER, stroke=colour, stroke_width=2, class_=f"dot {look}")
        parts.append(spot(mark, f"{one.label}: {told}"))
    return "".join(parts)
