"""The body map as SVG text: presentation attributes and classes only, so it stands under a strict CSP, prints, and
goes into a PDF. Colours come from body-map.css; the attributes are the fallback where no style sheet reaches.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import cos, hypot, pi, sin
from xml.sax.saxutils import escape

from django.utils.translation import get_language

from lesions.body_map.atlas import Region, View
from lesions.body_map.marks import Placed, aspect_on, status_key
from lesions.body_map.parts import EDGE, bodies
from lesions.body_map.parts import captions as _captions
from lesions.body_map.parts import path as _path
from lesions.sites import describe
from lesions.svg import INK, LINE, NAMESPACE, PAPER, SOFT, ULCER, WASH, element, quoted

# Fallback colours (light), the same hues as the tokens: Okabe-Ito, darkened where thin lines need contrast.
FALLBACK = {
    "new": "#0069a6",
    "larger": "#b84a00",
    "stable": "#5c6875",
    "smaller": "#00704f",
    "resolved": "#5c6875",
    "extruded": "#7d5a00",
    "excised": "#3c4855",
    "recurred": "#97386f",
    "not-examined": "#5f6b78",
    "cluster": "#15202b",
}

# Where one region ends is no line of the body: dots, and the anatomy in lines.
BORDER = {"stroke_dasharray": "0.1 3.2", "stroke_linecap": "round"}


def render_view(view: View, placed: Sequence[Placed], *, selectable: bool = False, drawing: str = "") -> str:
    """One view with its marks as an SVG element. ``selectable``: regions are buttons that can be chosen. ``drawing``:
    the address of ``render_drawing()``'s file, which then says what lies behind the marks."""
    uid = f"map-{view.key}"
    content = [
        element("title", escape(str(view.title)), id=f"{uid}-title"),
        element("desc", escape(_description(view, placed)), id=f"{uid}-desc"),
        _drawn_elsewhere(view, drawing, selectable) if drawing else _backdrop(view, selectable),
        *(_mark(one, view.mark) for one in placed),
    ]
    return element(
        "svg",
        "".join(content),
        xmlns=NAMESPACE,
        class_="body-map",
        viewBox=f"0 0 {view.width:g} {view.height:g}",
        role="group" if selectable or any(one.mark.href for one in placed) else "img",
        aria_labelledby=f"{uid}-title",
        aria_describedby=f"{uid}-desc",
        data_view=view.key,
        font_family="Inter, sans-serif",
    )


def render_drawing(views: Iterable[View]) -> str:
    """What lies behind the marks of every view, without words, as a file that browsers keep: a page with five views has
    a tenth of the text. Style sheets do not reach into it, but their variables do, so it follows the theme."""
    return element("svg", "".join(element("g", _silhouette(view), id=view.key) for view in views), xmlns=NAMESPACE)


def _silhouette(view: View) -> str:
    """Body, regions, nails and creases of a view: a path each, as body-map.css would paint them."""
    ink = f"var(--ink-soft, {SOFT})"
    soft = {"stroke": ink, "stroke_width": 0.9}
    body = {"fill": f"var(--map-body, {WASH})", "edge": f"var(--map-edge, {EDGE})", "line": ink}
    regions = "".join(region.path for region in view.regions)
    # Bodies and nails one by one: where two overlap, each hides what lies behind it.
    return "".join(
        [
            *bodies(view, **body),
            element("path", d=regions, fill="none", stroke_opacity=0.45, **BORDER, **soft),
            *(element("path", d=d, fill=f"var(--paper, {PAPER})", stroke_opacity=0.75, **soft) for d in view.nails),
            element("path", d="".join(view.details), fill="none", stroke_linecap="round", stroke_opacity=0.5, **soft),
        ]
    )


def _drawn_elsewhere(view: View, drawing: str, selectable: bool) -> str:
    """The drawing behind by its address; in the page its words, which the file cannot translate, and what is chosen."""
    behind = f"<use href={quoted(f'{drawing}#{view.key}')}/>"
    if not selectable:
        return behind + _captions(view)
    key = (view.key, "regions", get_language() or "")
    if key not in _drawn:
        _drawn[key] = "".join([*_links(view), *(_region(region, True, bare=True) for region in view.regions)])
    return behind + _drawn[key] + _captions(view)


def _links(view: View) -> list[str]:
    return [_path("map-link", d, fill="transparent", data_view_link=other) for d, other, _side in view.links]


_drawn: dict[tuple[str, bool | str, str], str] = {}


def _backdrop(view: View, selectable: bool) -> str:
    """Everything of a view but its lesions. It is long, and the same every time: drawn once per language."""
    key = (view.key, selectable, get_language() or "")
    if key not in _drawn:
        soft = {"stroke": SOFT, "stroke_width": 0.9}
        parts = [
            *bodies(view),
            *(_links(view) if selectable else ()),
            *(_region(region, selectable) for region in view.regions),
            *(_path("map-nail", d, fill=PAPER, **soft) for d in view.nails),
            *(_path("map-detail", d, fill="none", stroke_linecap="round", opacity=0.55, **soft) for d in view.details),
            _captions(view),
        ]
        _drawn[key] = "".join(parts)
    return _drawn[key]


def region_label(region: Region) -> str:
    """A region in words, such as "Right knee"; the view is said by the drawing's title."""
    return describe(region.site, region.side)


def _description(view: View, placed: Sequence[Placed]) -> str:
    if not placed:
        return str(view.description)
    return f"{view.description} " + "; ".join(one.mark.title.replace("\n", "; ") for one in placed)


def _region(region: Region, selectable: bool, *, bare: bool = False) -> str:
    """``bare``: its border stands in the drawing behind."""
    common = {
        "id": region.id,
        "data_site": region.site,
        "data_side": region.side,
        "data_view": region.view,
        "fill": "transparent",
        **({} if bare else {"stroke": LINE, "stroke_width": 0.9, **BORDER}),
    }
    if not selectable:
        return _path("map-region", region.path, **common)
    label, aspect = region_label(region), aspect_on(region)
    common |= {"data_loose": ""} if aspect is None else {"data_aspect": aspect} if aspect else {}
    title = element("title", escape(label))
    kind = "map-region is-bare" if bare else "map-region"
    return _path(kind, region.path, title, tabindex=0, role="button", aria_label=label, **common)


def _mark(one: Placed, radius: float) -> str:
    mark, x, y = one.mark, one.x, one.y
    key = "cluster" if one.count > 1 else status_key(mark.status)
    colour = FALLBACK[key]
    parts = [element("title", escape(mark.title))]
    if hypot(x - one.at_x, y - one.at_y) > radius * 0.9:
        parts.append(_path("mark-leader", f"M{one.at_x:.1f} {one.at_y:.1f}L{x:.1f} {y:.1f}", stroke=colour))
    if mark.target:
        ring = {"cx": x, "cy": y, "r": radius * 1.34, "fill": "none", "stroke": colour, "stroke_width": 1.4}
        parts.append(element("circle", class_="mark-target", **ring))
    parts += [shape(key, x, y, radius), _label(mark.label, key, x, y, radius)]
    if mark.ulcerated:
        reach = radius * 0.82
        dot = {
            "cx": x + reach,
            "cy": y - reach,
            "r": radius * 0.38,
            "fill": ULCER,
            "stroke": PAPER,
            "stroke_width": 1.4,
        }
        parts.append(element("circle", class_="mark-ulcer", **dot))
    classes = f"mark mark--{key}" + " mark--ulcerated" * mark.ulcerated + " mark--target" * mark.target
    # Where and how large: what a script needs to draw another status at the same spot.
    spot = {"data_lesion": mark.label, "data_x": x, "data_y": y, "data_r": radius}
    if one.members:
        spot["data_members"] = " ".join(one.members)
    if mark.href:
        return element("a", "".join(parts), class_=classes, href=mark.href, aria_label=mark.title, **spot)
    return element("g", "".join(parts), class_=classes, **spot)


def _label(text: str, key: str, x: float, y: float, radius: float) -> str:
    """The lesion's label in its shape, on a halo of paper so that it stays readable over the outline."""
    size = radius * {1: 1.0, 2: 0.95, 3: 0.8}.get(len(text), 0.66)
    drop = radius * {"larger": 0.18, "smaller": -0.14}.get(key, 0.0)
    halo = {"stroke": PAPER, "stroke_width": radius * 0.22, "paint_order": "stroke", "text_anchor": "middle"}
    place_ = {"x": x, "y": y + size * 0.36 + drop, "font_size": size, "font_weight": 650}
    return element("text", escape(text), class_="mark-label", fill=INK, **place_, **halo)


def shape(key: str, x: float, y: float, r: float) -> str:
    """The shape of a status around (x, y), within about r; one per status, so that colour is never the only signal."""
    colour = FALLBACK[key]
    look = {"fill": PAPER, "stroke": colour, "stroke_width": max(1.3, r * 0.19), "stroke_linejoin": "round"}
    if key in ("new", "cluster"):
        half = r * 0.9
        box = {"x": x - half, "y": y - half, "width": 2 * half, "height": 2 * half}
        return element("rect", class_="mark-shape", rx=r * (0.12 if key == "new" else 0.5), **box, **look)
    if key in ("larger", "smaller"):
        up = key == "larger"
        return _path("mark-shape", _polygon(x, y + r * (0.12 if up else -0.12), r * 1.22, 3, up=up), **look)
    if key == "extruded":
        dashes = f"{r * 0.42:.1f} {r * 0.22:.1f}"
        return _path("mark-shape", _polygon(x, y, r * 1.15, 4, up=True), stroke_dasharray=dashes, **look)
    if key == "recurred":
        return _path("mark-shape", _polygon(x, y, r * 1.08, 5, up=True), **look)
    if key == "not-examined":
        look |= {"stroke_dasharray": f"{r * 0.14:.1f} {r * 0.34:.1f}", "stroke_linecap": "round"}
    ring = element("circle", class_="mark-shape", cx=x, cy=y, r=r * 0.95, **look)
    return _behind(key, x, y, r) + ring + _inside(key, x, y, r)


def _behind(key: str, x: float, y: float, r: float) -> str:
    """Excised: a cross behind the ring, reaching beyond it so that the label does not hide it."""
    if key != "excised":
        return ""
    left, right, top, low = (f"{value:.1f}" for value in (x - r, x + r, y - r, y + r))
    cross = f"M{left} {top}L{right} {low}M{right} {top}L{left} {low}"
    return _path("mark-inner", cross, stroke=FALLBACK[key], stroke_width=max(1.2, r * 0.17), stroke_linecap="round")


def _inside(key: str, x: float, y: float, r: float) -> str:
    """Resolved: a second, thin ring."""
    if key != "resolved":
        return ""
    thin = {"fill": "none", "stroke": FALLBACK[key], "stroke_width": 1}
    return element("circle", class_="mark-inner", cx=x, cy=y, r=r * 0.66, **thin)


def _polygon(x: float, y: float, r: float, corners: int, *, up: bool) -> str:
    turns = [(-pi / 2 if up else pi / 2) + 2 * pi * i / corners for i in range(corners)]
    return "M" + "L".join(f"{x + r * cos(turn):.1f} {y + r * sin(turn):.1f}" for turn in turns) + "Z"


def render_status_symbol(status: str) -> str:
    """A 16-unit inline symbol of a status, for legends and matrix cells; decorative, so write the word beside it."""
    key = status_key(status)
    question = _label("?", key, 8, 8, 7.5) if key == "not-examined" else ""
    return element(
        "svg",
        shape(key, 8, 8, 5.8) + question,
        xmlns=NAMESPACE,
        class_=f"status-symbol mark mark--{key}",
        viewBox="0 0 16 16",
        width=16,
        height=16,
        aria_hidden="true",
        focusable="false",
    )
