"""The body map: every site is reachable, no side can be mistaken, and what it draws stands under the CSP."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from itertools import combinations
from math import hypot
from xml.etree import ElementTree

import pytest

from lesions.body_map import VIEWS, Mark, place, render, render_status_symbol
from lesions.body_map.atlas import View
from lesions.body_map.marks import STATUSES, aspect_on, view_of
from lesions.sites import SITES

SPOTS = [site for site in SITES.values() if site.spot]
SVG = "{http://www.w3.org/2000/svg}"


def mark(site: str, side: str = "R", status: str = "STABLE", label: str = "L1", **more: object) -> Mark:
    return Mark(
        label,
        site,
        side,
        status,
        bool(more.get("ulcerated")),
        bool(more.get("target")),
        f"{label} {site}",
        href=str(more.get("href", "")),
        aspect=str(more.get("aspect", "")),
    )


def sides_of(code: str) -> set[str]:
    return {region.side for view in VIEWS.values() for region in view.regions if region.site == code}


@pytest.mark.parametrize("site", SPOTS, ids=lambda site: site.code)
def test_every_spot_of_the_site_list_has_a_region_with_the_right_sides(site) -> None:
    drawn = sides_of(site.code)
    if site.laterality == "REQUIRED":
        assert drawn == {"R", "L"}
    elif site.laterality == "NONE":
        assert drawn == {""}
    else:
        assert drawn in ({"R", "L"}, {"R", "L", ""}, {""})


def test_no_region_is_drawn_for_a_site_that_is_not_a_single_spot() -> None:
    assert {region.site for view in VIEWS.values() for region in view.regions} <= {site.code for site in SPOTS}


@pytest.mark.parametrize("key", ["front", "palmar", "dorsal", "feet"])
def test_the_patients_right_is_on_the_viewers_left(key: str) -> None:
    view = VIEWS[key]
    for region in view.regions:
        if region.side:
            assert (region.side == "R") == (region.cx < view.width / 2), region.id


def test_from_behind_the_patients_right_is_on_the_viewers_right() -> None:
    view = VIEWS["back"]
    for region in view.regions:
        if region.side:
            assert (region.side == "R") == (region.cx > view.width / 2), region.id


@pytest.mark.parametrize(("key", "thumb_outside"), [("palmar", True), ("dorsal", False)])
def test_thumbs_point_outward_on_palms_and_inward_on_backs(key: str, thumb_outside: bool) -> None:
    view = VIEWS[key]
    for side in "RL":
        thumb, little = view.region("HAND.D1.PROX", side), view.region("HAND.D5.PROX", side)
        assert thumb and little
        further_out = abs(thumb.cx - view.width / 2) > abs(little.cx - view.width / 2)
        assert further_out is thumb_outside


def turn(view: View, side: str, base: str, tip: str, first: str, last: str) -> bool:
    """Walking from base to tip, is ``first`` on the walker's left of ``last``? A mirrored hand gives the opposite."""
    points = {name: view.region(name, side) for name in (base, tip, first, last)}
    assert all(points.values())
    a, b, c, d = (points[name] for name in (base, tip, first, last))
    return (b.cx - a.cx) * (d.cy - c.cy) - (b.cy - a.cy) * (d.cx - c.cx) > 0


def test_a_drawn_hand_is_the_hand_it_is_named() -> None:
    """Anatomy, not layout: on a right palm, fingers up, the thumb is on the right; on its back, on the left."""
    for key, side, thumb_on_left in [
        ("palmar", "R", False),
        ("palmar", "L", True),
        ("dorsal", "R", True),
        ("dorsal", "L", False),
    ]:
        found = turn(VIEWS[key], side, "WRIST", "HAND.D3.MID", "HAND.D1.PROX", "HAND.D5.PROX")
        assert found is thumb_on_left, (key, side)


def test_a_drawn_foot_is_the_foot_it_is_named() -> None:
    """From above, toes up, the big toe of the right foot is on the left."""
    for side, big_toe_on_left in [("R", True), ("L", False)]:
        assert turn(VIEWS["feet"], side, "ANKLE", "FOOT.TOE3", "FOOT.TOE1", "FOOT.TOE5") is big_toe_on_left


@pytest.mark.parametrize("view", VIEWS.values(), ids=lambda view: view.key)
def test_left_is_the_mirror_of_right(view: View) -> None:
    for region in view.regions:
        if region.side == "R":
            other = view.region(region.site, "L")
            assert other and other.cx == pytest.approx(view.width - region.cx, abs=0.02)
            assert other.cy == region.cy
        elif not region.side:
            assert region.cx == pytest.approx(view.width / 2, abs=0.02)


@pytest.mark.parametrize("view", VIEWS.values(), ids=lambda view: view.key)
def test_each_region_knows_its_view_has_one_id_and_lies_on_the_sheet(view: View) -> None:
    assert not [name for name, times in Counter(region.id for region in view.regions).items() if times > 1]
    for region in view.regions:
        assert region.view == view.key
        numbers = [float(one) for one in re.findall(r"-?\d+\.?\d*", region.path)]
        assert min(numbers) >= 0 and max(numbers[::2]) <= view.width and max(numbers[1::2]) <= view.height, region.id


@pytest.mark.parametrize("key", VIEWS)
def test_each_view_prints_its_sides_and_its_name(key: str) -> None:
    tree = ElementTree.fromstring(render(key))
    words = " ".join(text.text or "" for text in tree.iter(f"{SVG}text")).lower()
    assert "right" in words and "left" in words
    assert {"front": "front", "back": "back", "palmar": "palm", "dorsal": "back of hand", "feet": "sole"}[key] in words
    assert tree.find(f"{SVG}title").text and tree.find(f"{SVG}desc").text


def test_the_side_words_stand_on_the_side_they_name() -> None:
    for view in VIEWS.values():
        for caption in view.captions:
            text = str(caption.text)
            if caption.strong:
                right = view.region("KNEE", "R") or view.region("WRIST", "R") or view.region("ANKLE", "R")
                assert text.startswith("RIGHT") == ((caption.x < view.width / 2) == (right.cx < view.width / 2))


@pytest.mark.parametrize("key", VIEWS)
def test_the_svg_is_well_formed_and_needs_no_inline_style_or_script(key: str) -> None:
    marks = [
        mark("KNEE", label="<&>", href="/lesions/?a=1&b=2"),
        mark("HAND.D1.PULP"),
        mark("FOOT.HEEL", "L"),
        mark("HAND.MC"),
        mark("BUTTOCK"),
    ]
    for selectable in (False, True):
        tree = ElementTree.fromstring(render(key, place(marks, VIEWS[key]), selectable=selectable))
        for element in tree.iter():
            assert element.tag not in (f"{SVG}style", f"{SVG}script")
            assert not {name for name in element.attrib if name == "style" or name.startswith("on")}
        ids = [element.get("id") for element in tree.iter() if element.get("id")]
        assert len(ids) == len(set(ids))


def test_a_selectable_region_is_a_named_button_and_a_plain_one_is_not() -> None:
    def knee(**how: bool) -> ElementTree.Element:
        return next(e for e in ElementTree.fromstring(render("front", **how)).iter() if e.get("id") == "front-KNEE-R")

    button = knee(selectable=True)
    assert (button.get("role"), button.get("tabindex"), button.get("aria-label")) == ("button", "0", "Right knee")
    assert (button.get("data-site"), button.get("data-side"), button.get("data-view")) == ("KNEE", "R", "front")
    assert knee().get("role") is None and knee().get("tabindex") is None


@pytest.mark.parametrize("site", SPOTS, ids=lambda site: site.code)
def test_a_lesion_at_any_spot_stands_on_exactly_one_view_on_its_own_side(site) -> None:
    for side in {"REQUIRED": "RL", "OPTIONAL": "RLM", "NONE": "M"}[site.laterality]:
        homes = [(view, placed) for view in VIEWS.values() for placed in place([mark(site.code, side)], view)]
        assert len(homes) == 1, (site.code, side)
        view, placed = homes[0]
        middle = view.width / 2
        if side == "M":
            assert placed.x == pytest.approx(middle, abs=0.1)
        else:
            assert ((side == "R") == (placed.x < middle)) is (view.key != "back")


@pytest.mark.parametrize(
    ("site", "aspect", "view"),
    [
        ("HAND.D2.DIP", "", "palmar"),
        ("HAND.D2.DIP", "DORSAL", "dorsal"),
        ("HAND.D2.NAIL", "", "dorsal"),
        ("HAND.MC", "", "dorsal"),
        ("HAND.D2.MCP", "EXTENSOR", "dorsal"),
        ("HAND.DORSUM", "", "dorsal"),
        ("ELBOW", "", "back"),
        ("ELBOW", "FLEXOR", "front"),
        ("KNEE", "", "front"),
        ("KNEE", "POSTERIOR", "back"),
        ("FOREARM", "VOLAR", "front"),
        ("FOREARM", "DORSAL", "back"),
        ("FOOT.HEEL", "", "feet"),
        ("FOOT", "", "feet"),
        ("FOOT", "DORSAL", "feet"),
        ("TRUNK.BREAST", "POSTERIOR", "front"),
    ],
)
def test_the_aspect_chooses_the_view(site: str, aspect: str, view: str) -> None:
    assert [key for key, one in VIEWS.items() if place([mark(site, aspect=aspect)], one)] == [view]


def test_marks_never_overlap_nor_leave_the_sheet() -> None:
    crowd = [
        mark(region.site, region.side, label=f"L{n}", aspect="DORSAL" if n % 2 else "")
        for n, region in enumerate(VIEWS["palmar"].regions)
        if ".D2." in region.site or ".D1." in region.site
    ]
    for view in VIEWS.values():
        placed = place([*crowd, *(mark("KNEE", "L", label=f"L{n}") for n in range(4))], view)
        for one in placed:
            assert view.mark <= one.x <= view.width - view.mark and view.mark <= one.y <= view.height - view.mark
        for one, other in combinations(placed, 2):
            assert hypot(one.x - other.x, one.y - other.y) >= view.mark * 1.8, (one.mark.label, other.mark.label)


def test_more_lesions_than_fit_become_one_mark_that_says_how_many_and_keeps_the_ulcer() -> None:
    many = [mark("BUTTOCK", label=f"L{n}", ulcerated=n == 3) for n in range(6)]
    (cluster,) = place(many, VIEWS["back"])
    assert (cluster.count, cluster.mark.label, cluster.mark.ulcerated) == (6, "6×", True)
    assert all(one.title in cluster.mark.title for one in many)


def test_every_status_has_a_shape_of_its_own() -> None:
    drawn = set()
    for status in STATUSES:
        svg = ElementTree.fromstring(render_status_symbol(status))
        drawn.add(
            tuple((e.tag, e.get("d"), e.get("r"), bool(e.get("stroke-dasharray")), e.get("rx")) for e in svg.iter())
        )
        assert f"mark--{status}" in svg.get("class")
    assert len(drawn) == len(STATUSES)


@pytest.mark.parametrize(
    ("code", "style"),
    [("EXTRUDED_COMPLETE", "extruded"), ("NOT_ASSESSED", "not-examined"), ("LARGER", "larger"), ("", "not-examined")],
)
def test_status_codes_of_the_model_find_their_style(code: str, style: str) -> None:
    assert f"mark--{style}" in render_status_symbol(code)


def test_an_ulcerated_target_lesion_shows_dot_and_ring() -> None:
    one = mark("HAND.D1.PULP", status="LARGER", ulcerated=True, target=True)
    svg = render("palmar", place([one], VIEWS["palmar"]))
    assert 'class="mark-ulcer"' in svg and 'class="mark-target"' in svg and ">L1</text>" in svg
    plain = render("palmar", place([mark("HAND.D1.PULP")], VIEWS["palmar"]))
    assert "mark-ulcer" not in plain and "mark-target" not in plain


def test_every_possible_home_of_a_mark_is_a_view() -> None:
    assert {key for site in SPOTS for key in view_of(mark(site.code))} <= set(VIEWS)


@pytest.mark.parametrize("view", VIEWS.values(), ids=lambda view: view.key)
def test_a_lesion_placed_on_a_region_is_drawn_there_again(view: View) -> None:
    """Site, side, aspect and spot of a choice lead back to the same view and the same place."""
    for region in view.regions:
        aspect = aspect_on(region)
        if aspect is None:
            continue
        at = ((region.cx + 2) / view.width, region.cy / view.height)
        one = replace(mark(region.site, region.side or "M", aspect=aspect), at=at)
        homes = [(other.key, placed) for other in VIEWS.values() for placed in place([one], other)]
        assert [(key, placed.x, placed.y) for key, placed in homes] == [
            (view.key, pytest.approx(region.cx + 2, abs=view.mark), pytest.approx(region.cy, abs=view.mark))
        ], region.id


def test_every_site_can_be_placed_on_some_view() -> None:
    chosen = {region.site for view in VIEWS.values() for region in view.regions if aspect_on(region) is not None}
    assert chosen == {site.code for site in SPOTS}


def test_a_spot_away_from_its_site_is_not_believed() -> None:
    one = replace(mark("KNEE", "R"), at=(0.9, 0.05))
    (placed,) = place([one], VIEWS["front"])
    region = VIEWS["front"].region("KNEE", "R")
    assert (placed.x, placed.y) == (pytest.approx(region.cx, abs=0.1), pytest.approx(region.cy, abs=0.1))


def test_a_crowded_view_counts_fingers_as_wholes_and_loses_nobody() -> None:
    view = VIEWS["palmar"]
    crowd = [
        mark(region.site, region.side, label=f"L{n}", ulcerated=region.site == "HAND.D2.PULP" and region.side == "L")
        for n, region in enumerate([*view.regions, *view.regions])
        if view_of(mark(region.site))[0] == "palmar"
    ]
    placed = place(crowd, view)
    assert sum(one.count for one in placed) == len(crowd) and len(placed) < len(crowd) / 3
    assert sorted(label for one in placed for label in one.members or (one.mark.label,)) == sorted(
        one.label for one in crowd
    )
    index = view.region("HAND.D2", "L")
    (finger,) = [one for one in placed if (one.at_x, one.at_y) == (index.cx, index.cy)]
    assert finger.mark.ulcerated and finger.count == 16
    svg = render("palmar", placed)
    assert f'data-members="{" ".join(finger.members)}"' in svg
