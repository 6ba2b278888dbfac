"""What looks wrong only beside other records: repeated results, and labs that speak of a metabolic cause."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from calcinosis_registry.quality.findings import Finding
from patients import scoring, units
from patients.calculated import CALCIUM_PHOSPHATE, CORRECTED_CALCIUM, EGFR, Calculated, calculated
from patients.models import Diagnosis, LaboratoryResult, Patient

ADULT = 18
NORMAL_ALBUMIN = Decimal(40)  # g/L: without an albumin the calcium stands as it is


def newest(results: Iterable[LaboratoryResult]) -> dict[str, LaboratoryResult]:
    """{analyte: newest result}; an exact value before one with < or >."""
    found: dict[str, LaboratoryResult] = {}
    for one in sorted(results, key=lambda one: (one.collected_on, one.pk or 0)):
        found[one.analyte] = one
    return found


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
        values = calculated(patient, results)
        found[diagnosis] = [*own, *_metabolic(patient, diagnosis, newest(results), values), *_product(values)]
    return found


def _product(labs: Mapping[str, Calculated]) -> list[Finding]:
    product = labs.get(CALCIUM_PHOSPHATE)
    if product is None or not product.unusual:
        return []
    values = {"value": product.value, "limit": scoring.CALCIUM_PHOSPHATE_SOFT_MAX}
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


def _metabolic(
    patient: Patient, diagnosis: Diagnosis, results: Mapping[str, LaboratoryResult], labs: Mapping[str, Calculated]
) -> list[Finding]:
    value = {code: one.value for code, one in results.items() if not one.comparator}
    calcium, measured = value.get("CALCIUM"), results.get("CALCIUM")
    corrected, egfr = labs.get(CORRECTED_CALCIUM), labs.get(EGFR)
    if corrected is not None and measured is not None and corrected.day < measured.collected_on:
        corrected = None  # a newer calcium without an albumin says more
    pth = results.get("PTH")
    limit = pth.upper_limit if pth is not None else None
    reasons = scoring.metabolic_prompt(
        diagnosis.aetiology_subtype,
        scoring.MetabolicLabs(
            corrected_calcium=corrected.value
            if corrected is not None
            else (scoring.corrected_calcium(calcium, NORMAL_ALBUMIN) if calcium is not None else None),
            phosphate=value.get("PHOSPHATE"),
            egfr=egfr.value if egfr is not None else None,
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
