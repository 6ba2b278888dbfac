"""CDISC ODM 1.3.2: the codebook as metadata and every row as clinical data, in one XML file, patient by patient."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO
from xml.sax.saxutils import escape

from calcinosis_registry.cohorts.columns import Column, Kind
from calcinosis_registry.exports.writers import odm_metadata as metadata
from calcinosis_registry.exports.writers import readme
from calcinosis_registry.exports.writers.by_patient import by_patient
from calcinosis_registry.exports.writers.missing import conditions
from calcinosis_registry.exports.writers.odm_metadata import attribute, form_oid, group_oid, item_oid, open_tag

if TYPE_CHECKING:
    from calcinosis_registry.cohorts.dataset import Dataset

_NAMESPACE = "http://www.cdisc.org/ns/odm/v1.3"


def write(folder: Path, dataset: Dataset, about: dict[str, Any]) -> dict[str, int]:
    """odm.xml and README.txt; {table: rows}."""
    counts: dict[str, int] = {}
    study, made = f"ST.{about.get('project', {}).get('id', 'register')}", about.get("made_at", "")
    with (folder / "odm.xml").open("w", encoding="utf-8", newline="\n") as file:
        file.write('<?xml version="1.0" encoding="UTF-8"?>\n')
        file.write(open_tag(
            "ODM", xmlns=_NAMESPACE, ODMVersion="1.3.2", FileType="Snapshot", FileOID=f"EX.{about.get('export', '')}",
            Granularity="All", CreationDateTime=made, SourceSystem="calcinosis registry",
            SourceSystemVersion=about.get("software", {}).get("version", ""), Description=readme.dates(about),
        ))  # fmt: skip
        for line in metadata.lines(dataset, about, study):
            file.write(line)
        _clinical_data(file, dataset, study, counts)
        file.write("</ODM>\n")
    readme.write(folder, about, "CDISC ODM 1.3.2", SAID, EXAMPLE)
    return counts


SAID = (
    "One form per table, inside one event; a row is an item group with its number as repeat key.",
    "A value that was not answered is an ItemData with IsNull; an item that was not asked because its condition was "
    "answered otherwise has no ItemData. The conditions stand as ConditionDef, in words.",
    "A set of codes is one boolean item per code. Units are MeasurementUnits, limits RangeChecks, terms Aliases.",
    "A code that has left its list stands as a value without a decode, of a set of codes as an annotation.",
    "A character XML cannot hold (a control character) is written as �.",
)
EXAMPLE = """Python:  import odmlib.odm_loader, odmlib.loader
         odm = odmlib.loader.ODMLoader(odmlib.odm_loader.XMLODMLoader())
         odm.open_odm_document("odm.xml")"""


def _clinical_data(file: TextIO, dataset: Dataset, study: str, counts: dict[str, int]) -> None:
    file.write(open_tag("ClinicalData", StudyOID=study, MetaDataVersionOID=metadata.VERSION))
    for patient, tables in by_patient(dataset, counts):
        file.write(open_tag("SubjectData", SubjectKey=patient))
        file.write(open_tag("StudyEventData", StudyEventOID=metadata.EVENT))
        for table, rows in tables.items():
            columns = {one.name: one for one in dataset.tables[table].columns}
            file.write(open_tag("FormData", FormOID=form_oid(table)))
            for number, row in enumerate(rows, start=1):
                file.write(open_tag("ItemGroupData", ItemGroupOID=group_oid(table), ItemGroupRepeatKey=str(number)))
                file.write("".join((*_strange(columns, row), *_items(table, columns, row))))
                file.write("</ItemGroupData>\n")
            file.write("</FormData>\n")
        file.write("</StudyEventData>\n</SubjectData>\n")
    file.write("</ClinicalData>\n")


def _strange(columns: dict[str, Column], row: dict[str, Any]) -> Iterator[str]:
    """Codes of a set that have left its list: no item asks for them, so they stand in an annotation."""
    for name, column in columns.items():
        if column.kind is Kind.CODES and row[name] is not None:
            for code in set(row[name].split(";")) - {code for code, _label in column.codes}:
                told = escape(f"{name}: {code} was chosen, and has left the code list")
                yield f'<Annotation SeqNum="{len(name)}"><Comment>{told}</Comment></Annotation>'


def _items(table: str, columns: dict[str, Column], row: dict[str, Any]) -> Iterator[str]:
    for name, column in columns.items():
        value = row[name]
        if value is None and not_applicable(column, columns, row):
            continue
        parts = [code for code, _label in column.codes] if column.kind is Kind.CODES else [""]
        for part in parts:
            told = _opened(table, name, part)
            yield (
                f'{told} IsNull="Yes"/>'
                if value is None
                else f'{told} Value="{attribute(_said(column, value, part))}"/>'
            )


@lru_cache(maxsize=20_000)
def _opened(table: str, name: str, part: str) -> str:
    return f'<ItemData ItemOID="{attribute(item_oid(table, name, part))}"'


def _said(column: Column, value: Any, part: str) -> str:
    if part:
        return "true" if part in value.split(";") else "false"
    if column.kind is Kind.BOOLEAN:
        return "true" if value else "false"
    if isinstance(value, datetime.date):
        return value.isoformat()
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


def not_applicable(column: Column, columns: dict[str, Column], row: dict[str, Any]) -> bool:
    """Was the item not to be answered? As missing.py says it of whole columns, here of one row."""
    for name, wanted in conditions(column).items():
        control = columns.get(name)
        if control is None:
            continue
        values = wanted if isinstance(wanted, tuple | list | set | frozenset) else (wanted,)
        accepted = {str(int(one)) if isinstance(one, bool) else str(one) for one in values}
        cell = row[name]
        if cell is None:
            if "" not in accepted and not_applicable(control, columns, row):
                return True
        elif accepted.isdisjoint(str(cell).split(";") if control.kind is Kind.CODES else [str(cell)]):
            return True
    return False
