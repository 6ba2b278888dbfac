"""A REDCap project: held against REDCap's rules for names, choices and forms, and read back value by value."""

from __future__ import annotations

import csv
import re
from collections import defaultdict
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from calcinosis_registry.cohorts.columns import Column, Kind
from tests.exports.formats.given import AWKWARD, emptied, expected, first_patient, written

pytestmark = pytest.mark.django_db


def as_text(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_redcap_data_hold_every_value_under_its_form(dataset, folder):
    written(folder, dataset, "redcap")
    fields = {(one["table"], one["column"]): one for one in rows_of(folder / "fields.csv")}
    data: dict[str, list[dict[str, str]]] = defaultdict(list)
    for row in rows_of(folder / "data.csv"):
        data[row["redcap_repeat_instrument"] or "patients"].append(row)
    left = {tuple(one.values()) for one in rows_of(folder / "left_out.csv")}
    assert left == {("P2", AWKWARD, "2", "a_code_list_with_very_many_entries_and_a_long_name", "GONE")}
    for table in dataset.tables.values():
        for row, wanted in zip(data[table.name], expected(table), strict=True):
            assert row["patient"] == wanted["patient"] and row[f"{table.name}_complete"] == "2"
            for column in table.columns[1:]:
                found = _from_redcap(column, fields[table.name, column.name], row)
                gone = (row["patient"], table.name, row["redcap_repeat_instance"], column.name, wanted[column.name])
                assert found == ("" if gone in left else as_text(wanted[column.name])), (table.name, column.name)


def _from_redcap(column: Column, field: dict[str, str], row: dict[str, str]) -> str:
    codes = dict(pair.split(" = ", 1) for pair in field["codes"].split(" | ")) if field["codes"] else {}
    if column.kind is Kind.CODES:
        chosen = [one for name, one in codes.items() if row[f"{field['field']}___{name.lower()}"] == "1"]
        return ";".join(chosen)
    cell = row[field["field"]]
    return codes.get(cell, cell)


def test_the_data_dictionary_keeps_the_rules_of_redcap(dataset, folder):
    written(folder, dataset, "redcap")
    lines = rows_of(folder / "data_dictionary.csv")
    names = [one["Variable / Field Name"] for one in lines]
    assert names[0] == "patient" and len(set(names)) == len(names)
    assert all(re.fullmatch(r"[a-z][a-z0-9_]{0,99}", name) and "__" not in name for name in names)
    forms = [one["Form Name"] for one in lines]
    assert forms[0] == "patients" and len(list(dict.fromkeys(forms))) == len(
        [form for before, form in zip(["", *forms], forms, strict=False) if before != form]
    )  # the fields of a form stand together
    header = list(rows_of(folder / "data.csv")[0])
    assert len(set(header)) == len(header)
    for one in lines:
        kind, choices = one["Field Type"], one["Choices, Calculations, OR Slider Labels"]
        assert kind in {"text", "notes", "radio", "dropdown", "checkbox", "yesno"} and one["Field Label"]
        assert one["Text Validation Type OR Show Slider Number"] in {"", "date_ymd", "integer", "number"}
        assert bool(choices) == (kind in {"radio", "dropdown", "checkbox"}), one
        if choices:
            pairs = [choice.split(", ", 1) for choice in choices.split(" | ")]
            codes = [code for code, _label in pairs]
            assert all(re.fullmatch(r"[A-Za-z0-9_.-]+", code) for code in codes) and len(set(codes)) == len(codes)
        if kind == "checkbox":
            assert {f"{one['Variable / Field Name']}___{code.lower()}" for code in codes} <= set(header)
        for named in re.findall(r"\[(\w+)(?:\(\w+\))?\]", one["Branching Logic (Show field only if...)"]):
            assert named in names


def test_conditions_become_branching_logic(dataset, folder):
    written(folder, dataset, "redcap")
    logic = {
        one["Variable / Field Name"]: one["Branching Logic (Show field only if...)"]
        for one in rows_of(folder / "data_dictionary.csv")
    }
    assert logic["awkward_ulcer_size"] == "[awkward_ulcer] = 'Y'"
    assert logic["diagnoses_ssc_subset"] == "([diagnoses_primary_ctd] = 'SSC' or [diagnoses_primary_ctd] = 'OVERLAP')"
    assert "[observations_status_change] = ''" in logic["observations_ulcer_size_mm"]
    forms = {one["form_name"] for one in rows_of(folder / "repeating_instruments.csv")}
    assert forms == set(dataset.tables) - {"patients"}


def test_an_empty_cohort_and_one_patient(few, folder, tmp_path):
    written(folder, emptied(few), "redcap")
    assert rows_of(folder / "data.csv") == [] and rows_of(folder / "data_dictionary.csv")
    one = tmp_path / "one"
    one.mkdir()
    told = written(one, first_patient(few), "redcap")
    assert told["notes"] and (one / "README.txt").read_text(encoding="utf-8").startswith("REDCap project")
    assert {row["patient"] for row in rows_of(one / "data.csv")} == {few.people[0].pseudonym}
