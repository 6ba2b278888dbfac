"""The data dictionary of a REDCap project, out of the codebook: types, choices, ranges, branching logic."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from calcinosis_registry.cohorts.columns import Column, Kind
from calcinosis_registry.exports.writers.missing import conditions
from calcinosis_registry.exports.writers.names import unique_names

if TYPE_CHECKING:
    from calcinosis_registry.cohorts.dataset import Dataset

DICTIONARY = (
    "Variable / Field Name", "Form Name", "Section Header", "Field Type", "Field Label",
    "Choices, Calculations, OR Slider Labels", "Field Note", "Text Validation Type OR Show Slider Number",
    "Text Validation Min", "Text Validation Max", "Identifier?", "Branching Logic (Show field only if...)",
    "Required Field?", "Custom Alignment", "Question Number (surveys only)", "Matrix Group Name", "Matrix Ranking?",
    "Field Annotation",
)  # fmt: skip
LONGEST_NAME = 100
_SHORT_LIST = 6  # choices up to here are radio buttons, more are a drop-down list
_PLAIN_CODE = re.compile(r"[A-Za-z0-9_.-]+")
_VALIDATED = {
    Kind.DATE: "date_ymd", Kind.NUMBER: "integer", Kind.INTEGER: "integer", Kind.DECIMAL: "number",
}  # fmt: skip


@dataclass(frozen=True)
class Field:
    """``codes``: {code of the register: code in REDCap}; ``columns``: its columns in the data."""

    name: str
    column: Column
    codes: dict[str, str]
    is_record: bool = False

    @property
    def columns(self) -> list[str]:
        if self.column.kind is not Kind.CODES:
            return [self.name]
        return [f"{self.name}___{re.sub(r'[^a-z0-9]', '_', code.lower())}" for code in self.codes.values()]


def fields_of(dataset: Dataset, first: str) -> dict[str, list[Field]]:
    """{table: its fields}. The pseudonym is the record's id, in the first form only."""
    wanted = [
        (table, column)
        for table in sorted(dataset.tables.values(), key=lambda one: one.name != first)
        for column in table.columns
        if column.name != "patient" or table.name == first
    ]
    names = unique_names(
        [c.name if c.name == "patient" else f"{t.name}_{c.name}".lower() for t, c in wanted],
        longest=LONGEST_NAME,
        reserved=[f"{name}_complete" for name in dataset.tables],
    )
    found: dict[str, list[Field]] = {name: [] for name in (first, *dataset.tables)}
    for (table, column), name in zip(wanted, names, strict=True):
        is_record = column.name == "patient"
        found[table.name].append(Field(name, column, _codes(column), is_record))
    return found


def _codes(column: Column) -> dict[str, str]:
    """A code REDCap takes for each of ours; those of a set must differ in small letters too."""
    if column.kind not in (Kind.CODE, Kind.CODES):
        return {}
    codes = [code for code, _label in column.codes]
    if column.kind is Kind.CODE and all(_PLAIN_CODE.fullmatch(code) for code in codes):
        return {code: code for code in codes}
    plain = {code: re.sub(r"\W+", "_", code, flags=re.ASCII).strip("_") or "code" for code in codes}
    found: dict[str, str] = {}
    for code, one in plain.items():
        turn, wanted = 1, one
        while wanted.lower() in {other.lower() for other in found.values()}:
            turn += 1
            wanted = f"{one}_{turn}"
        found[code] = wanted
    return found


def dictionary(dataset: Dataset, fields: dict[str, list[Field]]) -> Iterator[tuple[str, ...]]:
    """Its lines, form by form."""
    for table, some in fields.items():
        names = {one.column.name: one for one in some}
        section = ""
        for one in some:
            item = one.column.field.item if one.column.field is not None else None  # type: ignore[attr-defined]
            told = str(item.section) if item is not None else ""
            heading = told if told != section else ""
            section = told or section
            kind, validation = _type(one)
            low, high = _range(one, item)
            key = one.column.about.key if one.column.about is not None else one.column.calculated
            yield (
                one.name, table, heading, kind, _line(one.column.label), _choices(one),
                _line("; ".join(part for part in (one.column.unit, one.column.missing) if part)), validation, low, high,
                "", _branching(one, names), "", "", "", "", "", key,
            )  # fmt: skip


def _type(one: Field) -> tuple[str, str]:
    kind = one.column.kind
    if kind is Kind.CODES:
        return "checkbox", ""
    if kind is Kind.BOOLEAN:
        return "yesno", ""
    if kind is Kind.CODE and one.codes:
        return ("radio" if len(one.codes) <= _SHORT_LIST else "dropdown"), ""
    if kind is Kind.TEXT:
        return "notes", ""
    return "text", _VALIDATED.get(kind, "")


def _range(one: Field, item: Any) -> tuple[str, str]:
    if item is None or item.possible is None or one.column.kind not in (Kind.INTEGER, Kind.DECIMAL):
        return "", ""
    return str(item.possible[0]), str(item.possible[1])


def _choices(one: Field) -> str:
    labels = dict(one.column.codes)
    return " | ".join(f"{ours}, {_line(labels[code]).replace('|', '/')}" for code, ours in one.codes.items())


def _branching(one: Field, names: dict[str, Field]) -> str:
    parts = []
    for name, wanted in conditions(one.column).items():
        if name in names:
            control = names[name]
            values = wanted if isinstance(wanted, tuple | list | set | frozenset) else (wanted,)
            asked = [_asked(control, str(int(v)) if isinstance(v, bool) else str(v)) for v in values]
            parts.append(asked[0] if len(asked) == 1 else f"({' or '.join(asked)})")
    return " and ".join(parts)


def _asked(control: Field, value: str) -> str:
    ours = control.codes.get(value, value)
    if control.column.kind is Kind.CODES:
        return f"[{control.name}({ours})] = '1'"
    return f"[{control.name}] = '{ours}'"


def _line(text: str) -> str:
    return " ".join(text.split())
