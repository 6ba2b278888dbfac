"""FHIR R4 bulk data: NDJSON, one file per resource type, patient by patient."""

from __future__ import annotations

import contextlib
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from calcinosis_registry.cohorts.columns import Kind
from calcinosis_registry.exports.writers import readme
from calcinosis_registry.exports.writers.by_patient import told_by_patient
from calcinosis_registry.exports.writers.fhir_rows import KINDS, STUDY, Sheet, Told
from calcinosis_registry.exports.writers.fhir_values import (
    HL7,
    OURS,
    Json,
    concept,
    encode,
    id_of,
    key_of,
    meta_of,
    pointer,
    quoted,
    reference,
    resource,
    target_of,
)  # fmt: skip

if TYPE_CHECKING:
    from calcinosis_registry.cohorts.dataset import Dataset, Table


def write(folder: Path, dataset: Dataset, about: dict[str, Any]) -> dict[str, int]:
    """One .ndjson per resource type and README.txt; {table: rows}."""
    counts: dict[str, int] = {}
    with contextlib.ExitStack() as open_files:
        files: dict[str, TextIO] = {}

        meta = encode(meta_of(about))

        def out(one: dict[str, Any]) -> None:
            kind = one["resourceType"]
            if kind not in files:
                path = folder / f"{kind}.ndjson"
                files[kind] = open_files.enter_context(path.open("w", encoding="utf-8", newline="\n", buffering=2**18))
            files[kind].write(_line(one, meta if kind != "CodeSystem" else ""))

        for one in (*_study(dataset, about), *_code_systems(dataset)):
            out(one)
        links = {name: ends for name, table in dataset.tables.items() if (ends := _ends(table))}
        sheets = {name: Sheet(table) for name, table in dataset.tables.items()}
        for patient, tables in told_by_patient(dataset, counts, lambda table: sheets[table.name].rows()):
            linked = _linked(patient, tables, links)
            for name, rows in tables.items():
                sheet = sheets[name]
                for number, (row, values) in enumerate(rows, start=1) if name not in links else ():
                    extra = linked.get((name, row[sheet.own]), []) if sheet.own else []
                    for one in sheet.resources(Told(sheet, patient, number, row, values, extra)):
                        out(one)
    readme.write(folder, about, "FHIR R4 bulk data", SAID, EXAMPLE)
    return counts


SAID = (
    "One NDJSON file per resource type. Ids and references are made of the pseudonym of the project, the table and the "
    "number of the row; nothing else identifies anybody.",
    "Every resource is tagged as pseudonymized or anonymized; Provenance says what was done to the dates.",
    "Every value of a row is kept: as a component of its Observation, else as an extension named after the item of the "
    "codebook. CodeSystem.ndjson has the register's own code lists.",
    "An item not answered is left out; “unknown” is asked-unknown; not applicable, because its condition was answered "
    "otherwise, is not-applicable (data-absent-reason).",
    "Terms of ORPHA, ICD-10, SNOMED CT, LOINC, ATC and DICOM are given where the register's code lists have them with "
    "a source; L94.2 for calcinosis cutis is not verified in the official browser.",
    "The onset of the connective tissue disease is the first sign other than Raynaud.",
)
EXAMPLE = """Python:  [json.loads(line) for line in open("Observation.ndjson", encoding="utf-8")]
DuckDB:  SELECT * FROM read_json_auto('Patient.ndjson')"""


def _line(one: dict[str, Any], meta: str) -> str:
    """The resource in one line; what is JSON already is put in as it stands."""
    parts = []
    for name, value in one.items():
        kind = type(value)
        parts.append(f'"{name}":{value if kind is Json else quoted(value) if kind is str else encode(value)}')
        if name == "id" and meta:
            parts.append(f'"meta":{meta}')
    return "{" + ",".join(parts) + "}\n"


def _study(dataset: Dataset, about: dict[str, Any]) -> Iterator[dict[str, Any]]:
    project, cohort, software = (about.get(name, {}) for name in ("project", "cohort", "software"))
    yield resource(
        "ResearchStudy", STUDY, status="active", title=project.get("title"),
        identifier=[{"system": f"{OURS}:project", "value": project["id"]}] if project.get("id") else [],
    )  # fmt: skip
    yield resource(
        "Group", "cohort", type="person", actual=True, name=cohort.get("name"), quantity=len(dataset.people),
        code=concept(text=cohort.get("in_words") or "The cohort of the export"),
    )  # fmt: skip
    system = f"{software.get('name', 'calcinosis registry')} {software.get('version', '')}".strip()
    shifted = [{"url": f"{OURS}:privacy:dates", "valueString": readme.dates(about)}]
    yield resource(
        "Provenance", "export", target=[reference("ResearchStudy", STUDY), reference("Group", "cohort")],
        recorded=about.get("made_at"), extension=shifted, agent=[{"who": {"display": system}}],
        activity=concept({"system": f"{HL7}/iso-21089-lifecycle", "code": "pseudonymize"}),
    )  # fmt: skip


def _code_systems(dataset: Dataset) -> Iterator[dict[str, Any]]:
    seen = set()
    for table in dataset.tables.values():
        for column in table.columns:
            key = key_of(table, column)
            if column.kind in (Kind.CODE, Kind.CODES) and column.codes and key not in seen:
                seen.add(key)
                id = key.replace("_", "-")[:64].rstrip(".-")
                codes = [{"code": code, "display": label or code} for code, label in column.codes]
                yield {
                    "resourceType": "CodeSystem", "id": id, "url": f"{OURS}:codes:{key}", "name": _name(key),
                    "title": column.label, "status": "active", "content": "complete", "concept": codes,
                }  # fmt: skip


def _name(key: str) -> str:
    """A name a machine can use: a capital letter first."""
    return "".join(part.capitalize() for part in key.replace(".", "_").split("_"))


def _ends(table: Table) -> tuple[str, str] | None:
    """Of a table that only links (patient, one number, another): what it links; None for others."""
    names = [column.name for column in table.columns]
    if len(names) != 3 or names[0] != "patient" or not all(target_of(name) for name in names[1:]):
        return None
    return names[1], names[2]


def _linked(
    patient: str, tables: dict[str, Any], links: dict[str, tuple[str, str]]
) -> dict[tuple[str, Any], list[str]]:
    """{(table, number): extensions that point at the records a row is about}."""
    found: dict[tuple[str, Any], list[str]] = defaultdict(list)
    for name, (source, target) in links.items():
        for row, _values in tables.get(name, ()):
            aim = target_of(target)
            told = pointer(KINDS.get(aim, "Observation"), id_of(patient, aim, row[target]))
            found[target_of(source), row[source]].append(f'{{"url":"{OURS}:item:{name}","valueReference":{told}}}')
    return found
