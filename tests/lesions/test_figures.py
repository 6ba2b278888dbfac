"""Pictures: valid SVG, words escaped, known and unknown days drawn apart, labels that do not cover each other."""

from __future__ import annotations

import datetime
import itertools
import xml.etree.ElementTree as ET

import pytest

from lesions.figures import NARROW, WIDE, Bar, Course, Happening, Lane, Point, Series, Span, draw_course, sparkline
from lesions.figures.scale import TimeScale, apart, rows_without_overlap

SVG = "{http://www.w3.org/2000/svg}"
DAY = datetime.date
YEAR_2024 = Span(DAY(2024, 1, 1), DAY(2024, 12, 31))
UNKNOWN = Span(None, None)


def course(**parts) -> ET.Element:
    drawn = draw_course(Course(first=DAY(2022, 1, 1), today=DAY(2026, 1, 1), **parts), WIDE, "c")
    return ET.fromstring(drawn)


def bar(**values) -> Bar:
    return Bar(**{"label": "x", "title": "x", "start": YEAR_2024, "stop": UNKNOWN, **values})


def rects(drawn: ET.Element, kind: str) -> list[ET.Element]:
    return [one for one in drawn.iter(f"{SVG}rect") if one.get("class") == kind]


def test_nothing_measured_draws_no_sparkline():
    assert sparkline([], label="L1") == ""
    assert sparkline([(1, None), (2, None)], label="L1") == ""


def test_a_sparkline_rises_when_the_lesion_grows():
    line = ET.fromstring(sparkline([(0, 10.0), (1, None), (2, 20.0)], label="L1 <grows>")).find(f"{SVG}path")
    (_x1, y1), (_x2, y2) = (pair.split() for pair in line.get("d").removeprefix("M").split("L"))
    assert float(y2) < float(y1)


def test_a_single_measurement_is_a_point_without_a_line():
    drawn = ET.fromstring(sparkline([(5, 10.0)], label="L1"))
    assert drawn.find(f"{SVG}path") is None
    assert drawn.find(f"{SVG}circle") is not None


@pytest.mark.parametrize("layout", [WIDE, NARROW])
def test_words_are_escaped_and_the_picture_is_named(layout):
    lanes = [Lane("Pain <0>", "a&b", [Series("s", "pain", [Point(DAY(2023, 5, 1), 4, "/v/1/", 'say "4"')])], top=10)]
    drawn = draw_course(Course(first=DAY(2022, 1, 1), today=DAY(2026, 1, 1), lanes=lanes, title="C & D"), layout, "c")
    svg = ET.fromstring(drawn)
    assert svg.find(f"{SVG}title").text == "C & D"
    assert svg.get("aria-labelledby") == "c-title"
    assert [one.get("href") for one in svg.iter(f"{SVG}a")] == ["/v/1/"]
    assert "style=" not in drawn


def test_a_day_known_to_the_year_is_drawn_dashed_over_that_year():
    drawn = course(bars=[bar(stop=Span(DAY(2025, 6, 1), DAY(2025, 6, 1)))])
    (soft,), (sure,) = rects(drawn, "fig-bar is-soft"), rects(drawn, "fig-bar is-over")
    assert float(soft.get("x")) < float(sure.get("x"))
    ends = [float(one.get("x")) + float(one.get("width")) for one in (soft, sure)]
    assert ends[0] == pytest.approx(ends[1], abs=1)


def test_a_day_known_exactly_has_no_dashed_end():
    day = Span(DAY(2024, 3, 1), DAY(2024, 3, 1))
    drawn = course(bars=[bar(start=day, ongoing=True, ended=False)])
    assert not rects(drawn, "fig-bar is-soft")
    assert [one for one in drawn.iter(f"{SVG}path") if one.get("class") == "fig-arrow"]


@pytest.mark.parametrize("span", [{"start": UNKNOWN}, {"stop": UNKNOWN}, {"start": UNKNOWN, "stop": UNKNOWN}])
def test_a_bar_with_unknown_ends_is_drawn_and_fades(span):
    assert rects(course(bars=[bar(**span)]), "fig-bar is-soft")


def test_an_event_on_no_known_day_is_left_to_the_list():
    marks = [Happening("a", "a", UNKNOWN, "ulcer"), Happening("b", "b", YEAR_2024, "procedure")]
    drawn = course(happenings=marks)
    assert [one.text for one in drawn.iter(f"{SVG}text") if (one.get("class") or "").startswith("fig-event")] == ["b"]


def test_what_would_cover_something_goes_into_the_next_row():
    assert rows_without_overlap([(0, 50), (40, 90), (70, 120), (100, 130)]) == [0, 1, 0, 1]


def test_labels_at_the_same_level_are_pushed_apart():
    levels = [level for level, _text, _look in apart([(10, "a", "x"), (10, "b", "y"), (40, "c", "z")], 12)]
    assert levels == [10, 22, 40]


@pytest.mark.parametrize("years", [1, 6, 60])
def test_the_time_axis_names_days_that_do_not_crowd(years):
    scale = TimeScale(DAY(2020, 1, 2), DAY(2020 + years, 1, 3), 100, 780)
    ticks = scale.ticks()
    gaps = [scale.at(b[0]) - scale.at(a[0]) for a, b in itertools.pairwise(ticks)]
    assert min(gaps) >= 40
    assert len(ticks) >= 3
