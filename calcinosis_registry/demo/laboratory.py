"""Yearly blood tests: calcium and phosphate are normal in dystrophic calcinosis (clinical-model 1.2, 4.5)."""

from __future__ import annotations

import datetime
from decimal import Decimal

from calcinosis_registry.demo.appointments import Appointment
from calcinosis_registry.demo.people import Person
from calcinosis_registry.demo.told import days, number
from patients import scoring, units

# {analyte: (mean, spread, lowest, highest, places)} in the canonical unit
NORMAL = {
    "CALCIUM": (2.36, 0.08, 2.1, 2.65, 2), "ALBUMIN": (42, 3, 33, 50, 0), "PHOSPHATE": (1.12, 0.15, 0.8, 1.5, 2),
    "CREATININE": (68, 12, 45, 125, 0), "CRP": (4, 5, 0.3, 60, 1), "ESR": (16, 10, 2, 70, 0),
    "CK": (95, 45, 25, 900, 0),
    "ALP": (75, 20, 32, 150, 0), "PTH": (42, 15, 12, 95, 0), "VITAMIN_D": (72, 20, 28, 140, 0),
    "VITAMIN_D3": (70, 18, 30, 130, 0),
}  # fmt: skip
YEARLY = ("CALCIUM", "ALBUMIN", "PHOSPHATE", "CREATININE", "CRP")
ONCE = ("PTH", "ALP", "ESR")
OTHER_UNIT = {
    "CALCIUM": ("mg/dL", 1),
    "PHOSPHATE": ("mg/dL", 1),
    "CREATININE": ("mg/dL", 2),
    "ALBUMIN": ("g/dL", 1),
    "VITAMIN_D": ("ng/mL", 0),
}
LIMITS = {"CALCIUM": (2.15, 2.55), "PHOSPHATE": (0.8, 1.45), "PTH": (15, 65)}


def tests(person: Person, kept: list[Appointment]) -> None:
    """Tell the laboratory results of the visits."""
    dice, last = person.dice, None
    american = dice.chance(0.2)
    for visit in kept:
        if not visit.in_person or (last and (visit.day - last).days < 330) or not dice.chance(0.4):
            continue
        collected = max(visit.day - days(dice.pick({0: 0.7, 5: 0.3})), person.born)
        wanted = [*YEARLY, *(ONCE if last is None else ()), dice.pick({"VITAMIN_D": 0.85, "VITAMIN_D3": 0.15})]
        wanted += ["CK"] if person.myositis else []
        for analyte in wanted:
            _result(person, visit, analyte, collected, american=american)
        last = visit.day


def _result(person: Person, visit: Appointment, analyte: str, collected: datetime.date, *, american: bool) -> None:
    dice = person.dice
    mean, spread, low, high, places = NORMAL[analyte]
    if person.age_on(collected) < 18:
        mean, spread, low, high = {
            "ALP": (210, 50, 90, 400),
            "PHOSPHATE": (1.5, 0.15, 1.1, 1.9),
            "CREATININE": (42, 8, 22, 70),
        }.get(analyte, (mean, spread, low, high))
    if person.has("metabolic"):
        mean, spread, low, high = {
            "PHOSPHATE": (2.2, 0.2, 1.8, 2.8),
            "PTH": (210, 40, 140, 400),
            "CREATININE": (310, 40, 200, 480),
        }.get(analyte, (mean, spread, low, high))
    value = number(dice.normal(mean, spread, low, high), places)
    given, unit = value, units.analyte(analyte).ucum
    if american and analyte in OTHER_UNIT:
        unit, decimals = OTHER_UNIT[analyte]
        given = number(float(value / units.analyte(analyte).factors[unit]), decimals)
    below = analyte == "CRP" and given < 1
    limits = LIMITS.get(analyte) if unit == units.analyte(analyte).ucum and dice.chance(0.6) else None
    converted = _tell(
        person,
        visit,
        analyte,
        collected,
        Decimal(1) if below else given,
        unit,
        comparator="<" if below else "",
        limits=limits,
    )
    if analyte == "CREATININE":
        filtered = scoring.egfr_ckd_epi_2021(converted, age=person.age_on(collected), female=person.sex == "F")
        if filtered is not None:
            _tell(person, visit, "EGFR", collected, filtered, units.analyte("EGFR").ucum)


def _tell(
    person: Person, visit: Appointment, analyte: str, collected: datetime.date, given: Decimal, unit: str, *,
    comparator: str = "", limits: tuple[float, float] | None = None,
) -> Decimal:  # fmt: skip
    converted = units.to_canonical(analyte, given, unit)
    low, high = limits or (None, None)
    person.tell(
        "patients.laboratoryresult", visit=visit.told, analyte=analyte, collected_on=collected, comparator=comparator,
        value_original=given, unit_original=unit, value=round(converted, 5),
        lower_limit=None if low is None else number(low, 2),
        upper_limit=None if high is None else number(high, 2),
    )  # fmt: skip
    return converted
