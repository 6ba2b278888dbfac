"""A sparkline: one lesion's size in a table cell."""

from __future__ import annotations

from collections.abc import Sequence

from lesions.svg import NAMESPACE, SOFT, element, words


def sparkline(points: Sequence[tuple[float, float | None]], *, label: str, look: str = "", width: float = 112) -> str:
    """One small line of (position, value); positions as numbers (days), None where not measured: the line has a gap.

    The scale starts at 0, so that two lesions' lines can be compared in shape. "" when nothing was measured.
    """
    known = [(x, value) for x, value in points if value is not None]
    if not known:
        return ""
    height, edge = 28.0, 4.0
    low, high = points[0][0], points[-1][0]
    top = max(value for _x, value in known) or 1.0

    def place(x: float, value: float) -> str:
        across = (x - low) / (high - low) if high > low else 0.5
        return f"{edge + across * (width - 2 * edge):.1f} {height - edge - value / top * (height - 2 * edge):.1f}"

    line = "M" + "L".join(place(x, value) for x, value in known)
    last_x, last_y = place(*known[-1]).split()
    style = {
        "fill": "none",
        "stroke": SOFT,
        "stroke_width": 1.75,
        "stroke_linecap": "round",
        "stroke_linejoin": "round",
    }
    parts = [words("title", label)]
    if len(known) > 1:
        parts.append(element("path", d=line, class_="spark-line", **style))
    parts.append(element("circle", class_="spark-end", cx=last_x, cy=last_y, r=2.6, fill=SOFT))
    return element(
        "svg", "".join(parts), xmlns=NAMESPACE, class_=f"spark {look}".strip(), viewBox=f"0 0 {width:g} {height:g}",
        width=width, height=height, role="img", aria_label=label,
    )  # fmt: skip
