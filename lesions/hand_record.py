"""Several readings of one hand radiograph: which make its score of record, and where two of them differ. Pure.

Clinical-model 2.2 says which readings may be compared, and nothing about which of them counts. What counts here is a
design decision (docs/decisions/0019): the adjudicated score; else the only reader's newest complete reading; else the
mean of the readers' newest complete readings, where they rated with one version of the instrument and found the same
sites scorable; else nothing, until it is adjudicated.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from lesions.hand_score import HandInstrument, SiteKey, SiteRating, site_score

# Design decisions (docs/decisions/0019): what calls for adjudication. A site's points are 0 to 300.
SITE_POINTS = Decimal(50)
TOTAL_PCT = Decimal(25)

ONLY, MEAN, ADJUDICATED = "ONLY", "MEAN", "ADJUDICATED"


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """One reading of the study. ``number``: of this reader's readings; ``scorable``: the sites that could be scored."""

    key: int
    reader: Hashable
    number: int
    version: str
    complete: bool
    scorable: frozenset[SiteKey]
    adjudicates: bool = False


def of_record(readings: Iterable[Candidate]) -> dict[int, str]:
    """{key: how it enters the score of record}; empty where there is none."""
    readings = list(readings)
    decided = [one for one in readings if one.adjudicates]
    if decided:
        return {max(decided, key=lambda one: one.key).key: ADJUDICATED}
    newest: dict[Hashable, Candidate] = {}
    for one in sorted(readings, key=lambda one: (one.number, one.key)):
        if one.complete:
            newest[one.reader] = one
    if len(newest) == 1:
        return {one.key: ONLY for one in newest.values()}
    if len({(one.version, one.scorable) for one in newest.values()}) != 1:
        return {}
    return {one.key: MEAN for one in newest.values()}


def record_total(totals: Sequence[Decimal]) -> Decimal | None:
    """The score of record of the totals that enter it: their mean."""
    return sum(totals, Decimal(0)) / len(totals) if totals else None


@dataclass(frozen=True)
class SiteDifference:
    """One site as two readers rated it. ``points``: first minus second, None where one could not score it."""

    hand: str
    site: str
    first: SiteRating
    second: SiteRating
    points: Decimal | None
    beyond: bool


def differences(
    first: Iterable[SiteRating], second: Iterable[SiteRating], tool: HandInstrument, *, beyond: Decimal = SITE_POINTS
) -> list[SiteDifference]:
    """The sites two complete readings rate differently, in the order of the instrument.

    Beyond the threshold: one calls it scorable and the other not; one sees calcinosis and the other none; or the
    site's points differ by ``beyond`` or more.
    """
    one, other = _by_site(first), _by_site(second)
    found = []
    for hand in tool.hands:
        for site in tool.weights:
            a, b = one[hand, site], other[hand, site]
            if a == b:
                continue
            points = site_score(a, tool) - site_score(b, tool) if a.scorable and b.scorable else None
            far = points is None or (a.density == 0) != (b.density == 0) or abs(points) >= beyond
            found.append(SiteDifference(hand, site, a, b, points, far))
    return found


def _by_site(ratings: Iterable[SiteRating]) -> Mapping[SiteKey, SiteRating]:
    return {(one.hand, one.site): one for one in ratings}


def totals_differ(first: Decimal, second: Decimal, *, pct: Decimal = TOTAL_PCT) -> bool:
    """By more than ``pct`` % of their mean, in either direction."""
    mean = (first + second) / 2
    return mean > 0 and abs(first - second) > pct / 100 * mean
