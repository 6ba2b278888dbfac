"""Pieces of SVG that every drawing of the body map shares: a path of a class, the words printed on a view."""

from __future__ import annotations

from xml.sax.saxutils import escape

from django.utils.translation import get_language

from lesions.body_map.atlas import Caption, View
from lesions.svg import SOFT, WASH, element

EDGE = "#dbe1e7"  # of the silhouette at its outline

_captions: dict[tuple[str, str], str] = {}


def path(kind: str, d: str, content: str = "", /, **attributes: object) -> str:
    return element("path", content, class_=kind, d=d, **attributes)


def bodies(view: View, *, fill: str = WASH, edge: str = EDGE, line: str = SOFT) -> list[str]:
    """The silhouettes, lighter towards their middle, one after the other: where two overlap, each hides what lies
    behind it. ``fill``: the colour of the middle, ``edge``: at the outline, which is drawn in ``line``."""
    outline = {"class_": "map-body", "fill": edge, "stroke": line, "stroke_width": 1.5, "stroke_linejoin": "round"}
    light = {"class_": "map-light", "fill": fill, "fill_opacity": 0.38}
    count, drawn = len(view.depths), []
    for number, d in enumerate(view.outlines):
        inner = view.shades[number * count : (number + 1) * count]
        drawn.append(element("path", d=d, **outline) + "".join(element("path", d=one, **light) for one in inner))
    return drawn


def captions(view: View) -> str:
    """The words on a view: long, and the same every time, so drawn once per language."""
    key = (view.key, get_language() or "")
    if key not in _captions:
        _captions[key] = "".join(_caption(caption, view.mark) for caption in view.captions)
    return _captions[key]


def _caption(caption: Caption, size: float) -> str:
    return element(
        "text",
        escape(str(caption.text)),
        class_="map-caption map-caption--side" if caption.strong else "map-caption",
        x=caption.x,
        y=caption.y + (0 if caption.strong else size * 0.33),
        font_size=size * (1.2 if caption.strong else 0.95),
        font_weight=650 if caption.strong else None,
        letter_spacing=0.4 if caption.strong else None,
        text_anchor="middle",
        fill=SOFT,
    )
