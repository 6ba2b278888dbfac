"""What looks wrong only beside other records: repeated results, and labs that speak of a metabolic cause."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from calcinosis_registry.quality.findings import Finding
from patients import scoring, units
from patients.models import Diagnosis, LaboratoryResult, Patient

ADULT = 18
NORMAL_ALBUMIN = Decimal(40)  # g/L: without an albumin the calcium stands as it is


@dataclass(frozen=True)
class DerivedLabs:
    """Derived from the newest results of one day, in canonical units; None where something needed is missing."""

    collected_on: datetime.date | None
    corrected_calcium: Decimal | None = None
    calcium_phosphate: Decimal | None = None
    egfr: Decimal | None = None


def newest(results: Iterable[LaboratoryResult]) -> dict[str, LaboratoryResult]:
    """{analyte: newest result}; an exact value before one with < or >."""
    found: dict[str, LaboratoryResult] = {}
    for one in sorted(results, key=lambda one: (one.collected_on, one.pk or 0)):
        found[one.analyte] = one
    return found


def derived(patient: Patient, results: Mapping[str, LaboratoryResult]) -> DerivedLabs:
    """Corrected calcium, calcium × phosphate and eGFR of a patient's newest results (clinical-model 4.5)."""
    value = {code: one.value for code, one in results.items() if not one.comparator}
    calcium, albumin, phosphate = (value.get(code) for code in ("CALCIUM", "ALBUMIN", "PHOSPHATE"))
    corrected = scoring.corrected_calcium(calcium, albumin) if calcium is not None and albumin is not None else None
    product = (
        scoring.calcium_phosphate_product(calcium, phosphate) if calcium is not None and phosphate is not None else None
    )
    egfr = None
    if (creatinine := results.get("CREATININE")) is not None and patient.sex_at_birth in ("F", "M"):
        age = patient.age_on(creatinine.collected_on)
        if age is not None and not creatinine.comparator:
            egfr = scoring.egfr_ckd_epi_2021(creatinine.value, age=age, female=patient.sex_at_birth == "F")
    newest_day = max((one.collected_on for one in results.values()), default=None)
    return DerivedLabs(newest_day, corrected, product, egfr)


def find_beside(*, patient: Patient, records: Iterable[Any]) -> dict[Any, list[Finding]]:
    """Findings of laboratory results and of the diagnosis they bear on (clinical-model 12.4 (11), V-01)."""
    records = list(records)
    if not any(isinstance(one, LaboratoryResult | Diagnosis) for one in records):
        return {}
    results = list(LaboratoryResult.objects.filter(patient=patient))
    found: dict[Any, list[Finding]] = {}
    for one in records:
        if isinstance(one, LaboratoryResult):
            found[one] = _repeated(one, results)
    diagnosis = Diagnosis.objects.filter(patient=patient).first()
    if diagnosis is not None:
        own = [] if diagnosis in records else list(diagnosis.findings())
        latest = newest(results)
        found[diagnosis] = [*own, *_metabolic(patient, diagnosis, latest), *_product(derived(patient, latest))]
    return found


def _product(labs: DerivedLabs) -> list[Finding]:
    if labs.calcium_phosphate is None or labs.calcium_phosphate <= scoring.CALCIUM_PHOSPHATE_SOFT_MAX:
        return []
    values = {"value": labs.calcium_phosphate, "limit": scoring.CALCIUM_PHOSPHATE_SOFT_MAX}
    message = _("Calcium × phosphate is %(value)s mg²/dL², above %(limit)s: is a metabolic cause excluded?")
    return [Finding("calcium_phosphate", message % values, "aetiology_subtype")]


def _repeated(result: LaboratoryResult, results: list[LaboratoryResult]) -> list[Finding]:
    same = [
        one
        for one in results
        if one.pk != result.pk and (one.analyte, one.collected_on) == (result.analyte, result.collected_on)
    ]
    if not same:
        return []
    message = _("%(name)s of %(day)s is recorded more than once. Is one a repeat?")
    values = {"name": result.get_analyte_display(), "day": result.collected_on}
    return [Finding("lab_repeated", message % values, "collected_on")]


def _was_adult(patient: Patient, result: LaboratoryResult | None) -> bool:
    """On the day of the result, not today: a child's phosphate is higher."""
    age = patient.age_on(result.collected_on) if result is not None else None
    return age is None or age >= ADULT


def _metabolic(patient: Patient, diagnosis: Diagnosis, results: Mapping[str, LaboratoryResult]) -> list[Finding]:
    value = {code: one.value for code, one in results.items() if not one.comparator}
    calcium = value.get("CALCIUM")
    labs = derived(patient, results)
    pth = results.get("PTH")
    limit = pth.upper_limit if pth is not None else None
    reasons = scoring.metabolic_prompt(
        diagnosis.aetiology_subtype,
        scoring.MetabolicLabs(
            corrected_calcium=labs.corrected_calcium
            or (scoring.corrected_calcium(calcium, NORMAL_ALBUMIN) if calcium is not None else None),
            phosphate=value.get("PHOSPHATE"),
            egfr=labs.egfr,
            pth=value.get("PTH"),
            pth_uln=units.to_canonical("PTH", limit, pth.unit_original) if pth is not None and limit else None,
        ),
        adult=_was_adult(patient, results.get("PHOSPHATE")),
    )
    if not reasons:
        return []
    names = dict(LaboratoryResult._meta.get_field("analyte").flatchoices) | {"EGFR": "eGFR"}
    message = _("Dystrophic calcinosis, but unusual: %(which)s. Is a metabolic cause excluded?")
    which = ", ".join(str(names.get(code, code)) for code in reasons)
    return [Finding("metabolic_cause", message % {"which": which}, "aetiology_subtype")]
