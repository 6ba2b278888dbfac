"""How far two readers of the hand radiograph agree, in one clinic. From the finished double readings read blind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from django.utils.translation import gettext as _

from calcinosis_registry.reports.reliability import (
    Estimate,
    Kappa,
    Limits,
    icc_1_1,
    icc_2_1,
    limits_of_agreement,
    weighted_kappa,
)
from lesions.hand_pairs import Pair

SEVERITIES = 4
FEWEST = 2  # radiographs from which anything can be said; an interval tells how little that is


@dataclass(frozen=True)
class Row:
    """One radiograph: the totals of both readers on the sites both could score."""

    patient: str
    study: str
    readers: tuple[str, str]
    totals: tuple[float, float]
    sites: int

    @property
    def mean(self) -> float:
        return sum(self.totals) / 2

    @property
    def difference(self) -> float:
        return self.totals[0] - self.totals[1]


@dataclass(frozen=True)
class OfReaders:
    """One pair of readers."""

    readers: tuple[str, str]
    n: int
    icc: Estimate | None
    limits: Limits | None


@dataclass(frozen=True)
class Agreement:
    """``coefficient``: "ICC(2,1)" where the same two readers read all, "ICC(1,1)" where they vary. ``why_none``: why
    there is no coefficient, in words. ``not_blind``: double readings left out."""

    rows: list[Row]
    patients: int
    coefficient: str
    icc: Estimate | None
    why_none: str
    limits: Limits | None
    by_readers: list[OfReaders]
    kappas: list[Kappa]
    why_no_kappa: str
    not_blind: int


def agreement_of(pairs: Sequence[Pair]) -> Agreement:
    """``pairs``: the finished double readings somebody may see."""
    blind = [one for one in pairs if one.second.blinded]
    rows = sorted((_row(one) for one in blind), key=lambda row: row.readers)
    same_two = len({row.readers for row in rows}) == 1
    coefficient = "ICC(2,1)" if same_two else "ICC(1,1)"
    totals = [row.totals for row in rows]
    icc = (icc_2_1(totals) if same_two else icc_1_1(totals)) if len(rows) >= FEWEST else None
    kappas, why_no_kappa = _kappas(blind)
    return Agreement(
        rows=rows,
        patients=len({row.patient for row in rows}),
        coefficient=coefficient,
        icc=icc,
        why_none=_why_none(rows, icc),
        limits=limits_of_agreement(totals),
        by_readers=[] if same_two else _by_readers(rows),
        kappas=kappas,
        why_no_kappa=why_no_kappa,
        not_blind=len(pairs) - len(blind),
    )


def _row(one: Pair) -> Row:
    """The readers always in one order, whoever read first: a column is then a reader."""
    readers = [(str(one.first.rater), float(one.totals.first)), (str(one.second.rater), float(one.totals.second))]
    readers.sort(key=lambda reader: reader[0])
    (first, total), (second, other) = readers
    patient = one.asked.study.patient.registry_number
    return Row(patient, str(one.asked.study), (first, second), (total, other), one.totals.common)


def _why_none(rows: list[Row], icc: Estimate | None) -> str:
    if not rows:
        return _("No radiograph was read twice yet, the second time blind.")
    if len(rows) < FEWEST:
        return _("One radiograph was read twice: agreement needs two at least.")
    return "" if icc is not None else _("Every reading gave the same total: agreement cannot be told from chance.")


def _by_readers(rows: list[Row]) -> list[OfReaders]:
    found = []
    for readers, some in groupby(rows, key=lambda row: row.readers):
        totals = [row.totals for row in some]
        icc = icc_2_1(totals) if len(totals) >= FEWEST else None
        found.append(OfReaders(readers, len(totals), icc, limits_of_agreement(totals)))
    return found


def _kappas(blind: list[Pair]) -> tuple[list[Kappa], str]:
    """Linear and quadratic weights: the papers on the score do not say which they used."""
    graded = [(one.first.simple_severity, one.second.simple_severity) for one in blind]
    pairs = [(int(first), int(second)) for first, second in graded if first and second]
    if not pairs:
        return [], _("No radiograph was given its simple severity by both readers.")
    found = [weighted_kappa(pairs, SEVERITIES, power=power) for power in (1, 2)]
    kappas = [one for one in found if one is not None]
    return kappas, "" if kappas else _("Both readers gave one and the same severity throughout: kappa is undefined.")
