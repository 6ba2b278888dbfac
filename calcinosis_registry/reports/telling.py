"""Numbers in words, as a reader may see them: exact, or protected where they are of other people's patients."""

from __future__ import annotations

import math
from dataclasses import dataclass

from django.utils.translation import gettext as _

from calcinosis_registry.cohorts.scope import ROUNDED_TO, SMALLEST_SHOWN, Scope

NONE = "–"


@dataclass(frozen=True)
class Teller:
    """Every number of a report goes through here. Whatever is derived (share, rate, curve) is worked out from the
    protected counts, so that it never says more than they do."""

    scope: Scope

    @property
    def exact(self) -> bool:
        return self.scope.exact

    def n(self, number: float) -> str:
        return self.scope.count(int(number)).short

    def shown(self, number: float) -> int | None:
        """The count as it may be used further; None where it is hidden."""
        return self.scope.count(int(number)).number

    def enough(self, number: float) -> bool:
        """May a median, a mean or a curve of so many be shown?"""
        return number > 0 and (self.exact or number >= SMALLEST_SHOWN)

    def share(self, count: float, whole: float) -> float | None:
        part, of = self.shown(count), self.shown(whole)
        return None if part is None or not of else min(part / of, 1.0)

    def percent(self, count: float, whole: float) -> str:
        """``34 % (5/15)``."""
        found = self.share(count, whole)
        told = f"({self.n(count)}/{self.n(whole)})"
        return f"{100 * found:.{1 if self.exact else 0}f} % {told}" if found is not None else told.strip("()")

    def years(self, years: float) -> float:
        """Person-time; rounded like a count where counts are protected."""
        return years if self.exact else float(ROUNDED_TO * round(years / ROUNDED_TO))

    def value(self, value: float, digits: int = 1, *, of: float) -> str:
        """A median or mean of ``of`` subjects."""
        if math.isnan(value) or not self.enough(of):
            return NONE
        return f"{value:.{digits}f}"

    def free(self, start: int, share: float) -> float | None:
        """A point of a curve: ``share`` of ``start`` still event-free, worked out from protected counts."""
        if self.exact:
            return share
        whole, had = self.shown(start), self.shown(round(start * (1 - share)))
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
