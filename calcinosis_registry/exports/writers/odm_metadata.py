"""The metadata of an ODM file: what the codebook declares, in CDISC's words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

from calcinosis_registry.cohorts.columns import Column, Kind

if TYPE_CHECKING:
    from calcinosis_registry.cohorts.dataset import Dataset, Table

VERSION, EVENT = "MDV.1", "SE.REGISTER"
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_SPECIAL = re.compile('[\x00-\x1f&<>"\ud800-\udfff\ufffe\uffff]')
_TYPES = {
    Kind.NUMBER: "integer", Kind.INTEGER: "integer", Kind.DECIMAL: "float", Kind.DATE: "date", Kind.BOOLEAN: "boolean",
    Kind.CODES: "boolean",
}  # fmt: skip
_LONGEST_TEXT = 100_000


def attribute(text: str) -> str:
    """Text between double quotes; line breaks survive."""
    if not _SPECIAL.search(text):  # codes, numbers and dates, which are nearly all of it
        return text
    plain = _CONTROL.sub("\ufffd", text)
    return escape(plain, {'"': "&quot;", "\n": "&#10;", "\r": "&#13;", "\t": "&#9;"})


def open_tag(name: str, /, **attributes: str) -> str:
    return f"<{name}{_said(attributes)}>\n"


def empty_tag(name: str, /, **attributes: str) -> str:
    return f"<{name}{_said(attributes)}/>\n"


def _said(attributes: dict[str, str]) -> str:
    return "".join(f' {name}="{attribute(value)}"' for name, value in attributes.items() if value != "")


def _words(tag: str, text: str) -> str:
    told = escape(_CONTROL.sub("\ufffd", text))
    return f'<{tag}><TranslatedText xml:lang="en">{told}</TranslatedText></{tag}>\n'


def form_oid(table: str) -> str:
    return f"F.{table}"


def group_oid(table: str) -> str:
    return f"IG.{table}"


def item_oid(table: str, column: str, part: str = "") -> str:
    return f"I.{table}.{column}" + (f".{part}" if part else "")


def lines(dataset: Dataset, about: dict[str, Any], study: str) -> Iterator[str]:
    """The Study element."""
    project, cohort = about.get("project", {}), about.get("cohort", {})
    yield open_tag("Study", OID=study)
    yield "<GlobalVariables>\n"
    for tag, text in (
        ("StudyName", project.get("title", "")), ("StudyDescription", cohort.get("in_words", "")),
        ("ProtocolName", project.get("ethics_reference", "") or project.get("title", "")),
    ):  # fmt: skip
        yield f"<{tag}>{escape(_CONTROL.sub(chr(0xFFFD), str(text)))}</{tag}>\n"
    yield "</GlobalVariables>\n<BasicDefinitions>\n"
    for unit in _units(dataset):
        yield open_tag("MeasurementUnit", OID=f"MU.{unit}", Name=unit) + _words("Symbol", unit) + "</MeasurementUnit>\n"
    yield "</BasicDefinitions>\n"
    yield open_tag("MetaDataVersion", OID=VERSION, Name="Codebook")
    yield (
        "<Protocol>\n"
        + empty_tag("StudyEventRef", StudyEventOID=EVENT, OrderNumber="1", Mandatory="No")
        + "</Protocol>\n"
    )
    yield from _structure(dataset)
    yield from _definitions(dataset)
    yield "</MetaDataVersion>\n</Study>\n"


def _units(dataset: Dataset) -> list[str]:
    return sorted({one.unit for table in dataset.tables.values() for one in table.columns if one.unit})


def _structure(dataset: Dataset) -> Iterator[str]:
    tables = list(dataset.tables.values())
    yield open_tag("StudyEventDef", OID=EVENT, Name="Register", Repeating="No", Type="Common")
    for order, table in enumerate(tables, start=1):
        yield empty_tag("FormRef", FormOID=form_oid(table.name), OrderNumber=str(order), Mandatory="No")
    yield "</StudyEventDef>\n"
    for table in tables:
        yield open_tag("FormDef", OID=form_oid(table.name), Name=table.name, Repeating="No")
        yield _words("Description", table.label)
        yield empty_tag("ItemGroupRef", ItemGroupOID=group_oid(table.name), Mandatory="No") + "</FormDef>\n"
    for table in tables:
        yield open_tag("ItemGroupDef", OID=group_oid(table.name), Name=table.name, Repeating="Yes")
        order = 0
        for column in table.columns:
            for oid, _label in _items_of(table, column):
                order += 1
                condition = _condition_oid(table, column) if _condition(column) else ""
                yield empty_tag(
                    "ItemRef", ItemOID=oid, OrderNumber=str(order), Mandatory="No",
                    CollectionExceptionConditionOID=condition,
                )  # fmt: skip
        yield "</ItemGroupDef>\n"


def _definitions(dataset: Dataset) -> Iterator[str]:
    columns = [(table, column) for table in dataset.tables.values() for column in table.columns]
    for table, column in columns:
        for oid, label in _items_of(table, column):
            yield from _item(table, column, oid, label)
    for table, column in columns:
        if column.kind is Kind.CODE and column.codes:
            yield open_tag("CodeList", OID=f"CL.{table.name}.{column.name}", Name=column.label, DataType="text")
            for code, label in column.codes:
                yield open_tag("CodeListItem", CodedValue=code) + _words("Decode", label) + "</CodeListItem>\n"
            yield "</CodeList>\n"
    for table, column in columns:
        if condition := _condition(column):
            yield open_tag("ConditionDef", OID=_condition_oid(table, column), Name=f"{column.label}: not asked")
            yield _words("Description", f"Not asked unless: {condition}") + "</ConditionDef>\n"


def _items_of(table: Table, column: Column) -> list[tuple[str, str]]:
    """(OID, label): one per code of a set."""
    if column.kind is Kind.CODES:
        return [(item_oid(table.name, column.name, code), f"{column.label}: {label}") for code, label in column.codes]
    return [(item_oid(table.name, column.name), column.label)]


def _item(table: Table, column: Column, oid: str, label: str) -> Iterator[str]:
    kind = _TYPES.get(column.kind, "text")
    length, digits = {"float": column.digits or (18, 6), "integer": (18, 0), "text": (_LONGEST_TEXT, 0)}.get(
        kind, (0, 0)
    )
    name = oid.partition(".")[2].partition(".")[2]
    yield open_tag(
        "ItemDef", OID=oid, Name=name, DataType=kind, Length=str(length) if length else "",
        SignificantDigits=str(digits) if kind == "float" else "",
    )  # fmt: skip
    if column.missing:
        yield _words("Description", f"Empty: {column.missing}")
    yield _words("Question", label)
    if column.unit:
        yield empty_tag("MeasurementUnitRef", MeasurementUnitOID=f"MU.{column.unit}")
    item = column.field.item if column.field is not None else None  # type: ignore[attr-defined]
    if item is not None and kind in ("integer", "float"):
        for limits, strength in ((item.possible, "Hard"), (item.plausible, "Soft")):
            for comparator, value in zip(("GE", "LE"), limits or (), strict=False):
                yield open_tag("RangeCheck", Comparator=comparator, SoftHard=strength)
                yield f"<CheckValue>{value}</CheckValue></RangeCheck>\n"
    if column.kind is Kind.CODE and column.codes:
        yield empty_tag("CodeListRef", CodeListOID=f"CL.{table.name}.{column.name}")
    for system, code in item.codes.items() if item is not None else ():
        yield empty_tag("Alias", Context=system, Name=code)
    yield "</ItemDef>\n"


def _condition(column: Column) -> str:
    return column.about.condition if column.about is not None else ""


def _condition_oid(table: Table, column: Column) -> str:
    return f"CO.{table.name}.{column.name}"
