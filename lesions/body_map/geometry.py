"""Curves of the body map: smooth contours through named points, cut into regions that share their edges exactly.

Units are SVG user units, y grows downwards. Pure: no Django, no state.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import cos, dist, pi, sin, sqrt

Point = tuple[float, float]
Move = Callable[[Point], Point]


@dataclass(frozen=True)
class Curve:
    """An open run of cubic Bézier segments: a start, then (control, control, end) per segment."""

    start: Point
    segments: tuple[tuple[Point, Point, Point], ...]

    @property
    def end(self) -> Point:
        return self.segments[-1][2] if self.segments else self.start

    def reversed(self) -> Curve:
        """The same curve walked the other way."""
        nodes = [self.start, *(segment[2] for segment in self.segments)]
        back = [(second, first, node) for (first, second, _), node in zip(self.segments, nodes, strict=False)]
        return Curve(nodes[-1], tuple(reversed(back)))

    def moved(self, move: Move) -> Curve:
        """The curve with every point, controls too, sent through ``move`` (a shift or a mirror)."""
        return Curve(move(self.start), tuple((move(a), move(b), move(c)) for a, b, c in self.segments))

    def d(self, *, closed: bool) -> str:
        """The SVG path data, one decimal."""
        parts = [f"M{_xy(self.start)}"]
        parts += [f"C{_xy(a)} {_xy(b)} {_xy(c)}" for a, b, c in self.segments]
        return "".join(parts) + ("Z" if closed else "")

    def sampled(self, steps: int = 6) -> list[Point]:
        """Points along the curve, ``steps`` per segment, for areas and bounds."""
        found, here = [self.start], self.start
        for one, two, end in self.segments:
            found += [_bezier(here, one, two, end, step / steps) for step in range(1, steps + 1)]
            here = end
        return found


def _xy(point: Point) -> str:
    return " ".join(f"{value:.1f}".removesuffix(".0").replace("-0.0", "0") for value in point)


def _bezier(a: Point, b: Point, c: Point, d: Point, t: float) -> Point:
    u = 1 - t
    weights = (u * u * u, 3 * u * u * t, 3 * u * t * t, t * t * t)
    return (
        sum(w * p[0] for w, p in zip(weights, (a, b, c, d), strict=True)),
        sum(w * p[1] for w, p in zip(weights, (a, b, c, d), strict=True)),
    )


def smooth(through: Sequence[Point], *, closed: bool = False) -> Curve:
    """A centripetal Catmull-Rom spline through the points (no loops or cusps, whatever the spacing)."""
    path = [*through, through[0]] if closed else list(through)
    before = through[-1] if closed else through[0]
    after = through[1] if closed else through[-1]
    nodes = [before, *path, after]
    segments = []
    for p0, p1, p2, p3 in zip(nodes, nodes[1:], nodes[2:], nodes[3:], strict=False):
        d1, d2, d3 = (sqrt(dist(a, b)) for a, b in ((p0, p1), (p1, p2), (p2, p3)))
        segments.append((_control(p0, p1, p2, d1, d2), _control(p3, p2, p1, d3, d2), p2))
    return Curve(path[0], tuple(segments))


def _control(far: Point, near: Point, other: Point, outer: float, inner: float) -> Point:
    """The control point beside ``near`` on the segment near → other; the ends are straight."""
    if outer < 1e-6:
        return near
    weight = 2 * outer * outer + 3 * outer * inner + inner * inner
    scale = 3 * outer * (outer + inner)
    return (
        (outer * outer * other[0] - inner * inner * far[0] + weight * near[0]) / scale,
        (outer * outer * other[1] - inner * inner * far[1] + weight * near[1]) / scale,
    )


def joined(*pieces: Curve | Sequence[Point]) -> Curve:
    """One curve from pieces laid end to end; a piece of bare points is smoothed; gaps become straight lines."""
    curves = [piece if isinstance(piece, Curve) else smooth(piece) for piece in pieces]
    segments = list(curves[0].segments)
    for before, after in pairwise(curves):
        if dist(before.end, after.start) > 1e-6:
            segments.append((before.end, after.start, after.start))
        segments += after.segments
    return Curve(curves[0].start, tuple(segments))


def points(text: str) -> list[Point]:
    """Points from text such as "12,40 18.5,44"."""
    return [(float(x), float(y)) for x, y in (pair.split(",") for pair in text.split())]


def lines(text: str) -> list[list[Point]]:
    """One run of points per line of text; what follows a # says what it is."""
    return [points(row.partition("#")[0]) for row in text.strip().splitlines()]


def knots(text: str) -> dict[str, Point]:
    """Named points from text such as "wrist0 156,432  wrist1 160,450"."""
    words = text.split()
    return dict(zip(words[::2], points(" ".join(words[1::2])), strict=True))


class Contour:
    """A smooth line through named points; ``between`` cuts it at two names, forwards or backwards."""

    def __init__(self, named: Mapping[str, Point]) -> None:
        self.knots = dict(named)
        self.curve = smooth(list(self.knots.values()))
        self._index = {name: number for number, name in enumerate(self.knots)}

    def __getitem__(self, name: str) -> Point:
        return self.knots[name]

    def between(self, first: str, last: str) -> Curve:
        """The stretch from one named point to another."""
        one, two = self._index[first], self._index[last]
        if one > two:
            return self.between(last, first).reversed()
        return Curve(self.knots[first], self.curve.segments[one:two])


def oval(centre: Point, radius: float) -> Curve:
    """A closed circle through eight points."""
    angles = [step * pi / 4 for step in range(8)]
    return smooth([(centre[0] + radius * cos(a), centre[1] + radius * sin(a)) for a in angles], closed=True)


def traced(text: str, *contours: Contour) -> Curve:
    """A curve told in words: pieces parted by "|", each "knot>knot" along a contour, or points and knots to smooth.

    Example: "wrist0>wrist1 | wrist1 150,455 wrist1i". A single piece that ends where it starts is smooth there too.
    Raises KeyError for an unknown knot.
    """
    known = {name: point for contour in contours for name, point in contour.knots.items()}
    pieces: list[Curve | list[Point]] = []
    for piece in text.split("|"):
        first, along, last = piece.strip().partition(">")
        if along:
            pieces.append(next(one for one in contours if first in one.knots).between(first, last))
        else:
            pieces.append([points(word)[0] if "," in word else known[word] for word in piece.split()])
    only = pieces[0]
    if len(pieces) == 1 and not isinstance(only, Curve) and only[0] == only[-1]:
        return smooth(only[:-1], closed=True)
    return joined(*pieces)


def centroid(curve: Curve) -> Point:
    """The centre of gravity of the area a closed curve surrounds."""
    edge = curve.sampled()
    area = cx = cy = 0.0
    for (x1, y1), (x2, y2) in zip(edge, [*edge[1:], edge[0]], strict=True):
        cross = x1 * y2 - x2 * y1
        area, cx, cy = area + cross, cx + (x1 + x2) * cross, cy + (y1 + y2) * cross
    return (cx / (3 * area), cy / (3 * area))
