"""XLSX: one sheet per table in constant memory; text stays text, never a formula or a link."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from calcinosis_registry.exports.writers import codebook

if TYPE_CHECKING:
    from calcinosis_registry.cohorts.dataset import Dataset

MOST_ROWS = 1_048_575  # of a sheet, below its heading
_FIRST_YEAR = 1900  # a spreadsheet knows no earlier date
# A constant moment, so that the same data make the same file.
_CREATED = datetime.datetime(2000, 1, 1)  # noqa: DTZ001  the library writes it as it is


def write(folder: Path, dataset: Dataset, about: dict[str, Any]) -> dict[str, int]:
    """One book, the codebook as its last sheet; {table: rows}. Raises ValueError when a table is too long."""
    tables = [(table.name, table.header, table.rows()) for table in dataset.tables.values()]
    counts = write_book(folder / "tables.xlsx", [*tables, ("codebook", codebook.HEADER, codebook.rows(dataset))])
    counts.pop("codebook")
    return counts


def write_book(path: Path, tables: Iterable[tuple[str, Sequence[str], Iterable[Sequence[Any]]]]) -> dict[str, int]:
    """Write (name, heading, rows) as sheets; {name: rows}. Raises ValueError when a table is too long for a sheet."""
    import xlsxwriter  # heavy, and only needed here

    counts: dict[str, int] = {}
    options = {
        "constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False,
        "tmpdir": str(path.parent),
    }  # fmt: skip
    with xlsxwriter.Workbook(str(path), options) as book:
        book.set_properties({"created": _CREATED})
        bold = book.add_format({"bold": True})
        day = book.add_format({"num_format": "yyyy-mm-dd"})
        for name, header, rows in tables:
            sheet = book.add_worksheet(name[:31])
            sheet.freeze_panes(1, 1)
            for column, title in enumerate(header):
                sheet.write_string(0, column, title, bold)
            counts[name] = 0
            for row in rows:
                counts[name] += 1
                if counts[name] > MOST_ROWS:
                    raise ValueError(f"{name} has more rows than a sheet can hold: choose CSV")
                for column, value in enumerate(row):
                    _cell(sheet, counts[name], column, value, day)
    return counts


def _cell(sheet: Any, row: int, column: int, value: Any, day: Any) -> None:
    if value is None:
        return
    if isinstance(value, datetime.date) and value.year >= _FIRST_YEAR:
        sheet.write_datetime(row, column, value, day)
    elif isinstance(value, int | float | Decimal):
        sheet.write_number(row, column, value)
    else:
        sheet.write_string(row, column, str(value))
