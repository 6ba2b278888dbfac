"""The site list: the grammar of the hand, sides, and words for a place."""

import pytest

from lesions import sites


def test_every_parent_is_a_site_and_no_site_is_inside_itself():
    for code, one in sites.SITES.items():
        assert not one.parent or one.parent in sites.SITES
        assert code not in {inside.code for inside in sites.descendants(code)}


def test_the_thumb_has_an_ip_joint_and_no_middle_phalanx():
    thumb = {one.code.removeprefix("HAND.D1.") for one in sites.children("HAND.D1")}
    assert thumb == {"DIST", "PROX", "IP", "MCP", "PULP", "NAIL"}


@pytest.mark.parametrize("digit", [2, 3, 4, 5])
def test_a_finger_has_two_interphalangeal_joints(digit):
    finger = {one.code.removeprefix(f"HAND.D{digit}.") for one in sites.children(f"HAND.D{digit}")}
    assert finger == {"DIST", "MID", "PROX", "DIP", "PIP", "MCP", "PULP", "NAIL"}


def test_the_upper_limb_holds_the_fingertips():
    assert sites.site("HAND.D3.PULP") in sites.descendants("UL")


@pytest.mark.parametrize("code", ["GENERALISED", "OTHER", "UL", "LL", "HAND", "HAND.DX", "TRUNK", "HEAD"])
def test_regions_are_not_single_spots(code):
    assert not sites.site(code).spot


def test_places_are_single_spots():
    assert sites.site("ELBOW").spot
    assert sites.site("HAND.D1.PULP").spot


def test_an_unknown_site_is_named():
    with pytest.raises(ValueError, match=r"HAND\.D1\.MID"):
        sites.check_laterality("HAND.D1.MID", "R")


@pytest.mark.parametrize(
    ("code", "side"),
    [
        ("HAND.D1", "R"),
        ("BUTTOCK", "L"),
        ("SPINE.L", ""),
        ("SPINE.L", "M"),
        ("HEAD.SCALP", "M"),
        ("HEAD.SCALP", "L"),
        ("TRUNK.ABDOMEN", ""),
        ("GENERALISED", ""),
    ],
)
def test_a_fitting_side_is_accepted(code, side):
    assert sites.check_laterality(code, side) is None


@pytest.mark.parametrize(
    ("code", "side", "says"),
    [
        ("HAND.D1", "", "right or left"),
        ("TRUNK.BREAST", "M", "right or left"),
        ("HEAD.EAR", "", "right or left"),
        ("HIP", "", "right or left"),
        ("SPINE.C", "R", "midline"),
        ("GENERALISED", "L", "no right or left"),
        ("HAND.D1", "B", "two lesions"),
        ("NECK", "B", "two lesions"),
    ],
)
def test_a_side_that_does_not_fit_is_explained(code, side, says):
    assert says in str(sites.check_laterality(code, side))


@pytest.mark.parametrize("code", [code for code in sites.SITES if code.split(".")[0] in sites.SITES])
def test_every_limb_site_needs_a_side(code):
    limb = code in ("UL", "LL") or sites.site(code) in [*sites.descendants("UL"), *sites.descendants("LL")]
    assert not limb or sites.site(code).laterality == "REQUIRED"


@pytest.mark.parametrize(
    ("place", "words"),
    [
        (("HAND.D1.PULP", "R"), "Right thumb, pulp"),
        (("HAND.D1.PULP", "R", "PULP"), "Right thumb, pulp"),
        (("HAND.D2.DIP", "L", "DORSAL"), "Left index finger, DIP joint, dorsal"),
        (("ELBOW", "L", "EXTENSOR"), "Left elbow, extensor"),
        (("TRUNK.ABDOMEN", "M"), "Abdomen, midline"),
        (("SPINE.L", ""), "Spine, lumbar"),
    ],
)
def test_a_place_in_plain_words(place, words):
    assert sites.describe(*place) == words


def test_an_unknown_aspect_is_named():
    with pytest.raises(ValueError, match="SIDEWAYS"):
        sites.describe("ELBOW", "L", "SIDEWAYS")
