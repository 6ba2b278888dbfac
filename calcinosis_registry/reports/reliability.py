"""Agreement between readers: intraclass correlations, weighted kappa, limits of agreement. Pure, each with its source.

- ICC(1,1), ICC(2,1), ICC(3,1) and their means of k readers: Shrout PE, Fleiss JL, Psychol Bull 1979;86:420-428; the
  confidence intervals of the same paper, which are those of McGraw KO, Wong SP, Psychol Methods 1996;1:30-46.
- Weighted kappa: Cohen J, Psychol Bull 1968;70:213-220; its standard error: Fleiss JL, Cohen J, Everitt BS, Psychol
  Bull 1969;72:323-327.
- Mean difference and limits of agreement: Bland JM, Altman DG, Lancet 1986;1:307-310.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

Rows = Sequence[Sequence[float]]  # a row per target, a column per reader (a value per reading where one-way)
LEVEL = 0.95
TOO_LITTLE = "Agreement needs two targets and two readers at least, each target read by all"


@dataclass(frozen=True)
class Estimate:
    """``value`` is at most 1 (below 0: worse than chance); ``low``, ``high`` the 95 % confidence interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class MeanSquares:
    """Two-way analysis of variance of n targets rated once by each of k readers."""

    n: int
    k: int
    between: float  # targets, n - 1 degrees of freedom
    within: float  # inside a target, n (k - 1)
    readers: float  # k - 1
    error: float  # (n - 1)(k - 1)


@dataclass(frozen=True)
class OneWay:
    """One-way analysis of variance of n targets, each read twice or more, by whomever.

    ``k``: readings of a target; where not all have as many, their mean corrected for that, (N - sum k² / N) / (n - 1).
    """

    n: int
    k: float
    even: bool  # every target was read as often
    between: float  # mean square of targets, n - 1 degrees of freedom
    within: float  # inside a target, N - n


def one_way(rows: Rows) -> OneWay:
    """Raises ValueError below two targets, or for a target read once."""
    if len(rows) < 2 or any(len(row) < 2 for row in rows):
        raise ValueError(TOO_LITTLE)
    sizes = [len(row) for row in rows]
    n, total = len(rows), sum(sizes)
    grand, means = sum(map(sum, rows)) / total, [sum(row) / len(row) for row in rows]
    between = sum(size * (mean - grand) ** 2 for size, mean in zip(sizes, means, strict=True))
    within = sum((value - mean) ** 2 for row, mean in zip(rows, means, strict=True) for value in row)
    k = (total - sum(size**2 for size in sizes) / total) / (n - 1)
    return OneWay(n, k, len(set(sizes)) == 1, between / (n - 1), within / (total - n))


def mean_squares(rows: Rows) -> MeanSquares:
    """Raises ValueError below two targets or two readers, or for rows of different length."""
    one, k = one_way(rows), len(rows[0])
    if not one.even:
        raise ValueError(TOO_LITTLE)
    n = one.n
    grand = sum(map(sum, rows)) / (n * k)
    reader_means = [sum(row[place] for row in rows) / n for place in range(k)]
    readers = n * sum((mean - grand) ** 2 for mean in reader_means)
    error = max(one.within * n * (k - 1) - readers, 0.0)
    return MeanSquares(n, k, one.between, one.within, readers / (k - 1), error / ((n - 1) * (k - 1)))


def icc_1_1(rows: Rows) -> Estimate | None:
    """One-way random, a single reading: each target read by other readers, some oftener than others if need be; then
    without an interval, for that of the paper is of targets read as often. None where nothing varies."""
    m = one_way(rows)
    bottom = m.between + (m.k - 1) * m.within
    if bottom <= 0:
        return None
    value = (m.between - m.within) / bottom
    if m.within == 0:
        return Estimate(value, value, value)
    if not m.even:
        return Estimate(value, float("nan"), float("nan"))
    f, targets, rest = m.between / m.within, m.n - 1, m.n * (m.k - 1)
    low, high = f / _f(targets, rest), f * _f(rest, targets)
    return Estimate(value, (low - 1) / (low + m.k - 1), (high - 1) / (high + m.k - 1))


def icc_2_1(rows: Rows) -> Estimate | None:
    """Two-way random, absolute agreement, a single reading: the same readers read all. None where nothing varies."""
    m = mean_squares(rows)
    n, k = m.n, m.k
    bottom = m.between + (k - 1) * m.error + k * (m.readers - m.error) / n
    if bottom <= 0:
        return None
    value = (m.between - m.error) / bottom
    if m.error == 0:
        # Shrout and Fleiss divide by it: without residual there is no interval from F.
        return Estimate(value, value, value) if m.readers == 0 else Estimate(value, float("nan"), float("nan"))
    f = m.readers / m.error
    lead = n * (1 + (k - 1) * value) - k * value
    freedom = (k - 1) * (n - 1) * (k * value * f + lead) ** 2 / ((n - 1) * k**2 * value**2 * f**2 + lead**2)
    above, below = _f(n - 1, freedom), _f(freedom, n - 1)
    noise = k * m.readers + (k * n - k - n) * m.error
    low = n * (m.between - above * m.error) / (above * noise + n * m.between)
    high = n * (below * m.between - m.error) / (noise + n * below * m.between)
    return Estimate(value, low, high)


def icc_3_1(rows: Rows) -> Estimate | None:
    """Two-way mixed, consistency, a single reading: these readers only. None where nothing varies."""
    m = mean_squares(rows)
    bottom = m.between + (m.k - 1) * m.error
    if bottom <= 0:
        return None
    value = (m.between - m.error) / bottom
    if m.error == 0:
        return Estimate(value, value, value)
    f, targets, rest = m.between / m.error, m.n - 1, (m.n - 1) * (m.k - 1)
    low, high = f / _f(targets, rest), f * _f(rest, targets)
    return Estimate(value, (low - 1) / (low + m.k - 1), (high - 1) / (high + m.k - 1))


def of_means(single: float, k: int) -> float:
    """The coefficient of the mean of k readings from that of one (Spearman-Brown): ICC(1,k), ICC(2,k), ICC(3,k)."""
    return k * single / (1 + (k - 1) * single)


def _f(numerator: float, denominator: float) -> float:
    """The upper 2.5 % point of F."""
    from scipy.special import fdtri  # heavy, and only this page needs it

    return float(fdtri(numerator, denominator, 1 - (1 - LEVEL) / 2))


# ---- Categories


@dataclass(frozen=True)
class Kappa:
    """``weights``: "linear" or "quadratic". ``agreed``: targets both put in the same category, of ``n``."""

    estimate: Estimate
    weights: str
    n: int
    agreed: int


def weighted_kappa(pairs: Sequence[tuple[int, int]], categories: int, *, power: int) -> Kappa | None:
    """Of two readers' ordered categories 0 … ``categories`` - 1. ``power`` 1: linear weights, 2: quadratic. None where
    both used one and the same category throughout: agreement beyond chance is then undefined.

    The interval is the normal one with the standard error of Fleiss, Cohen and Everitt, kept within -1 and 1.
    """
    n = len(pairs)
    if not n:
        return None
    share = [[0.0] * categories for _ in range(categories)]
    for one, other in pairs:
        share[one][other] += 1 / n
    places = range(categories)
    rows, columns = [sum(share[i]) for i in places], [sum(share[i][j] for i in places) for j in places]
    weight = [[1 - (abs(i - j) / (categories - 1)) ** power for j in places] for i in places]
    seen = sum(weight[i][j] * share[i][j] for i in places for j in places)
    chance = sum(weight[i][j] * rows[i] * columns[j] for i in places for j in places)
    if 1 - chance < 1e-12:
        return None
    value = (seen - chance) / (1 - chance)
    by_row = [sum(weight[i][j] * columns[j] for j in places) for i in places]
    by_column = [sum(weight[i][j] * rows[i] for i in places) for j in places]
    spread = sum(
        share[i][j] * (weight[i][j] * (1 - chance) - (by_row[i] + by_column[j]) * (1 - seen)) ** 2
        for i in places
        for j in places
    )
    error = sqrt(max(spread - (seen * chance - 2 * chance + seen) ** 2, 0.0) / n) / (1 - chance) ** 2
    agreed = sum(one == other for one, other in pairs)
    reach = 1.959964 * error
    estimate = Estimate(value, max(value - reach, -1.0), min(value + reach, 1.0))
    return Kappa(estimate, "linear" if power == 1 else "quadratic", n, agreed)


# ---- Differences


@dataclass(frozen=True)
class Limits:
    """Mean difference (first minus second), its standard deviation, and the limits mean ± 1.96 SD."""

    n: int
    mean: float
    sd: float
    low: float
    high: float


def limits_of_agreement(pairs: Sequence[tuple[float, float]]) -> Limits | None:
    """None below two pairs."""
    n = len(pairs)
    if n < 2:
        return None
    differences = [one - other for one, other in pairs]
    mean = sum(differences) / n
    sd = sqrt(sum((one - mean) ** 2 for one in differences) / (n - 1))
    return Limits(n, mean, sd, mean - 1.96 * sd, mean + 1.96 * sd)
