"""Our own anatomical map of body, hands and feet, with the lesions at their sites.

Side is a matter of safety: the patient's right is on the viewer's left (from behind: on the viewer's right), every view
names its sides, and left is always computed from right. Pure: no models, no requests.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from hashlib import sha256

from lesions.body_map import body, feet, hands
from lesions.body_map import heat as _heat
from lesions.body_map.atlas import Region, View
from lesions.body_map.heat import Step
from lesions.body_map.marks import Mark, Placed
from lesions.body_map.marks import place as _place
from lesions.body_map.render import region_label, render_drawing, render_status_symbol, render_view

__all__ = [
    "MAP_VERSION",
    "VIEWS",
    "Mark",
    "Placed",
    "Region",
    "Step",
    "View",
    "drawing",
    "heat",
    "heat_scale",
    "left_over",
    "place",
    "region_label",
    "render",
    "render_status_symbol",
]

MAP_VERSION = "2"


class _Views(Mapping[str, View]):
    """Each is drawn when it is first looked at, and kept: a command, which shows none, does not wait for them."""

    DRAWN_BY: Mapping[str, Callable[[], View]] = {
        "front": body.front, "back": body.back, "palmar": hands.palmar, "dorsal": hands.dorsal, "feet": feet.feet,
    }  # fmt: skip

    def __init__(self) -> None:
        self._drawn: dict[str, View] = {}

    def __getitem__(self, key: str) -> View:
        if key not in self._drawn:
            self._drawn[key] = self.DRAWN_BY[key]()
        return self._drawn[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self.DRAWN_BY)

    def __len__(self) -> int:
        return len(self.DRAWN_BY)


VIEWS = _Views()


def place(marks: Iterable[Mark], view: View) -> list[Placed]:
    """The marks that belong on ``view``, with their coordinates; every mark belongs on exactly one view."""
    return _place(marks, view, VIEWS)


def render(view_key: str, placed: Sequence[Placed] = (), *, selectable: bool = False, drawing: str = "") -> str:
    """One view ("front", "back", "palmar", "dorsal", "feet") as SVG text. Raises KeyError for another key.

    ``placed``: its marks. ``drawing``: the address of ``drawing()``; the text then holds the marks only."""
    return render_view(VIEWS[view_key], placed, selectable=selectable, drawing=drawing)


@cache
def drawing() -> tuple[str, str]:
    """(SVG text, its digest) of what lies behind the marks of all views: the same for every patient."""
    text = render_drawing(VIEWS.values())
    return text, sha256(text.encode()).hexdigest()[:16]


def _placed(values: Mapping[str | tuple[str, str], float]) -> dict[tuple[str, str], float]:
    return {(key, "") if isinstance(key, str) else key: value for key, value in values.items()}


def heat(
    values: Mapping[str | tuple[str, str], float],
    *,
    top: float | None = None,
    shown: Callable[[float], str] = "{:g}".format,
    uid: str = "heat",
) -> dict[str, str]:
    """{view key: SVG text} of the views on which something is to be seen, in the order of ``VIEWS``.

    ``values``: {(site, side): number}, side "R", "L" or "" (midline); a bare site stands for (site, ""). ``top``: the
    end of the scale (the largest value). ``shown``: the number in words, such as "12" or "34 %"; a number withheld for
    privacy is left out of ``values`` by the caller. A site seen from two sides is coloured in both views. Beside it
    belong ``heat_scale(top)`` and ``left_over(values)``, and the equal table.
    """
    told = _placed(values)
    end = max(told.values(), default=0) if top is None else top
    seen = [view for view in VIEWS.values() if any(value > 0 for value in _heat.shown_on(view, told).values())]
    return {view.key: _heat.render_heat(view, told, top=end, shown=shown, uid=uid) for view in seen}


def heat_scale(top: float) -> list[Step]:
    """The shades of a heat map up to ``top``, light to deep, each with its ``symbol`` for the legend."""
    return _heat.steps(top)


def left_over(values: Mapping[str | tuple[str, str], float]) -> dict[tuple[str, str], float]:
    """What of ``values`` no view has a spot for (HAND, GENERALISED, ...): to be listed beside the map."""
    return {
        place: value
        for place, value in _placed(values).items()
        if not any(_heat.region_of(view, *place) for view in VIEWS.values())
    }
