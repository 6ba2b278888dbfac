"""How different groups are at the start, and how much a value changed."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from calcinosis_registry.reports.arrays import ArrayLike, np

CHANGE_PCT = 25.0  # clinical-model 2.2: a hand score progressed above +25 %, improved below −25 %


def quartiles(values: ArrayLike) -> tuple[float, float, float] | None:
    """(25 %, 50 %, 75 %), linear between neighbours (R's type 7); None without values."""
    found = np.asarray(values, float)
    if not len(found):
        return None
    low, middle, high = np.quantile(found, (0.25, 0.5, 0.75))
    return float(low), float(middle), float(high)


def difference_of_means(one: ArrayLike, other: ArrayLike) -> float:
    """Standardised difference (m₁ − m₂)/√((s₁² + s₂²)/2), absolute (Austin, Stat Med 2009;28:3083-107).

    NaN with fewer than two values in a group; infinite where both groups are constant and differ.
    """
    a, b = np.asarray(one, float), np.asarray(other, float)
    if len(a) < 2 or len(b) < 2:
        return math.nan
    pooled = math.sqrt((a.var(ddof=1) + b.var(ddof=1)) / 2)
    apart = abs(float(a.mean() - b.mean()))
    return apart / pooled if pooled else (0.0 if apart == 0 else math.inf)


def difference_of_shares(one: Mapping[str, int], other: Mapping[str, int]) -> float:
    """Standardised difference of a code with k values: √(dᵀ S⁻¹ d) over k−1 of them (Yang and Dalton, SAS GF 2012-335).

    With two values it is |p₁ − p₂|/√((p₁q₁ + p₂q₂)/2). ``one``, ``other``: {value: count}. NaN where a group is empty.
    """
    names = [name for name in dict.fromkeys([*one, *other]) if one.get(name, 0) or other.get(name, 0)]
    n, m = sum(one.values()), sum(other.values())
    if not n or not m:
        return math.nan
    if len(names) < 2:
        return 0.0
    p = np.array([one.get(name, 0) / n for name in names[1:]])
    q = np.array([other.get(name, 0) / m for name in names[1:]])
    spread = (np.diag(p) - np.outer(p, p) + np.diag(q) - np.outer(q, q)) / 2
    if np.linalg.matrix_rank(spread) < len(names) - 1:  # no overlap between the groups at all
        return 0.0 if np.allclose(p, q) else math.inf
    return float(math.sqrt((p - q) @ np.linalg.solve(spread, p - q)))


@dataclass(frozen=True)
class Mean:
    """``value`` with its 95 % interval (Student's t); NaN where it has none."""

    n: int
    value: float
    low: float
    high: float


def mean(values: ArrayLike) -> Mean:
    """The mean with m ± t(n−1)·s/√n."""
    from scipy.special import stdtrit  # late: 0.2 s

    found = np.asarray(values, float)
    if not len(found):
        return Mean(0, math.nan, math.nan, math.nan)
    middle = float(found.mean())
    if len(found) < 2:
        return Mean(1, middle, math.nan, math.nan)
    wide = float(stdtrit(len(found) - 1, 0.975)) * float(found.std(ddof=1)) / math.sqrt(len(found))
    return Mean(len(found), middle, middle - wide, middle + wide)


def percent_change(before: float, after: float) -> float:
    """100·(after − before)/before; NaN where it was 0 before: nothing can be said in percent of nothing."""
    return 100 * (after - before) / before if before else math.nan


def class_of_change(percent: float) -> str:
    """PROGRESSED above +25 %, IMPROVED below −25 %, STABLE between; "" where it is not known."""
    if math.isnan(percent):
        return ""
    return "PROGRESSED" if percent > CHANGE_PCT else "IMPROVED" if percent < -CHANGE_PCT else "STABLE"
