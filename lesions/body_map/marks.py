"""Lesions on the map: where each mark stands, and the shape that says its status.

A status has one shape and one colour everywhere (map, matrix, chart, PDF); ulcerated is a dot on top, a target lesion
has a second ring.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from math import cos, hypot, pi, sin

from lesions.body_map.atlas import Region, View
from lesions.body_map.geometry import Point

# How many single marks one region takes; more become one mark with their number.
CAPACITY = 4
# So many on one view cover it: then fingers are counted as wholes, and every region with more than one lesion.
CROWD = 40
STATUSES = ("new", "larger", "stable", "smaller", "resolved", "extruded", "excised", "recurred", "not-examined")
_ALIASES = {"extruded-complete": "extruded", "not-assessed": "not-examined", "": "not-examined"}
_DORSAL = {"DORSAL", "EXTENSOR", "NAIL", "NAIL_FOLD"}
_PALMAR = {"VOLAR", "PALMAR", "FLEXOR", "PULP"}
_REAR = {"POSTERIOR", "DORSAL", "EXTENSOR"}
# Sites whose usual lesion is seen from behind (clinical-model 5.2: elbow = extensor by default).
_REAR_SITES = ("ELBOW", "BUTTOCK", "TRUNK.BACK", "SPINE")
_DORSAL_SITES = ("HAND.DORSUM", "HAND.MC")


@dataclass(frozen=True)
class Mark:
    """A lesion to place. ``side`` "R", "L", or "" and "M" for midline; ``status`` a code of clinical-model 6.3; ``at``
    the spot somebody chose on this version of the map, as shares of width and height of the view it belongs on."""

    label: str
    site: str
    side: str
    status: str
    ulcerated: bool
    target: bool
    title: str
    href: str = ""
    aspect: str = ""
    at: Point | None = None


@dataclass(frozen=True)
class Placed:
    """A mark, or ``count`` marks in one, at (x, y); (at_x, at_y) is the spot itself when the mark had to move aside."""

    mark: Mark
    x: float
    y: float
    at_x: float
    at_y: float
    count: int = 1
    members: tuple[str, ...] = ()  # labels of the lesions counted in one


def status_key(status: str) -> str:
    """The style key of a status code: "EXTRUDED_COMPLETE" gives "extruded"; unknown codes read as not examined."""
    key = status.lower().replace("_", "-")
    key = _ALIASES.get(key, key)
    return key if key in STATUSES else "not-examined"


def view_of(mark: Mark) -> tuple[str, ...]:
    """The views that may show a mark, best first."""
    aspect = mark.aspect.upper()
    if mark.site == "WRIST.CARPAL_TUNNEL":
        return ("palmar",)
    if mark.site.startswith(("HAND", "WRIST")):
        dorsal = mark.site.endswith(".NAIL") or mark.site in _DORSAL_SITES or aspect in _DORSAL
        return ("dorsal", "palmar") if dorsal else ("palmar", "dorsal")
    if mark.site.startswith("FOOT"):
        return ("feet", "front")
    rear = aspect in _REAR or (mark.site.startswith(_REAR_SITES) and aspect not in (_PALMAR | {"ANTERIOR"}))
    return ("back", "front") if rear else ("front", "back")


# The aspect that says on which view a lesion lies, where the site alone does not.
_SEEN_FROM = {"palmar": "VOLAR", "dorsal": "DORSAL", "front": "ANTERIOR", "back": "POSTERIOR", "feet": ""}


def aspect_on(region: Region) -> str | None:
    """The aspect that a lesion chosen on this region needs to be drawn here again: "" where none, None where it will
    be drawn on another view (an ankle chosen on the feet stands on the body)."""
    for aspect in ("", _SEEN_FROM[region.view]):
        seen = Mark("", region.site, region.side, "", False, False, "", aspect=aspect)
        if view_of(seen)[0] == region.view:
            return aspect
    return None


def spot(mark: Mark, view: View) -> Point | None:
    """Where a mark belongs on a view, or None when the view does not show its site."""
    side = "" if mark.side == "M" else mark.side
    own = view.region(mark.site, side)
    if own:
        return own.cx, own.cy
    right, left = view.region(mark.site, "R"), view.region(mark.site, "L")
    if right and left and not side:  # a midline lesion of a two-sided site stands between the sides
        return (right.cx + left.cx) / 2, (right.cy + left.cy) / 2
    middle = view.region(mark.site, "")
    if middle and side:  # a sided lesion of a midline site moves a little to its side
        outward = 1 if (side == "R") == (view.key == "back") else -1
        return middle.cx + outward * view.mark * 0.7, middle.cy
    return None


def place(marks: Iterable[Mark], view: View, views: Mapping[str, View]) -> list[Placed]:
    """Place the marks that belong on ``view``; several in one region are spread, more than CAPACITY become one.

    A mark is drawn on the first of its views that has its site (``views``: all of them).
    """
    here: list[tuple[Mark, Point]] = []
    for mark in marks:
        home = next((key for key in view_of(mark) if spot(mark, views[key])), None)
        where = spot(mark, view) if home == view.key else None
        if where:
            here.append((mark, where))
    crowded = len(here) > CROWD
    groups: dict[Point, list[Mark]] = defaultdict(list)
    for mark, where in here:
        groups[_whole_finger(mark, view) or where if crowded else where].append(mark)
    capacity = 1 if crowded else CAPACITY
    placed = [one for where, group in groups.items() for one in _spread(group, where, view, capacity)]
    return _apart(placed, view)


def _whole_finger(mark: Mark, view: View) -> Point | None:
    """The spot that stands for the whole of a finger, where the site is a part of one."""
    finger = ".".join(mark.site.split(".")[:2])
    whole = view.region(finger, mark.side) if mark.site.startswith("HAND.D") and finger != mark.site else None
    return (whole.cx, whole.cy) if whole else None


def _spread(group: list[Mark], where: Point, view: View, capacity: int) -> list[Placed]:
    if len(group) > capacity:
        members = tuple(mark.label for mark in group)
        return [Placed(_cluster(group), *where, *where, count=len(group), members=members)]
    chosen = {id(mark): point for mark in group if (point := _chosen(mark, view))}
    rest = [mark for mark in group if id(mark) not in chosen]
    placed = [Placed(mark, *chosen[id(mark)], *chosen[id(mark)]) for mark in group if id(mark) in chosen]
    ring = 0.0 if len(rest) < 2 else view.mark * 1.1 / sin(pi / len(rest))
    for number, mark in enumerate(rest):
        angle = 2 * pi * number / len(rest) + (pi if len(rest) == 2 else -pi / 2)
        placed.append(Placed(mark, where[0] + ring * cos(angle), where[1] + ring * sin(angle), *where))
    return placed


def _chosen(mark: Mark, view: View) -> Point | None:
    """The spot somebody chose; not one that its site has moved away from since."""
    if mark.at is None:
        return None
    x, y = mark.at[0] * view.width, mark.at[1] * view.height
    side = "" if mark.side == "M" else mark.side
    regions = [one for one in view.regions if one.site == mark.site and one.side in (side, "")] or [
        one for one in view.regions if one.site == mark.site and not side
    ]
    return (x, y) if any(one.reaches(x, y, view.mark) for one in regions) else None


def _cluster(group: list[Mark]) -> Mark:
    first = group[0]
    return replace(
        first,
        label=f"{len(group)}×",
        status="",
        ulcerated=any(m.ulcerated for m in group),
        target=any(m.target for m in group),
        title="\n".join(m.title for m in group),
        href="",
    )


def _apart(placed: list[Placed], view: View) -> list[Placed]:
    """Push overlapping marks of neighbouring regions apart, and keep all inside the sheet."""
    points = [[one.x, one.y] for one in placed]
    reach, margin = view.mark * 2.15, view.mark * 1.6
    for _round in range(60):
        moved = False
        for i, a in enumerate(points):
            for b in points[i + 1 :]:
                dx, dy = b[0] - a[0], b[1] - a[1]
                if dx >= reach or dy >= reach or -dx >= reach or -dy >= reach:
                    continue
                gap = hypot(dx, dy)
                if gap >= reach - 0.01:
                    continue
                ux, uy = (dx / gap, dy / gap) if gap > 1e-6 else (1.0, 0.0)
                push = (reach - gap) / 2
                a[0], a[1], b[0], b[1] = a[0] - ux * push, a[1] - uy * push, b[0] + ux * push, b[1] + uy * push
                moved = True
        for point in points:
            point[0] = min(max(point[0], margin), view.width - margin)
            point[1] = min(max(point[1], margin), view.height - margin)
        if not moved:
            break
    return [replace(one, x=round(x, 1), y=round(y, 1)) for one, (x, y) in zip(placed, points, strict=True)]
