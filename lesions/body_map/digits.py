"""Fingers and toes: one rule draws each from its base, direction, length and width."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import cos, radians, sin

from lesions.body_map.geometry import Curve, Point, oval, points, smooth

# Half-width along a digit, as a share of the half-width at its base: joints a little wider, the tip round.
FINGER = points(
    "0,1 .15,.96 .28,.955 .34,.955 .40,.94 .50,.91 .60,.895 .65,.895 .70,.885 .78,.87 .85,.85 .90,.80 .94,.68 .97,.51 "
    ".99,.30 1,0"
)
THUMB = points(
    "0,1.22 .10,1.12 .20,1.02 .32,.965 .42,.945 .49,.945 .56,.945 .64,.95 .74,.945 .82,.91 .88,.84 .93,.70 .97,.49 "
    ".99,.28 1,0"
)
TOE = points("0,1 .2,.90 .4,.86 .6,.98 .78,.98 .9,.78 .97,.42 1,0")
NAIL = points(".06,.62 .24,.94 .55,1 .82,.93 .96,.55")


@dataclass(frozen=True)
class Digit:
    """A digit of the right side, pointing down; ``lean`` degrees turns the tip to the viewer's left."""

    name: str
    base: Point
    lean: float
    length: float
    width: float  # half the width at the base
    profile: Sequence[tuple[float, float]]

    def at(self, along: float, across: float = 0.0) -> Point:
        """The point at a share of the length, and a share of the base half-width to the viewer's left (+) or right."""
        turn = radians(self.lean)
        forward, sideways = along * self.length, across * self.width
        return (
            self.base[0] - sin(turn) * forward - cos(turn) * sideways,
            self.base[1] + cos(turn) * forward - sin(turn) * sideways,
        )

    def knots(self, *, left_from: float = 0.0, right_from: float = 0.0) -> dict[str, Point]:
        """Contour points: down the left edge, round the tip, up the right edge. Names: D2.l0.28, D2.tip, D2.r0.28."""
        down = {f"{self.name}.l{t}": self.at(t, w) for t, w in self.profile[:-1] if t >= left_from}
        up = {f"{self.name}.r{t}": self.at(t, -w) for t, w in reversed(self.profile[:-1]) if t >= right_from}
        return down | {f"{self.name}.tip": self.at(1.0)} | up

    def edge(self, along: float) -> float:
        """The half-width share at a profile station."""
        return dict(self.profile)[along]

    def across(self, along: float, *, to_right: bool, bend: float = 0.03) -> Curve:
        """A slightly bowed line over the digit at a profile station."""
        wide = self.edge(along)
        line = [self.at(along, wide), self.at(along + bend, 0.0), self.at(along, -wide)]
        return smooth(line if to_right else line[::-1])

    def crease(self, along: float, span: float = 0.8, bend: float = 0.012) -> list[Point]:
        """A skin crease over ``span`` of the width."""
        wide = self.edge(along) if along in dict(self.profile) else 0.9
        return [self.at(along, wide * span), self.at(along + bend, 0.0), self.at(along, -wide * span)]

    def nail(self, start: float, end: float, wide: float) -> Curve:
        """The nail plate between two stations, ``wide`` a share of the base half-width."""
        long = end - start
        left = [self.at(start + long * t, wide * w) for t, w in NAIL]
        right = [self.at(start + long * t, -wide * w) for t, w in reversed(NAIL)]
        return smooth([self.at(start), *left, self.at(end), *right], closed=True)

    def tag(self, beyond: float, radius: float) -> Curve:
        """A round label beyond the tip that stands for the whole digit."""
        return oval(self.at(1 + beyond), radius)
