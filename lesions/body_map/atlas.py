"""What a view of the body map is made of, and how half a drawing becomes a whole one.

Every drawing states the patient's RIGHT half once; the left half is computed by mirroring the coordinates, so that a
region's centre is true and both sides cannot drift apart.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

from django.utils.functional import Promise

from lesions.body_map.geometry import Curve, Move, Point, centroid, smooth
from lesions.body_map.shade import insets

Words = str | Promise
NUMBER = re.compile(r"-?\d+\.?\d*")


@dataclass(frozen=True)
class Region:
    """One spot a lesion can be at: ``site`` is a code of sites.csv, ``side`` "R", "L" or "" (midline)."""

    site: str
    side: str
    view: str
    path: str
    cx: float
    cy: float

    @property
    def id(self) -> str:
        return f"{self.view}-{self.site}-{self.side or 'M'}"

    def reaches(self, x: float, y: float, beyond: float) -> bool:
        """Is a point on the region, or no further than ``beyond`` off the box around it?"""
        left, top, right, low = self._box
        return left - beyond <= x <= right + beyond and top - beyond <= y <= low + beyond

    @cached_property
    def _box(self) -> tuple[float, float, float, float]:
        numbers = [float(one) for one in NUMBER.findall(self.path)]
        xs, ys = numbers[::2], numbers[1::2]
        return min(xs), min(ys), max(xs), max(ys)


@dataclass(frozen=True)
class Caption:
    """Words printed on the drawing: which side, which view."""

    x: float
    y: float
    text: Words
    strong: bool = False


@dataclass(frozen=True)
class View:
    """One sheet: outlines (filled silhouette), details (creases, nails), regions in painting order, captions.

    ``links``: (path, view key): a part that is drawn larger on another sheet, such as the hand of the body.
    ``mark``: radius of a lesion mark in this sheet's units. ``bodies``: the silhouettes; ``depths``: of their shading.
    """

    key: str
    title: Words
    description: Words
    width: float
    height: float
    mark: float
    bodies: tuple[Curve, ...]
    details: tuple[str, ...]
    nails: tuple[str, ...]
    regions: tuple[Region, ...]
    captions: tuple[Caption, ...]
    links: tuple[tuple[str, str, str], ...] = ()
    depths: tuple[float, ...] = (2.0, 4.5, 8.0, 12.5)

    @cached_property
    def outlines(self) -> tuple[str, ...]:
        return tuple(body.d(closed=True) for body in self.bodies)

    @cached_property
    def shades(self) -> tuple[str, ...]:
        """Per silhouette the shapes inside it that make it look round, the outermost first."""
        return tuple(inset for body in self.bodies for inset in insets(body, self.depths))

    def region(self, site: str, side: str) -> Region | None:
        """The region of that site and side, or None when this view does not show it."""
        return self._by_place.get((site, side))

    @cached_property
    def _by_place(self) -> dict[tuple[str, str], Region]:
        return {(one.site, one.side): one for one in reversed(self.regions)}


@dataclass
class Sheet:
    """Collects one view. ``right`` and ``left`` send a point of the right half's drawing to each side of the sheet."""

    key: str
    right: Move
    left: Move
    bodies: list[Curve] = field(default_factory=list)
    details: list[str] = field(default_factory=list)
    nails: list[str] = field(default_factory=list)
    regions: list[Region] = field(default_factory=list)
    links: list[tuple[str, str, str]] = field(default_factory=list)

    def pair(self, site: str, *curves: Curve, centre: Point | None = None) -> None:
        """A region of either side. Several curves are one region in several pieces; its centre is the first's."""
        for side, move in (("R", self.right), ("L", self.left)):
            self._add(site, side, [curve.moved(move) for curve in curves], move(centre) if centre else None)

    def middle(self, site: str, half: Curve, centre: Point | None = None) -> None:
        """A region across the midline: ``half`` runs from its top to its bottom on the midline, over the right."""
        self._add(site, "", [self.whole(half)], self.right(centre) if centre else None)

    def whole(self, half: Curve) -> Curve:
        """A curve over the right half, closed by its mirror over the left."""
        right, left = half.moved(self.right), half.moved(self.left).reversed()
        gap = () if right.end == left.start else ((right.end, left.start, left.start),)
        return Curve(right.start, (*right.segments, *gap, *left.segments))

    def outline(self, *curves: Curve) -> None:
        """A filled silhouette on both sides."""
        for move in (self.right, self.left):
            self.bodies += [curve.moved(move) for curve in curves]

    def detail(self, *lines: Sequence[Point] | Curve) -> None:
        """Fine lines on both sides: creases, folds."""
        for line in lines:
            curve = line if isinstance(line, Curve) else smooth(line)
            self.details += [curve.moved(move).d(closed=False) for move in (self.right, self.left)]

    def nail(self, *curves: Curve) -> None:
        """A nail plate on both sides."""
        for move in (self.right, self.left):
            self.nails += [curve.moved(move).d(closed=True) for curve in curves]

    def link(self, curve: Curve, view: str) -> None:
        """A part, on both sides, that another sheet shows larger."""
        for side, move in (("R", self.right), ("L", self.left)):
            self.links.append((curve.moved(move).d(closed=True), view, side))

    def view(
        self,
        title: Words,
        description: Words,
        width: float,
        height: float,
        *,
        mark: float,
        captions: tuple[Caption, ...],
    ) -> View:
        """The finished sheet."""
        return View(
            *(self.key, title, description, width, height, mark),
            *(tuple(self.bodies), tuple(self.details), tuple(self.nails), tuple(self.regions)),
            *(tuple(captions), tuple(self.links)),
        )

    def _add(self, site: str, side: str, curves: list[Curve], centre: Point | None) -> None:
        cx, cy = centre or centroid(curves[0])
        path = "".join(curve.d(closed=True) for curve in curves)
        self.regions.append(Region(site, side, self.key, path, round(cx, 2), round(cy, 2)))
