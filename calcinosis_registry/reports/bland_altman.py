"""Difference against mean of two readers, with the limits of agreement, as SVG text. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape
from math import ceil, floor, log10

from calcinosis_registry.reports.reliability import Limits

ACCENT, TRACK, INK, SOFT = "#0b656a", "#dfe5eb", "#15202b", "#516070"  # a file by itself; the page has classes
WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 760, 340, 64, 150, 16, 44
Spot = tuple[float, float, str]  # mean, difference, words
Scale = Callable[[float], float]


def bland_altman(title: str, description: str, spots: Sequence[Spot], limits: Limits, axes: tuple[str, str]) -> str:
    """``axes``: what stands under and beside the picture. Lines and their numbers stand at the right edge."""
    most = max([one[0] for one in spots] + [1.0])
    reach = max(abs(value) for value in [limits.low, limits.high, *(one[1] for one in spots), 1.0]) * 1.08

    def x(mean: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * mean / most

    def y(difference: float) -> float:
        return TOP + (HEIGHT - TOP - BOTTOM) * (reach - difference) / (2 * reach)

    parts = [
        f'<rect class="track" x="{LEFT}" y="{y(limits.high):.1f}" width="{WIDTH - LEFT - RIGHT}" '
        f'height="{max(y(limits.low) - y(limits.high), 1):.1f}" fill="{TRACK}" fill-opacity="0.5"/>',
        f'<line class="axis" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(0):.1f}" y2="{y(0):.1f}" stroke="{SOFT}"/>',
        *_lines(limits, y),
        *_ticks(x, y, most, reach),
    ]
    for mean, difference, told in spots:
        parts.append(
            f'<circle class="bar" cx="{x(mean):.1f}" cy="{y(difference):.1f}" r="4" fill="{ACCENT}" '
            f'fill-opacity="0.75"><title>{escape(told)}</title></circle>'
        )
    middle, half = (LEFT + WIDTH - RIGHT) / 2, (TOP + HEIGHT - BOTTOM) / 2
    parts.append(_text(middle, HEIGHT - 8, axes[0]))
    parts.append(
        f'<text class="soft-text" transform="translate(14 {half:.0f}) rotate(-90)" text-anchor="middle" '
        f'font-size="12" fill="{SOFT}">{escape(axes[1])}</text>'
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'font-family="Inter, Arial, sans-serif"><title>{escape(title)}</title><desc>{escape(description)}</desc>'
        f"{''.join(parts)}</svg>"
    )


def _lines(limits: Limits, y: Scale) -> list[str]:
    """The mean and the two limits; names that would lie on each other are moved apart."""
    told = [(limits.high, "+1.96 SD", "6 4"), (limits.mean, "mean", ""), (limits.low, "−1.96 SD", "6 4")]
    parts, last = [], -100.0
    for value, name, dashes in told:
        at = y(value)
        label = max(at + 4, last + 14)
        last = label
        dash = f' stroke-dasharray="{dashes}"' if dashes else ""
        parts.append(
            f'<line class="rule" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{at:.1f}" y2="{at:.1f}" stroke="{ACCENT}" '
            f'stroke-width="1.5"{dash}/><text x="{WIDTH - RIGHT + 8}" y="{label:.1f}" font-size="12" fill="{INK}">'
            f"{escape(name)} {value:.1f}</text>"
        )
    return parts


def _ticks(x: Scale, y: Scale, most: float, reach: float) -> list[str]:
    parts = [_text(x(value), HEIGHT - BOTTOM + 16, f"{value:.0f}") for value in _round_values(0, most)]
    parts += [
        f'<text class="soft-text" x="{LEFT - 8}" y="{y(value) + 4:.1f}" text-anchor="end" font-size="11" '
        f'fill="{SOFT}">{value:.0f}</text>'
        for value in _round_values(-reach, reach)
    ]
    return parts


def _round_values(low: float, high: float) -> list[float]:
    """Four to eight round numbers between the two."""
    raw = (high - low) / 5
    power = 10 ** floor(log10(raw))
    step = next(step * power for step in (1, 2, 5, 10) if step * power >= raw)
    return [step * place for place in range(ceil(low / step), floor(high / step) + 1)]


def _text(x: float, y: float, words: str) -> str:
    return (
        f'<text class="soft-text" x="{x:.1f}" y="{y:.1f}" text-anchor="middle" font-size="11" fill="{SOFT}">'
        f"{escape(words)}</text>"
    )
