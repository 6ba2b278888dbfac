"""Values of the register as FHIR data types, and what every resource carries."""

from __future__ import annotations

import datetime
import weakref
from collections.abc import Iterator
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any

from calcinosis_registry.codebook.items import item_key
from calcinosis_registry.cohorts.columns import Column, Kind
from calcinosis_registry.cohorts.structure import levels
from calcinosis_registry.exports.writers.missing import UNKNOWN
from calcinosis_registry.exports.writers.odm import not_applicable
from calcinosis_registry.exports.writers.terms import Term

if TYPE_CHECKING:
    from calcinosis_registry.cohorts.dataset import Table

OURS = "urn:calcinosis-registry"
HL7 = "http://terminology.hl7.org/CodeSystem"
SYSTEMS = {
    "ICD10": "http://hl7.org/fhir/sid/icd-10", "ORPHA": "http://www.orpha.net", "SNOMED": "http://snomed.info/sct",
    "LOINC": "http://loinc.org", "ATC": "http://www.whocc.no/atc", "HPO": "http://human-phenotype-ontology.org",
    "UCUM": "http://unitsofmeasure.org", "DICOM": "http://dicom.nema.org/resources/ontology/DCM",
}  # fmt: skip
_UCUM = {"mm": "mm", "cm": "cm", "kg": "kg", "mm²": "mm2", "%": "%", "/mm": "/mm", "years": "a"}
ABSENT = {"asked-unknown": "Asked But Unknown", "not-applicable": "Not Applicable"}


def meta_of(about: dict[str, Any]) -> dict[str, Any]:
    """Said with every resource: no names, and dates that are not the real ones."""
    coded = about.get("profile") != "anonymous"
    code, display = ("PSEUDED", "pseudonymized") if coded else ("ANONYED", "anonymized")
    tag, words = ("dates-shifted", "Dates shifted per patient") if coded else ("dates-years", "Dates as years")
    return {
        "security": [{"system": f"{HL7}/v3-ObservationValue", "code": code, "display": display}],
        "tag": [{"system": f"{OURS}:privacy", "code": tag, "display": words}],
    }


def resource(kind: str, id: str, **content: Any) -> dict[str, Any]:
    """Without what is empty: FHIR knows no empty element."""
    told = {name: one for name, one in content.items() if one not in (None, "", [], {})}
    return {"resourceType": kind, "id": id} | told


@cache
def number_columns() -> dict[str, str]:
    """{``lesion_no``: ``lesions``}: the tables whose rows have numbers."""
    return {level.number: level.table for level in levels().values()}


@cache
def target_of(column: str) -> str:
    """The table a linking column points at, "" for others: ``parent_lesion_no`` → lesions."""
    known = number_columns() if column.endswith("_no") else {}
    fits = [name for name in known if column == name or column.endswith(f"_{name}")]
    return known[max(fits, key=len)] if fits else ""


def id_of(patient: str, table: str, number: Any) -> str:
    """At most 64 letters, digits and hyphens."""
    return f"{patient}-{table.replace('_', '-')}-{number}"[:64]


def key_of(table: Table, column: Column) -> str:
    """The public name of what a column shows: of the item, or of the column itself."""
    if column.field is not None and column.name == column.field.name:
        return item_key(column.field)
    if column.field is None and column.told is not None and column.told.key.endswith(f".{column.name}"):
        return column.told.key  # an item of a frozen cohort that has gone since
    return f"{table.name}.{column.name}"


def coding(term: Term) -> dict[str, str]:
    return {"system": SYSTEMS[term.system], "code": term.code, "display": term.label}


def own_coding(table: Table, column: Column, code: str) -> dict[str, str]:
    label = dict(column.codes).get(code, code)
    return {"system": f"{OURS}:codes:{key_of(table, column)}", "code": code, "display": label}


def concept(*codings: dict[str, str], text: str = "") -> dict[str, Any]:
    told: dict[str, Any] = {"coding": list(codings)} if codings else {}
    return told | ({"text": text} if text else {})


def reference(kind: str, id: str) -> dict[str, str]:
    return {"reference": f"{kind}/{id}"}


def day(row: dict[str, Any], name: str) -> str | None:
    """A date as far as known, as FHIR writes it: 2014, 2014-03 or 2014-03-12."""
    if year := row.get(f"{name}_year"):  # of an anonymous dataset
        return f"{year:04d}"
    earliest = row.get(f"{name}_earliest")
    if earliest is None:
        return row[name].isoformat() if row.get(name) else None
    return earliest.isoformat()[: {"year": 4, "month": 7}.get(row[f"{name}_precision"], 10)]


def quantity(value: Decimal | float, unit: str = "", ucum: str = "", comparator: str | None = None) -> dict[str, Any]:
    code = ucum or _UCUM.get(unit, "")
    told = {"value": value, "comparator": comparator, "unit": unit or ucum}
    return {name: one for name, one in told.items() if one not in (None, "")} | (
        {"system": SYSTEMS["UCUM"], "code": code} if code else {}
    )


class _Words:
    """What is the same in every row of a table, worked out once; shared between resources, so never to be changed."""

    def __init__(self, table: Table) -> None:
        self.table = weakref.ref(table)
        self.columns = {one.name: one for one in table.columns}
        self.asked = [(name, one) for name, one in self.columns.items() if name != "patient"]
        self.urls = {name: f"{OURS}:item:{key_of(table, one)}" for name, one in self.columns.items()}
        self.codes = {name: self._code(table, one) for name, one in self.columns.items()}
        self._concepts: dict[tuple[str, str], dict[str, Any]] = {}

    @staticmethod
    def _code(table: Table, column: Column) -> dict[str, Any]:
        code = concept({"system": f"{OURS}:item", "code": key_of(table, column), "display": column.label})
        terms = column.field.item.codes if column.field is not None else {}  # type: ignore[attr-defined]
        code["coding"] += [{"system": SYSTEMS[s], "code": c} for s, c in terms.items() if s in SYSTEMS]
        return code

    def concept(self, table: Table, column: Column, code: str) -> dict[str, Any]:
        key = (column.name, code)
        if key not in self._concepts:
            self._concepts[key] = concept(own_coding(table, column, code))
        return self._concepts[key]


_words: dict[int, _Words] = {}


def _words_of(table: Table) -> _Words:
    """Found by the table itself, not by what it says: that would cost more than it saves."""
    found = _words.get(id(table))
    if found is None or found.table() is not table:
        if len(_words) > 200:  # of exports long over
            _words.clear()
        found = _words[id(table)] = _Words(table)
    return found


def extensions(table: Table, row: dict[str, Any]) -> list[dict[str, Any]]:
    """Every value of a row, each under the name of its item: what a resource has no element for is not lost."""
    found, words = [], _words_of(table)
    for column, name, value in _values(table, row, words):
        if name == "valueQuantity" and "unit" not in value:
            name, value = "valueDecimal", value["value"]
        if name == "dataAbsentReason":
            value, name = value["coding"][0]["code"], "valueCode"
        found.append({"url": words.urls[column.name], name: value})
    return found


def components(table: Table, row: dict[str, Any]) -> list[dict[str, Any]]:
    """Every value of a row as components of an Observation."""
    words = _words_of(table)
    return [
        {"code": words.codes[column.name], "valueDateTime" if name == "valueDate" else name: value}
        for column, name, value in _values(table, row, words)
    ]


def _values(table: Table, row: dict[str, Any], words: _Words) -> Iterator[tuple[Column, str, Any]]:
    for name, column in words.asked:
        value = row[name]
        if value is None:
            if not_applicable(column, words.columns, row):
                yield column, "dataAbsentReason", _absent("not-applicable")
        elif column.kind is Kind.CODES:
            for code in value.split(";"):
                yield column, "valueCodeableConcept", words.concept(table, column, code)
        elif column.kind is Kind.CODE and value in UNKNOWN:
            yield column, "dataAbsentReason", _absent("asked-unknown")
        elif column.kind is Kind.CODE:
            yield column, "valueCodeableConcept", words.concept(table, column, value)
        else:
            yield column, *_simple(column, value)


@cache
def _absent(code: str) -> dict[str, Any]:
    return concept({"system": f"{HL7}/data-absent-reason", "code": code, "display": ABSENT[code]})


def _simple(column: Column, value: Any) -> tuple[str, Any]:
    if column.kind is Kind.BOOLEAN:
        return "valueBoolean", bool(value)
    if isinstance(value, datetime.date):
        return "valueDate", value.isoformat()
    if isinstance(value, Decimal | float) or (isinstance(value, int) and column.unit):
        return "valueQuantity", quantity(value, column.unit)
    return ("valueInteger", value) if isinstance(value, int) else ("valueString", str(value))
