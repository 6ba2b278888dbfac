"""SPSS, Stata and SAS files, read back by programs that did not write them, value by value with the dataset."""

from __future__ import annotations

import csv
import datetime
import math
import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas
import pyreadstat
import pytest
from pandas.io.stata import StataMissingValue

from calcinosis_registry.codebook.items import codebook_models, item_fields
from calcinosis_registry.cohorts.columns import Kind
from calcinosis_registry.exports.writers import spss, stata
from tests.exports.formats.given import AWKWARD, LONG, VERY_LONG, emptied, expected, first_patient, written

# Without the mark a run of these alone would find the register of the machine itself.
pytestmark = pytest.mark.django_db
ENDINGS = {"spss": "sav", "stata": "dta", "sas": "xpt"}
EPOCHS = {"spss": datetime.date(1582, 10, 14), "stata": datetime.date(1960, 1, 1), "sas": datetime.date(1960, 1, 1)}
NOT_ANSWERED, NOT_APPLICABLE, UNKNOWN = "not answered", "not applicable", "unknown"


def variables(folder: Path) -> list[dict[str, str]]:
    with (folder / "variables.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def read(folder: Path, format: str, name: str) -> tuple[list[dict[str, Any]], Any]:
    """Rows as the library reads them, days and times as bare numbers; what it says of the file."""
    path = folder / f"{name}.{ENDINGS[format]}"
    plain = {"disable_datetime_conversion": True}
    if format == "sas":
        frame, about = pyreadstat.read_xport(path, **plain)
    elif format == "stata":
        # pandas: of whole numbers pyreadstat tells either the value or the letter of a missing one, never both right.
        about = pyreadstat.read_dta(path, metadataonly=True)[1]
        frame = pandas.read_stata(path, convert_categoricals=False, convert_dates=False, convert_missing=True)
    else:
        frame, about = pyreadstat.read_sav(path, user_missing=True, **plain)
    return frame.to_dict("records"), about


def said(cell: Any, one: dict[str, str], format: str) -> Any:
    """One cell in the dataset's own words, or why it is empty."""
    if isinstance(cell, str) and one["kind"] == "text":
        return cell or None
    if format == "spss" and cell in (spss.NOT_APPLICABLE, spss.UNKNOWN):
        return NOT_APPLICABLE if cell == spss.NOT_APPLICABLE else UNKNOWN
    if isinstance(cell, StataMissingValue):
        return {".": NOT_ANSWERED, ".a": NOT_APPLICABLE, ".u": UNKNOWN}[str(cell)]
    if cell is None or math.isnan(cell):
        return NOT_ANSWERED
    if one["kind"] == "date":
        return EPOCHS[format] + datetime.timedelta(days=cell / 86_400 if format == "spss" else cell)
    codes = dict(re.findall(r"(-?\d+) = (\S+)", one["values"])) if not one["part"] else {}
    return codes.get(str(int(cell)), cell) if codes else cell


def compared(folder: Path, format: str, dataset: Any) -> Iterator[tuple[str, Any, Any]]:
    """(where, as written, as read) of every cell of every table."""
    told = variables(folder)
    for table in dataset.tables.values():
        mine = [one for one in told if one["table"] == table.name]
        rows, _about = read(folder, format, table.name)
        want = expected(table)
        assert len(rows) == len(want), table.name
        for column in table.columns:
            ours = [one for one in mine if one["column"] == column.name]
            for number, (row, wanted) in enumerate(zip(rows, want, strict=True)):
                cells = [said(row[one["variable"]], one, format) for one in ours]
                where = f"{table.name}.{column.name} row {number + 1}"
                yield where, _wanted(column, wanted[column.name]), _whole(column, ours, cells)


def _wanted(column: Any, value: Any) -> Any:
    if value is None:
        return None if column.kind in (Kind.TEXT, Kind.KEY) else "empty"
    if column.kind is Kind.CODE and value in ("U", "UNKNOWN"):
        return UNKNOWN
    if column.kind is Kind.CODES:
        return tuple(value.split(";"))
    return float(value) if isinstance(value, Decimal | int | float) and column.kind is not Kind.BOOLEAN else str(value)


def _whole(column: Any, ours: list[dict[str, str]], cells: list[Any]) -> Any:
    if column.kind in (Kind.TEXT, Kind.KEY):
        return "".join(cell or "" for cell in cells) or None
    if cells[0] in (NOT_ANSWERED, NOT_APPLICABLE):
        return "empty"
    if column.kind is Kind.CODES:
        return tuple(one["part"] for one, cell in zip(ours, cells, strict=True) if cell == 1)
    if column.kind in (Kind.NUMBER, Kind.INTEGER, Kind.DECIMAL):
        return float(cells[0])
    return str(cells[0])


@pytest.mark.parametrize("format", ENDINGS)
def test_every_value_of_every_table_comes_back(format, dataset, folder):
    written(folder, dataset, format)
    wrong, cells = [], 0
    for where, wanted, found in compared(folder, format, dataset):
        cells += 1
        if wanted != found and not (format == "sas" and wanted == UNKNOWN and found == "empty"):
            wrong.append((where, wanted, found))
    assert cells > 5_000 and not wrong, wrong[:5]


@pytest.mark.parametrize("format", ["spss", "stata"])
def test_why_a_cell_is_empty_is_said(format, few, folder):
    written(folder, few, format)
    told = {one["column"]: one for one in variables(folder) if one["table"] == AWKWARD}
    rows, _about = read(folder, format, AWKWARD)

    def cells(name: str) -> list[Any]:
        return [said(row[told[name]["variable"]], told[name], format) for row in rows]

    assert cells("ulcer") == ["Y", "N", UNKNOWN, NOT_ANSWERED, "Y"]
    # The first has one; No excludes it; "unknown" excludes it; unanswered excludes nothing; Yes asks for it.
    assert cells("ulcer_size") == [12.5, NOT_APPLICABLE, NOT_APPLICABLE, NOT_ANSWERED, NOT_ANSWERED]
    assert cells("ulcer_base") == ["CLEAN", NOT_APPLICABLE, NOT_APPLICABLE, NOT_ANSWERED, UNKNOWN]
    # Asked only of a clean base: what does not apply to the base does not apply to its date either.
    assert cells("base_seen")[1:] == [NOT_APPLICABLE, NOT_APPLICABLE, NOT_ANSWERED, NOT_APPLICABLE]


def test_sas_says_why_a_number_is_empty_in_its_own_way(few, folder):
    """No Python reader tells .A from a plain missing: the bytes do."""
    written(folder, few, "sas")
    told = [one for one in variables(folder) if one["table"] == AWKWARD]
    content = (folder / f"{AWKWARD}.xpt").read_bytes()
    place = 0
    offsets = {}
    start = content.index(b"NAMESTR HEADER") - 20 + 80
    for number, one in enumerate(told):
        named = content[start + 140 * number :][:140]
        assert named[8:16].decode().strip() == one["variable"]
        offsets[one["column"]] = int.from_bytes(named[84:88], "big")
        place += int.from_bytes(named[4:6], "big")
    data = content[content.index(b"OBS     HEADER") - 20 + 80 :]
    sizes = [data[place * row + offsets["ulcer_size"] :][:1] for row in range(5)]
    assert sizes[1:] == [b"A", b"A", b".", b"."]
    assert [data[place * row + offsets["ulcer"] :][:1] for row in (2, 3)] == [b"U", b"."]


def test_other_readers_agree(few, folder):
    """pandas reads .dta and .xpt with code of its own."""
    for format in ("stata", "sas"):
        written(folder, few, format)
    told = {(one["file"], one["column"]): one["variable"] for one in variables(folder)}
    visits = expected(few.tables["visits"])
    frame = pandas.read_stata(folder / "visits.dta", convert_categoricals=False)
    assert [f"{day:%Y-%m-%d}" for day in frame["visit_date"]] == [str(row["visit_date"]) for row in visits]
    labelled = pandas.read_stata(folder / "visits.dta")
    assert set(labelled["calcinosis_present"].dropna()) <= {"Yes", "No"}
    frame = pandas.read_sas(folder / "visits.xpt", format="xport", encoding="utf-8")
    weights = frame[told["visits.xpt", "weight_kg"]]
    assert [None if math.isnan(one) else one for one in weights] == [
        None if row["weight_kg"] is None else float(row["weight_kg"]) for row in visits
    ]


@pytest.mark.parametrize("format", ENDINGS)
def test_labels_units_and_codes_stand_in_the_file(format, few, folder):
    written(folder, few, format)
    _rows, about = read(folder, format, AWKWARD)
    labels = about.column_names_to_labels
    told = {one["column"]: one["variable"] for one in variables(folder) if one["table"] == AWKWARD}
    assert labels[told["ulcer_size"]] == "Ulcer size [mm²]" and labels[told["ulcer"]] == "Ulcer: “yes” & <no>"
    assert about.file_label == "awkward rows"
    if format == "sas":
        program = (folder / "read.sas").read_text(encoding="utf-8")
        (named,) = re.findall(r"format ulcer (\w+)\.;", program)
        assert f"value {named}\n    1 = 'Yes'\n    0 = 'No'\n    .U = 'Unknown'\n" in program
        assert f"{told['ulcer_size']}=ulcer_size" in program and "libname from_ clear;" in program
        return
    values = about.variable_value_labels
    assert {1: "Yes", 0: "No"}.items() <= values[told["ulcer"]].items()
    assert values[told["grade"]] == {0: "None", 1: "Mild", 3: "Severe", 4: "Not assessed"}
    assert len(values[told["a_code_list_with_very_many_entries_and_a_long_name"]]) == 401  # one is of a code gone since


@pytest.mark.parametrize("format", ENDINGS)
def test_names_are_what_the_package_takes(format, dataset, folder):
    written(folder, dataset, format)
    longest = {"spss": 64, "stata": 32, "sas": 8}[format]
    for table in dataset.tables:
        names = [one["variable"] for one in variables(folder) if one["table"] == table]
        assert len({name.lower() for name in names}) == len(names)
        assert all(re.fullmatch(rf"[A-Za-z][A-Za-z0-9_]{{0,{longest - 1}}}", name) for name in names)
    taken = {name.lower() for name in (spss.RESERVED if format == "spss" else stata.RESERVED)}
    if format != "sas":
        assert taken.isdisjoint(one["variable"].lower() for one in variables(folder))


@pytest.mark.parametrize("format", ENDINGS)
def test_the_same_data_make_the_same_bytes(format, few, folder, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    for one in (folder, other):
        written(one, few, format)
    assert {p.name: p.read_bytes() for p in folder.iterdir()} == {p.name: p.read_bytes() for p in other.iterdir()}
    assert not list(tmp_path.glob("spool-*"))


@pytest.mark.parametrize("format", ENDINGS)
def test_an_empty_cohort_still_has_its_columns_and_one_patient_works(format, few, folder, tmp_path):
    written(folder, emptied(few), format)
    full = tmp_path / "one"
    full.mkdir()
    written(full, first_patient(few), format)
    for table in few.tables.values():
        rows, about = read(folder, format, table.name)
        plain = [one for one in table.columns if one.kind is not Kind.CODES]
        assert rows == [] and len(about.column_names) >= len(plain)
    rows, _about = read(full, format, "patients")
    assert len(rows) == 1


def test_a_long_text_is_never_cut(few, folder):
    for format in ENDINGS:
        written(folder, few, format)
        told = [one for one in variables(folder) if (one["table"], one["column"]) == (AWKWARD, "note_long")]
        rows, _about = read(folder, format, AWKWARD)
        texts = ["".join(row[one["variable"]] for one in told) for row in rows[:2]]
        assert texts == [LONG.rstrip(), VERY_LONG.rstrip()]
        assert len(told) == {"spss": 2, "stata": 1}.get(format, len(told))


def test_no_item_can_hold_the_numbers_that_mean_missing_in_spss():
    for model in codebook_models():
        for field in item_fields(model):
            low, high = field.item.possible or (0, 0)
            assert not low <= spss.NOT_APPLICABLE <= high and not low <= spss.UNKNOWN <= high, field


def test_past_the_limits_of_a_package_the_export_is_refused_in_words(few, folder, monkeypatch):
    monkeypatch.setattr(stata, "MOST_ROWS", 2)
    with pytest.raises(ValueError, match="has more rows or variables than Stata can hold"):
        written(folder, few, "stata")


@pytest.mark.parametrize("format", ENDINGS)
def test_the_readme_says_what_is_different_and_so_does_the_manifest(format, few, folder):
    told = written(folder, few, format)
    readme = (folder / "README.txt").read_text(encoding="utf-8")
    assert "not answered" in readme and "not applicable" in readme and "Course of calcinosis" in readme
    assert told["notes"] and all(one in readme for one in told["notes"])
