"""GA4GH Phenopackets v2: one Cohort in JSON, a phenopacket per patient. For discovery, too coarse for lesions.

HPO terms come from the register's own list alone (lesions/data/hpo.csv).
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from calcinosis_registry.exports.writers import readme, terms
from calcinosis_registry.exports.writers.by_patient import Rows, by_patient

if TYPE_CHECKING:
    from calcinosis_registry.cohorts.dataset import Dataset

Tables = dict[str, Rows]
Told = dict[str, Any]
# Yes or no to these is a phenotypic feature, there or excluded. The ever-items of the diagnosis, then of the reviews.
EVER = {
    "raynaud": "RAYNAUD", "sclerodactyly": "SCLERODACTYLY", "pitting_scars": "PITTING_SCAR", "pah": "PAH", "ild": "ILD",
    "telangiectasia": "TELANGIECTASIA", "ever_digital_ulcer": "DIGITAL_ULCER", "ever_osteoporosis": "OSTEOPOROSIS",
    "ever_acro_osteolysis": "ACRO_OSTEOLYSIS", "ever_myositis": "MYOSITIS",
}  # fmt: skip
REVIEWED = {
    "gangrene": "GANGRENE", "autoamputation": "AUTOAMPUTATION", "arthritis": "ARTHRITIS", "contracture": "CONTRACTURE",
}  # fmt: skip


def _time(name: str) -> tuple[str, ...]:
    """The columns :func:`time` reads."""
    return tuple(f"{name}{end}" for end in ("", "_year", "_earliest", "_latest"))


# {table it carries: the columns it reads}
CARRIED = {
    "patients": {"status", "sex_at_birth", *_time("death_date")},
    "diagnoses": {
        *EVER, "primary_ctd", "ssc_subset", *_time("first_raynaud"), *_time("first_calcinosis"),
        *_time("first_non_raynaud"),
    },
    "visits": {"age_at_visit"},
    "lesions": {"laterality", "site", *_time("first_noticed"), *_time("first_recorded")},
    "disease_reviews": {*REVIEWED},
    "antibodies": {"antibody", "result"},
    "labs": {"analyte", "value", "unit", "comparator", *_time("collected_on")},
    "treatments": {"agent", "atc"},
    "procedures": {"code", *_time("performed_on")},
}  # fmt: skip
SIDES = {"R": "RIGHT", "L": "LEFT"}
_PREFIXES = {"HPO": "", "ORPHA": "ORPHA:", "LOINC": "LOINC:", "ATC": "ATC:", "UCUM": "UCUM:", "SNOMED": "SNOMEDCT:"}
_RESOURCES = (
    ("hp", "Human Phenotype Ontology", "HP", "http://purl.obolibrary.org/obo/HP_", "https://hpo.jax.org"),
    ("orpha", "Orphanet nomenclature", "ORPHA", "http://www.orpha.net/ORDO/Orphanet_", "https://www.orphadata.com"),
    ("loinc", "LOINC", "LOINC", "https://loinc.org/", "https://loinc.org"),
    ("atc", "Anatomical Therapeutic Chemical classification", "ATC", "https://www.whocc.no/atc_ddd_index/?code=",
     "https://www.whocc.no"),
    ("ucum", "Unified Code for Units of Measure", "UCUM", "https://units-of-measurement.org/", "https://ucum.org"),
    ("sct", "SNOMED CT", "SNOMEDCT", "http://snomed.info/id/", "https://www.snomed.org"),
    ("ncbitaxon", "NCBI Taxonomy", "NCBITaxon", "http://purl.obolibrary.org/obo/NCBITaxon_",
     "https://www.ncbi.nlm.nih.gov/taxonomy"),
    ("calcreg", "Codes of this register (codebook.csv)", "CALCREG", "urn:calcinosis-registry:",
     "urn:calcinosis-registry"),
)  # fmt: skip


def write(folder: Path, dataset: Dataset, about: dict[str, Any]) -> dict[str, int]:
    """cohort.json and README.txt; {table: rows} of the tables it carries."""
    counts: dict[str, int] = {}
    meta = _json(_meta(about))
    labels = _labels(dataset)
    cohort = about.get("cohort", {})
    description = f"{cohort.get('in_words', '')} {readme.dates(about)}".strip()
    head = {"id": about.get("export") or "cohort", "description": description}
    with (folder / "cohort.json").open("w", encoding="utf-8", newline="\n") as file:
        file.write(_json(head)[:-1] + ',"members":[')
        first = True
        for patient, tables in by_patient(dataset, counts, CARRIED):
            if "patients" in tables:
                file.write(
                    ("\n" if first else ",\n") + _json(_packet(patient, tables, labels))[:-1] + f',"metaData":{meta}}}'
                )
                first = False
        file.write(f'\n],"metaData":{meta}}}\n')
    left = [name for name in dataset.tables if name not in CARRIED]
    said = [*SAID, f"Not in it, for the format has no place for them: the tables {', '.join(left)}."]
    readme.write(folder, about, "GA4GH Phenopackets v2", said, EXAMPLE)
    return {name: counts[name] for name in CARRIED if name in counts}


SAID = (
    "A Cohort with one phenopacket per patient: sex, age at the last visit, vital status, diseases, phenotypic "
    "features, laboratory values, drugs and procedures. Meant for discovery; for lesions over time take another "
    "format.",
    "Each lesion is a feature HP:0025520 with its side; its site stands in the description.",
    "A feature answered No is excluded; one answered “unknown” or not at all is left out.",
    "Left out: laboratory results given as below or above a limit, and doses, which need a start and an end here.",
    "Codes without a public term are the register's own (CALCREG); codebook.csv says what they mean.",
)
EXAMPLE = """Python:  from google.protobuf.json_format import Parse
         from phenopackets.schema.v2 import Cohort
         cohort = Parse(open("cohort.json", encoding="utf-8").read(), Cohort())"""


# One encoder for all: json.dumps with choices of its own makes a new one each time.
_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def _labels(dataset: Dataset) -> dict[tuple[str, str], dict[str, str]]:
    """{(table, column): {code: label}}."""
    return {(t.name, c.name): dict(c.codes) for t in dataset.tables.values() for c in t.columns if c.codes}


def _packet(patient: str, tables: Tables, labels: dict[tuple[str, str], dict[str, str]]) -> Told:
    return _full({
        "id": patient, "subject": _subject(patient, tables),
        "phenotypicFeatures": list(_features(tables, labels)), "measurements": list(_measurements(tables, labels)),
        "diseases": list(_diseases(tables, labels)), "medicalActions": list(_actions(tables, labels)),
    })  # fmt: skip


def _full(told: Told) -> Told:
    return {name: one for name, one in told.items() if one not in (None, "", [], {})}


def _subject(patient: str, tables: Tables) -> Told:
    (row,) = tables["patients"]
    ages = [age for one in tables.get("visits", ()) if (age := one.get("age_at_visit")) is not None]
    states = {"ALIVE": "ALIVE", "DEAD": "DECEASED"}
    status = _full(
        {"status": states.get(row.get("status") or "", "UNKNOWN_STATUS"), "timeOfDeath": time(row, "death_date")}
    )
    return _full({
        "id": patient, "timeAtLastEncounter": {"age": {"iso8601duration": f"P{max(ages)}Y"}} if ages else None,
        "vitalStatus": status, "taxonomy": {"id": "NCBITaxon:9606", "label": "Homo sapiens"},
        "sex": {"F": "FEMALE", "M": "MALE"}.get(row.get("sex_at_birth") or "", "UNKNOWN_SEX"),
    })  # fmt: skip


def time(row: Told, name: str) -> Told | None:
    """A day as a timestamp; a date known to the month or year as the interval it stands for."""
    if year := row.get(f"{name}_year"):  # of an anonymous dataset
        start, end = datetime.date(year, 1, 1), datetime.date(year, 12, 31)
        return {"interval": {"start": _moment(start), "end": _moment(end)}}
    earliest, latest = row.get(f"{name}_earliest") or row.get(name), row.get(f"{name}_latest") or row.get(name)
    if earliest is None or latest is None:
        return None
    if earliest == latest:
        return {"timestamp": _moment(earliest)}
    return {"interval": {"start": _moment(earliest), "end": _moment(latest)}}


def _moment(day: datetime.date) -> str:
    return f"{day.isoformat()}T00:00:00Z"


def term(one: terms.Term) -> Told:
    return {"id": f"{_PREFIXES[one.system]}{one.code}", "label": one.label}


def own(table: str, column: str, code: str, labels: dict[tuple[str, str], dict[str, str]]) -> Told:
    return {"id": f"CALCREG:{table}.{column}.{code}", "label": labels.get((table, column), {}).get(code, code)}


def _features(tables: Tables, labels: dict[tuple[str, str], dict[str, str]]) -> Iterator[Told]:
    calcinosis = term(terms.of_concept(terms.CALCINOSIS))
    lesions = tables.get("lesions", [])
    for row in lesions:
        side = SIDES.get(row.get("laterality") or "")
        yield _full({
            "type": calcinosis, "description": labels.get(("lesions", "site"), {}).get(row.get("site") or "", ""),
            "modifiers": [term(terms.of_concept(side))] if side else [],
            "onset": time(row, "first_noticed") or time(row, "first_recorded"),
        })  # fmt: skip
    for row in tables.get("diagnoses", ()):
        if not lesions:
            yield _full({"type": calcinosis, "onset": time(row, "first_calcinosis")})
        for name, concept in EVER.items():
            yield from _answered(concept, {row.get(name)}, time(row, "first_raynaud") if name == "raynaud" else None)
    reviews = tables.get("disease_reviews", ())
    for name, concept in REVIEWED.items():
        yield from _answered(concept, {row.get(name) for row in reviews})
    results: dict[str, set[str]] = {}
    for row in tables.get("antibodies", ()):
        results.setdefault(row.get("antibody") or "", set()).add(
            {"POS": "Y", "NEG": "N"}.get(row.get("result") or "", "")
        )
    for antibody, answers in results.items():
        for one in terms.of_antibody(antibody):
            yield from _answered(one, answers)


def _answered(concept: str | terms.Term, answers: set[Any], onset: Told | None = None) -> Iterator[Told]:
    """There when ever answered Yes; excluded when answered No and never Yes."""
    if not answers & {"Y", "N"}:
        return
    one = terms.of_concept(concept) if isinstance(concept, str) else concept
    there = "Y" in answers
    yield _full({"type": term(one), "excluded": not there or None, "onset": onset if there else None})


def _measurements(tables: Tables, labels: dict[tuple[str, str], dict[str, str]]) -> Iterator[Told]:
    for row in tables.get("labs", ()):
        value, unit, analyte = row.get("value"), row.get("unit") or "", row.get("analyte") or ""
        if value is None or row.get("comparator") or not analyte:
            continue
        found = terms.of_analyte(analyte, unit)
        assay = term(found[0]) if found else own("labs", "analyte", analyte, labels)
        measured = {"unit": {"id": f"UCUM:{unit}", "label": unit}, "value": _number(value)}
        yield _full({"assay": assay, "value": {"quantity": measured}, "timeObserved": time(row, "collected_on")})


def _number(value: Decimal | float) -> float:
    return float(value)


def _diseases(tables: Tables, labels: dict[tuple[str, str], dict[str, str]]) -> Iterator[Told]:
    for row in tables.get("diagnoses", ()):
        if disease := row.get("primary_ctd"):
            stage = row.get("ssc_subset")
            yield _full({
                "term": _disease(terms.of_diagnosis(disease), "primary_ctd", disease, labels),
                "onset": time(row, "first_non_raynaud"),
                "diseaseStage": [_disease(terms.of_subset(stage), "ssc_subset", stage, labels)] if stage else [],
            })  # fmt: skip


def _disease(found: list[terms.Term], column: str, code: str, labels: dict[tuple[str, str], dict[str, str]]) -> Told:
    orpha = [one for one in found if one.system == "ORPHA"]
    return term(orpha[0]) if orpha else own("diagnoses", column, code, labels)


def _actions(tables: Tables, labels: dict[tuple[str, str], dict[str, str]]) -> Iterator[Told]:
    for row in tables.get("treatments", ()):
        drug, atc = row.get("agent") or "", row.get("atc") or ""
        if drug or atc:
            agent = own("treatments", "agent", drug, labels)
            yield {"treatment": {"agent": agent | {"id": f"ATC:{atc}"} if atc else agent}}
    for row in tables.get("procedures", ()):
        if done := row.get("code"):
            code = own("procedures", "code", done, labels)
            yield {"procedure": _full({"code": code, "performed": time(row, "performed_on")})}


def _meta(about: dict[str, Any]) -> Told:
    made = datetime.datetime.fromisoformat(about["made_at"]).astimezone(datetime.UTC)
    software = about.get("software", {})
    return {
        "created": made.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "createdBy": f"{software.get('name', 'calcinosis registry')} {software.get('version', '')}".strip(),
        "resources": [
            {"id": id, "name": name, "namespacePrefix": prefix, "iriPrefix": iri, "url": url,
             "version": "as in the register's code lists"}
            for id, name, prefix, iri, url in _RESOURCES
        ],
        "phenopacketSchemaVersion": "2.0",
        "externalReferences": [{"id": "urn:calcinosis-registry:privacy:dates", "description": readme.dates(about)}],
    }  # fmt: skip
