"""Values of the register as FHIR data types, and what every resource carries."""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable, Sequence
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any

from calcinosis_registry.codebook.items import item_key
from calcinosis_registry.cohorts.columns import Column, Kind
from calcinosis_registry.cohorts.structure import levels
from calcinosis_registry.exports.writers.missing import UNKNOWN
from calcinosis_registry.exports.writers.pieces import Piece
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
_HERE = "_HERE_"
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
    told = {name: one for name, one in content.items() if one or one is False or one == 0}
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


class Json(str):
    """A value in JSON already: it is written as it stands."""

    __slots__ = ()


def _number(value: Any) -> float:
    """Fifteen digits are exact in a double; no item of the register has more."""
    if isinstance(value, Decimal):
        return float(value)
    raise TypeError(f"{type(value).__name__} is no FHIR value")


# One encoder for all: json.dumps with choices of its own makes a new one each time.
encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=_number).encode
quoted = json.encoder.encode_basestring


def constant(value: Any) -> Json:
    """What many resources share, encoded once."""
    return Json(encode(value))


def pointer(kind: str, id: str) -> Json:
    """As :func:`reference`; ids need no escaping."""
    return Json(f'{{"reference":"{kind}/{id}"}}')


def several(values: Sequence[str]) -> Json | None:
    """A list of what is JSON already; None for an empty one."""
    return Json(f"[{','.join(values)}]") if values else None


def extensions(table: Table) -> list[Piece]:
    """Every value of a row, each under the name of its item: what a resource has no element for is not lost."""

    def told(column: Column) -> Callable[[str, Any], dict[str, Any]]:
        url = f"{OURS}:item:{key_of(table, column)}"

        def one(name: str, value: Any) -> dict[str, Any]:
            if name == "valueQuantity" and "unit" not in value:
                name, value = "valueDecimal", value["value"]
            if name == "dataAbsentReason":
                value, name = value["coding"][0]["code"], "valueCode"
            return {"url": url, name: value}

        return one

    return _pieces(table, told)


def components(table: Table) -> list[Piece]:
    """Every value of a row as components of an Observation."""

    def told(column: Column) -> Callable[[str, Any], dict[str, Any]]:
        code = concept({"system": f"{OURS}:item", "code": key_of(table, column), "display": column.label})
        terms = column.field.item.codes if column.field is not None else {}  # type: ignore[attr-defined]
        code["coding"] += [{"system": SYSTEMS[s], "code": c} for s, c in terms.items() if s in SYSTEMS]
        return lambda name, value: {"code": code, "valueDateTime" if name == "valueDate" else name: value}

    return _pieces(table, told)


def _pieces(table: Table, told: Callable[[Column], Callable[[str, Any], dict[str, Any]]]) -> list[Piece]:
    """``told``: of a column, what makes an element of a FHIR name and value."""
    found = []
    for column in table.columns:
        if column.name != "patient":
            one = told(column)

            said = _of_codes(table, column, one) if column.kind in (Kind.CODE, Kind.CODES) else _of_values(column, one)
            absent = encode(one("dataAbsentReason", _absent("not-applicable")))
            found.append(Piece(column, said, not_applicable=absent))
    return found


def _of_codes(table: Table, column: Column, one: Callable[[str, Any], dict[str, Any]]) -> Callable[[str], str]:
    @cache
    def told(code: str) -> str:
        if column.kind is Kind.CODE and code in UNKNOWN:
            return encode(one("dataAbsentReason", _absent("asked-unknown")))
        return encode(one("valueCodeableConcept", concept(own_coding(table, column, code))))

    if column.kind is Kind.CODE:
        return told
    return lambda cell: ",".join(told(code) for code in cell.split(";"))


def _of_values(column: Column, one: Callable[[str, Any], dict[str, Any]]) -> Callable[[Any], str]:
    """A frame of each kind of value, encoded once: only what stands in it is encoded for each."""

    @cache
    def frame(name: str) -> tuple[str, str]:
        inside: Any = quantity(Decimal(0), column.unit) | {"value": _HERE} if name == "valueQuantity" else _HERE
        before, _here, after = encode(one(name, inside)).partition(f'"{_HERE}"')
        return before, after

    def told(cell: Any) -> str:
        name, value = _simple(column, cell)
        before, after = frame(name)
        return before + (quoted(value) if isinstance(value, str) else encode(value)) + after

    return told


@cache
def _absent(code: str) -> dict[str, Any]:
    return concept({"system": f"{HL7}/data-absent-reason", "code": code, "display": ABSENT[code]})


def _simple(column: Column, value: Any) -> tuple[str, Any]:
    """The kind of a FHIR value, and what stands in it: of a quantity, the number."""
    if column.kind is Kind.BOOLEAN:
        return "valueBoolean", bool(value)
    if isinstance(value, datetime.date):
        return "valueDate", value.isoformat()
    if isinstance(value, Decimal | float) or (isinstance(value, int) and column.unit):
        return "valueQuantity", value
    return ("valueInteger", value) if isinstance(value, int) else ("valueString", str(value))
