"""Laboratory values that are calculated from measured ones, each with its formula and inputs (clinical-model 4.5).

Calcium, albumin and phosphate are combined only where they were collected on one day: values of different days would
make a number that was never true.
"""

from __future__ import annotations

import datetime
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from django.utils.translation import gettext as _

from patients import scoring, units
from patients.models import LaboratoryResult, Patient

CORRECTED_CALCIUM, CALCIUM_PHOSPHATE, EGFR = "CORRECTED_CALCIUM", "CALCIUM_PHOSPHATE", "EGFR"


@dataclass(frozen=True, kw_only=True)
class Calculated:
    """One value, of the newest day that has its inputs. ``usual``: the plausible range, inclusive."""

    code: str
    label: str
    value: Decimal
    unit: str
    day: datetime.date
    formula: str
    inputs: str
    usual: units.Limits

    @property
    def unusual(self) -> bool:
        return not units.within(self.value, self.usual)


def calculated(patient: Patient, results: Iterable[LaboratoryResult]) -> dict[str, Calculated]:
    """{code: value}; a result with < or > takes no part."""
    by_day: dict[datetime.date, dict[str, LaboratoryResult]] = defaultdict(dict)
    for one in sorted(results, key=lambda one: one.pk or 0):
        if not one.comparator:
            by_day[one.collected_on][one.analyte] = one
    found: dict[str, Calculated] = {}
    for day in sorted(by_day, reverse=True):
        for value in _of_day(patient, day, by_day[day]):
            found.setdefault(value.code, value)
    return found


def _of_day(patient: Patient, day: datetime.date, results: Mapping[str, LaboratoryResult]) -> list[Calculated]:
    calcium, albumin, phosphate, creatinine = (
        results.get(code) for code in ("CALCIUM", "ALBUMIN", "PHOSPHATE", "CREATININE")
    )
    found = []
    if calcium is not None and albumin is not None:
        found.append(
            Calculated(
                code=CORRECTED_CALCIUM, label=_("Calcium, corrected for albumin"), unit=calcium.unit, day=day,
                value=scoring.corrected_calcium(calcium.value, albumin.value),
                formula=_("calcium + 0.02 × (40 − albumin)"), inputs=_said(calcium, albumin),
                usual=units.soft_range("CALCIUM"),
            )
        )  # fmt: skip
    if calcium is not None and phosphate is not None:
        found.append(
            Calculated(
                code=CALCIUM_PHOSPHATE, label=_("Calcium × phosphate"), unit="mg²/dL²", day=day,
                value=scoring.calcium_phosphate_product(calcium.value, phosphate.value),
                formula=_("(calcium / 0.2495) × (phosphate / 0.3229)"), inputs=_said(calcium, phosphate),
                usual=(None, scoring.CALCIUM_PHOSPHATE_SOFT_MAX),
            )
        )  # fmt: skip
    if creatinine is not None and (egfr := _egfr(patient, creatinine)) is not None:
        age = _("%(age)s years, %(sex)s") % {
            "age": patient.age_on(day), "sex": str(patient.get_sex_at_birth_display()).lower(),
        }  # fmt: skip
        found.append(
            Calculated(
                code=EGFR, label=_("eGFR"), unit=units.words(units.analyte(EGFR).ucum), day=day, value=egfr,
                formula=_("CKD-EPI 2021, from creatinine, age and sex"), inputs=f"{_said(creatinine)}; {age}",
                usual=units.soft_range(EGFR),
            )
        )  # fmt: skip
    return found


def _egfr(patient: Patient, creatinine: LaboratoryResult) -> Decimal | None:
    age = patient.age_on(creatinine.collected_on)
    if age is None or patient.sex_at_birth not in ("F", "M"):
        return None
    return scoring.egfr_ckd_epi_2021(creatinine.value, age=age, female=patient.sex_at_birth == "F")


def _said(*results: LaboratoryResult) -> str:
    """The measured values in the units the formula takes."""
    return "; ".join(f"{one.get_analyte_display()} {units.shown(one.value)} {units.words(one.unit)}" for one in results)
