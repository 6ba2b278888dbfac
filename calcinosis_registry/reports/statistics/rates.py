"""Rates per person-time and shares, with their intervals; limits of a funnel plot."""

from __future__ import annotations

import math
from dataclasses import dataclass

from calcinosis_registry.reports.arrays import ArrayLike, np
from calcinosis_registry.reports.statistics.survival import Z

PER = 100.0  # patient-years
TAIL = 0.025  # on either side of a 95 % interval


@dataclass(frozen=True)
class Rate:
    """``events`` in ``years`` of observation; ``value``, ``low``, ``high`` per 100 years; NaN without observation."""

    events: float
    years: float
    value: float
    low: float
    high: float
    method: str


def exact_rate(events: int, years: float) -> Rate:
    """Events per 100 years with the exact Poisson interval: χ²(α/2; 2d)/2 to χ²(1−α/2; 2d+2)/2 (Garwood 1936).

    For first events: one a person at most, so that events are independent.
    """
    if years <= 0:
        return Rate(events, years, math.nan, math.nan, math.nan, "exact")
    low, high = poisson_interval(events)
    return Rate(events, years, PER * events / years, PER * low / years, PER * high / years, "exact")


def poisson_interval(count: int) -> tuple[float, float]:
    """Exact 95 % interval of a Poisson count (Garwood, Biometrika 1936;28:437-42)."""
    from scipy.special import gammaincinv  # late: 0.2 s

    return (float(gammaincinv(count, TAIL)) if count else 0.0), float(gammaincinv(count + 1, 1 - TAIL))


def robust_rate(events: ArrayLike, years: ArrayLike) -> Rate:
    """Rate of repeated events, one entry a person: λ = Σe/Σy, interval λ·exp(± z·√Σ(e − λy)² / Σe).

    The sandwich variance of a Poisson regression with the person as cluster (Liang and Zeger, Biometrika
    1986;73:13-22): valid however much the events of one person hang together. NaN without events:
    then only the exact one has limits.
    """
    seen, time = np.asarray(events, float), np.asarray(years, float)
    total, length = float(seen.sum()), float(time.sum())
    if length <= 0 or total == 0:
        return Rate(total, length, 0.0 if length > 0 else math.nan, math.nan, math.nan, "robust")
    value = total / length
    wide = math.exp(Z * math.sqrt(float(((seen - value * time) ** 2).sum())) / total)
    return Rate(total, length, PER * value, PER * value / wide, PER * value * wide, "robust")


@dataclass(frozen=True)
class Share:
    """``count`` of ``whole``; NaN of nothing."""

    count: int
    whole: int
    value: float
    low: float
    high: float


def exact_share(count: int, whole: int) -> Share:
    """A share with the exact 95 % interval, from the beta distribution (Clopper and Pearson 1934;26:404-13)."""
    from scipy.special import betaincinv  # late: 0.2 s

    if whole <= 0:
        return Share(count, whole, math.nan, math.nan, math.nan)
    low = float(betaincinv(count, whole - count + 1, TAIL)) if count else 0.0
    high = float(betaincinv(count + 1, whole - count, 1 - TAIL)) if count < whole else 1.0
    return Share(count, whole, count / whole, low, high)


def funnel_limits(target: float, whole: int, confidence: float) -> tuple[float, float]:
    """(low, high) share in which a clinic of ``whole`` patients lies by chance alone, its true share being ``target``.

    Exact binomial quantiles, interpolated so that the limits run smoothly (Spiegelhalter, Stat Med 2005;24:1185-202,
    appendix A.1.1). 95 % and 99.8 % are the customary ones.
    """
    tail = (1 - confidence) / 2
    return _quantile(target, whole, tail), _quantile(target, whole, 1 - tail)


def _quantile(target: float, whole: int, below: float) -> float:
    """(r − α)/n: r the smallest count with P(R ≤ r) > ``below``, α = (P(R ≤ r) − below)/P(R = r)."""
    from scipy.special import bdtr  # late: 0.2 s

    if whole <= 0 or not 0 < target < 1:
        return target
    tails = bdtr(np.arange(whole + 1, dtype=float), whole, target)
    r = int(np.argmax(tails > below))
    if not tails[r] > below:  # rounding at the upper end
        return 1.0
    smaller = tails[r - 1] if r else 0.0
    return float(min(max((r - (tails[r] - below) / (tails[r] - smaller)) / whole, 0.0), 1.0))
