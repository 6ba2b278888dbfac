"""The heat map: every number stands on its own region and side, and none is lost or told twice on a view."""

from __future__ import annotations

from xml.etree import ElementTree

from lesions.body_map import VIEWS, heat, heat_scale, left_over
from lesions.sites import SITES

SVG = "{http://www.w3.org/2000/svg}"


def coloured(svg: str) -> dict[tuple[str, str], str]:
    """{(site, side): title} of the regions with a shade."""
    regions = ElementTree.fromstring(svg).iter(f"{SVG}path")
    return {
        (one.get("data-site"), one.get("data-side")): one.find(f"{SVG}title").text
        for one in regions
        if "heat-" in (one.get("class") or "")
    }


def test_a_number_colours_its_site_on_its_own_side_only() -> None:
    drawn = heat({("KNEE", "R"): 4, ("HAND.D1.PULP", "L"): 9})
    assert set(drawn) == {"front", "back", "palmar"}
    assert coloured(drawn["front"]) == {("KNEE", "R"): "Right knee: 4"}
    assert coloured(drawn["palmar"]) == {("HAND.D1.PULP", "L"): "Left thumb, pulp: 9"}
    assert ">4</text>" in drawn["front"] and ">9</text>" not in drawn["front"]


def test_every_spot_of_the_site_list_can_be_coloured() -> None:
    values = {
        (site.code, side): 1
        for site in SITES.values()
        if site.spot
        for side in {"REQUIRED": "RL", "OPTIONAL": "RL", "NONE": "M"}[site.laterality]
    }
    assert not left_over(values)


def test_every_value_is_on_the_map_or_told_to_stand_beside_it() -> None:
    values = {(site.code, side): 1 for site in SITES.values() for side in ("R", "L", "")}
    beside = left_over(values)
    regions = {region.site for view in VIEWS.values() for region in view.regions}
    assert {site for site, _side in beside} >= {code for code in SITES if code not in regions}
    drawn = heat(values)
    for place in values.keys() - beside.keys():
        assert any(place in coloured(svg) or (place[0], "") in coloured(svg) for svg in drawn.values()), place


def test_sides_of_a_midline_region_add_up_in_it() -> None:
    (svg,) = heat({("GENITAL", "R"): 2, ("GENITAL", "L"): 3, "GENITAL": 1}).values()
    assert coloured(svg) == {("GENITAL", ""): "Genital: 6"}


def test_more_is_never_lighter_and_the_largest_is_the_deepest() -> None:
    scale = heat_scale(20)
    assert [one.number for one in scale] == [1, 2, 3, 4, 5]
    assert [(one.over, one.to) for one in scale] == [(0, 4), (4, 8), (8, 12), (12, 16), (16, 20)]
    assert [one.number for one in heat_scale(2)] == [4, 5] and heat_scale(0) == []
    svg = heat({("KNEE", "R"): 20, ("KNEE", "L"): 1})["front"]
    knees = [one for one in ElementTree.fromstring(svg).iter() if one.get("data-site") == "KNEE"]
    classes = {one.get("data-side"): one.get("class") for one in knees}
    assert classes == {"R": "map-region heat-5", "L": "map-region heat-1"}


def test_nothing_is_drawn_of_nothing_and_the_words_are_the_callers() -> None:
    assert heat({}) == {} and heat({"OTHER": 3}) == {}
    svg = heat({("ELBOW", "R"): 0.25}, top=1, shown=lambda value: f"{value:.0%} <")["back"]
    assert "25% &lt;" in svg and "style=" not in svg
