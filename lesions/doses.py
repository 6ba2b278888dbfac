"""Is a dose above the plausibility limit of its drug? Pure; the limits stand in ``data/drugs.csv``.

Source: clinical-model 7.2. A limit warns and never blocks; it is no prescribing guidance.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

MILLIGRAMS = {"g": Decimal(1000), "mg": Decimal(1), "ug": Decimal("0.001")}
PER_DAY = {"DAILY": 1, "BID": 2, "TID": 3, "QID": 4}
PER_WEEK = {"TWICE_WEEKLY": 2, "THREE_WEEKLY": 3, "WEEKLY": 1}
OFTENER_THAN_WEEKLY = frozenset({*PER_DAY, "ALTERNATE_DAYS", "TWICE_WEEKLY", "THREE_WEEKLY", "CONTINUOUS", "AS_NEEDED"})
WEEKLY_ONLY = "WEEKLY_ONLY"


def over_limit(
    drug: Mapping[str, str], *, dose: Decimal, unit: str, frequency: str, route: str, weight_kg: Decimal | None = None
) -> Decimal | None:
    """The amount, in the limit's unit and period, of a dose above the limit; None where it is not or cannot be told.

    ``drug``: a row of drugs.csv. ``unit``: UCUM (mg, g, ug, or one of them per kg). ``weight_kg``: where the limit or
    the dose is per kg body weight and the other is not.
    """
    if not drug.get("max_dose") or (drug["max_route"] and route != drug["max_route"]):
        return None
    base, _slash, per = unit.partition("/")
    if base not in MILLIGRAMS or per not in ("", "kg") or drug["unit"] not in MILLIGRAMS:
        return None
    amount = dose * MILLIGRAMS[base] / MILLIGRAMS[drug["unit"]]
    limit_per_kg = drug["per_kg"] == "1"
    if limit_per_kg != (per == "kg"):
        if not weight_kg:
            return None
        amount = amount / weight_kg if limit_per_kg else amount * weight_kg
    amount *= _times(frequency, drug["period"])
    return amount if amount > Decimal(drug["max_dose"]) else None


def _times(frequency: str, period: str) -> int:
    """How often a dose falls in one period; once where the frequency does not say, and per infusion or course."""
    if period == "day":
        return PER_DAY.get(frequency, 1)
    if period == "week":
        return PER_DAY[frequency] * 7 if frequency in PER_DAY else PER_WEEK.get(frequency, 1)
    return 1


def refused_daily(drug: Mapping[str, str], frequency: str) -> bool:
    """Is the drug one that is only ever given weekly (methotrexate), and the frequency oftener?"""
    return drug.get("rule") == WEEKLY_ONLY and frequency in OFTENER_THAN_WEEKLY
