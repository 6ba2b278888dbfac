"""Numbers in words, as a reader may see them: exact, or protected where they are of other people's patients."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from django.utils.translation import gettext as _

from calcinosis_registry.cohorts.scope import HIDDEN_BELOW, MIXED, SMALLEST_SHOWN, Cell, Count, Scope, lot
from calcinosis_registry.reports.arrays import Array, np
from calcinosis_registry.reports.crowd import Crowd

NONE = "–"
STEP = 0.5  # of protected medians and means


@dataclass(frozen=True)
class Teller:
    """Every number of a report goes through here. Whatever is derived (share, rate, curve) is worked out from the
    protected counts, so that it never says more than they do. ``keys``: of the patients, by their place in the frame.
    """

    scope: Scope
    keys: Array = field(default_factory=lambda: np.zeros(0, np.int64))

    @property
    def exact(self) -> bool:
        return self.scope.exact

    def count(self, number: int) -> Count:
        """As it may be shown: outside a project by the rule of the cohort builder, for which it must be a Crowd; and
        never what fewer than 8 patients stand behind, however many their lesions."""
        if self.exact:
            return Count(int(number))
        if not isinstance(number, Crowd):
            raise TypeError("a protected number knows whom it counts: reports/crowd.py")
        if number.people < SMALLEST_SHOWN:
            return Count(None, rounded=True, below=HIDDEN_BELOW)
        return self.scope.count(int(number), self._cell(number))

    def _cell(self, crowd: Crowd) -> Cell:
        keys = self.keys[crowd.places]
        return Cell(int(keys.sum()), int((keys * keys % MIXED).sum()))

    def n(self, number: int) -> str:
        return self.count(number).short

    def shown(self, number: int) -> int | None:
        """The count as it may be used further; None where it is hidden."""
        return self.count(number).number

    def enough(self, number: int) -> bool:
        """May a median, a mean or a curve of so many be shown?"""
        return number > 0 and self.shown(number) is not None

    def share(self, count: int, whole: int) -> float | None:
        part, of = self.shown(count), self.shown(whole)
        return None if part is None or not of else min(part / of, 1.0)

    def percent(self, count: int, whole: int) -> str:
        """``34 % (5/15)``."""
        found = self.share(count, whole)
        told = f"({self.n(count)}/{self.n(whole)})"
        return f"{100 * found:.{1 if self.exact else 0}f} % {told}" if found is not None else told.strip("()")

    def years(self, years: float, of: int) -> float:
        """Person-time of somebody; moved and rounded like a count where counts are protected, 0 where it is hidden."""
        if self.exact:
            return years
        if not isinstance(of, Crowd):
            raise TypeError("protected years know whose they are: reports/crowd.py")
        if not self.enough(of):
            return 0.0
        return float(self.scope.count(round(years), self._cell(of)).number or 0)

    def told_years(self, years: float, of: int) -> str:
        found = self.years(years, of)
        return f"{found:.1f}" if self.exact else f"{found:.0f}" if found else NONE

    def middle(self, value: float, of: int) -> float:
        """A median or mean of ``of`` subjects; NaN where it may not be shown. Protected: to a half, up or down by a lot
        drawn from whom it is of, so that two groups that differ by one person do not give that person's value."""
        if self.exact or math.isnan(value):
            return value
        if not isinstance(of, Crowd) or not self.enough(of):
            return math.nan
        return math.floor(value / STEP + lot(f"{value:.9g}", self._cell(of))) * STEP

    def value(self, value: float, digits: int = 1, *, of: int) -> str:
        found = self.middle(value, of)
        return NONE if math.isnan(found) or not of else f"{found:.{digits}f}"

    def free(self, start: int, share: float) -> float | None:
        """A point of a curve: ``share`` of ``start`` still event-free, worked out from protected counts."""
        if self.exact:
            return share
        if not isinstance(start, Crowd) or not self.enough(start):
            return None
        whole, had = self.shown(start), self.scope.count(round(start * (1 - share)), self._cell(start)).number
        return None if not whole or had is None else max(1 - had / whole, 0.0)


def p_value(p: float, *, exact: bool = True) -> str:
    """``p = 0.03``; only which side of the customary limits where numbers are protected."""
    if math.isnan(p):
        return NONE
    if p < 0.001:
        return "p < 0.001"
    if exact:
        return f"p = {p:.3f}" if p < 0.1 else f"p = {p:.2f}"
    return next((f"p < {limit}" for limit in (0.01, 0.05) if p < limit), "p ≥ 0.05")


def number(value: float, digits: int = 1) -> str:
    told = NONE if math.isnan(value) else "∞" if math.isinf(value) else f"{value:.{digits}f}"
    return told.replace("-", "−")


def interval(low: float, high: float, digits: int = 1) -> str:
    """``0.4–2.1``; with a minus sign among them ``−0.4 to 2.1``."""
    if math.isnan(low) and math.isnan(high):
        return NONE
    between = _(" to ") if low < 0 else "–"
    return f"{number(low, digits)}{between}{number(high, digits)}"
