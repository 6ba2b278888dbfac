"""The hand radiograph score, unverified version 0."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lesions import hand_score
from lesions.hand_score import Reading, SiteRating

TOOL = hand_score.instrument()


def reading(*ratings, rater="a", blinded=False, version="0"):
    return Reading(version, rater, blinded, ratings)


def test_the_instrument_is_22_sites_a_hand_and_calls_itself_unverified():
    assert len(TOOL.keys) == 44
    assert not TOOL.verified
    assert "unverified v0" in TOOL.title


def test_an_unknown_version_is_named():
    with pytest.raises(ValueError, match="99"):
        hand_score.instrument("99")


def test_the_ceiling_is_6600_a_hand_and_13200_in_total():
    full = hand_score.score([SiteRating(hand, site, 100, 3) for hand, site in TOOL.keys], TOOL)
    assert full.by_hand == {"R": 6600, "L": 6600}
    assert (full.total, full.n_sites, full.max_density, full.complete) == (13200, 44, 3, True)


def test_an_unscorable_site_counts_in_nothing_but_completeness():
    result = hand_score.score(
        [SiteRating("R", "D1.DIST", 40, 2), SiteRating("L", "D1.DIST", 90, 3, scorable=False)], TOOL
    )
    assert result.by_hand == {"R": 80, "L": 0}
    assert (result.total, result.n_sites, result.max_density, result.complete) == (80, 1, 2, False)


@pytest.mark.parametrize(
    "rating",
    [
        SiteRating("R", "D1.DIST", 0, 1),
        SiteRating("R", "D1.DIST", 10, 0),
        SiteRating("R", "D1.DIST", 101, 1),
        SiteRating("R", "D1.DIST", -1, 1),
        SiteRating("R", "D1.DIST", 10, 4),
        SiteRating("R", "D1.MID", 10, 1),
        SiteRating("M", "D1.DIST", 10, 1),
    ],
)
def test_an_impossible_rating_is_refused(rating):
    with pytest.raises(ValueError, match=r"D1\.(DIST|MID)"):
        hand_score.site_score(rating, TOOL)


def test_a_site_rated_twice_is_refused():
    with pytest.raises(ValueError, match="twice"):
        hand_score.score([SiteRating("R", "D1.DIST"), SiteRating("R", "D1.DIST")], TOOL)


@pytest.mark.parametrize(
    ("before", "after", "pct", "category"),
    [
        (240, 300, "25.0", "STABLE"),
        (240, 301, "25.4", "PROGRESSED"),
        (240, 180, "-25.0", "STABLE"),
        (240, 179, "-25.4", "IMPROVED"),
    ],
)
def test_the_25_percent_rule(before, after, pct, category):
    before, after = Decimal(before), Decimal(after)
    assert round(hand_score.pct_change(before, after), 1) == Decimal(pct)
    assert hand_score.category(before, after) == category


def test_from_nothing_there_is_no_percentage():
    assert hand_score.pct_change(Decimal(0), Decimal(5)) is None
    assert hand_score.category(Decimal(0), Decimal(5)) == "INCIDENT"
    assert hand_score.category(Decimal(0), Decimal(0)) == "NONE"
    assert hand_score.category(Decimal(5), Decimal(0)) == "IMPROVED"


def test_a_site_that_became_unscorable_leaves_both_totals():
    before = reading(SiteRating("R", "D1.DIST", 50, 2), SiteRating("R", "D2.DIST", 100, 3))
    after = reading(SiteRating("R", "D1.DIST", 60, 2), SiteRating("R", "D2.DIST", scorable=False))
    change = hand_score.compare(before, after)
    assert (change.before, change.after, change.pct, change.category) == (100, 120, 20, "STABLE")
    assert change.recomputed
    assert change.n_common == 1


def test_the_same_sites_need_no_recomputing():
    same = reading(SiteRating("R", "D1.DIST", 50, 2))
    assert not hand_score.compare(same, same).recomputed


@pytest.mark.parametrize(
    ("after", "reason"),
    [
        (reading(SiteRating("R", "D1.DIST"), version="1"), "VERSION"),
        (reading(SiteRating("R", "D1.DIST"), rater="b"), "READER"),
        (reading(SiteRating("R", "D1.DIST"), rater="b", blinded=True), "READER"),
        (reading(SiteRating("L", "D1.DIST")), "NO_COMMON_SITE"),
    ],
)
def test_readings_that_cannot_be_compared_say_why(after, reason):
    before = reading(SiteRating("R", "D1.DIST"))
    assert hand_score.why_not_comparable(before, after) == reason
    with pytest.raises(ValueError, match=reason):
        hand_score.compare(before, after)


def test_two_blinded_readers_can_be_compared():
    before = reading(SiteRating("R", "D1.DIST"), blinded=True)
    after = reading(SiteRating("R", "D1.DIST", 10, 1), rater="b", blinded=True)
    assert hand_score.compare(before, after).category == "INCIDENT"


@given(st.dictionaries(st.sampled_from(sorted(TOOL.keys)), st.tuples(st.integers(1, 100), st.integers(1, 3))))
def test_the_total_is_the_sum_of_both_hands_within_the_ceiling(rated):
    result = hand_score.score([SiteRating(*key, *values) for key, values in rated.items()], TOOL)
    assert result.total == sum(result.by_hand.values()) <= 13200
    assert result.n_sites == len(rated)
