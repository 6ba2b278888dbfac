"""A REDCap project: its data dictionary and its data, one repeating instrument per table."""

from __future__ import annotations

import csv as library
import datetime
from collections.abc import Iterator
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


def write(folder: Path, dataset: Dataset, about: dict[str, Any]) -> dict[str, int]:
    """data_dictionary.csv, data.csv, repeating_instruments.csv, fields.csv, README.txt; {table: rows}."""
    fields = fields_of(dataset, FIRST)
    csv_of(folder / "data_dictionary.csv", DICTIONARY, dictionary(dataset, fields))
    forms = [name for name in dataset.tables if name != FIRST]
    csv_of(folder / "repeating_instruments.csv", ("form_name", "custom_form_label"), ((name, "") for name in forms))
    csv.write_table(folder / "fields.csv", ("field", "table", "column", "codes"), _described(fields))
    counts: dict[str, int] = {}
    left: list[tuple[str, ...]] = []
    csv_of(folder / "data.csv", _header(fields), _data(dataset, fields, counts, left))
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
) -> Iterator[list[str]]:
    """The lines; ``left`` is filled with the codes no choice stands for."""
    header = _header(fields)
    places = {name: place for place, name in enumerate(header)}
    for patient, tables in by_patient(dataset, counts):
        for table, rows in tables.items():
            for number, row in enumerate(rows, start=1):
                line = [""] * len(header)
                line[:3] = [patient, *(("", "") if table == FIRST else (table, str(number)))]
                for one in fields[table]:
                    if not one.is_record:
                        gone = _gone(one, row[one.column.name])
                        left += [(patient, table, str(number), one.column.name, code) for code in gone]
                        for name, cell in zip(one.columns, _cells(one, row[one.column.name]), strict=True):
                            line[places[name]] = cell
                line[places[f"{table}_complete"]] = _COMPLETE
                yield line


def _gone(one: Field, value: Any) -> list[str]:
    said = [] if value is None or not one.codes else parts(one.column.kind, str(value))
    return [code for code in said if code not in one.codes]


def _cells(one: Field, value: Any) -> list[str]:
    if one.column.kind is Kind.CODES:
        chosen = set() if value is None else set(value.split(";"))
        return [("" if value is None else str(int(code in chosen))) for code in one.codes]
    if value is None:
        return [""]
    if one.codes:
        return [one.codes.get(str(value), "")]
    if isinstance(value, datetime.date):
        return [value.isoformat()]
    return [f"{value:f}" if isinstance(value, Decimal) else str(value)]
