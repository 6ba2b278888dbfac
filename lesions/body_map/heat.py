"""The same drawing as a heat map: a number per site, as depth of one colour and as the number itself.

A value belongs to (site, side), side "R", "L" or "" for the midline. A midline site with no sides of its own on the
drawing takes the sum of what was told of it; what the drawing has no spot for is never spread over its neighbours:
``left_over`` names it, to be listed beside the map.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import ceil
from xml.sax.saxutils import escape

from lesions.body_map.atlas import Region, View
from lesions.body_map.parts import bodies, captions, path
from lesions.sites import describe
from lesions.svg import INK, NAMESPACE, PAPER, SOFT, element

Place = tuple[str, str]
Values = Mapping[Place, float]
STEPS = 5
# Fallback fills, light to deep, of the classes heat-1 to heat-5 (body-map.css).
FILLS = ("#d7ecea", "#a9d5d2", "#74b8b6", "#3f9496", "#0b656a")


@dataclass(frozen=True)
class Step:
    """One shade of the scale: values above ``over`` up to ``to``; ``symbol`` is its square for a legend."""

    number: int
    over: float
    to: float

    @property
    def symbol(self) -> str:
        box = element(
            "rect", class_=f"heat-{self.number}", x=1, y=1, width=14, height=14, rx=3, fill=FILLS[self.number - 1],
            stroke=SOFT, stroke_width=0.8,
        )  # fmt: skip
        return element(
            "svg", box, xmlns=NAMESPACE, class_="status-symbol", viewBox="0 0 16 16", width=16, height=16,
            aria_hidden="true", focusable="false",
        )  # fmt: skip


def steps(top: float) -> list[Step]:
    """The five shades of a scale from 0 to ``top``; fewer where only whole numbers up to less than five occur."""
    if top <= 0:
        return []
    count = min(STEPS, ceil(top)) if float(top).is_integer() else STEPS
    edges = [top * number / count for number in range(count + 1)]
    first = STEPS - count
    return [Step(first + n + 1, edges[n], edges[n + 1]) for n in range(count)]


def step_of(value: float, top: float) -> int:
    """The shade of a value, 1 to 5; 0 is no colour."""
    return 0 if value <= 0 else next((one.number for one in steps(top) if value <= one.to), STEPS)


def shown_on(view: View, values: Values) -> dict[Region, float]:
    """The value of every region of a view that has one."""
    found: dict[Region, float] = {}
    for (site, side), value in values.items():
        region = region_of(view, site, side)
        if region is not None:
            found[region] = found.get(region, 0) + value
    return found


def region_of(view: View, site: str, side: str) -> Region | None:
    """Its own region; a sided value of a site that the view draws over the midline belongs there."""
    side = "" if side == "M" else side
    return view.region(site, side) or (view.region(site, "") if side else None)


def render_heat(
    view: View, values: Values, *, top: float, shown: Callable[[float], str], uid: str = ""
) -> str:  # fmt: skip
    """One view as SVG text: each region filled by its value, the number in it, both in words in its title."""
    uid = f"{uid or 'heat'}-{view.key}"
    found = shown_on(view, values)
    told = "; ".join(f"{describe(one.site, one.side)}: {shown(value)}" for one, value in found.items())
    description = f"{view.description} {told}".strip()
    soft = {"stroke": SOFT, "stroke_width": 0.9}
    content = [
        element("title", escape(str(view.title)), id=f"{uid}-title"),
        element("desc", escape(description), id=f"{uid}-desc"),
        *bodies(view),
        *(_region(one, found.get(one), top, shown) for one in view.regions),
        *(path("map-detail", d, fill="none", stroke_linecap="round", opacity=0.55, **soft) for d in view.details),
        captions(view),
        *(_number(one, value, view.mark, shown) for one, value in found.items() if value > 0),
    ]
    return element(
        "svg", "".join(content), xmlns=NAMESPACE, class_="body-map is-heat",
        viewBox=f"0 0 {view.width:g} {view.height:g}", role="img", aria_labelledby=f"{uid}-title",
        aria_describedby=f"{uid}-desc", data_view=view.key, font_family="Inter, sans-serif",
    )  # fmt: skip


def _region(one: Region, value: float | None, top: float, shown: Callable[[float], str]) -> str:
    line = {"stroke": SOFT, "stroke_opacity": 0.3, "stroke_width": 0.9, "data_site": one.site, "data_side": one.side}
    step = step_of(value, top) if value is not None else 0
    if value is None:
        return path("map-region", one.path, fill="transparent", **line)
    title = element("title", escape(f"{describe(one.site, one.side)}: {shown(value)}"))
    kind, fill = (f"map-region heat-{step}", FILLS[step - 1]) if step else ("map-region", "transparent")
    return path(kind, one.path, title, fill=fill, **line)


def _number(one: Region, value: float, size: float, shown: Callable[[float], str]) -> str:
    halo = {"stroke": PAPER, "stroke_width": size * 0.24, "paint_order": "stroke", "text_anchor": "middle"}
    text = shown(value)
    font = size * (1.0 if len(text) < 3 else 0.85)
    at = {"x": one.cx, "y": one.cy + font * 0.36, "font_size": font, "font_weight": 650}
    return element("text", escape(text), class_="mark-label", fill=INK, **at, **halo)
