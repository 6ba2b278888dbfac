"""Where deposits lie: hands first, thumb before little finger (clinical-model 5.3)."""

from __future__ import annotations

from typing import Any

from calcinosis_registry.demo.people import Person
from calcinosis_registry.demo.told import number
from lesions import sites
from lesions.body_map import MAP_VERSION, VIEWS, Mark
from lesions.body_map.marks import spot, view_of

# Share of patients with deposits in the hands, and elsewhere.
IN_HANDS = {"JDM": 0.40, "DM_ADULT": 0.50, "AMYOPATHIC_DM": 0.5, "POLYMYOSITIS": 0.5, "LUPUS_PANNICULITIS": 0.2}
DIGITS = {"D1": 0.31, "D2": 0.23, "D3": 0.21, "D4": 0.14, "D5": 0.11}
SEGMENTS = {
    "PULP": 0.30,
    "DIST": 0.32,
    "PROX": 0.08,
    "IP": 0.08,
    "DIP": 0.06,
    "PIP": 0.06,
    "MID": 0.05,
    "MCP": 0.04,
    "NAIL": 0.03,
    "": 0.03,
}
HAND_BUT_DIGITS = {
    "HAND.THENAR": 0.25,
    "HAND.HYPOTHENAR": 0.2,
    "HAND.PALM": 0.2,
    "HAND.DORSUM": 0.15,
    "HAND.MC": 0.15,
    "HAND.DX": 0.05,
}
BY_THUMB, BY_FINGER = frozenset({"MID", "DIP", "PIP"}), frozenset({"IP"})
ELSEWHERE = {
    "ELBOW": 0.27, "FOREARM": 0.20, "KNEE": 0.13, "LEG": 0.08, "WRIST": 0.05, "WRIST.CARPAL_TUNNEL": 0.015, "ARM": 0.04,
    "SHOULDER": 0.02, "AXILLA": 0.01, "HIP": 0.03, "BUTTOCK": 0.04, "THIGH": 0.04, "ANKLE": 0.015, "FOOT": 0.01,
    "FOOT.HEEL": 0.01, "FOOT.TOE1": 0.015, "FOOT.TOE2": 0.005, "TRUNK.CHEST": 0.01, "TRUNK.BREAST": 0.01,
    "TRUNK.BACK": 0.01,
    "TRUNK.ABDOMEN": 0.015, "TRUNK.PELVIS": 0.01, "SPINE.C": 0.01, "SPINE.L": 0.01, "HEAD.FACE": 0.005,
    "HEAD.EAR": 0.005,
    "HEAD.SCALP": 0.003, "NECK": 0.005, "GENITAL": 0.002,
}  # fmt: skip
IN_JDM = {
    "ELBOW": 0.26, "KNEE": 0.2, "TRUNK.ABDOMEN": 0.07, "TRUNK.BACK": 0.05, "TRUNK.CHEST": 0.05, "FOOT": 0.06,
    "BUTTOCK": 0.08,
    "THIGH": 0.07, "ARM": 0.05, "AXILLA": 0.03, "HEAD.SCALP": 0.02, "LEG": 0.04, "HIP": 0.02,
}  # fmt: skip
ASPECTS = {
    "ELBOW": {"EXTENSOR": 0.85, "FLEXOR": 0.05, "": 0.1}, "KNEE": {"ANTERIOR": 0.85, "POSTERIOR": 0.05, "": 0.1},
    "FOREARM": {"EXTENSOR": 0.5, "FLEXOR": 0.2, "ULNAR": 0.1, "RADIAL": 0.1, "": 0.1},
    "LEG": {"ANTERIOR": 0.4, "POSTERIOR": 0.25, "LATERAL": 0.15, "MEDIAL": 0.1, "": 0.1},
    "ARM": {"LATERAL": 0.4, "POSTERIOR": 0.4, "": 0.2}, "THIGH": {"ANTERIOR": 0.4, "LATERAL": 0.4, "": 0.2},
}  # fmt: skip

Place = dict[str, str]


def places(person: Person, count: int) -> list[Place]:
    """``count`` places as values of a lesion: site, laterality, aspect, site_text."""
    hands = person.dice.chance(IN_HANDS.get(person.ctd, 0.74)) or person.has("hand_score")
    found = [
        _in_hand(person) if hands and (place == 0 or person.dice.chance(0.62)) else _elsewhere(person)
        for place in range(count)
    ]
    if person.has("other_site"):
        found[-1] = {
            "site": "OTHER",
            "laterality": "",
            "aspect": "",
            "site_text": "spermatic cord" if person.sex == "M" else "chest wall muscle",
        }
    if person.has("generalised"):
        found[-1] = {"site": "GENERALISED", "laterality": "", "aspect": "", "site_text": ""}
    if person.has("nerve"):
        found[-1] = {"site": "WRIST.CARPAL_TUNNEL", "laterality": _side(person), "aspect": "", "site_text": ""}
    return found


def _side(person: Person) -> str:
    """The dominant hand is hit more often."""
    dominant = person.hand if person.hand in ("R", "L") else "R"
    return dominant if person.dice.chance(0.6) else {"R": "L", "L": "R"}[dominant]


def _in_hand(person: Person) -> Place:
    dice = person.dice
    if dice.chance(0.08):
        site = dice.pick(HAND_BUT_DIGITS)
        return {"site": site, "laterality": _side(person), "aspect": "", "site_text": ""}
    digit = dice.pick(DIGITS)
    wrong = BY_THUMB if digit == "D1" else BY_FINGER
    segment = dice.pick({name: share for name, share in SEGMENTS.items() if name not in wrong})
    aspect = {"PULP": "PULP", "NAIL": "NAIL_FOLD"}.get(segment, "")
    if not aspect:
        aspect = dice.pick({"VOLAR": 0.45, "DORSAL": 0.2, "RADIAL": 0.1, "ULNAR": 0.1, "": 0.15})
    site = f"HAND.{digit}.{segment}".rstrip(".")
    return {"site": site, "laterality": _side(person), "aspect": aspect, "site_text": ""}


def _elsewhere(person: Person) -> Place:
    dice = person.dice
    site = dice.pick(IN_JDM if person.ctd == "JDM" else ELSEWHERE)
    rule = sites.site(site).laterality
    side = {"REQUIRED": "", "OPTIONAL": dice.pick({"R": 0.35, "L": 0.35, "M": 0.3}), "NONE": "M"}[rule] or _side(person)
    return {"site": site, "laterality": side, "aspect": dice.pick(ASPECTS.get(site, {"": 1.0})), "site_text": ""}


def on_map(person: Person, place: Place) -> dict[str, Any]:
    """Where somebody clicked: near the middle of the region, as a share of the drawing; nothing for what it lacks."""
    dice = person.dice
    mark = Mark("", place["site"], place["laterality"], "", False, False, "", aspect=place["aspect"])
    for key in view_of(mark):
        if where := spot(mark, VIEWS[key]):
            x, y = (
                number(min(max((middle + dice.normal(0, 2, -4, 4)) / size, 0), 1), 4)
                for middle, size in zip(where, (VIEWS[key].width, VIEWS[key].height), strict=True)
            )
            return {"map_x": x, "map_y": y, "map_version": MAP_VERSION}
    return {}
