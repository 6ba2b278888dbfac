"""Soft edges of a body: bands along its outline that make a flat shape look round. Pure geometry, no gradients and no
clipping, so that print, PDF and a file used from another file show the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import hypot

from lesions.body_map.geometry import Curve, Point

STEPS = 3  # points per segment of the outline
SHARE = 0.42  # of the way through the body a band reaches at most


def bands(body: Curve, depths: Sequence[float]) -> list[str]:
    """Path data of one band per depth, from the outline inwards; thinner where the body is thin."""
    edge = body.sampled(STEPS)
    if hypot(edge[0][0] - edge[-1][0], edge[0][1] - edge[-1][1]) < 0.05:
        edge = edge[:-1]
    inward = _inward(edge)
    room = _even([_through(edge, number, way) for number, way in enumerate(inward)])
    return [_band(edge, inward, [min(depth, SHARE * free) for free in room]) for depth in depths]


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


def _through(edge: list[Point], here: int, way: Point) -> float:
    """How far the other side of the body is, straight in."""
    x, y = edge[here]
    nearest = 1e9
    for number, ((x1, y1), (x2, y2)) in enumerate(_pairs(edge)):
        if number in (here, (here - 1) % len(edge)):
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


def _band(edge: list[Point], inward: list[Point], depth: list[float]) -> str:
    inner = [(x + dx * d, y + dy * d) for (x, y), (dx, dy), d in zip(edge, inward, depth, strict=True)]
    return f"M{_points(edge)}ZM{_points(inner[::-1])}Z"


def _points(line: list[Point]) -> str:
    return "L".join(f"{x:.1f} {y:.1f}" for x, y in line)
