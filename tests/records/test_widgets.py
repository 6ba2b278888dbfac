"""The controls written in Python escape what they show, and say what a template would have said."""

from __future__ import annotations

import pytest
from django.utils.safestring import mark_safe

from calcinosis_registry.records.marks import status_mark
from calcinosis_registry.records.widgets import ChipsCheckbox, ChipsRadio, Dropdown, PartialDateInput, UnitInput

BAD = "\"><script>alert('1')</script>"


@pytest.mark.parametrize("kind", [ChipsRadio, ChipsCheckbox, Dropdown])
def test_codes_labels_names_and_attributes_are_escaped(kind):
    widget = kind(choices=[(BAD, BAD), (f"group {BAD}", [("A", BAD)])], attrs={"id": BAD, "class": BAD, "data-x": BAD})
    drawn = widget.render(BAD, [BAD] if kind is ChipsCheckbox else BAD)
    assert "<script" not in drawn
    assert "&lt;script&gt;" in drawn
    assert '""' not in drawn


@pytest.mark.parametrize("kind", [UnitInput, PartialDateInput])
def test_what_was_typed_is_escaped(kind):
    drawn = kind(attrs={"data-unit": BAD, "placeholder": BAD}).render(BAD, BAD)
    assert "<script" not in drawn
    assert 'value="&quot;&gt;&lt;script&gt;' in drawn


def test_a_mark_is_escaped():
    assert "<script" not in status_mark(BAD, BAD)


def test_the_chosen_answer_is_checked_and_has_its_label_and_mark():
    widget = ChipsRadio(choices=[("NEW", "New"), ("LARGER", mark_safe("Larger"))], attrs={"data-marks": True})
    drawn = widget.render("status", "LARGER", {"id": "s"})
    assert drawn.count(" checked") == 1
    assert '<label class="chip" for="s_1" data-value="LARGER"><input type="radio" name="status" value="LARGER"' in drawn
    assert "marks.svg#LARGER" in drawn
    assert '<div id="s" class="chips">' in drawn


def test_a_dropdown_selects_the_stored_answer_and_keeps_its_groups():
    drawn = Dropdown(choices=[("", "–"), ("Hand", [("P", "Pulp")])]).render("site", "P")
    assert '<optgroup label="Hand"><option value="P" selected>Pulp</option></optgroup>' in drawn
    assert drawn.count("selected") == 1


def test_a_number_keeps_the_comma_and_shows_its_unit():
    drawn = UnitInput(attrs={"data-unit": "mm", "step": "0.1", "min": 0}).render("length", "12,5")
    assert 'type="text" inputmode="decimal" autocomplete="off" name="length" value="12,5"' in drawn
    assert '<span class="unit">mm</span>' in drawn
    assert "step=" not in drawn
