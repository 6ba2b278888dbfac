"""Agreement of readers: the published examples, the formulae against other ways to the same number, and the edges."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest

from calcinosis_registry.reports.bland_altman import bland_altman
from calcinosis_registry.reports.reliability import (
    Limits,
    icc_1_1,
    icc_2_1,
    icc_3_1,
    limits_of_agreement,
    mean_squares,
    of_means,
    weighted_kappa,
)

# Shrout and Fleiss 1979, table 2: six targets, four judges.
SHROUT_FLEISS = [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]


def test_the_analysis_of_variance_is_the_published_one():
    """Table 3: between targets 11.24, within 6.26, between judges 32.49, residual 1.02."""
    m = mean_squares(SHROUT_FLEISS)
    assert [round(one, 2) for one in (m.between, m.within, m.readers, m.error)] == [11.24, 6.26, 32.49, 1.02]


@pytest.mark.parametrize(
    ("icc", "single", "of_four"), [(icc_1_1, 0.17, 0.44), (icc_2_1, 0.29, 0.62), (icc_3_1, 0.71, 0.91)]
)
def test_the_coefficients_are_the_published_ones(icc, single, of_four):
    """Table 4."""
    found = icc(SHROUT_FLEISS)
    assert round(found.value, 2) == single
    assert round(of_means(found.value, 4), 2) == of_four


@pytest.mark.parametrize(
    ("icc", "low", "high"), [(icc_1_1, -0.133, 0.723), (icc_2_1, 0.019, 0.761), (icc_3_1, 0.342, 0.946)]
)
def test_the_intervals_are_those_of_the_same_data_in_the_r_package_psych(icc, low, high):
    """psych::ICC(sf) prints these bounds for the example."""
    found = icc(SHROUT_FLEISS)
    assert (round(found.low, 3), round(found.high, 3)) == (low, high)


def test_the_one_way_coefficient_takes_targets_read_unequally_often_and_gives_no_interval():
    """By hand: means 2, 6, 10; mean square between (2 * 16 + 2 * 16)/2, within (2 + 8 + 2)/4; k = (7 - 17/7)/2."""
    found = icc_1_1([[1, 3], [4, 6, 8], [9, 11]])
    assert found.value == pytest.approx((32 - 3) / (32 + (16 / 7 - 1) * 3))
    assert math.isnan(found.low) and math.isnan(found.high)


def test_an_interval_covers_the_truth_as_often_as_it_says():
    """Simulated readings of two readers, true ICC(1,1) 0.8."""
    dice, covered, runs = np.random.default_rng(4), 0, 400
    for _run in range(runs):
        target = dice.normal(0, 2, (20, 1))
        found = icc_1_1((target + dice.normal(0, 1, (20, 2))).tolist())
        covered += found.low <= 0.8 <= found.high
    assert 0.92 <= covered / runs <= 0.98


def test_a_constant_shift_of_one_reader_costs_agreement_and_not_consistency():
    rows = [[value, value + 30] for value in (10, 40, 90, 160)]
    assert icc_3_1(rows).value == pytest.approx(1)
    assert icc_2_1(rows).value < 0.95 and math.isnan(icc_2_1(rows).low)


@pytest.mark.parametrize("icc", [icc_1_1, icc_2_1, icc_3_1])
def test_perfect_agreement_is_1_and_nothing_varying_has_no_coefficient(icc):
    found = icc([[1, 1], [5, 5], [9, 9]])
    assert (found.value, found.low, found.high) == (1, 1, 1)
    assert icc([[3, 3], [3, 3]]) is None


@pytest.mark.parametrize("rows", [[], [[1, 2]], [[1], [2]], [[1, 2], [1, 2, 3]]])
def test_too_little_to_compare_is_refused(rows):
    with pytest.raises(ValueError, match="two targets and two readers"):
        mean_squares(rows)


# ---- kappa


def table(counts):
    return [(i, j) for (i, j), n in np.ndenumerate(np.array(counts)) for _one in range(n)]


def test_kappa_of_two_categories_is_cohens():
    """A textbook table: 20 and 15 agreed, 5 and 10 not: observed 0.70, by chance 0.50."""
    found = weighted_kappa(table([[20, 5], [10, 15]]), 2, power=1)
    assert found.estimate.value == pytest.approx(0.4)
    assert (found.agreed, found.n) == (35, 50)


def test_quadratic_kappa_is_near_the_icc_of_the_same_numbers():
    """Fleiss and Cohen, Educ Psychol Meas 1973;33:613-619: equal but for terms of 1/n."""
    dice = np.random.default_rng(1)
    first = dice.integers(0, 4, 4000)
    second = np.clip(first + dice.integers(-1, 2, 4000), 0, 3)
    pairs = list(zip(first.tolist(), second.tolist(), strict=True))
    assert weighted_kappa(pairs, 4, power=2).estimate.value == pytest.approx(icc_2_1(pairs).value, abs=0.001)


@pytest.mark.parametrize("power", [1, 2])
def test_the_error_of_kappa_is_the_one_the_delta_method_gives_numerically(power):
    """Another way to the formula of Fleiss, Cohen and Everitt: the gradient by small changes of the shares."""
    counts = np.array([[30, 6, 1, 0], [5, 20, 7, 1], [0, 6, 14, 4], [0, 1, 3, 12]])
    share, n = counts / counts.sum(), int(counts.sum())
    weight = 1 - (np.abs(np.subtract.outer(range(4), range(4))) / 3) ** power

    def kappa(p):
        p = p / p.sum()
        chance = (weight * np.outer(p.sum(1), p.sum(0))).sum()
        return ((weight * p).sum() - chance) / (1 - chance)

    slope = np.zeros_like(share)
    for i, j in product(range(4), range(4)):
        step = np.zeros_like(share)
        step[i, j] = 1e-6
        slope[i, j] = (kappa(share + step) - kappa(share - step)) / 2e-6
    error = math.sqrt(((share * slope**2).sum() - (share * slope).sum() ** 2) / n)
    found = weighted_kappa(table(counts.tolist()), 4, power=power)
    assert found.estimate.value == pytest.approx(kappa(share))
    assert (found.estimate.high - found.estimate.low) / 2 == pytest.approx(1.959964 * error, rel=1e-4)


def test_one_category_throughout_or_nothing_has_no_kappa():
    assert weighted_kappa([(2, 2)] * 9, 4, power=1) is None
    assert weighted_kappa([], 4, power=1) is None


# ---- differences


def test_limits_of_agreement_are_mean_and_two_deviations():
    found = limits_of_agreement([(10, 8), (20, 22), (30, 24)])
    assert (found.mean, found.sd) == (2, 4)
    assert (found.low, found.high) == pytest.approx((2 - 1.96 * 4, 2 + 1.96 * 4))
    assert limits_of_agreement([(1, 2)]) is None


def test_the_picture_survives_readings_that_never_differ():
    drawn = bland_altman("t", "d", [(0, 0, "<a>")], Limits(2, 0, 0, 0, 0), ("x", "y"))
    assert "<a>" not in drawn and "&lt;a&gt;" in drawn and "nan" not in drawn
