"""Our own anatomical map of body, hands and feet, with the lesions at their sites.

Side is a matter of safety: the patient's right is on the viewer's left (from behind: on the viewer's right), every view
names its sides, and left is always computed from right. Pure: no models, no requests.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from hashlib import sha256

from lesions.body_map import body, feet, hands
from lesions.body_map.atlas import Region, View
from lesions.body_map.marks import Mark, Placed
from lesions.body_map.marks import place as _place
from lesions.body_map.render import region_label, render_drawing, render_status_symbol, render_view

__all__ = [
    "MAP_VERSION",
    "VIEWS",
    "Mark",
    "Placed",
    "Region",
    "View",
    "drawing",
    "place",
    "region_label",
    "render",
    "render_status_symbol",
]

MAP_VERSION = "1"
VIEWS: dict[str, View] = {
    view.key: view for view in (body.front(), body.back(), hands.palmar(), hands.dorsal(), feet.feet())
}


def place(marks: Iterable[Mark], view: View) -> list[Placed]:
    """The marks that belong on ``view``, with their coordinates; every mark belongs on exactly one view."""
    return _place(marks, view, VIEWS)


def render(view_key: str, marks: Iterable[Mark] = (), selectable: bool = False, drawing: str = "") -> str:
    """One view ("front", "back", "palmar", "dorsal", "feet") as SVG text. Raises KeyError for another key.

    ``drawing``: the address of ``drawing()``; the text then holds the marks only."""
    return render_view(VIEWS[view_key], VIEWS, marks, selectable=selectable, drawing=drawing)


@cache
def drawing() -> tuple[str, str]:
    """(SVG text, its digest) of what lies behind the marks of all views: the same for every patient."""
    text = render_drawing(VIEWS.values())
    return text, sha256(text.encode()).hexdigest()[:16]
