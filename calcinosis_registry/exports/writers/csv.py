"""CSV: UTF-8, RFC 4180, ISO dates, decimal points, empty for no answer; no cell runs as a formula."""

from __future__ import annotations

import csv
import datetime
import re
from collections.abc import Iterable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from calcinosis_registry.cohorts.columns import Column, Kind
from calcinosis_registry.cohorts.engine import duck
from calcinosis_registry.exports.writers import readme

if TYPE_CHECKING:
    from calcinosis_registry.cohorts.dataset import Dataset, Table

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_BEGINS = r"^''*[=+\-@\t\r]"  # in SQL: any apostrophes, then what begins a formula
_NUMBER = re.compile(r"[+-]?\d+([.,]\d+)?")
# Said in full: the same data must make the same bytes with every version of the engine.
_HOW = """FORMAT csv, HEADER true, DELIMITER ',', QUOTE '"', ESCAPE '"', NULLSTR '', DATEFORMAT '%Y-%m-%d'"""


def cell(value: Any) -> str:
    """One value as text. Text a spreadsheet would take for a formula begins with an apostrophe.

    So does text that looks as if that had been done to it: one apostrophe less gives back every text.
    """
    if value is None:
        return ""
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return f"{value:f}"
    text = str(value)
    risky = text.lstrip("'").startswith(_FORMULA) and not _NUMBER.fullmatch(text)
    return f"'{text}" if risky else text


def write(folder: Path, dataset: Dataset, about: dict[str, Any]) -> dict[str, int]:
    """One file per table and README.txt; {table: rows}."""
    counts = write_tables(folder, dataset)
    readme.write(folder, about, "CSV", SAID, EXAMPLE)
    return counts


SAID = (
    "UTF-8, comma, quotes doubled inside quotes, decimal points, ISO dates (2026-03-31). An empty cell has no value.",
    "A text that a spreadsheet would run as a formula begins with an apostrophe; take one away to have it as typed.",
    "Codes stand as codes; codebook.csv has their labels. Several codes in one cell are joined by “;”.",
    "Nothing of the dataset is left out.",
)
EXAMPLE = """Python:  pandas.read_csv("visits.csv", keep_default_na=False, na_values=[""], parse_dates=["visit_date"])
R:       read.csv("visits.csv", na.strings = "", encoding = "UTF-8")
Stata:   import delimited visits.csv, encoding("utf-8") bindquote(strict)"""


def write_tables(folder: Path, dataset: Dataset) -> dict[str, int]:
    """One file per table; {table: rows}. No row passes through Python."""
    with duck() as runs:
        return {table.name: _copy(runs, table, folder / f"{table.name}.csv") for table in dataset.tables.values()}


def _copy(runs: Any, table: Table, path: Path) -> int:
    runs.register("given", table.batches())
    cells = ", ".join(_safe(column) for column in table.columns)
    sql = f"COPY (SELECT {cells} FROM given) TO '{path}' ({_HOW})"  # noqa: S608  names of our own columns and files
    count = runs.execute(sql).fetchone()[0]
    runs.unregister("given")
    return int(count)


def _safe(column: Column) -> str:
    """A column as it is written: :func:`cell` in SQL."""
    name = f'"{column.name}"'
    if column.kind is not Kind.TEXT:
        return name
    formula = f"regexp_matches({name}, '{_BEGINS}') AND NOT regexp_full_match({name}, '{_NUMBER.pattern}')"
    return f"CASE WHEN {formula} THEN chr(39) || {name} ELSE {name} END AS {name}"


def write_table(path: Path, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> int:
    """Write a table; returns the number of its rows."""
    count = 0
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        for row in rows:
            writer.writerow([cell(value) for value in row])
            count += 1
    return count
