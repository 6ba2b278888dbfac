"""Lesion arithmetic: the worked examples of clinical-model 12.5 and their boundaries."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lesions import scoring
from lesions.scoring import Measurement

axes = st.decimals(min_value=Decimal("0.5"), max_value=Decimal(400), places=1)


def measured(length, width, method="CALIPER"):
    return Measurement(Decimal(str(length)), None if width is None else Decimal(str(width)), method)


def test_areas_of_the_worked_example():
    assert round(scoring.area_mm2(Decimal(10), Decimal(8)), 1) == Decimal("62.8")
    assert round(scoring.area_mm2(Decimal(13), Decimal(9)), 1) == Decimal("91.9")


def test_an_ellipsoid_of_equal_axes_is_a_sphere():
    assert round(scoring.volume_mm3(Decimal(10), Decimal(10), Decimal(10)), 1) == Decimal("523.6")


def test_an_axis_of_nothing_is_refused():
    with pytest.raises(ValueError, match="above 0"):
        scoring.area_mm2(Decimal(0), Decimal(3))


def test_larger_when_area_and_axis_both_grow():
    change = scoring.suggest_status(measured(10, 8), measured(13, 9))
    assert (change.status, round(change.area_pct), change.length_mm, change.width_mm) == ("LARGER", 46, 3, 1)


def test_stable_when_only_the_area_grows():
    change = scoring.suggest_status(measured(4, 3), measured(5, "3.5"))
    assert (change.status, round(change.area_pct), change.length_mm) == ("STABLE", 46, 1)


@pytest.mark.parametrize(
    ("before", "after", "status"),
    [
        ((8, 8), (10, 8), "STABLE"),  # exactly +25 %
        ((8, 8), (10, "8.1"), "LARGER"),  # +26.6 %, exactly +2 mm
        ((8, 8), ("9.9", "8.3"), "STABLE"),  # +28 %, +1.9 mm
        ((8, 8), (6, 8), "STABLE"),  # exactly -25 %
        ((8, 8), (6, "7.9"), "SMALLER"),  # -26 %, exactly -2 mm
        ((8, 8), ("6.1", "7.5"), "STABLE"),  # -29 %, -1.9 mm
        ((8, 8), (8, 4), "SMALLER"),  # the other axis alone
    ],
)
def test_both_thresholds_at_their_edges(before, after, status):
    assert scoring.suggest_status(measured(*before), measured(*after)).status == status


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (measured(10, 8, "RULER"), measured(13, 9, "US")),
        (measured(10, None), measured(13, 9)),
        (measured(10, 8), Measurement(None, Decimal(9), "CALIPER")),
        (measured(10, 8, ""), measured(13, 9, "")),
    ],
)
def test_nothing_is_suggested_without_two_axes_by_one_method(before, after):
    assert scoring.suggest_status(before, after) is None


@given(axes, axes)
def test_an_unchanged_lesion_is_stable(length, width):
    change = scoring.suggest_status(measured(length, width), measured(length, width))
    assert (change.status, change.area_pct) == ("STABLE", 0)


@given(axes, axes, axes, axes)
def test_what_grew_one_way_never_grew_the_other_way(a, b, c, d):
    there = scoring.suggest_status(measured(a, b), measured(c, d)).status
    back = scoring.suggest_status(measured(c, d), measured(a, b)).status
    assert (there, back) not in {("LARGER", "LARGER"), ("SMALLER", "SMALLER")}


def test_slow_growth_shows_against_baseline_and_nadir():
    course = [measured(11, 8), measured(10, 8), measured(11, 8), measured(12, 8)]
    change = scoring.compare_course(course, measured(13, 9))
    assert change.last.status == "STABLE"
    assert change.nadir.status == "LARGER"
    assert change.nadir.length_mm == 3
    assert change.baseline.length_mm == 2


def test_the_course_skips_measurements_by_another_method():
    change = scoring.compare_course([measured(4, 4, "US"), measured(10, 8)], measured(10, 8))
    assert change.last == change.baseline == change.nadir
    assert scoring.compare_course([measured(4, 4, "US")], measured(10, 8)) is None


def test_burden_sums_target_areas_and_a_closed_lesion_counts_nothing():
    targets = [("STABLE", Decimal(10), Decimal(8)), ("RESOLVED", None, None), ("EXCISED", None, None)]
    assert round(scoring.burden_mm2(targets), 1) == Decimal("62.8")
    assert scoring.burden_mm2([("RESOLVED", None, None)]) == 0


def test_one_unmeasured_target_makes_the_burden_missing():
    assert scoring.burden_mm2([("STABLE", Decimal(10), Decimal(8)), ("STABLE", Decimal(10), None)]) is None
    assert scoring.burden_mm2([]) is None


@pytest.mark.parametrize(
    ("statuses", "outcome"),
    [
        (["NEW", "STABLE"], "PROGRESSION"),
        (["LARGER"], "PROGRESSION"),
        (["RECURRED"], "PROGRESSION"),
        (["LARGER", "RESOLVED"], "MIXED"),
        (["NEW", "SMALLER"], "MIXED"),
        (["SMALLER", "STABLE"], "IMPROVED"),
        (["EXTRUDED_COMPLETE"], "IMPROVED"),
        (["STABLE", "NOT_ASSESSED"], "STABLE"),
        (["EXCISED"], "STABLE"),
        (["NOT_ASSESSED", ""], None),
        ([], None),
    ],
)
def test_outcome_of_a_visit(statuses, outcome):
    assert scoring.visit_outcome(statuses) == outcome


@pytest.mark.parametrize(("months", "incident"), [(None, False), (24, True), (25, False), (0, True)])
def test_a_lesion_found_on_imaging_is_incident_only_after_a_recent_negative_image(months, incident):
    assert scoring.is_incident(found_on_imaging=True, months_since_negative_image=months) is incident
    assert scoring.is_incident(found_on_imaging=False)
