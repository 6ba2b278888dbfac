"""Codes of public terminologies for values of the register: only those its code lists give, and mark as seen."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from calcinosis_registry.codebook import codelists
from lesions import sites
from patients import units

_LESIONS = Path(sites.__file__).parent / "data"
_PATIENTS = Path(units.__file__).parent / "data"
CALCINOSIS = "CALCINOSIS_CUTIS"  # the concept of hpo.csv that every patient of this register has


@dataclass(frozen=True)
class Term:
    """``system``: ICD10, ORPHA, SNOMED, LOINC, ATC or HPO."""

    system: str
    code: str
    label: str


@cache
def _rows(path: Path) -> dict[str, dict[str, str]]:
    return {row["code"]: row for row in codelists.read(path)}


def _seen(mark: str) -> bool:
    """Marked with a source (S…) and not to be verified: a code only recalled is not passed on."""
    return mark.startswith("S") and "verify" not in mark and mark != "S63"


def of_diagnosis(code: str) -> list[Term]:
    return _of_disease(_rows(_PATIENTS / "diagnoses.csv").get(code, {}))


def of_subset(code: str) -> list[Term]:
    return _of_disease(_rows(_PATIENTS / "ssc_subsets.csv").get(code, {}))


def _of_disease(row: dict[str, str]) -> list[Term]:
    names = (("ORPHA", "orpha"), ("ICD10", "icd10"))
    return [Term(system, row[name], row["label"]) for system, name in names if row and _seen(row[f"{name}_mark"])]


def of_site(code: str) -> list[Term]:
    place = sites.SITES.get(code)
    seen = place is not None and place.snomed and _seen(place.snomed_mark)
    return [Term("SNOMED", place.snomed, place.label)] if place is not None and seen else []


@cache
def of_analyte(code: str, unit: str) -> list[Term]:
    row = _rows(_PATIENTS / "analytes.csv").get(code)
    found = units.loinc(code, unit) if row else ""
    # The mark names codes that are to be verified: "S62; 2000-8 S63".
    doubted = row is not None and (row["mark"] == "S63" or f"{found} S63" in row["mark"])
    return [Term("LOINC", found, row["label"])] if row and found and not doubted else []


def of_antibody(code: str) -> list[Term]:
    """The phenotype of a positive result."""
    row = _rows(_PATIENTS / "antibodies.csv").get(code, {})
    return [hpo(row["hpo"])] if row.get("hpo") else []


@cache
def of_concept(concept: str) -> Term:
    """The HPO term of one of our own names; StopIteration for an unknown one."""
    return next(hpo(row["code"]) for row in codelists.read(_LESIONS / "hpo.csv") if row["concept"] == concept)


@cache
def hpo(code: str) -> Term:
    return Term("HPO", code, _rows(_LESIONS / "hpo.csv")[code]["label"])
