"""Time to an event: Kaplan–Meier, cumulative incidence with competing events, log-rank. Time in any one unit.

Clusters (several lesions of one patient) go into the variance through the infinitesimal jackknife: the influence of
every subject on the estimate, summed within its cluster (Lin and Wei, JASA 1989;84:1074-8; R's survfit, coxph).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from calcinosis_registry.reports.arrays import Array, ArrayLike, np

Z = 1.959963984540054  # 97.5 % point of the normal distribution
Floats = Array


@dataclass(frozen=True)
class Curve:
    """A step function: at each ``time`` how many were ``at_risk``, had the ``events`` or were ``censored``.

    ``estimate``: probability still event-free (Kaplan–Meier) or of the event (cumulative incidence) from that time on;
    ``error`` its standard error; ``low`` and ``high`` the 95 % band, NaN where it is not defined.
    """

    time: Floats
    at_risk: Floats
    events: Floats
    censored: Floats
    estimate: Floats
    error: Floats
    low: Floats
    high: Floats
    start: float = 1.0

    @property
    def n(self) -> int:
        """Subjects at the beginning."""
        return int(self.at_risk[0]) if len(self.at_risk) else 0

    def at(self, moments: ArrayLike) -> Floats:
        """The estimate at any times."""
        return self._read(self.estimate, moments, self.start)

    def band_at(self, moments: ArrayLike) -> tuple[Floats, Floats]:
        return self._read(self.low, moments, self.start), self._read(self.high, moments, self.start)

    def _read(self, values: Floats, moments: ArrayLike, start: float) -> Floats:
        places = np.searchsorted(self.time, np.asarray(moments, float), side="right")
        return np.concatenate(([start], values))[places]


def kaplan_meier(times: ArrayLike, events: ArrayLike, cluster: ArrayLike | None = None) -> Curve:
    """Kaplan–Meier: S(t) = Π (1 − d/n) over event times up to t (Kaplan and Meier, JASA 1958;53:457-81).

    Standard error: Greenwood; with ``cluster`` the infinitesimal jackknife. Band: log-log, S^exp(± z·se/(S ln S))
    (Kalbfleisch and Prentice). A subject censored at a time is at risk for the events of that time.
    """
    steps = _steps(np.asarray(times, float), np.asarray(events, np.int64))
    died = steps.died
    with np.errstate(divide="ignore", invalid="ignore"):
        survival = np.cumprod(1 - died / steps.at_risk)
        if cluster is None:
            error = survival * np.sqrt(np.cumsum(died / (steps.at_risk * (steps.at_risk - died))))
        else:
            error = _jackknife(steps, np.asarray(cluster), cause=None)
    return _curve(steps, died, survival, error, start=1.0)


def cumulative_incidence(
    times: ArrayLike, causes: ArrayLike, cause: int = 1, cluster: ArrayLike | None = None
) -> Curve:
    """Aalen–Johansen: F(t) = Σ S(t−) d₁/n, S the Kaplan–Meier of any event (Aalen and Johansen, 1978;5:141-50).

    ``causes``: 0 censored, otherwise which event came first; ``cause``: the one asked about. Standard error:
    infinitesimal jackknife, every subject its own cluster unless ``cluster`` says otherwise. Band: log-log.
    """
    codes = np.asarray(causes, np.int64)
    steps = _steps(np.asarray(times, float), codes)
    groups = np.arange(len(codes)) if cluster is None else np.asarray(cluster)
    own = steps.died_of(cause)
    with np.errstate(divide="ignore", invalid="ignore"):
        survival = np.cumprod(1 - steps.died / steps.at_risk)
        before = np.concatenate(([1.0], survival[:-1]))
        incidence = np.cumsum(before * own / steps.at_risk)
        error = _jackknife(steps, groups, cause=cause)
    return _curve(steps, own, incidence, error, start=0.0)


def median(curve: Curve) -> tuple[float, float, float]:
    """(median, low, high) survival time; NaN where the curve or its band does not come down to one half.

    The first time with S ≤ 1/2; where S is exactly 1/2 over an interval, its middle (as R does). The interval is where
    the band crosses one half (Brookmeyer and Crowley, Biometrics 1982;38:29-41).
    """
    return _crossing(curve, curve.estimate), _crossing(curve, curve.low), _crossing(curve, curve.high)


@dataclass(frozen=True)
class LogRank:
    """``chi2`` on ``df`` degrees of freedom; ``observed`` and ``expected`` events by group, in order of ``groups``."""

    chi2: float
    df: int
    p: float
    groups: tuple[object, ...]
    observed: tuple[float, ...]
    expected: tuple[float, ...]


def log_rank(times: ArrayLike, events: ArrayLike, group: Sequence[object], cluster: ArrayLike | None = None) -> LogRank:
    """Log-rank test of k groups, χ² on k−1 degrees (Mantel 1966; Peto and Peto 1972), hypergeometric variance.

    With ``cluster`` the variance is the sum over clusters of squared score residuals (Lin and Wei 1989): the robust
    score test of a Cox model with the groups as its only covariates, Breslow's ties. NaN where nothing can be compared.
    """
    when, died = np.asarray(times, float), np.asarray(events, np.int64)
    names = tuple(dict.fromkeys(group))
    place = {name: index for index, name in enumerate(names)}
    member = np.array([place[one] for one in group], dtype=np.int64)
    if len(names) < 2 or not died.any():
        return LogRank(float("nan"), max(len(names) - 1, 0), float("nan"), names, (), ())
    moments, where = np.unique(when, return_inverse=True)
    shape = (len(moments), len(names))
    leaving, events_of = np.zeros(shape), np.zeros(shape)
    np.add.at(leaving, (where, member), 1)
    np.add.at(events_of, (where, member), died)
    at_risk = leaving[::-1].cumsum(axis=0)[::-1]
    n, d = at_risk.sum(axis=1), events_of.sum(axis=1)
    share = at_risk / n[:, None]
    observed, expected = events_of.sum(axis=0), (d[:, None] * share).sum(axis=0)
    if cluster is None:
        with np.errstate(divide="ignore", invalid="ignore"):
            weight = np.where(n > 1, d * (n - d) / (n - 1), 0.0)
        variance = np.diag((weight[:, None] * share).sum(axis=0)) - np.einsum("t,ti,tj->ij", weight, share, share)
    else:
        variance = _robust_score_variance(where, member, died, share, d / n, np.asarray(cluster))
    difference = (observed - expected)[:-1]
    chi2 = float(difference @ np.linalg.pinv(variance[:-1, :-1]) @ difference)
    return LogRank(chi2, len(names) - 1, chi2_tail(chi2, len(names) - 1), names, tuple(observed), tuple(expected))


def chi2_tail(chi2: float, df: int) -> float:
    """P(χ² with ``df`` degrees of freedom > ``chi2``)."""
    from scipy.special import chdtrc  # late: 0.2 s

    return float(chdtrc(df, chi2))


# ---- the parts


@dataclass(frozen=True)
class _Steps:
    """Distinct times; per time how many are at risk, have an event, are censored; per subject its step and code."""

    time: Floats
    at_risk: Floats
    died: Floats
    censored: Floats
    step_of: Array
    code_of: Array

    def died_of(self, cause: int) -> Floats:
        return np.bincount(self.step_of, self.code_of == cause, minlength=len(self.time)).astype(float)


def _steps(times: Floats, codes: Array) -> _Steps:
    moments, step_of = np.unique(times, return_inverse=True)
    leaving = np.bincount(step_of, minlength=len(moments)).astype(float)
    died = np.bincount(step_of, codes > 0, minlength=len(moments)).astype(float)
    return _Steps(moments, leaving[::-1].cumsum()[::-1], died, leaving - died, step_of, codes)


def _curve(steps: _Steps, events: Floats, estimate: Floats, error: Floats, *, start: float) -> Curve:
    low, high = _log_log(estimate, error)
    # Of a cumulative incidence the competing events leave without the event, like those censored.
    left = steps.died + steps.censored - events
    return Curve(steps.time, steps.at_risk, events, left, estimate, error, low, high, start)


def _log_log(estimate: Floats, error: Floats) -> tuple[Floats, Floats]:
    """p^exp(± z·se/(p ln p)); exactly 0 or 1 has no band: at 1 nothing happened yet, at 0 nothing is known."""
    with np.errstate(divide="ignore", invalid="ignore"):
        wide = Z * error / (estimate * np.log(estimate))
        low, high = estimate ** np.exp(-wide), estimate ** np.exp(wide)
    sure = (estimate >= 1.0) | ((estimate <= 0.0) & (error == 0.0))
    low, high = np.where(sure, estimate, low), np.where(sure, estimate, high)
    return np.fmin(low, high), np.fmax(low, high)


def _crossing(curve: Curve, values: Floats) -> float:
    below = np.flatnonzero(values <= 0.5 + 1e-12)
    if not len(below):
        return float("nan")
    first = below[0]
    if abs(values[first] - 0.5) < 1e-12:
        later = np.flatnonzero(values < 0.5 - 1e-12)
        return float((curve.time[first] + curve.time[later[0]]) / 2) if len(later) else float(curve.time[first])
    return float(curve.time[first])


def _jackknife(steps: _Steps, cluster: Array, cause: int | None) -> Floats:
    """Standard error of S (``cause`` None) or of F of a cause at every time: √ Σ over clusters of (Σ influence)².

    With G(t) = Σ d/(n(n−d)) a subject leaving at T changes ln S(t) by G(min(t, T)) − 1{event by t}/(n−d)(T), and F by
    what the changed S and its own event add: for t < T all alike, afterwards a constant plus a multiple of F(t). So the
    sums over clusters need, per time, only sums over subjects: the squares are added up cluster by cluster.
    """
    n, d = steps.at_risk, steps.died
    left = np.where(n > d, n - d, np.nan)
    total = np.cumsum(np.nan_to_num(d / (n * left)))
    survival = np.cumprod(1 - d / n)
    had = (steps.code_of > 0).astype(float)
    own = had * np.nan_to_num(1 / left)[steps.step_of]
    if cause is None:
        common, after = survival * total, total[steps.step_of] - own
        return _cluster_error(steps, cluster, common, after, survival, offset=np.zeros(len(own)))
    before_s = np.concatenate(([1.0], survival[:-1]))
    before_g = np.concatenate(([0.0], total[:-1]))
    cause_d = steps.died_of(cause)
    common = np.cumsum(before_s * cause_d * (before_g / n - 1 / n**2))
    incidence = np.cumsum(before_s * cause_d / n)
    at = steps.step_of
    slope = total[at] - own
    offset = common[at] + (steps.code_of == cause) * (before_s / n)[at] - slope * incidence[at]
    return _cluster_error(steps, cluster, common, slope, incidence, offset=offset)


def _cluster_error(
    steps: _Steps, cluster: Array, common: Floats, slope: Floats, curve: Floats, *, offset: Floats
) -> Floats:
    """√ Σ_c (Σ_i u_i(t))² with u_i(t) = common(t) before the subject's step, offset_i + slope_i·curve(t) from it on.

    Cluster sums move only when a member leaves. Between, each is (a + m·common + b·curve) with a, m, b constant: six
    running sums of their products over all clusters give the sum of squares at every time.
    """
    _names, place = np.unique(cluster, return_inverse=True)
    order = np.lexsort((steps.step_of, place))
    place, step = place[order], steps.step_of[order]
    members = np.bincount(place).astype(float)
    start = np.concatenate(([0], np.cumsum(members)[:-1])).astype(np.int64)

    def within(moves: Floats) -> tuple[Floats, Floats]:
        """The cluster's sum before and after each member leaves."""
        running = np.cumsum(moves)
        after = running - (running[start] - moves[start])[place]
        return after - moves, after

    a, m, b = within(offset[order]), within(-np.ones(len(order))), within(slope[order])
    m = (m[0] + members[place], m[1] + members[place])

    def total(one: tuple[Floats, Floats], other: tuple[Floats, Floats], first: float = 0.0) -> Floats:
        moved = np.bincount(step, one[1] * other[1] - one[0] * other[0], minlength=len(steps.time))
        return first + np.cumsum(moved)

    squares = (
        total(a, a) + total(m, m, float((members**2).sum())) * common**2 + total(b, b) * curve**2
        + 2 * (total(a, m) * common + total(a, b) * curve + total(m, b) * common * curve)
    )  # fmt: skip
    return np.sqrt(np.maximum(squares, 0.0))


def _robust_score_variance(
    where: Array, member: Array, died: Array, share: Floats, hazard: Floats,
    cluster: Array,
) -> Floats:  # fmt: skip
    """Σ_c W_c W_cᵀ, W_i = δ(Z − Z̄(T)) − Σ_{t ≤ T} (Z − Z̄(t)) d(t)/n(t), summed within clusters."""
    own = np.zeros(share.shape[1:] * 2)
    np.fill_diagonal(own, 1.0)
    z = own[member]
    cumulative, weighted = np.cumsum(hazard), np.cumsum(hazard[:, None] * share, axis=0)
    residual = died[:, None] * (z - share[where]) - (z * cumulative[where][:, None] - weighted[where])
    _names, place = np.unique(cluster, return_inverse=True)
    sums = np.zeros((place.max() + 1, share.shape[1]))
    np.add.at(sums, place, residual)
    return sums.T @ sums
