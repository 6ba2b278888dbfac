"""Laboratory units: conversion to the canonical unit and limits, from ``data/analytes.csv`` (clinical-model 4.5)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from calcinosis_registry.codebook import codelists

ANALYTES_FILE = Path(__file__).parent / "data" / "analytes.csv"

Limits = tuple[Decimal | None, Decimal | None]


@dataclass(frozen=True, kw_only=True)
class Analyte:
    """One analyte. ``factors``: {accepted unit: factor to ``ucum``}, the canonical unit first with factor 1.

    ``soft`` and ``hard`` are inclusive (low, high) in ``ucum``; None where that side has no limit.
    """

    code: str
    label: str
    ucum: str
    factors: Mapping[str, Decimal]
    soft: Limits
    hard: Limits
    adult_only_soft: bool
    derived: bool
    loinc_mass: str
    loinc_molar: str
    loinc_other: str


def _limit(text: str) -> Decimal | None:
    return Decimal(text) if text else None


def _factors(row: dict[str, str]) -> dict[str, Decimal]:
    pairs = (pair.rsplit("=", 1) for pair in row["conversions"].split(";") if pair)
    return {row["ucum"]: Decimal(1)} | {unit: Decimal(factor) for unit, factor in pairs}


ANALYTES: dict[str, Analyte] = {
    row["code"]: Analyte(
        code=row["code"],
        label=row["label"],
        ucum=row["ucum"],
        factors=_factors(row),
        soft=(_limit(row["soft_min"]), _limit(row["soft_max"])),
        hard=(_limit(row["hard_min"]), _limit(row["hard_max"])),
        adult_only_soft=row["adult_only_soft"] == "1",
        derived=row["derived"] == "1",
        loinc_mass=row["loinc_mass"],
        loinc_molar=row["loinc_molar"],
        loinc_other=row["loinc_other"],
    )
    for row in codelists.read(ANALYTES_FILE)
}


def analyte(code: str) -> Analyte:
    """The analyte; raises ValueError naming an unknown code."""
    try:
        return ANALYTES[code]
    except KeyError:
        raise ValueError(f"Unknown analyte {code!r}") from None


def accepted_units(code: str) -> list[str]:
    """UCUM units a value may be typed in; the canonical one first."""
    return list(analyte(code).factors)


def to_canonical(code: str, value: Decimal, unit: str) -> Decimal:
    """``value`` in the analyte's canonical unit, exact (not rounded). Raises ValueError naming an unaccepted unit."""
    return value * _accepting(code, unit).factors[unit]


def _accepting(code: str, unit: str) -> Analyte:
    one = analyte(code)
    if unit not in one.factors:
        text = _("{analyte} cannot be given in “{unit}”; accepted: {accepted}.")
        raise ValueError(format_lazy(text, analyte=one.label, unit=unit, accepted=", ".join(one.factors)))
    return one


def hard_range(code: str) -> Limits:
    """Inclusive limits in the canonical unit; outside is refused (after conversion)."""
    return analyte(code).hard


def soft_range(code: str, *, adult: bool = True) -> Limits:
    """Inclusive plausibility limits in the canonical unit; outside is warned. None where not meant for children."""
    one = analyte(code)
    return (None, None) if one.adult_only_soft and not adult else one.soft


def words(ucum: str) -> str:
    """A UCUM unit as people write it: "umol/L" is µmol/L."""
    return ucum.replace("umol", "µmol").replace("{1.73_m2}", "1.73 m²")


def shown(value: Decimal) -> str:
    """Three digits after the point at most, as few as needed: a converted value is no more exact than the reported."""
    return f"{round(value, 3).normalize():f}"


def within(value: Decimal, limits: Limits) -> bool:
    """Is ``value`` inside the inclusive limits? A missing limit never refuses."""
    low, high = limits
    return (low is None or value >= low) and (high is None or value <= high)


def loinc(code: str, unit: str) -> str:
    """The LOINC code of a result reported in ``unit``: mass and molar results differ. "" where not established."""
    one = _accepting(code, unit)
    return one.loinc_other or (one.loinc_molar if "mol/" in unit else one.loinc_mass)
