"""CSV: UTF-8, RFC 4180, ISO dates, decimal points, empty for no answer; no cell runs as a formula."""

from __future__ import annotations

import csv
import datetime
import re
from collections.abc import Iterable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from calcinosis_registry.cohorts.dataset import Dataset

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_NUMBER = re.compile(r"[+-]?\d+([.,]\d+)?")


def cell(value: Any) -> str:
    """One value as text. Text a spreadsheet would take for a formula begins with an apostrophe."""
    if value is None:
        return ""
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return f"{value:f}"
    text = str(value)
    return f"'{text}" if text.startswith(_FORMULA) and not _NUMBER.fullmatch(text) else text


def write(folder: Path, dataset: Dataset, about: dict[str, Any]) -> dict[str, int]:
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
