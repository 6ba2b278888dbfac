"""A REDCap project: its data dictionary and its data, one repeating instrument per table."""

from __future__ import annotations

import csv as library
import datetime
import re
from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from calcinosis_registry.cohorts.columns import Kind
from calcinosis_registry.exports.writers import csv, readme
from calcinosis_registry.exports.writers.by_patient import by_patient
from calcinosis_registry.exports.writers.redcap_dictionary import DICTIONARY, Field, dictionary, fields_of
from calcinosis_registry.exports.writers.spool import parts

if TYPE_CHECKING:
    from calcinosis_registry.cohorts.dataset import Dataset

FIRST = "patients"  # the one form that does not repeat; its first field is the record's id
_COMPLETE = "2"
_SPECIAL = re.compile('[",\r\n]')


def write(folder: Path, dataset: Dataset, about: dict[str, Any]) -> dict[str, int]:
    """data_dictionary.csv, data.csv, repeating_instruments.csv, fields.csv, README.txt; {table: rows}."""
    fields = fields_of(dataset, FIRST)
    csv_of(folder / "data_dictionary.csv", DICTIONARY, dictionary(dataset, fields))
    forms = [name for name in dataset.tables if name != FIRST]
    csv_of(folder / "repeating_instruments.csv", ("form_name", "custom_form_label"), ((name, "") for name in forms))
    csv.write_table(folder / "fields.csv", ("field", "table", "column", "codes"), _described(fields))
    counts: dict[str, int] = {}
    left: list[tuple[str, ...]] = []
    with (folder / "data.csv").open("w", encoding="utf-8", newline="") as file:
        library.writer(file).writerow(_header(fields))
        file.writelines(_data(dataset, fields, counts, left))
    said = list(SAID)
    if left:
        csv.write_table(folder / "left_out.csv", ("patient", "table", "row", "column", "code"), left)
        said.append(f"{len(left)} codes that have left their list are no choices any more: they stand in left_out.csv.")
    readme.write(folder, about, "REDCap project", said, EXAMPLE)
    return counts


SAID = (
    "data_dictionary.csv makes the forms: types, choices, ranges, branching logic, units as field notes.",
    "data.csv is in the form REDCap imports: one line of the form patients, then one line per repeated form. Texts "
    "stand as typed, not made safe for spreadsheets.",
    "A field is called after its table and column, for a name must be unique in a project; fields.csv says which "
    "column each is.",
    "A choice whose code REDCap does not take has another one; fields.csv says the code of the register.",
    "An empty field was not answered, or not asked because its branching logic hides it; “Unknown” is a choice.",
)
EXAMPLE = """1. New project; Designer, Data Dictionary: upload data_dictionary.csv.
2. Project Setup, repeating instruments: tick the forms of repeating_instruments.csv
   (or import it through the API as content repeatingFormsEvents).
3. Data Import Tool: upload data.csv, dates as YYYY-MM-DD."""


def csv_of(path: Path, header: tuple[str, ...] | list[str], rows: Any) -> None:
    """A CSV for a program, not for a spreadsheet: cells stand as they are."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = library.writer(file)
        writer.writerow(header)
        writer.writerows(rows)


def _described(fields: dict[str, list[Field]]) -> Iterator[tuple[str, ...]]:
    for table, some in fields.items():
        for one in some:
            codes = " | ".join(f"{ours} = {code}" for code, ours in one.codes.items())
            yield (one.name, table, one.column.name, codes)


def _header(fields: dict[str, list[Field]]) -> list[str]:
    names = []
    for table, some in fields.items():
        names += [name for one in some if not one.is_record for name in one.columns]
        names.append(f"{table}_complete")
    return ["patient", "redcap_repeat_instrument", "redcap_repeat_instance", *names]


def _data(
    dataset: Dataset, fields: dict[str, list[Field]], counts: dict[str, int], left: list[tuple[str, ...]]
) -> Iterator[str]:
    """The lines; ``left`` is filled with the codes no choice stands for.

    A line has thousands of cells and a table fills a few of them: what stands before and behind is written as it is.
    """
    before, width = 0, len(_header(fields)) - 3
    told: dict[str, tuple[str, list[_Cells], str]] = {}
    for table, some in fields.items():
        cells = [_Cells(one) for one in some if not one.is_record]
        own = sum(one.width for one in cells) + 1
        told[table] = ("," * before, cells, "," * (width - before - own))
        before += own
    for patient, tables in by_patient(dataset, counts):
        for table, rows in tables.items():
            ahead, cells, behind = told[table]
            for number, row in enumerate(rows, start=1):
                line = [patient, *(("", "") if table == FIRST else (table, str(number)))]
                said = [one.of(row[one.name]) for one in cells]
                for one, (_text, gone) in zip(cells, said, strict=True):
                    left += [(patient, table, str(number), one.name, code) for code in gone]
                yield (
                    ",".join([*line, ahead + ",".join([*(text for text, _gone in said), _COMPLETE]) + behind]) + "\r\n"
                )


class _Cells:
    """What a field's cells say of a value, as CSV, and the codes no choice stands for. Of codes it is kept."""

    def __init__(self, field: Field) -> None:
        self.name, self.width = field.column.name, len(field.columns)
        self._field, self._empty = field, ("," * (self.width - 1), ())
        self._kept: dict[Any, tuple[str, Sequence[str]]] = {}

    def of(self, value: Any) -> tuple[str, Sequence[str]]:
        if value is None:
            return self._empty
        if not self._field.codes:
            return _quoted(_plain(value)), ()
        if value not in self._kept:
            said = parts(self._field.column.kind, str(value))
            gone = [code for code in said if code not in self._field.codes]
            self._kept[value] = (",".join(map(_quoted, self._coded(value, said))), gone)
        return self._kept[value]

    def _coded(self, value: Any, said: Sequence[str]) -> list[str]:
        if self._field.column.kind is Kind.CODES:
            return [str(int(code in said)) for code in self._field.codes]
        return [self._field.codes.get(str(value), "")]


def _plain(value: Any) -> str:
    if isinstance(value, datetime.date):
        return value.isoformat()
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


def _quoted(cell: str) -> str:
    """RFC 4180."""
    if _SPECIAL.search(cell):
        doubled = cell.replace('"', '""')
        return f'"{doubled}"'
    return cell
