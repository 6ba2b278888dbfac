"""Statistics against published results, and against R 4.2.2 with survival 3.5-3 (numbers taken down once)."""

from __future__ import annotations

import math

import numpy as np
import pytest

from calcinosis_registry.reports.statistics import comparison, rates, survival

# Freireich EJ et al. The effect of 6-mercaptopurine on the duration of steroid-induced remissions in acute leukemia.
# Blood 1963;21:699-716. Weeks in remission; 0 censored. Given in full by Cox (JRSS B 1972;34:187-220).
MERCAPTOPURINE = [(6, 1), (6, 1), (6, 1), (6, 0), (7, 1), (9, 0), (10, 1), (10, 0), (11, 0), (13, 1), (16, 1), (17, 0),
                  (19, 0), (20, 0), (22, 1), (23, 1), (25, 0), (32, 0), (32, 0), (34, 0), (35, 0)]  # fmt: skip
PLACEBO = [(week, 1) for week in (1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23)]
WEEKS = np.array([week for week, _event in MERCAPTOPURINE + PLACEBO], float)
EVENTS = np.array([event for _week, event in MERCAPTOPURINE + PLACEBO])
ARMS = ["6-MP"] * 21 + ["placebo"] * 21
PAIRS = np.tile(np.arange(21), 2)  # one patient of each arm makes a cluster
# At weeks 6, 10, 16 and 23: survfit(..., cluster=pair); survfit of several events, its influences summed by pair.
CLUSTERED = {
    "km": [0.0794783771805981, 0.0864480508322266, 0.0781139455068977, 0.0552279337071241],
    "cif": [0.0381801774160606, 0.0475188323657422, 0.0548969459850011, 0.0627380854437607],
}
COMPETING = {
    "estimate": [0.0714285714285714, 0.1217605482972799, 0.1786028754330317, 0.2543926449473676],
    "error": [0.0397391885902990, 0.0510960652799166, 0.0614975280179848, 0.0747105389132078],
}
EXACT = {"poisson": (4.11537309737833, 17.08480345141917), "binomial": (0.218196856885130, 0.659793690719725)}


def arm(rows):
    return survival.kaplan_meier([week for week, _event in rows], [event for _week, event in rows])


def test_kaplan_meier_of_the_leukaemia_trial_is_the_published_one():
    curve = arm(MERCAPTOPURINE)
    published = {6: 0.857, 7: 0.807, 10: 0.753, 13: 0.690, 16: 0.627, 22: 0.538, 23: 0.448}
    assert curve.at(list(published)) == pytest.approx(list(published.values()), abs=0.0005)
    assert dict(zip(curve.time, curve.at_risk, strict=True))[13] == 12
    low, high = curve.band_at([23])
    assert (round(low[0], 3), round(high[0], 3)) == (0.188, 0.680)  # R, conf.type = "log-log"
    assert curve.error[-1] == pytest.approx(0.1346, abs=5e-5)


def test_medians_and_their_intervals_are_the_published_ones():
    assert survival.median(arm(MERCAPTOPURINE))[:2] == (23, 13)
    assert math.isnan(survival.median(arm(MERCAPTOPURINE))[2])
    assert survival.median(arm(PLACEBO)) == (8, 4, 11)


def test_log_rank_of_the_leukaemia_trial_is_16_79():
    test = survival.log_rank(WEEKS, EVENTS, ARMS)
    assert (test.df, test.chi2) == (1, pytest.approx(16.7929409892165, abs=1e-10))
    assert test.p == pytest.approx(4.17e-5, abs=1e-7)
    assert sum(test.observed) == pytest.approx(sum(test.expected)) == 30


def test_the_order_of_the_groups_does_not_matter():
    turned = survival.log_rank(WEEKS[::-1], EVENTS[::-1], ARMS[::-1])
    assert turned.chi2 == pytest.approx(16.7929409892165, abs=1e-10)


def test_clusters_go_into_the_variance_as_in_r():
    curve = survival.kaplan_meier(WEEKS, EVENTS, PAIRS)
    where = np.searchsorted(curve.time, (6, 10, 16, 23))
    assert curve.error[where] == pytest.approx(CLUSTERED["km"], abs=1e-14)
    assert curve.estimate == pytest.approx(survival.kaplan_meier(WEEKS, EVENTS).estimate)
    assert survival.log_rank(WEEKS, EVENTS, ARMS, PAIRS).chi2 == pytest.approx(18.586929491832, abs=1e-10)


def test_every_subject_its_own_cluster_is_no_cluster():
    alone = survival.cumulative_incidence(WEEKS, EVENTS, 1)
    assert 1 - alone.estimate == pytest.approx(survival.kaplan_meier(WEEKS, EVENTS).estimate)
    assert alone.error == pytest.approx(survival.kaplan_meier(WEEKS, EVENTS, np.arange(42)).error)


def test_cumulative_incidence_with_a_competing_event_is_that_of_r():
    causes = np.where(np.arange(42) < 21, EVENTS, 2 * EVENTS)  # relapse on 6-MP against relapse on placebo
    curve = survival.cumulative_incidence(WEEKS, causes, 1)
    where = np.searchsorted(curve.time, (6, 10, 16, 23))
    assert curve.estimate[where] == pytest.approx(COMPETING["estimate"], abs=1e-14)
    assert curve.error[where] == pytest.approx(COMPETING["error"], abs=1e-14)
    clustered = survival.cumulative_incidence(WEEKS, causes, 1, PAIRS)
    assert clustered.error[where] == pytest.approx(CLUSTERED["cif"], abs=1e-14)
    other = survival.cumulative_incidence(WEEKS, causes, 2)
    assert curve.estimate + other.estimate == pytest.approx(1 - survival.kaplan_meier(WEEKS, EVENTS).estimate)


def test_all_censored_one_subject_and_nobody_draw_nothing_false():
    still = survival.kaplan_meier([3, 5, 9], [0, 0, 0])
    assert list(still.estimate) == list(still.low) == list(still.high) == [1, 1, 1]
    assert all(math.isnan(one) for one in survival.median(still))
    alone = survival.kaplan_meier([4], [1])
    assert (alone.n, list(alone.estimate), survival.median(alone)[0]) == (1, [0], 4)
    assert survival.kaplan_meier([], []).n == 0
    assert math.isnan(survival.log_rank([1, 2], [0, 0], ["a", "b"]).p)
    assert math.isnan(survival.log_rank([1, 2], [1, 1], ["a", "a"]).p)


def test_exact_intervals_are_those_of_r():
    # poisson.test(9), binom.test(9, 21)
    assert rates.poisson_interval(9) == pytest.approx(EXACT["poisson"], abs=1e-12)
    share = rates.exact_share(9, 21)
    assert (share.low, share.high) == pytest.approx(EXACT["binomial"], abs=1e-12)


def test_a_rate_is_events_per_hundred_years():
    rate = rates.exact_rate(9, 150)
    assert (rate.value, rate.low) == (6, pytest.approx(EXACT["poisson"][0] / 1.5))
    assert rates.exact_rate(0, 10).low == 0 and math.isnan(rates.exact_rate(0, 0).value)


def test_repeated_events_widen_the_interval_when_they_hang_together():
    spread = rates.robust_rate([1] * 12, [2.0] * 12)
    heaped = rates.robust_rate([6, 6, *[0] * 10], [2.0] * 12)
    assert spread.value == heaped.value == 50
    assert spread.high == pytest.approx(50) and heaped.high > 100
    # λ·exp(z·√Σ(e − λy)²/Σe): Σ(e − 1)² = 2·25 + 10·1 = 60
    assert heaped.high == pytest.approx(50 * math.exp(survival.Z * math.sqrt(60) / 12))
    assert math.isnan(rates.robust_rate([0, 0], [1, 1]).high)


def test_funnel_limits_are_binomial_quantiles_and_close_in_with_size():
    for confidence in (0.95, 0.998):
        low, high = rates.funnel_limits(0.3, 40, confidence)
        tail = (1 - confidence) / 2
        below = np.cumsum([math.comb(40, k) * 0.3**k * 0.7 ** (40 - k) for k in range(41)])
        assert below[math.ceil(low * 40)] >= tail > below[math.ceil(low * 40) - 1] - 1e-12
        assert low < 0.3 < high and rates.funnel_limits(0.3, 400, confidence)[0] > low
    assert rates.funnel_limits(0.0, 40, 0.95) == (0.0, 0.0)


def test_standardised_differences():
    one, other = [10.2, 11.5, 9.8, 12.1, 10.9], [12.3, 11.9, 13.4, 12.8, 11.1, 12.2]
    assert comparison.difference_of_means(one, other) == pytest.approx(1.60340453578904, abs=1e-13)
    # Two values: |p − q|/√((p(1−p) + q(1−q))/2)
    expected = 0.3 / math.sqrt((0.7 * 0.3 + 0.4 * 0.6) / 2)
    assert comparison.difference_of_shares({"F": 70, "M": 30}, {"F": 40, "M": 60}) == pytest.approx(expected)
    assert comparison.difference_of_shares({"a": 5, "b": 5}, {"a": 50, "b": 50}) == 0
    assert comparison.difference_of_shares({"a": 5}, {"b": 5}) == math.inf
    assert comparison.difference_of_means([1, 1], [2, 2]) == math.inf
    assert math.isnan(comparison.difference_of_means([1], [2, 3]))
    assert math.isnan(comparison.difference_of_shares({}, {"a": 1}))


def test_a_mean_has_students_interval():
    found = comparison.mean([1, 2, 3, 4])
    assert (found.value, found.low) == (2.5, pytest.approx(2.5 - 3.182446305284263 * math.sqrt(5 / 3) / 2))
    assert math.isnan(comparison.mean([1]).low) and comparison.mean([]).n == 0


@pytest.mark.parametrize(
    ("before", "after", "word"),
    [
        (100, 125, "STABLE"),
        (100, 126, "PROGRESSED"),
        (100, 75, "STABLE"),
        (100, 74, "IMPROVED"),
        (0, 5, ""),
        (0, 0, ""),
    ],
)
def test_a_hand_score_changes_beyond_a_quarter(before, after, word):
    assert comparison.class_of_change(comparison.percent_change(before, after)) == word
