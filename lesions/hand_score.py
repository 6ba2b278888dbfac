"""The hand radiograph calcinosis score: a versioned instrument read from data (clinical-model 2.2). Pure functions.

Not the published SCTC score: its sites, scales and weights are not established here; the title says so.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path

INSTRUMENTS = Path(__file__).parent / "data" / "instruments"

SiteKey = tuple[str, str]  # (hand "R" or "L", site code)


@dataclass(frozen=True, kw_only=True)
class HandInstrument:
    """One version. ``weights`` and ``labels`` by site code, in the order of the file; ``hands`` are R and L."""

    name: str
    version: str
    title: str
    verified: bool
    hands: tuple[str, ...]
    coverage: tuple[int, int]
    density_levels: tuple[int, ...]
    change_pct: Decimal
    labels: Mapping[str, str]
    weights: Mapping[str, Decimal]

    @property
    def keys(self) -> frozenset[SiteKey]:
        """Every (hand, site) to be rated."""
        return frozenset((hand, code) for hand in self.hands for code in self.weights)


@cache
def instrument(version: str = "0") -> HandInstrument:
    """The instrument definition; raises ValueError naming a version that is not there."""
    path = INSTRUMENTS / f"hand_radiograph_v{version}.json"
    if not version.isalnum() or not path.is_file():
        raise ValueError(f"No hand radiograph instrument of version {version!r}")
    data = json.loads(path.read_text(encoding="utf-8"))
    return HandInstrument(
        name=data["instrument"],
        version=data["version"],
        title=data["title"],
        verified=data["verified"],
        hands=tuple(data["hands"]),
        coverage=(data["coverage_min"], data["coverage_max"]),
        density_levels=tuple(data["density_levels"]),
        change_pct=Decimal(data["progression_pct"]),
        labels={row["code"]: row["label"] for row in data["sites"]},
        weights={row["code"]: Decimal(row["weight"]) for row in data["sites"]},
    )


@dataclass(frozen=True)
class SiteRating:
    """One site: coverage in %, density level, scorable (False = amputated, off-film, metalwork)."""

    hand: str
    site: str
    coverage_pct: int = 0
    density: int = 0
    scorable: bool = True


@dataclass(frozen=True)
class HandScore:
    """``by_hand``: {"R": score, "L": score}; ``complete``: every site of both hands is rated or called unscorable."""

    by_hand: Mapping[str, Decimal]
    total: Decimal
    n_sites: int
    max_density: int
    scorable: frozenset[SiteKey]
    complete: bool


def site_score(rating: SiteRating, tool: HandInstrument) -> Decimal:
    """weight x coverage x density, 0-300 at weight 1; 0 when unscorable. Raises ValueError for an impossible rating."""
    if rating.hand not in tool.hands or rating.site not in tool.weights:
        raise ValueError(f"{tool.title} has no site {rating.hand} {rating.site}")
    if not rating.scorable:
        return Decimal(0)
    low, high = tool.coverage
    if not low <= rating.coverage_pct <= high:
        raise ValueError(f"{rating.hand} {rating.site}: coverage must be {low} to {high} %, not {rating.coverage_pct}")
    if rating.density not in tool.density_levels:
        raise ValueError(f"{rating.hand} {rating.site}: density must be one of {tool.density_levels}")
    if (rating.coverage_pct == 0) != (rating.density == 0):
        raise ValueError(f"{rating.hand} {rating.site}: coverage and density are both 0 or both above 0")
    return tool.weights[rating.site] * rating.coverage_pct * rating.density


def score(ratings: Iterable[SiteRating], tool: HandInstrument) -> HandScore:
    """Scores per hand and in total of what was rated so far; unscorable sites count in nothing but completeness."""
    rated: dict[SiteKey, SiteRating] = {}
    by_hand = dict.fromkeys(tool.hands, Decimal(0))
    for rating in ratings:
        key = (rating.hand, rating.site)
        if key in rated:
            raise ValueError(f"{rating.hand} {rating.site} is rated twice")
        points = site_score(rating, tool)
        rated[key] = rating
        by_hand[rating.hand] += points
    scorable = {key: rating for key, rating in rated.items() if rating.scorable}
    return HandScore(
        by_hand=by_hand,
        total=sum(by_hand.values(), Decimal(0)),
        n_sites=sum(rating.density > 0 for rating in scorable.values()),
        max_density=max((rating.density for rating in scorable.values()), default=0),
        scorable=frozenset(scorable),
        complete=set(rated) == tool.keys,
    )


def pct_change(before: Decimal, after: Decimal) -> Decimal | None:
    """100 (S1 - S0) / S0, not rounded; None when S0 is 0."""
    return 100 * (after - before) / before if before > 0 else None


def category(before: Decimal, after: Decimal, threshold_pct: Decimal = Decimal(25)) -> str:
    """PROGRESSED, IMPROVED, STABLE (boundaries included), INCIDENT (from 0) or NONE (both 0). Source: 2.1, 2.2 [S2]."""
    pct = pct_change(before, after)
    if pct is None:
        return "INCIDENT" if after > 0 else "NONE"
    if pct > threshold_pct:
        return "PROGRESSED"
    return "IMPROVED" if pct < -threshold_pct else "STABLE"


@dataclass(frozen=True)
class Reading:
    """One reader's rating of one study."""

    version: str
    rater: str
    blinded: bool
    ratings: tuple[SiteRating, ...]


@dataclass(frozen=True)
class HandChange:
    """Totals on the sites scorable in both; ``recomputed`` when that set is smaller than either reading's own."""

    before: Decimal
    after: Decimal
    pct: Decimal | None
    category: str
    recomputed: bool
    n_common: int


def why_not_comparable(before: Reading, after: Reading) -> str | None:
    """VERSION, READER or NO_COMMON_SITE when two readings may not be compared, else None. Source: 2.2."""
    if before.version != after.version:
        return "VERSION"
    if before.rater != after.rater and not (before.blinded and after.blinded):
        return "READER"
    return None if _common(before, after) else "NO_COMMON_SITE"


def compare(before: Reading, after: Reading) -> HandChange:
    """The change from one reading to a later one. Raises ValueError with the reason when they are not comparable."""
    reason = why_not_comparable(before, after)
    if reason:
        raise ValueError(f"The readings cannot be compared: {reason}")
    tool, common = instrument(before.version), _common(before, after)
    first, second = (
        score((one for one in reading.ratings if (one.hand, one.site) in common), tool) for reading in (before, after)
    )
    sets = {score(reading.ratings, tool).scorable for reading in (before, after)}
    return HandChange(
        before=first.total,
        after=second.total,
        pct=pct_change(first.total, second.total),
        category=category(first.total, second.total, tool.change_pct),
        recomputed=sets != {common},
        n_common=len(common),
    )


@dataclass(frozen=True)
class Totals:
    """Two readers' totals on the ``common`` sites: those both could score."""

    first: Decimal
    second: Decimal
    common: int


def common_totals(first: Iterable[SiteRating], second: Iterable[SiteRating], tool: HandInstrument) -> Totals:
    """What two readings of one study are compared by. Source: 2.2 (same set of scorable sites)."""
    one, other = list(first), list(second)
    common = {(a.hand, a.site) for a in one if a.scorable} & {(b.hand, b.site) for b in other if b.scorable}
    before, after = (
        score((rating for rating in ratings if (rating.hand, rating.site) in common), tool).total
        for ratings in (one, other)
    )
    return Totals(before, after, len(common))


def _common(before: Reading, after: Reading) -> frozenset[SiteKey]:
    scorable = [{(one.hand, one.site) for one in reading.ratings if one.scorable} for reading in (before, after)]
    return frozenset(scorable[0] & scorable[1])
