"""CDISC ODM 1.3.2: the codebook as metadata and every row as clinical data, in one XML file, patient by patient."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO
from xml.sax.saxutils import escape

from calcinosis_registry.cohorts.columns import Column, Kind
from calcinosis_registry.exports.writers import odm_metadata as metadata
from calcinosis_registry.exports.writers import readme
from calcinosis_registry.exports.writers.by_patient import told_by_patient
from calcinosis_registry.exports.writers.odm_metadata import attribute, form_oid, group_oid, item_oid, open_tag
from calcinosis_registry.exports.writers.pieces import Piece, joined, slices

if TYPE_CHECKING:
    from calcinosis_registry.cohorts.dataset import Dataset, Table

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
    opened = {
        name: (
            open_tag("FormData", FormOID=form_oid(name)),
            open_tag("ItemGroupData", ItemGroupOID=group_oid(name), ItemGroupRepeatKey="#").partition("#"),
        )
        for name in dataset.tables
    }
    for patient, tables in told_by_patient(dataset, counts, _rows):
        parts = [open_tag("SubjectData", SubjectKey=patient), open_tag("StudyEventData", StudyEventOID=metadata.EVENT)]
        for table, rows in tables.items():
            form, (before, _number, after) = opened[table]
            parts.append(form)
            for number, row in enumerate(rows, start=1):
                parts += (before, str(number), after, row, "</ItemGroupData>\n")
            parts.append("</FormData>\n")
        parts.append("</StudyEventData>\n</SubjectData>\n")
        file.write("".join(parts))
    file.write("</ClinicalData>\n")


def _rows(table: Table) -> Iterator[tuple[str, str]]:
    """(pseudonym, the item data of a row)."""
    columns = table.columns
    pieces = [Piece(one, partial(_strange, one)) for one in columns if one.kind is Kind.CODES]
    pieces += [_item(table.name, one) for one in columns]
    for batch in slices(table):
        yield from zip(batch.column("patient").to_pylist(), joined(columns, pieces, batch, ""), strict=True)


def _strange(column: Column, value: str) -> str | None:
    """Codes of a set that have left its list: no item asks for them, so they stand in an annotation."""
    gone = sorted(set(value.split(";")) - {code for code, _label in column.codes})
    told = (escape(f"{column.name}: {code} was chosen, and has left the code list") for code in gone)
    number = len(column.name)
    return "".join(f'<Annotation SeqNum="{number}"><Comment>{one}</Comment></Annotation>' for one in told) or None


def _item(table: str, column: Column) -> Piece:
    """Where it does not apply no item stands."""
    parts = [code for code, _label in column.codes] if column.kind is Kind.CODES else [""]
    opened = [(part, f'<ItemData ItemOID="{attribute(item_oid(table, column.name, part))}"') for part in parts]

    def value(cell: Any) -> str:
        return "".join(f'{tag} Value="{attribute(_said(column, cell, part))}"/>' for part, tag in opened)

    return Piece(column, value, unanswered="".join(f'{tag} IsNull="Yes"/>' for _part, tag in opened))


def _said(column: Column, value: Any, part: str) -> str:
    if part:
        return "true" if part in value.split(";") else "false"
    if column.kind is Kind.BOOLEAN:
        return "true" if value else "false"
    if isinstance(value, datetime.date):
        return value.isoformat()
    return f"{value:f}" if isinstance(value, Decimal) else str(value)
