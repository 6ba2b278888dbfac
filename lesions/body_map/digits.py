"""Fingers and toes: one rule draws each from its base, direction, length and width."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import cos, radians, sin

from lesions.body_map.geometry import Curve, Point, joined, oval, smooth

# Half-width along a digit, as a share of the half-width at its base: joints a little wider, the tip round.
FINGER = ((0.0, 1.0), (0.15, 0.97), (0.28, 0.97), (0.34, 0.99), (0.40, 0.96), (0.50, 0.90), (0.60, 0.89), (0.65, 0.90),
          (0.70, 0.87), (0.78, 0.84), (0.87, 0.77), (0.945, 0.55), (0.985, 0.27), (1.0, 0.0))
THUMB = ((0.0, 1.3), (0.10, 1.16), (0.20, 1.04), (0.32, 0.95), (0.42, 0.95), (0.49, 0.98), (0.56, 0.97), (0.64, 0.98),
         (0.74, 0.94), (0.85, 0.80), (0.935, 0.55), (0.98, 0.27), (1.0, 0.0))
TOE = ((0.0, 1.0), (0.2, 0.90), (0.4, 0.86), (0.6, 0.98), (0.78, 0.98), (0.9, 0.78), (0.97, 0.42), (1.0, 0.0))


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
        points = [self.at(along, wide), self.at(along + bend, 0.0), self.at(along, -wide)]
        return smooth(points if to_right else points[::-1])

    def crease(self, along: float, span: float = 0.8, bend: float = 0.012) -> list[Point]:
        """A skin crease over ``span`` of the width."""
        wide = self.edge(along) if along in dict(self.profile) else 0.9
        return [self.at(along, wide * span), self.at(along + bend, 0.0), self.at(along, -wide * span)]

    def nail(self, start: float, end: float, wide: float) -> Curve:
        """The nail plate: straight sides, round at the fold, a gentle free edge."""
        fold = [self.at(start + 0.035, wide), self.at(start + 0.005, wide * 0.6), self.at(start, 0), self.at(start + 0.005, -wide * 0.6),
                self.at(start + 0.035, -wide)]
        free = [self.at(end - 0.03, -wide * 0.96), self.at(end - 0.006, -wide * 0.5), self.at(end, 0), self.at(end - 0.006, wide * 0.5),
                self.at(end - 0.03, wide * 0.96)]
        return joined(fold, free, [free[-1], fold[0]])

    def tag(self, beyond: float, radius: float) -> Curve:
        """A round label beyond the tip that stands for the whole digit."""
        return oval(self.at(1 + beyond), radius, radius)
