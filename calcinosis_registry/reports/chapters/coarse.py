"""A curve as those may see it who may not see single people: read at half-years, from protected counts alone."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from calcinosis_registry.reports.arrays import np
from calcinosis_registry.reports.crowd import Crowd
from calcinosis_registry.reports.histories import Times
from calcinosis_registry.reports.statistics.survival import Curve, Z
from calcinosis_registry.reports.telling import Teller

HALF = 0.5  # years


@dataclass(frozen=True)
class Reading:
    """``free`` of the event at a ``time``, None where it would tell a small count; its 95 % band, NaN where there is
    none."""

    time: float
    free: float | None
    low: float = math.nan
    high: float = math.nan


def readings(times: Times, curve: Curve, tell: Teller) -> list[Reading]:
    """As long as enough are followed.

    Band: Greenwood over the half-years, log-log. It is worked out from what is shown and tells no more: the share lost
    from one reading to the next, and the patients still followed (of lesions, too, each patient once: rather too wide
    than too narrow).
    """
    subjects, found = Crowd(times.patient), []
    before, spread = 1.0, 0.0
    for moment in np.arange(0, curve.time[-1] + HALF, HALF):
        followed = times.at_risk(float(moment))
        if not tell.shown(followed):
            break
        free = 1.0 if not moment else tell.free(subjects, float(curve.at([moment])[0]))
        if free is None:
            found.append(Reading(float(moment), None))
            continue
        # The lots of two moments are independent; a curve that rose would be false, and clipping it tells no more.
        free = min(free, before)
        spread += _lost(before, free, tell.shown(followed.people))
        before = free
        found.append(Reading(float(moment), free, *_band(free, spread)))
    return found


def _lost(before: float, free: float, people: int | None) -> float:
    """What half a year adds to the variance of ln S: d / n(n − d)."""
    if not people or not before or not free:
        return math.nan
    stayed = free / before
    return (1 - stayed) / (stayed * people)


def _band(free: float, spread: float) -> tuple[float, float]:
    if math.isnan(spread) or not 0 < free < 1:
        return math.nan, math.nan
    wide = math.exp(Z * math.sqrt(spread) / -math.log(free))
    return free**wide, free ** (1 / wide)


def median(found: Sequence[Reading]) -> tuple[float, float, float]:
    """(the first half-year at which half or fewer are free, and the same of the band); NaN where it does not come."""
    known = [one for one in found if one.free is not None]
    middle = _reached([(one.time, one.free) for one in known if one.free is not None])
    return middle, _reached([(one.time, one.low) for one in known]), _reached([(one.time, one.high) for one in known])


def _reached(points: Sequence[tuple[float, float]]) -> float:
    return next((time for time, value in points if value <= 0.5), math.nan)
