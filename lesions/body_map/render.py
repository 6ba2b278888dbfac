"""The body map as SVG text: presentation attributes and classes only, so it stands under a strict CSP, prints, and
goes into a PDF. Colours come from body-map.css; the attributes are the fallback where no style sheet reaches.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import cos, pi, sin
from xml.sax.saxutils import escape, quoteattr

from django.utils.translation import gettext as _

from lesions.body_map.atlas import Region, View
from lesions.body_map.marks import Mark, Placed, place, status_key
from lesions.body_map.sites import site_labels

# Fallback colours (light), the same hues as the tokens: Okabe-Ito, darkened where thin lines need contrast.
FALLBACK = {
    "new": "#0072b2", "larger": "#d55e00", "stable": "#5b6875", "smaller": "#00805d", "resolved": "#6b7785",
    "extruded": "#8a6d00", "excised": "#5b6875", "recurred": "#a63d78", "not-examined": "#6b7785", "cluster": "#16202b",
}
INK, SOFT, LINE, PAPER, WASH, ULCER = "#16202b", "#56657a", "#dfe5ec", "#ffffff", "#f5f7fa", "#b3123a"


def render_view(view: View, views: dict[str, View], marks: Iterable[Mark] = (), *, selectable: bool = False) -> str:
    """One view with its marks as an SVG element. ``selectable``: regions are buttons that can be chosen."""
    placed = place(marks, view, views)
    uid = f"map-{view.key}"
    role = "group" if selectable or any(one.mark.href for one in placed) else "img"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="body-map" viewBox="0 0 {view.width:g} {view.height:g}" role="{role}" '
        f'aria-labelledby="{uid}-title {uid}-desc" data-view="{view.key}" font-family="Inter, sans-serif">',
        f'<title id="{uid}-title">{escape(str(view.title))}</title><desc id="{uid}-desc">{escape(_description(view, placed))}</desc>',
        *(f'<path class="map-body" d="{d}" fill="{WASH}" stroke="{SOFT}" stroke-width="1.5" stroke-linejoin="round"/>' for d in view.outlines),
        *_links(view, selectable),
        *(_region(region, selectable) for region in view.regions),
        *(f'<path class="map-nail" d="{d}" fill="{PAPER}" stroke="{SOFT}" stroke-width=".9"/>' for d in view.nails),
        *(f'<path class="map-detail" d="{d}" fill="none" stroke="{SOFT}" stroke-width=".9" stroke-linecap="round" opacity=".55"/>' for d in view.details),
        *(_caption(c.x, c.y, str(c.text), c.strong) for c in view.captions),
        *(_mark(one, view.mark) for one in placed),
        "</svg>",
    ]
    return "".join(parts)


def region_label(region: Region) -> str:
    """"Right knee" in the user's language; the view is said by the drawing's title."""
    name = site_labels().get(region.site, region.site)
    name = name if name[:2].isupper() else name[0].lower() + name[1:]
    if region.side == "R":
        return _("Right %(site)s") % {"site": name}
    if region.side == "L":
        return _("Left %(site)s") % {"site": name}
    return name[0].upper() + name[1:]


def _description(view: View, placed: list[Placed]) -> str:
    if not placed:
        return str(view.description)
    return f"{view.description} " + "; ".join(one.mark.title.replace("\n", "; ") for one in placed)


def _links(view: View, selectable: bool) -> list[str]:
    if not selectable:
        return []
    return [f'<path class="map-link" d="{d}" data-view-link="{key}" fill="transparent"/>' for d, key, _side in view.links]


def _region(region: Region, selectable: bool) -> str:
    label = region_label(region)
    common = (
        f'id="{region.id}" class="map-region" d="{region.path}" data-site="{region.site}" data-side="{region.side}" '
        f'data-view="{region.view}" fill="transparent" stroke="{LINE}" stroke-width=".9"'
    )
    if not selectable:
        return f"<path {common}/>"
    return f'<path {common} tabindex="0" role="button" aria-label={quoteattr(label)}><title>{escape(label)}</title></path>'


def _caption(x: float, y: float, text: str, strong: bool) -> str:
    size, kind = (13, "map-caption map-caption--side") if strong else (11, "map-caption")
    weight = ' font-weight="650" letter-spacing=".4"' if strong else ""
    baseline = y + (0 if strong else 4)
    return f'<text class="{kind}" x="{x:.1f}" y="{baseline:.1f}" font-size="{size}"{weight} text-anchor="middle" fill="{SOFT}">{escape(text)}</text>'


def _mark(one: Placed, radius: float) -> str:
    mark = one.mark
    key = "cluster" if one.count > 1 else status_key(mark.status)
    classes = f"mark mark--{key}" + (" mark--ulcerated" if mark.ulcerated else "") + (" mark--target" if mark.target else "")
    colour = FALLBACK[key]
    parts = []
    if (one.x - one.at_x) ** 2 + (one.y - one.at_y) ** 2 > (radius * 0.9) ** 2:
        parts.append(f'<path class="mark-leader" d="M{one.at_x:.1f} {one.at_y:.1f}L{one.x:.1f} {one.y:.1f}" stroke="{colour}" stroke-width="1"/>')
    if mark.target:
        parts.append(f'<circle class="mark-target" cx="{one.x}" cy="{one.y}" r="{radius * 1.34:.1f}" fill="none" stroke="{colour}" stroke-width="1.4"/>')
    parts.append(shape(key, one.x, one.y, radius))
    size = radius * (0.95 if len(mark.label) <= 2 else 0.8 if len(mark.label) == 3 else 0.66)
    drop = radius * (0.18 if key == "larger" else -0.14 if key == "smaller" else 0.0)
    parts.append(
        f'<text class="mark-label" x="{one.x}" y="{one.y + size * 0.36 + drop:.1f}" font-size="{size:.1f}" font-weight="650" '
        f'text-anchor="middle" fill="{INK}">{escape(mark.label)}</text>'
    )
    if mark.ulcerated:
        reach = radius * 0.82
        parts.append(
            f'<circle class="mark-ulcer" cx="{one.x + reach:.1f}" cy="{one.y - reach:.1f}" r="{radius * 0.38:.1f}" fill="{ULCER}" '
            f'stroke="{PAPER}" stroke-width="1.4"/>'
        )
    body = f'<title>{escape(mark.title)}</title>{"".join(parts)}'
    if mark.href:
        return f'<a class="{classes}" href={quoteattr(mark.href)} aria-label={quoteattr(mark.title)}>{body}</a>'
    return f'<g class="{classes}">{body}</g>'


def shape(key: str, x: float, y: float, r: float) -> str:
    """The shape of a status around (x, y), within about r; one shape per status, so colour is never the only signal."""
    colour = FALLBACK[key]
    look = f'class="mark-shape" fill="{PAPER}" stroke="{colour}" stroke-width="{max(1.3, r * 0.19):.1f}" stroke-linejoin="round"'
    if key in ("new", "cluster"):
        half = r * 0.9
        rounding = r * (0.12 if key == "new" else 0.5)
        return f'<rect {look} x="{x - half:.1f}" y="{y - half:.1f}" width="{2 * half:.1f}" height="{2 * half:.1f}" rx="{rounding:.1f}"/>'
    if key in ("larger", "smaller"):
        return f'<path {look} d="{_polygon(x, y + (0.12 if key == "larger" else -0.12) * r, r * 1.22, 3, up=key == "larger")}"/>'
    if key == "extruded":
        return f'<path {look} stroke-dasharray="{r * 0.42:.1f} {r * 0.22:.1f}" d="{_polygon(x, y, r * 1.15, 4, up=True)}"/>'
    if key == "recurred":
        return f'<path {look} d="{_polygon(x, y, r * 1.08, 5, up=True)}"/>'
    ring = f'<circle {look} cx="{x:.1f}" cy="{y:.1f}" r="{r * 0.95:.1f}"'
    if key == "resolved":  # a thin double ring: nothing left inside
        return f'{ring}/><circle class="mark-inner" cx="{x:.1f}" cy="{y:.1f}" r="{r * 0.66:.1f}" fill="none" stroke="{colour}" stroke-width="1"/>'
    if key == "excised":
        a = r * 0.62
        return (f'{ring}/><path class="mark-inner" d="M{x - a:.1f} {y - a:.1f}L{x + a:.1f} {y + a:.1f}M{x + a:.1f} {y - a:.1f}'
                f'L{x - a:.1f} {y + a:.1f}" stroke="{colour}" stroke-width="{max(1.2, r * 0.12):.1f}" opacity=".55"/>')
    if key == "not-examined":
        return f'{ring} stroke-dasharray="{r * 0.14:.1f} {r * 0.34:.1f}" stroke-linecap="round"/>'
    return f"{ring}/>"


def _polygon(x: float, y: float, r: float, corners: int, *, up: bool) -> str:
    start = -pi / 2 if up else pi / 2
    points = [(x + r * cos(start + 2 * pi * i / corners), y + r * sin(start + 2 * pi * i / corners)) for i in range(corners)]
    return "M" + "L".join(f"{px:.1f} {py:.1f}" for px, py in points) + "Z"


def render_status_symbol(status: str) -> str:
    """A 16-unit inline symbol of a status, for legends and matrix cells; decorative, so write the word beside it."""
    key = status_key(status)
    question = (
        f'<text class="mark-label" x="8" y="11" font-size="8" font-weight="650" text-anchor="middle" fill="{SOFT}">?</text>'
        if key == "not-examined" else ""
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="status-symbol mark mark--{key}" viewBox="0 0 16 16" width="16" height="16" '
        f'aria-hidden="true" focusable="false">{shape(key, 8, 8, 5.8)}{question}</svg>'
    )
