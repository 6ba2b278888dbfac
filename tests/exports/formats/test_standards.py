"""CDISC ODM, FHIR and Phenopackets: held against their own rules, and read back value by value."""

from __future__ import annotations

import datetime
import html
import importlib
import json
import re
from collections import defaultdict
from decimal import Decimal
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.json_format import Parse
from lxml import etree
from phenopackets.schema.v2 import Cohort

from calcinosis_registry.codebook import codelists
from calcinosis_registry.cohorts.columns import Column, Kind
from calcinosis_registry.exports.writers import FORMATS, terms
from tests.exports.formats.given import AWKWARD, emptied, expected, first_patient, written

pytestmark = pytest.mark.django_db
ODM = "{http://www.cdisc.org/ns/odm/v1.3}"


def as_text(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


# ---- CDISC ODM


@pytest.fixture(scope="module")
def schema() -> etree.XMLSchema:
    path = resources.files("odmlib") / "schemas" / "odm" / "1.3.2" / "ODM1-3-2.xsd"
    return etree.XMLSchema(etree.parse(str(path)))


def test_the_odm_file_is_valid_and_holds_every_value(dataset, folder, schema):
    written(folder, dataset, "odm")
    document = etree.parse(str(folder / "odm.xml"))
    assert schema.validate(document), schema.error_log.last_error
    items = {item.get("OID"): item for item in document.iter(f"{ODM}ItemDef")}
    data: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for subject in document.iter(f"{ODM}SubjectData"):
        for group in subject.iter(f"{ODM}ItemGroupData"):
            values = {item.get("ItemOID"): item.get("Value") for item in group.iter(f"{ODM}ItemData")}
            assert set(values) <= set(items)
            data[group.get("ItemGroupOID")[3:]].append(values | {"subject": subject.get("SubjectKey")})
    for table in dataset.tables.values():
        want = expected(table)
        assert len(data[table.name]) == len(want)
        for values, row in zip(data[table.name], want, strict=True):
            assert values["subject"] == row["patient"]
            for column in table.columns:
                assert _from_odm(table.name, column, values) == as_text(row[column.name]), (table.name, column.name)


def _from_odm(table: str, column: Column, values: dict[str, Any]) -> str:
    oid = f"I.{table}.{column.name}"
    if column.kind is Kind.CODES:
        return ";".join(code for code, _label in column.codes if values.get(f"{oid}.{code}") == "true")
    value = values.get(oid)
    if column.kind is Kind.BOOLEAN and value is not None:
        return "1" if value == "true" else "0"
    return value or ""


def test_the_odm_metadata_say_units_limits_codes_and_why_a_value_is_missing(dataset, folder):
    written(folder, dataset, "odm")
    document = etree.parse(str(folder / "odm.xml"))
    items = {item.get("OID"): item for item in document.iter(f"{ODM}ItemDef")}
    weight = items["I.visits.weight_kg"]
    assert weight.find(f"{ODM}MeasurementUnitRef").get("MeasurementUnitOID") == "MU.kg"
    assert {one.get("SoftHard") for one in weight.iter(f"{ODM}RangeCheck")} >= {"Hard"}
    lists = {one.get("OID"): one for one in document.iter(f"{ODM}CodeList")}
    codes = {one.get("CodedValue") for one in lists["CL.patients.sex_at_birth"]}
    assert {"F", "M"} <= codes
    defined = {one.get("OID") for one in document.iter(f"{ODM}ConditionDef")}
    used = {one.get("CollectionExceptionConditionOID") for one in document.iter(f"{ODM}ItemRef")} - {None}
    assert used and used == defined
    groups = [one for one in document.iter(f"{ODM}ItemGroupData") if one.get("ItemGroupOID") == f"IG.{AWKWARD}"]
    told = [
        {item.get("ItemOID").split(".")[-1]: item.get("IsNull") for item in one if item.get("ItemOID")}
        for one in groups
    ]
    # Answered; excluded by No; excluded by "unknown"; not answered like what it depends on; asked and not answered.
    assert [one.get("ulcer_size", "not asked") for one in told] == [None, "not asked", "not asked", "Yes", "Yes"]


# ---- FHIR R4

# The required bindings the validating library does not check.
ERROR = "entered-in-error"
STATUSES = {
    "Observation": f"registered preliminary final amended corrected cancelled {ERROR} unknown",
    "Encounter": f"planned arrived triaged in-progress onleave finished cancelled {ERROR} unknown",
    "MedicationStatement": f"active completed {ERROR} intended stopped on-hold unknown not-taken",
    "Procedure": f"preparation in-progress not-done on-hold stopped completed {ERROR} unknown",
    "DiagnosticReport": f"registered partial preliminary final amended corrected appended cancelled {ERROR} unknown",
    "ImagingStudy": f"registered available cancelled {ERROR} unknown",
    "QuestionnaireResponse": f"in-progress completed amended {ERROR} stopped",
    "Consent": f"draft proposed active rejected inactive {ERROR}",
    "ResearchSubject": "candidate eligible follow-up ineligible not-registered off-study on-study "
    "on-study-intervention on-study-observation pending-on-study potential-candidate screening withdrawn",
    "ResearchStudy": "active administratively-completed approved closed-to-accrual closed-to-accrual-and-intervention "
    "completed disapproved in-review temporarily-closed-to-accrual withdrawn",
    "CodeSystem": "draft active retired unknown",
}


def fhir(folder: Path) -> dict[str, list[dict[str, Any]]]:
    found = {}
    for path in sorted(folder.glob("*.ndjson")):
        with path.open(encoding="utf-8") as lines:
            found[path.stem] = [json.loads(line, parse_float=Decimal) for line in lines]
        assert all(one["resourceType"] == path.stem for one in found[path.stem])
    return found


def model(kind: str) -> Any:
    return getattr(importlib.import_module(f"fhir.resources.R4B.{kind.lower()}"), kind)


def test_every_resource_is_valid_and_its_references_lead_somewhere(register, folder):
    written(folder, register, "fhir")
    found = fhir(folder)
    wanted = "Patient Consent Condition BodyStructure Observation Encounter ImagingStudy DiagnosticReport Specimen "
    wanted += "QuestionnaireResponse MedicationStatement Procedure AdverseEvent Provenance Group ResearchStudy "
    assert set(f"{wanted}ResearchSubject CodeSystem".split()) - set(found) <= {"Specimen", "Procedure", "AdverseEvent"}
    known = {f"{kind}/{one['id']}" for kind, some in found.items() for one in some}
    assert len(known) == sum(map(len, found.values()))
    for kind, some in found.items():
        for one in some[:40]:
            model(kind).model_validate_json(json.dumps(one, default=float))
        assert all(re.fullmatch(r"[A-Za-z0-9.-]{1,64}", one["id"]) for one in some)
        if kind in STATUSES:
            assert {one["status"] for one in some} <= set(STATUSES[kind].split())
        text = json.dumps(some, default=float)
        assert set(re.findall(r'"reference": "([^"]+)"', text)) <= known
    assert {one.get("gender") for one in found["Patient"]} <= {"male", "female", "other", "unknown"}


def test_fhir_holds_every_value(dataset, folder):
    written(folder, dataset, "fhir")
    told: dict[str, dict[str, list[Any]]] = defaultdict(lambda: defaultdict(list))
    for kind, some in fhir(folder).items():
        for one in some:
            values = [(part["code"]["coding"][0]["code"], part) for part in one.get("component", ())]
            values += [
                (part["url"].removeprefix("urn:calcinosis-registry:item:"), part) for part in one.get("extension", ())
            ]
            for key, part in values:
                told[one["id"]][key].append(_from_fhir(part))
            assert kind in ("CodeSystem",) or one["meta"]["security"][0]["code"] == "PSEUDED"
    for table in dataset.tables.values():
        ours = {c.name: c for c in table.columns}
        if len(ours) == 3 and "_" in table.name and all(c.kind in (Kind.KEY, Kind.NUMBER) for c in table.columns):
            continue  # links: their own test
        seen: dict[str, int] = defaultdict(int)
        own = next((c.name for c in table.columns if c.label == "Number of the row, within the patient"), None)
        own = "lesion_no" if table.name == "lesions" else own
        for row in expected(table):
            seen[row["patient"]] += 1
            id = f"{row['patient']}-{table.name.replace('_', '-')}-{row[own] if own else seen[row['patient']]}"
            id = row["patient"] if table.name == "patients" else id
            for name, column in ours.items():
                if name == "patient":
                    continue
                item = column.field is not None and column.name == column.field.name
                key = f"{column.field.model._meta.model_name}.{name}" if item else f"{table.name}.{name}"
                found = told[id].get(key, [])
                assert _one(column, found) == _plain(row[name]), (id, key)


def _from_fhir(part: dict[str, Any]) -> Any:
    if "dataAbsentReason" in part:
        return {"asked-unknown": "U", "not-applicable": None}[part["dataAbsentReason"]["coding"][0]["code"]]
    (name,) = (one for one in part if one.startswith("value"))
    value = part[name]
    if name == "valueCodeableConcept":
        return value["coding"][0]["code"]
    if name == "valueCode":
        return {"asked-unknown": "U", "not-applicable": None}[value]
    if name == "valueReference":
        return value["reference"]
    return value["value"] if name == "valueQuantity" else value


def _one(column: Column, found: list[Any]) -> Any:
    if column.kind is Kind.CODES:
        return ";".join(one for one in found if one is not None) or None
    value = found[0] if found else None
    return "UNKNOWN" if value == "U" and "U" not in dict(column.codes) else _plain(value)


def _plain(value: Any) -> Any:
    if isinstance(value, bool):
        return float(value)
    if isinstance(value, Decimal | int | float):
        return float(value)
    return value.isoformat() if isinstance(value, datetime.date) else value


def test_fhir_says_what_a_record_is_about(register, folder):
    written(folder, register, "fhir")
    found = fhir(folder)
    links = [
        (one["id"], part["valueReference"]["reference"])
        for some in found.values()
        for one in some
        for part in one.get("extension", ())
        if "valueReference" in part
    ]
    want = [
        (f"{row['patient']}-imaging-{row['imaging_no']}", f"BodyStructure/{row['patient']}-lesions-{row['lesion_no']}")
        for row in expected(register.tables["imaging_lesions"])
    ]
    assert want and {pair for pair in links if "-imaging-" in pair[0]} == set(want)
    seen = next(one for one in found["Observation"] if "-observations-" in one["id"])
    assert seen["focus"][0]["reference"].startswith("BodyStructure/") and seen["encounter"]["reference"].startswith(
        "Encounter/"
    )
    lab = next(one for one in found["Observation"] if "-labs-" in one["id"] and "valueQuantity" in one)
    assert lab["code"]["coding"][0]["system"] in (
        "http://loinc.org",
        "urn:calcinosis-registry:codes:laboratoryresult.analyte",
    )
    drug = next(
        one
        for one in found["MedicationStatement"]
        if one["medicationCodeableConcept"]["coding"][0]["system"].endswith("atc")
    )
    assert drug["status"] in STATUSES["MedicationStatement"].split()
    shifted = found["Provenance"][0]["extension"][0]["valueString"]
    assert shifted.startswith("Dates are shifted back by 1 to 364 days")


# ---- Phenopackets


def packets(folder: Path) -> Any:
    return Parse((folder / "cohort.json").read_text(encoding="utf-8"), Cohort())


def written_packets(folder: Path, dataset: Any) -> Any:
    from calcinosis_registry.exports.writers import phenopackets
    from tests.exports.formats.given import about

    told = about()
    counts = phenopackets.write(folder, dataset, told)
    assert counts == {name: len(expected(dataset.tables[name])) for name in phenopackets.CARRIED}
    return told


def test_phenopackets_keep_the_published_schema_and_say_what_is_left_out(dataset, folder):
    told = written_packets(folder, dataset)
    cohort = packets(folder)  # an unknown field or a wrong type is refused here
    assert [one.id for one in cohort.members] == [row["patient"] for row in expected(dataset.tables["patients"])]
    assert all(one.meta_data.phenopacket_schema_version == "2.0" and one.meta_data.created_by for one in cohort.members)
    prefixes = {one.namespace_prefix for one in cohort.meta_data.resources}
    text = (folder / "cohort.json").read_text(encoding="utf-8")
    used = set(re.findall(r'"id":"([A-Za-z]+):', text)) - {"urn"}
    assert used <= prefixes
    assert "hand_scores" in told["notes"][-1] and AWKWARD in told["notes"][-1] and "visits" not in told["notes"][-1]
    assert "Dates are shifted" in cohort.description


def test_phenopackets_tell_the_values_of_the_dataset(register, folder):
    written_packets(folder, register)
    members = {one.id: one for one in packets(folder).members}
    tables = {name: defaultdict(list) for name in ("lesions", "labs", "diagnoses", "treatments", "procedures")}
    for name, rows in tables.items():
        for row in expected(register.tables[name]):
            rows[row["patient"]].append(row)
    terms_of_hpo = {row["code"] for row in codelists.read(Path(terms._LESIONS) / "hpo.csv")}
    for row in expected(register.tables["patients"]):
        one = members[row["patient"]]
        assert one.subject.sex == {"F": 1, "M": 2}.get(row["sex_at_birth"], 0)
        assert one.subject.vital_status.status == {"ALIVE": 1, "DEAD": 2}.get(row["status"], 0)
        features = [f for f in one.phenotypic_features if f.type.id == "HP:0025520"]
        assert len(features) == max(len(tables["lesions"][row["patient"]]), 1)
        sides = [{"HP:0012834": "R", "HP:0012835": "L"}[m.id] for f in features for m in f.modifiers]
        assert sides == [r["laterality"] for r in tables["lesions"][row["patient"]] if r["laterality"] in ("R", "L")]
        assert {f.type.id for f in one.phenotypic_features} <= terms_of_hpo
        labs = [
            (r["value"], r["unit"])
            for r in tables["labs"][row["patient"]]
            if r["value"] is not None and not r["comparator"]
        ]
        assert [(m.value.quantity.value, m.value.quantity.unit.label) for m in one.measurements] == [
            (float(value), unit) for value, unit in labs
        ]
        drugs = [f"ATC:{r['atc']}" for r in tables["treatments"][row["patient"]] if r["atc"]]
        assert [a.treatment.agent.id for a in one.medical_actions if a.treatment.agent.id.startswith("ATC")] == drugs
        (diagnosis,) = tables["diagnoses"][row["patient"]] or [{}]
        raynaud = {f.excluded for f in one.phenotypic_features if f.type.id == "HP:0030880"}
        assert raynaud == {"Y": {False}, "N": {True}}.get(diagnosis.get("raynaud"), set())


# ---- all of them


@pytest.mark.parametrize("format", ["odm", "fhir"])
def test_an_empty_cohort_and_one_patient(format, few, folder, tmp_path, schema):
    written(folder, emptied(few), format)
    one = tmp_path / "one"
    one.mkdir()
    told = written(one, first_patient(few), format)
    assert told["notes"] and (one / "README.txt").read_text().startswith(
        {"odm": "CDISC", "fhir": "FHIR"}.get(format, "REDCap")
    )
    if format == "odm":
        assert schema.validate(etree.parse(str(folder / "odm.xml")))
    if format == "fhir":
        assert "Patient" not in fhir(folder) and fhir(folder)["CodeSystem"]


def test_an_empty_cohort_makes_an_empty_cohort_of_phenopackets(few, folder):
    from calcinosis_registry.exports.writers import phenopackets
    from tests.exports.formats.given import about

    phenopackets.write(folder, emptied(few), about())
    assert list(packets(folder).members) == []


def test_the_page_says_whom_each_format_is_for(proven, cohort, researcher):
    page = proven(researcher).get(f"/exports/of/{cohort.public_id}/").content.decode()
    for name, one in FORMATS.items():
        assert f'value="{name}"' in page and html.escape(str(one.label)) in page and html.escape(str(one.note)) in page
