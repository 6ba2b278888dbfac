"""Tables and figures that hold much: what is printed of them, and that names stay apart."""

from __future__ import annotations

import pytest

from calcinosis_registry.reports import figures
from calcinosis_registry.reports.exhibits import MOST_PRINTED, Sheet

pytestmark = pytest.mark.once


def test_a_long_table_is_printed_to_a_point_and_says_how_much_is_left():
    sheet = Sheet(("site", "n"), tuple((f"site {n}", str(n)) for n in range(100)))
    assert len(sheet.on_paper.rows) == MOST_PRINTED and sheet.not_printed == 100 - MOST_PRINTED
    assert Sheet(("site", "n"), (("one", "1"),)).not_printed == 0


def test_a_column_is_words_or_numbers_throughout():
    sheet = Sheet(("drug", "given with"), (("A", "Diltiazem"), ("B", "Carbamide (urea), topical"), ("C", "–")))
    assert [words for _part, _first, cells in sheet.lines for _cell, words in cells] == [True, True, True]


def test_groups_with_long_names_stand_under_the_event_they_are_of():
    group = "Limited cutaneous (distal to elbows and knees)"
    rows = [figures.Bar("Extrusion or chalky drainage", None, "", is_head=True), figures.Bar(group, 0.5, "5.0")]
    drawn = figures.bars("t", "d", rows)
    assert "Extrusion or chalky drainage" in drawn and "Limited cutaneous (distal" in drawn


def test_a_curve_of_one_group_says_which():
    curve = figures.Step("Female", [(0.0, 1.0), (1.0, 0.5)], end=2.0)
    told = {"longest": 2.0, "below": "years", "beside": "share", "risk": "At risk"}
    assert ">Female<" in figures.step_curves("t", "d", [curve], named=True, **told)
    assert ">Female<" not in figures.step_curves("t", "d", [curve], **told)
