"""Soft edges of a body: the outline filled dark, and shapes inside it ever lighter, make a flat figure look round. Pure
geometry, no gradients and no clipping, so that print, PDF and a file used from another file show the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import hypot

from lesions.body_map.geometry import Curve, Point

STEPS = 3  # points per segment of the outline
NEAR = 0.25  # units a point may be off a straight way to be left out
SHARE = 0.42  # of the way through the body an inset reaches at most


def insets(body: Curve, depths: Sequence[float]) -> list[str]:
    """Path data of the body shrunk by each depth; less where it is thin."""
    edge = body.sampled(STEPS)
    if hypot(edge[0][0] - edge[-1][0], edge[0][1] - edge[-1][1]) < 0.05:
        edge = edge[:-1]
    inward = _inward(edge)
    sides, reach = _pairs(edge), max(depths) / SHARE
    room = _even([_through(sides, number, way, reach) for number, way in enumerate(inward)])
    return [_inset(edge, inward, [min(depth, SHARE * free) for free in room]) for depth in depths]


def _inward(edge: list[Point]) -> list[Point]:
    """The unit normal into the body at each point."""
    turns = sum(x1 * y2 - x2 * y1 for (x1, y1), (x2, y2) in _pairs(edge))
    sign = 1 if turns > 0 else -1
    found = []
    for number in range(len(edge)):
        before, after = edge[number - 1], edge[(number + 1) % len(edge)]
        dx, dy = after[0] - before[0], after[1] - before[1]
        size = hypot(dx, dy) or 1.0
        found.append((-sign * dy / size, sign * dx / size))
    return found


def _pairs(edge: list[Point]) -> list[tuple[Point, Point]]:
    return list(zip(edge, [*edge[1:], edge[0]], strict=True))


def _through(sides: list[tuple[Point, Point]], here: int, way: Point, reach: float) -> float:
    """How far the other side of the body is, straight in; ``reach`` where it is further than that."""
    (x, y), _next = sides[here]
    nearest, own = reach, (here, here - 1 if here else len(sides) - 1)
    for number, ((x1, y1), (x2, y2)) in enumerate(sides):
        if abs(x1 - x) > reach or abs(y1 - y) > reach or number in own:
            continue
        ex, ey = x2 - x1, y2 - y1
        cross = way[0] * ey - way[1] * ex
        if abs(cross) < 1e-9:
            continue
        far = ((x1 - x) * ey - (y1 - y) * ex) / cross
        along = ((x1 - x) * way[1] - (y1 - y) * way[0]) / cross
        if 0.05 < far < nearest and 0 <= along <= 1:
            nearest = far
    return nearest


def _even(values: list[float]) -> list[float]:
    """Without steps: each value is no more than its neighbours' mean allows."""
    count = len(values)
    for _round in range(4):
        values = [min(values[n], (values[n - 1] + 2 * values[n] + values[(n + 1) % count]) / 4) for n in range(count)]
    return values


def _inset(edge: list[Point], inward: list[Point], depth: list[float]) -> str:
    inner = [(x + dx * d, y + dy * d) for (x, y), (dx, dy), d in zip(edge, inward, depth, strict=True)]
    return _path(_fewer([*inner, inner[0]]))


def _fewer(line: list[Point]) -> list[Point]:
    """Without the points that lie on the way between others."""
    if len(line) < 3:
        return line
    (x1, y1), (x2, y2) = line[0], line[-1]
    size = hypot(x2 - x1, y2 - y1)

    def off(point: Point) -> float:
        if size < 1e-6:
            return hypot(point[0] - x1, point[1] - y1)
        return abs((x2 - x1) * (point[1] - y1) - (y2 - y1) * (point[0] - x1)) / size

    far = max(range(1, len(line) - 1), key=lambda number: off(line[number]))
    if off(line[far]) <= NEAR:
        return [line[0], line[-1]]
    return [*_fewer(line[: far + 1])[:-1], *_fewer(line[far:])]


def _path(line: list[Point]) -> str:
    """Steps from point to point, in tenths of a unit: half the text of places on the sheet."""
    tenths = [(round(x * 10), round(y * 10)) for x, y in line[:-1]]
    steps = [(x2 - x1, y2 - y1) for (x1, y1), (x2, y2) in pairwise(tenths)]
    return f"M{_one(tenths[0])}l{' '.join(_one(step) for step in steps)}Z"


def _one(tenths: tuple[int, int]) -> str:
    return f"{tenths[0] / 10:g} {tenths[1] / 10:g}"
