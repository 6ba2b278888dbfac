"""Bars and columns: shares of a whole, counts in time, parts of a whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from calcinosis_registry.reports.figures.canvas import (
    ACCENT,
    INK,
    LINE,
    SERIES,
    SOFT,
    WIDTH,
    clip,
    element,
    key,
    picture,
    rule,
    spot,
    text,
)

ROW, LABEL, GAP, BEHIND = 28.0, 268.0, 8.0, 170.0


@dataclass(frozen=True)
class Bar:
    """``share`` is 0 to 1 of the full width; None where the figure may not be shown. ``text`` stands behind the bar.

    ``low``, ``high``: its interval; ``lines``: published values to set beside, as shares.
    """

    label: str
    share: float | None
    text: str
    low: float | None = None
    high: float | None = None
    lines: tuple[float, ...] = ()
    is_head: bool = False  # of the rows below it: words only


def bars(title: str, description: str, rows: Sequence[Bar], *, track: bool = True) -> str:
    """Horizontal bars, one a row, each with its number in words; published values as open diamonds."""
    room = WIDTH - LABEL - BEHIND
    parts = [_bar(row, ROW * index + GAP, room, track) for index, row in enumerate(rows)]
    height = ROW * len(rows) + GAP
    if any(row.lines for row in rows):
        parts.append(_diamond(LABEL + 6, height + 10) + text("published", LABEL + 18, height + 14, size=11.5))
        height += 22
    return picture(title, description, height, "".join(parts))


def _bar(row: Bar, y: float, room: float, track: bool) -> str:
    if row.is_head:
        return text(row.label, 4, y + 15, size=13, kind="ink-text", fill=INK, weight=600)
    parts = [
        text(clip(row.label, LABEL - 10, 13), LABEL - 10, y + 15, anchor="end", size=13, kind="ink-text", fill=INK)
    ]
    if track:
        parts.append(element("rect", class_="track", x=LABEL, y=y + 3, width=room, height=16, rx=3, fill=LINE))
    if row.share is not None:
        long = room * min(max(row.share, 0.0), 1.0)
        parts.append(
            element("rect", class_="bar", x=LABEL, y=y + 3, width=round(long, 1), height=16, rx=3, fill=ACCENT)
        )
    if row.low is not None and row.high is not None:
        parts.append(_whisker(LABEL + room * min(row.low, 1.0), LABEL + room * min(row.high, 1.0), y + 11))
    parts += [_diamond(LABEL + room * min(one, 1.0), y + 11) for one in row.lines]
    parts.append(text(row.text, LABEL + room + 10, y + 15, size=12.5))
    return spot("".join(parts), f"{row.label}: {row.text}")


def _whisker(low: float, high: float, y: float) -> str:
    """White under ink: seen on the bar and on the track."""
    back = rule(low, y, high, y, kind="whisker-back", stroke="#ffffff", width=3.6)
    ends = "".join(rule(x, y - 3.5, x, y + 3.5, kind="whisker", stroke=INK, width=1.4) for x in (low, high))
    return back + rule(low, y, high, y, kind="whisker", stroke=INK, width=1.4) + ends


def _diamond(x: float, y: float) -> str:
    return element("path", d=f"M{x:.1f} {y - 6:.1f}l6 6l-6 6l-6 -6Z", fill="#ffffff", stroke=INK, stroke_width=1.4,
                   class_="published")  # fmt: skip


def columns(title: str, description: str, values: Sequence[tuple[str, int]], *, every: int = 3) -> str:
    """Upright columns for counts in time: (label, count); every third label is written."""
    height, base, top = 210.0, 172.0, 22.0
    most = max((count for _label, count in values), default=0) or 1
    step = (WIDTH - 40) / max(len(values), 1)
    parts = [rule(30, base, WIDTH - 8, base, kind="axis", stroke=SOFT)]
    for index, (label, count) in enumerate(values):
        x, tall = 32 + step * index, (base - top) * count / most
        middle = x + step / 2 - 1
        drawn = element("rect", class_="bar", x=x, y=round(base - tall, 1), width=max(step - 3, 1), rx=min(3, tall / 2),
                        height=round(tall, 1), fill=ACCENT)  # fmt: skip
        drawn += text(count, middle, base - tall - 5, anchor="middle", size=11) if count else ""
        reach = element("rect", x=x, y=top, width=step, height=base - top, fill="transparent")
        parts.append(spot(reach + drawn, f"{label}: {count}"))
        if index % every == 0:
            parts.append(text(label, middle, base + 17, anchor="middle", size=11))
    return picture(title, description, height, "".join(parts))


def stacked(
    title: str,
    description: str,
    names: Sequence[str],
    rows: Sequence[tuple[str, Sequence[float | None], str]],
    *,
    looks: Sequence[int],
) -> str:
    """Parts of a whole: a row is (label, count of each name, what stands behind); None where it may not be shown.

    ``looks``: the colour of each name, by its place in SERIES.
    """
    drawn_key, tall = key(names, 20, 16, line=False, room=WIDTH - 20, looks=looks)
    room, parts, top = WIDTH - LABEL - 90, [drawn_key], tall + GAP
    for index, (label, counts, behind) in enumerate(rows):
        y, x = top + ROW * index, LABEL
        whole = sum(count or 0 for count in counts)
        parts.append(text(clip(label, LABEL - 10, 13), LABEL - 10, y + 15, anchor="end", size=13, kind="ink-text",
                          fill=INK))  # fmt: skip
        for which, (name, count) in enumerate(zip(names, counts, strict=True)):
            if not count or not whole:
                continue
            long = room * count / whole
            look = {"fill": SERIES[looks[which]], "class_": f"area s{looks[which] + 1}"}
            piece = element("rect", x=x, y=y + 3, width=max(long - 1, 0.5), height=17, **look)
            if long > 26:
                piece += text(f"{count:g}", x + long / 2, y + 16, anchor="middle", size=11, kind="on-area",
                              fill="#ffffff", weight=600)  # fmt: skip
            parts.append(spot(piece, f"{label}, {name}: {count:g}"))
            x += long
        parts.append(text(behind, LABEL + room + 10, y + 15, size=12.5))
    return picture(title, description, top + ROW * len(rows) + GAP, "".join(parts))
