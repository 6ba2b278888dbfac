"""The course of a patient as one picture: lanes of values above treatment bars and events, on one line of time."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from lesions.figures.lanes import Lane, key, lane
from lesions.figures.scale import DAY, Span, TimeScale, label, linked, rows_without_overlap, shape, text_width
from lesions.svg import ACCENT, ACCENT_WASH, INK, NAMESPACE, SOFT, ULCER, element, words

ROW, GAP, TOP = 23.0, 26.0, 14.0
MARKS = {"ulcer": "circle", "complication": "triangle", "procedure": "cross", "adverse": "diamond"}
COLOURS = {"procedure": INK, "adverse": SOFT}
MOST_ROWS = 2  # of one kind of event before names give way
SOFT_END = 26.0  # units over which an end fades whose day is not known at all


@dataclass(frozen=True)
class Bar:
    """Something that lasted. ``ongoing``: it still does. ``ended``: it does not, whether or not the day is known."""

    label: str
    title: str
    start: Span
    stop: Span
    ongoing: bool = False
    ended: bool = True
    href: str = ""


@dataclass(frozen=True)
class Happening:
    """Something at one time. ``look``: ulcer, complication, procedure, or adverse."""

    label: str
    title: str
    when: Span
    look: str
    href: str = ""


@dataclass(frozen=True)
class Course:
    """Everything the course picture shows, from ``first`` to ``today``, or to the last day asked for."""

    first: datetime.date
    today: datetime.date
    lanes: Sequence[Lane] = ()
    bars: Sequence[Bar] = ()
    happenings: Sequence[Happening] = ()
    title: str = ""
    description: str = ""
    bars_label: str = ""
    happenings_labels: Mapping[str, str] = field(default_factory=dict)  # by look


@dataclass(frozen=True)
class Layout:
    """Where things stand: a wide picture names its lanes at the left, a narrow one above them."""

    width: float
    left: float
    right: float
    names_above: bool


WIDE = Layout(width=820, left=108, right=44, names_above=False)
NARROW = Layout(width=400, left=30, right=34, names_above=True)


def draw_course(course: Course, layout: Layout, uid: str) -> str:
    """The whole picture as SVG text; ``uid`` makes its ids unique on the page."""
    scale = TimeScale(course.first, course.today + DAY, layout.left, layout.width - layout.right)
    y = TOP
    parts: list[str] = []
    for one in course.lanes:
        y += 18 if layout.names_above else 0
        parts += [_lane_name(one.label, one.unit, y, layout, one.height), lane(one, scale, y), key(one, layout.left, y)]
        y += one.height + GAP
    if course.bars:
        drawn, rows = _bars(course.bars, scale, y + (16 if layout.names_above else 0), layout)
        parts += [_lane_name(course.bars_label, "", y + (16 if layout.names_above else -4), layout, ROW), drawn]
        y += rows * ROW + 14 + (16 if layout.names_above else 0)
    for look in MARKS:
        name = course.happenings_labels.get(look, "")
        down = 16 if layout.names_above else 0
        drawn, rows = _happenings([one for one in course.happenings if one.look == look], scale, y + down, layout)
        if rows:
            parts += [_lane_name(name, "", y + (down or -4), layout, ROW), drawn]
            y += rows * ROW + 2 + down
    height = y + 20
    return element(
        "svg",
        words("title", course.title, id=f"{uid}-title") + words("desc", course.description, id=f"{uid}-desc")
        + _years(scale, y) + "".join(parts),
        xmlns=NAMESPACE, class_="course", data_first=course.first, data_last=course.today, data_left=layout.left,
        data_right=layout.width - layout.right, viewBox=f"0 0 {layout.width:g} {height:g}", role="group",
        aria_labelledby=f"{uid}-title", aria_describedby=f"{uid}-desc", font_family="Inter, sans-serif",
    )  # fmt: skip


def _years(scale: TimeScale, bottom: float) -> str:
    parts = []
    for day, name in scale.ticks():
        x = scale.at(day)
        rule = {"stroke": SOFT, "stroke_opacity": 0.25, "class_": "fig-rule"}
        parts += [
            element("line", x1=x, x2=x, y1=TOP - 6, y2=bottom, **rule),
            label(name, x + 3, bottom + 13, "fig-tick"),
        ]
    return "".join(parts)


def _lane_name(name: str, unit: str, y: float, layout: Layout, height: float) -> str:
    if not name:
        return ""
    if layout.names_above:
        return label(f"{name}{', ' if unit else ''}{unit}", 0, y - 7, "fig-name", weight=600)
    level = y + min(height / 2, 20)
    below = label(unit, 0, level + 12, "fig-tick", size=10.5) if unit else ""
    return label(name, 0, level - 2, "fig-name", weight=600) + below


def _bars(bars: Sequence[Bar], scale: TimeScale, y: float, layout: Layout) -> tuple[str, int]:
    """(drawing, number of rows): each bar in the first row with room for it and its name."""
    placed = [_bar_place(bar, scale, layout) for bar in bars]
    rows = rows_without_overlap([(min(one.left, one.text_x), max(one.right, one.text_end)) for one in placed])
    drawn = [_bar(one, y + row * ROW) for one, row in zip(placed, rows, strict=True)]
    return "".join(drawn), max(rows, default=-1) + 1


@dataclass(frozen=True)
class _PlacedBar:
    """Solid from ``sure_left`` to ``sure_right``, faded out to ``left`` and ``right``, where the days are not known."""

    bar: Bar
    left: float
    sure_left: float
    sure_right: float
    right: float
    text_x: float
    text_end: float


def _bar_place(bar: Bar, scale: TimeScale, layout: Layout) -> _PlacedBar:
    end = scale.right
    left = scale.at(bar.start.earliest) if bar.start.earliest else None
    sure_left = scale.at(bar.start.latest) if bar.start.latest else None
    right = end if bar.ongoing else scale.at(bar.stop.latest) if bar.stop.latest else None
    sure_right = end if bar.ongoing else scale.at(bar.stop.earliest) if bar.stop.earliest else None
    if sure_left is None or left is None:  # began, nobody knows when
        sure_left = (sure_right if sure_right is not None else end) - 1
        left = sure_left - SOFT_END
    if sure_right is None or right is None:  # nobody knows whether or when it ended
        sure_right = sure_left + 1
        right = min(sure_right + SOFT_END, end + 8)
    sure_left, sure_right = min(sure_left, sure_right), max(sure_left, sure_right)
    if right - left < 4:
        left, right = left - 2, right + 2
    wide = text_width(bar.label)
    if wide + 12 <= sure_right - sure_left:
        text_x = sure_left + 6
    elif right + 8 + wide <= layout.width:
        text_x = right + (14 if bar.ongoing else 6)
    else:
        text_x = max(left - 6 - wide, 0.0)
    return _PlacedBar(bar, left, sure_left, sure_right, right, text_x, text_x + wide)


def _bar(one: _PlacedBar, y: float) -> str:
    height = ROW - 6
    look = {"y": y, "height": height, "rx": 4}
    body = {"fill": ACCENT_WASH, "stroke": ACCENT, "stroke_width": 1.1}
    parts = [words("title", one.bar.title)]
    if one.left < one.sure_left - 0.5 or one.right > one.sure_right + 0.5:
        faded = {"x": one.left, "width": max(one.right - one.left, 1.0), "stroke_dasharray": "2 3"}
        parts.append(element("rect", class_="fig-bar is-soft", **faded, **look, **body | {"fill": "none"}))
    kind = "fig-bar is-over" if one.bar.ended else "fig-bar"
    width = max(one.sure_right - one.sure_left, 1.0)
    parts.append(element("rect", class_=kind, x=one.sure_left, width=width, **look, **body))
    if one.bar.ongoing:
        x, middle = one.sure_right, y + height / 2
        arrow = f"M{x + 2:.1f} {middle - 5:.1f}l7 5l-7 5"
        parts.append(element("path", class_="fig-arrow", d=arrow, fill="none", stroke=ACCENT, stroke_width=1.8))
    parts.append(label(one.bar.label, one.text_x, y + height / 2 + 4, "fig-bar-name"))
    return linked("".join(parts), one.bar.href, one.bar.title)


def _happenings(marks: Sequence[Happening], scale: TimeScale, y: float, layout: Layout) -> tuple[str, int]:
    """A mark on its day, or on the middle of what is known with a line over the interval. Many go into one row, each
    named where there is room; the table and the tooltip name them all."""
    known = [one for one in marks if one.when.earliest is not None and one.when.latest is not None]
    placed = [_happening_place(one, scale, layout) for one in known]
    rows = rows_without_overlap([(min(one.left, one.text_x), max(one.right, one.text_end)) for one in placed])
    if max(rows, default=-1) + 1 > MOST_ROWS:
        placed, rows = _in_one_row(placed), [0] * len(placed)
    drawn = [_happening(one, y + row * ROW + 8) for one, row in zip(placed, rows, strict=True)]
    return "".join(drawn), max(rows, default=-1) + 1


def _in_one_row(placed: list[_PlacedMark]) -> list[_PlacedMark]:
    """Named only where the name covers no mark and no other name."""
    found: list[_PlacedMark] = []
    named_to = 0.0
    for number, one in enumerate(placed):
        after = placed[number + 1].left if number + 1 < len(placed) else float("inf")
        fits = one.text_x > one.left and one.text_end + 4 <= after and one.left >= named_to
        named_to = one.text_end + 4 if fits else named_to
        found.append(one if fits else replace(one, named=False))
    return found


@dataclass(frozen=True)
class _PlacedMark:
    mark: Happening
    left: float
    right: float
    text_x: float
    text_end: float
    named: bool = True


def _happening_place(mark: Happening, scale: TimeScale, layout: Layout) -> _PlacedMark:
    left, right = scale.at(mark.when.earliest), scale.at(mark.when.latest)  # type: ignore[arg-type]
    wide, x = text_width(mark.label), (left + right) / 2
    fits = x + 10 + wide <= layout.width
    text_x = x + 10 if fits else max(x - 10 - wide, 0.0)
    return _PlacedMark(mark, min(left, x - 6), max(right, x + 6), text_x, text_x + wide)


def _happening(one: _PlacedMark, y: float) -> str:
    look = one.mark.look
    colour = COLOURS.get(look, ULCER)
    x = (one.left + one.right) / 2
    parts = [words("title", one.mark.title)]
    if one.right - one.left > 13:
        rule = {"stroke": colour, "stroke_width": 1.2, "stroke_dasharray": "2 2", "class_": f"fig-when is-{look}"}
        parts.append(element("line", x1=one.left, x2=one.right, y1=y, y2=y, **rule))
    parts.append(shape(MARKS[look], x, y, 5, look=f"fig-mark is-{look}", fill=colour))
    if one.named:
        parts.append(label(one.mark.label, one.text_x, y + 4, f"fig-event is-{look}"))
    return linked("".join(parts), one.mark.href, one.mark.title)
