"""The hands on which a radiograph is scored, as SVG text: a region for each site of the instrument.

The script (hand-score.js) colours and fills it from the table beside it, which says the same in fields; printed or
without a script the table stands for itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from lesions.body_map.atlas import Region, View
from lesions.body_map.bones import bones
from lesions.hand_score import HandInstrument, instrument
from lesions.svg import NAMESPACE, PAPER, SOFT, WASH, element, words


def hand_diagram(tool: HandInstrument, hands: Mapping[str, str]) -> SafeString:
    """``hands``: {"R": "Right hand"}. Raises KeyError for an instrument with a site the drawing does not have."""
    return _drawn(tool.version, get_language() or "", tuple((hand, str(name)) for hand, name in hands.items()))


@cache
def _drawn(version: str, _language: str, hands: tuple[tuple[str, str], ...]) -> SafeString:
    tool, view = instrument(version), bones()
    regions = "".join(
        _region(_spot(view, site, hand), f"{name}, {label[:1].lower()}{label[1:]}")
        for hand, name in hands
        for site, label in tool.labels.items()
    )
    body = "".join(element("path", d=d, class_="map-body", fill=WASH, stroke=SOFT) for d in view.outlines)
    bone = "".join(element("path", d=d, class_="hand-bone", fill=PAPER, stroke=SOFT) for d in view.nails)
    said = "".join(
        words("text", one.text, x=one.x, y=one.y, class_="map-caption map-caption--side", text_anchor="middle")
        for one in view.captions
    )
    told = "".join(
        words("text", "", x=spot.cx, y=spot.cy + 3.5, class_="hand-value", data_value_of=f"{hand}-{site}",
              text_anchor="middle", aria_hidden="true")
        for hand, _name in hands for site in tool.labels for spot in [_spot(view, site, hand)]
    )  # fmt: skip
    return mark_safe(
        element(
            "svg",
            body + regions + bone + told + said,
            xmlns=NAMESPACE,
            class_="hand-diagram",
            viewBox=f"0 0 {view.width:g} {view.height - 24:g}",
            role="group",
            aria_label=_("Both hands: choose a site with the arrow keys"),
            aria_describedby="hand-keys",
            font_family="Inter, sans-serif",
        )
    )


def _spot(view: View, site: str, hand: str) -> Region:
    found = view.region(site, hand)
    if found is None:
        raise KeyError(f"The drawing has no site {hand} {site}")
    return found


def _region(spot: Region, name: str) -> str:
    return element(
        "path", d=spot.path, class_="hand-site", role="button", tabindex="-1", aria_label=name, data_name=name,
        data_site_of=f"{spot.side}-{spot.site}", data_x=spot.cx, data_y=spot.cy, fill="transparent", stroke=SOFT,
    )  # fmt: skip
