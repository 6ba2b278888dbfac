"""Lanes of the course picture: one or more series of values on one scale, over time."""

from __future__ import annotations

import datetime
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

from lesions.figures.scale import DAY, FONT, TimeScale, apart, label, linked, shape, text_width
from lesions.svg import ACCENT, INK, SOFT, ULCER, element

POINTS = {"burden": "circle", "pain": "square", "patient": "circle", "physician": "diamond", "active": "circle",
          "ulcerated": "square", "mrss": "circle", "score": "diamond"}  # fmt: skip
DASHES = {"patient": "6 3", "physician": "2 3", "ulcerated": "4 2"}
STROKES = {"burden": ACCENT, "pain": INK, "active": ACCENT, "ulcerated": ULCER, "mrss": INK, "score": INK}


@dataclass(frozen=True)
class Point:
    """A value on a day; ``href`` opens the visit, ``title`` says in words what the point shows."""

    day: datetime.date
    value: float
    href: str = ""
    title: str = ""


@dataclass(frozen=True)
class Series:
    """One line. ``look``: the class that gives it colour, dash and point: burden, pain, patient, physician, ..."""

    label: str
    look: str
    points: Sequence[Point]
    before: Point | None = None  # what the line comes from, and leads to, beyond what is shown
    after: Point | None = None


@dataclass(frozen=True)
class Lane:
    """Series on one scale from 0 to ``top`` (None: up to their largest value)."""

    label: str
    unit: str
    series: Sequence[Series]
    top: float | None = None
    height: float = 56


def lane(one: Lane, scale: TimeScale, y: float) -> str:
    """A lane whose band reaches from ``y`` (top) over its height: zero line, top of scale, lines, newest values."""
    values = [point.value for series in one.series for point in series.points]
    top = one.top or max([*values, 1.0])
    base = y + one.height

    def height_of(value: float) -> float:
        return base - min(value / top, 1.0) * one.height

    grid = {"x1": scale.left, "x2": scale.right, "class_": "fig-rule", "stroke": SOFT, "stroke_opacity": 0.25}
    parts = [element("line", y1=base, y2=base, **grid), element("line", y1=y, y2=y, **grid, stroke_dasharray="1 4")]
    parts.append(label(f"{top:,.0f}", scale.left - 6, y + 4, "fig-tick", anchor="end", size=10))
    parts.append(label("0", scale.left - 6, base + 3, "fig-tick", anchor="end", size=10))
    parts += [_line(series, scale, height_of) for series in one.series]
    return "".join([*parts, *_newest(one, scale, height_of)])


def _newest(one: Lane, scale: TimeScale, height_of: Callable[[float], float]) -> list[str]:
    """The newest value of each series beside its point; those of the same day keep apart."""
    by_day: dict[datetime.date, list[tuple[float, str, str]]] = defaultdict(list)
    for series in one.series:
        if series.points:
            point = series.points[-1]
            by_day[point.day].append((height_of(point.value), f"{point.value:,.0f}", series.look))
    return [
        label(text, scale.at(day) + 9, level + 4, f"fig-value is-{look}", size=FONT, weight=620)
        for day, wanted in by_day.items()
        for level, text, look in apart(wanted, 12.5)
    ]


def _line(series: Series, scale: TimeScale, height_of: Callable[[float], float]) -> str:
    stroke = STROKES.get(series.look, SOFT)
    spots = [(scale.at(point.day), height_of(point.value), point) for point in series.points]
    way = [(x, y) for x, y, _point in spots]
    if series.before is not None:
        way.insert(0, _edge(series.before, series.points[0], scale, scale.start, height_of))
    if series.after is not None:
        way.append(_edge(series.points[-1], series.after, scale, scale.end, height_of))
    path = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in way)
    line = element(
        "path", d=path, class_=f"fig-line is-{series.look}", fill="none", stroke=stroke, stroke_width=1.9,
        stroke_linejoin="round", stroke_dasharray=DASHES.get(series.look),
    )  # fmt: skip
    small = len(spots) > 24
    marks = [_point(series.look, x, y, point, stroke, small=small) for x, y, point in spots]
    return (line if len(way) > 1 else "") + "".join(marks)


def _edge(
    one: Point, other: Point, scale: TimeScale, day: datetime.date, height_of: Callable[[float], float]
) -> tuple[float, float]:
    """Where the line from one point to the other crosses the edge of what is shown."""
    share = (day - one.day) / max(other.day - one.day, DAY)
    return scale.at(day), height_of(one.value + (other.value - one.value) * min(max(share, 0.0), 1.0))


def _point(look: str, x: float, y: float, point: Point, stroke: str, *, small: bool) -> str:
    r = 2.3 if small else 3.6
    drawn = shape(POINTS.get(look, "circle"), x, y, r, look=f"fig-point is-{look}", fill=stroke)
    # The line of the eye is thin; what a finger presses is not.
    reach = shape("circle", x, y, 4.5 if small else 9.0, look="fig-reach", fill="transparent")
    return linked(f"<title>{escape(point.title)}</title>{reach}{drawn}", point.href, point.title)


def key(one: Lane, x: float, y: float) -> str:
    """Which line is which, where a lane has several: under the lane."""
    if len(one.series) < 2:
        return ""
    parts = []
    level = y + one.height + 15
    for series in one.series:
        sample = _sample(series.look, x, level - 4)
        parts += [sample, label(series.label, x + 27, level, "fig-key", size=10.5)]
        x += 27 + text_width(series.label, 10.5) + 14
    return "".join(parts)


def _sample(look: str, x: float, y: float) -> str:
    """A short piece of a series' line with its point, for the key."""
    stroke = STROKES.get(look, SOFT)
    rule = {"stroke": stroke, "stroke_width": 1.9, "stroke_dasharray": DASHES.get(look)}
    line = element("line", x1=x, x2=x + 22, y1=y, y2=y, class_=f"fig-line is-{look}", **rule)
    return line + shape(POINTS[look], x + 11, y, 3.2, look=f"fig-point is-{look}", fill=stroke)
