"""CSV, XLSX, Parquet and R, read back by programs that did not write them, value by value with the dataset."""

from __future__ import annotations

import csv
import datetime
import json
import re
import shutil
import subprocess
import zipfile
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet
import pytest
from openpyxl import load_workbook
from openpyxl.utils.escape import unescape

from calcinosis_registry.exports.writers import xlsx
from tests.exports.formats.given import AWKWARD, VERY_LONG, emptied, expected, first_patient, written

pytestmark = pytest.mark.django_db


def as_text(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


# ---- CSV


def test_the_csv_holds_every_value(dataset, folder):
    written(folder, dataset, "csv")
    for table in dataset.tables.values():
        with (folder / f"{table.name}.csv").open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        want = [{name: as_text(value) for name, value in row.items()} for row in expected(table)]
        assert [{name: re.sub(r"^'('*[=+@\t\r-])", r"\1", cell) for name, cell in row.items()} for row in rows] == want


def test_duckdb_reads_the_csv_too(dataset, folder):
    written(folder, dataset, "csv")
    found = duckdb.sql(
        f"select note, count(*) over () from read_csv('{folder}/{AWKWARD}.csv', all_varchar=true)"
    ).fetchall()
    assert len(found) == 5 and found[0][0] == expected(dataset.tables[AWKWARD])[0]["note"]


def test_no_cell_of_the_csv_runs_as_a_formula_and_each_can_be_had_back(few, folder):
    written(folder, few, "csv")
    with (folder / f"{AWKWARD}.csv").open(encoding="utf-8", newline="") as file:
        cells = [cell for row in csv.reader(file) for cell in row if cell[:1] in "=+-@"]
    assert all(re.fullmatch(r"[+-]?\d+([.,]\d+)?", cell) for cell in cells if cell)


# ---- XLSX


def sheets(folder: Path) -> dict[str, list[tuple[Any, ...]]]:
    book = load_workbook(folder / "tables.xlsx", read_only=True)
    return {sheet.title: [tuple(row) for row in sheet.values] for sheet in book}


def as_cell(value: Any) -> Any:
    """What a spreadsheet gives back for a value."""
    if isinstance(value, datetime.date):
        early = value < datetime.date(1900, 3, 1)
        return value.isoformat() if early else datetime.datetime.combine(value, datetime.time())
    if isinstance(value, Decimal | int):
        return float(value)
    return value[:32_767] if isinstance(value, str) else value


def unescaped(cell: Any) -> Any:
    return unescape(cell) if isinstance(cell, str) else float(cell) if isinstance(cell, int) else cell


def test_the_workbook_holds_every_value(dataset, folder):
    told = written(folder, dataset, "xlsx")
    found = sheets(folder)
    for table in dataset.tables.values():
        heading, *rows = found[table.name[:31]]
        assert list(heading) == table.header
        want = [tuple(as_cell(value) for value in row) for row in table.rows()]
        width = len(table.header)
        assert [tuple(unescaped(c) for c in (row + (None,) * width)[:width]) for row in rows] == want, table.name
    assert "codebook" in found
    assert any("32,767" in note for note in told["notes"])
    long = [row for row in found["long_texts"][1:] if row[0] == AWKWARD]
    assert "".join(row[4] for row in long) == VERY_LONG.rstrip() and {row[1:3] for row in long} == {("3", "note_long")}


def test_a_table_longer_than_a_sheet_goes_on_in_the_next(few, folder, monkeypatch):
    monkeypatch.setattr(xlsx, "MOST_ROWS", 2)
    told = written(folder, few, "xlsx")
    found = sheets(folder)
    names = [name for name in found if name.startswith(AWKWARD)]
    assert names == ["awkward", "awkward (2)", "awkward (3)"]
    patients = [row[0] for name in names for row in found[name][1:]]
    assert patients == ["P1", "P1", "P2", "P2", "P3"] and all(found[name][0][0] == "patient" for name in names)
    assert "awkward is longer than a sheet (2 rows) and goes on in 2 more." in told["notes"]


def test_more_columns_than_a_sheet_has_are_refused_in_words(few, folder, monkeypatch):
    monkeypatch.setattr(xlsx, "MOST_COLUMNS", 5)
    with pytest.raises(ValueError, match="more columns than a sheet"):
        written(folder, few, "xlsx")


def test_no_cell_of_the_workbook_is_a_formula_and_its_parts_are_well_formed(few, folder):
    written(folder, few, "xlsx")
    with zipfile.ZipFile(folder / "tables.xlsx") as book:
        assert book.testzip() is None
        parts = {name: book.read(name) for name in book.namelist()}
    assert not any(b"<f>" in content for content in parts.values())
    assert b'xSplit="1" ySplit="1"' in parts["xl/worksheets/sheet1.xml"]


# ---- Parquet


def test_parquet_holds_every_value_typed_and_described(dataset, folder):
    written(folder, dataset, "parquet")
    for table in dataset.tables.values():
        path = folder / f"{table.name}.parquet"
        names = ", ".join(f'"{name}"' for name in table.header)
        assert duckdb.sql(f"select {names} from '{path}'").fetchall() == [tuple(row) for row in table.rows()], (
            table.name
        )
        schema = pyarrow.parquet.read_schema(path)
        for column in table.columns:
            told = {name.decode(): text.decode() for name, text in schema.field(column.name).metadata.items()}
            assert (told["label"], told.get("unit", "")) == (column.label, column.unit)
            assert json.loads(told.get("codes", "{}")) == dict(column.codes)
            assert told.get("missing", "") == column.missing


# ---- R


@pytest.mark.skipif(shutil.which("Rscript") is None, reason="R is not installed (Debian: r-base-core)")
def test_r_reads_every_value(dataset, folder):
    """R writes what it read as JSON lines of text, without any package."""
    written(folder, dataset, "r")
    (folder / "say.R").write_text(SAY, encoding="utf-8")
    done = subprocess.run(["Rscript", "--vanilla", "say.R"], cwd=folder, capture_output=True, timeout=120)
    assert done.returncode == 0, done.stderr.decode()
    for table in dataset.tables.values():
        lines = (folder / f"{table.name}.said").read_text(encoding="utf-8").split("\x1e")[:-1]
        found = [line.split("\x1f") for line in lines]
        want = [[_in_r(column, row[column.name]) for column in table.columns] for row in expected(table)]
        assert found == want, table.name


def _in_r(column: Any, value: Any) -> str:
    if value is None:
        return "NA?"
    if column.kind == "boolean":
        return "TRUE" if value else "FALSE"
    if isinstance(value, Decimal | int | float):
        return f"{float(value):.4f}"
    return str(value).replace("\r\n", "\n")


SAY = r"""source("read.R", encoding = "UTF-8")
say <- function(x) {
  shown <- if (is.factor(x)) attr(x, "codes")[as.integer(x)]
    else if (is.numeric(x)) sprintf("%.4f", x)
    else if (inherits(x, "Date")) sprintf("%04d-%s", as.POSIXlt(x)$year + 1900L, format(x, "%m-%d"))
    else as.character(x)
  ifelse(is.na(x), "NA?", enc2utf8(shown))
}
for (name in names(registry)) {
  cells <- lapply(unname(as.list(registry[[name]])), say)
  rows <- if (nrow(registry[[name]])) do.call(paste, c(cells, sep = "\x1f")) else character(0)
  file <- file(paste0(name, ".said"), "wb")
  writeLines(rows, file, sep = "\x1e", useBytes = TRUE)
  close(file)
}
stopifnot(is.factor(registry$visits$calcinosis_present), attr(registry$visits$weight_kg, "unit") == "kg",
  attr(registry$visits, "label") == "visits", inherits(registry$visits$visit_date, "Date"),
  identical(has(registry$awkward$basis, "X-RAY"), c(TRUE, FALSE, FALSE, FALSE, TRUE)))
"""


# ---- all of them


@pytest.mark.parametrize("format", ["csv", "xlsx", "parquet", "r"])
def test_an_empty_cohort_and_one_patient(format, few, folder, tmp_path):
    written(folder, emptied(few), format)
    one = tmp_path / "one"
    one.mkdir()
    told = written(one, first_patient(few), format)
    assert told["notes"] and (one / "README.txt").exists()
    if format in ("csv", "r"):
        assert (folder / "visits.csv").read_text().strip().split(",") == few.tables["visits"].header
    elif format == "parquet":
        assert pyarrow.parquet.read_table(folder / "visits.parquet").column_names == few.tables["visits"].header
    else:
        assert list(sheets(folder)["visits"][0]) == few.tables["visits"].header
    if format == "r" and shutil.which("Rscript"):
        done = subprocess.run(["Rscript", "--vanilla", "read.R"], cwd=folder, capture_output=True, timeout=60)
        assert done.returncode == 0, done.stderr.decode()
