"""Charts as SVG text. Pure. Colours are attributes (a file by itself) and classes (the page, light and dark)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

ACCENT, TRACK, INK, SOFT = "#0b656a", "#dfe5eb", "#15202b", "#516070"
WIDTH, ROW, LABEL, GAP = 760, 26, 320, 8


@dataclass(frozen=True)
class Bar:
    """``share`` is 0 to 1 of the full width; None where the figure may not be shown. ``text`` stands behind the bar."""

    label: str
    share: float | None
    text: str


def bars(title: str, description: str, rows: Sequence[Bar]) -> str:
    """Horizontal bars, one a row, each with its number in words."""
    height = ROW * len(rows) + GAP
    room = WIDTH - LABEL - 130
    parts = []
    for index, row in enumerate(rows):
        y = ROW * index + GAP
        share = min(max(row.share or 0.0, 0.0), 1.0)
        parts.append(
            f'<text x="{LABEL - 8}" y="{y + 13}" text-anchor="end" font-size="13" fill="{INK}">'
            f"{escape(row.label)}</text>"
            f'<rect class="track" x="{LABEL}" y="{y + 2}" width="{room}" height="14" rx="2" fill="{TRACK}"/>'
            f'<rect class="bar" x="{LABEL}" y="{y + 2}" width="{room * share:.1f}" height="14" rx="2" fill="{ACCENT}"/>'
            f'<text class="soft-text" x="{LABEL + room + 8}" y="{y + 13}" font-size="13" fill="{SOFT}">'
            f"{escape(row.text)}</text>"
        )
    return _svg(title, description, height, "".join(parts))


def columns(title: str, description: str, values: Sequence[tuple[str, int]]) -> str:
    """Upright columns for counts in time: (label, count); every third label is written."""
    height, base, top = 200, 168, 18
    most = max((count for _label, count in values), default=0) or 1
    step = (WIDTH - 40) / max(len(values), 1)
    parts = [f'<line class="axis" x1="30" x2="{WIDTH - 8}" y1="{base}" y2="{base}" stroke="{SOFT}"/>']
    for index, (label, count) in enumerate(values):
        x, tall = 32 + step * index, (base - top) * count / most
        middle = x + step / 2 - 1
        parts.append(
            f'<rect class="bar" x="{x:.1f}" y="{base - tall:.1f}" width="{max(step - 3, 1):.1f}" height="{tall:.1f}" '
            f'fill="{ACCENT}"/>'
        )
        if count:
            parts.append(_text(middle, base - tall - 4, str(count)))
        if index % 3 == 0:
            parts.append(_text(middle, base + 16, label))
    return _svg(title, description, height, "".join(parts))


def _text(x: float, y: float, words: str) -> str:
    return (
        f'<text class="soft-text" x="{x:.1f}" y="{y:.1f}" text-anchor="middle" font-size="11" fill="{SOFT}">'
        f"{escape(words)}</text>"
    )


def _svg(title: str, description: str, height: int, content: str) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" '
        f'font-family="Inter, Arial, sans-serif"><title>{escape(title)}</title><desc>{escape(description)}</desc>'
        f"{content}</svg>"
    )
