"""CSV: UTF-8, RFC 4180, ISO dates, decimal points, empty for no answer; no cell runs as a formula."""

from __future__ import annotations

import csv
import datetime
import re
from collections.abc import Iterable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from calcinosis_registry.exports.writers import readme

if TYPE_CHECKING:
    from calcinosis_registry.cohorts.dataset import Dataset

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_NUMBER = re.compile(r"[+-]?\d+([.,]\d+)?")


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
    """One file per table; {table: rows}."""
    tables = dataset.tables.values()
    return {table.name: write_table(folder / f"{table.name}.csv", table.header, table.rows()) for table in tables}


def write_table(path: Path, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> int:
    """Write a table; returns the number of its rows."""
    count = 0
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        for row in rows:
            writer.writerow([cell(value) for value in row])
            count += 1
    return count
