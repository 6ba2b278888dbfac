"""A drawing that passes for a hand radiograph at a glance: bones, soft tissue, deposits where the story puts them."""

from __future__ import annotations

import io
import math
from collections.abc import Iterable
from itertools import pairwise
from typing import Any

from calcinosis_registry.demo.told import Dice

SIZE = (720, 540)
WRIST = {"R": (190, 400), "L": (530, 400)}
# {digit: (degrees from upwards, lengths from the wrist outwards)} of the right hand, thumb to the viewer's left
RAYS: dict[str, tuple[float, tuple[int, ...]]] = {
    "D1": (-48, (70, 44, 34)), "D2": (-13, (112, 56, 36, 26)), "D3": (-3, (112, 62, 42, 28)),
    "D4": (7, (104, 56, 40, 26)), "D5": (18, (96, 44, 30, 24)),
}  # fmt: skip
# Which piece of the ray a site lies on, and how far along it: metacarpal 0, proximal phalanx 1, ...
SPOTS = {
    "MCP": (1, 0.0),
    "PROX": (1, 0.5),
    "PIP": (2, 0.0),
    "IP": (2, 0.0),
    "MID": (2, 0.5),
    "DIP": (3, 0.0),
    "DIST": (-1, 0.4),
    "PULP": (-1, 0.9),
    "NAIL": (-1, 0.8),
    "": (1, 0.6),
}
Point = tuple[float, float]


def joints(digit: str, side: str) -> list[Point]:
    """The ends of the bones of one ray, wrist first, in pixels."""
    angle, lengths = RAYS[digit]
    sign = 1 if side == "R" else -1
    x, y = WRIST[side]
    x += sign * {"D1": -22, "D2": -14, "D3": -4, "D4": 8, "D5": 20}[digit]
    found = [(float(x), y - 30.0 + (12 if digit == "D1" else 0))]
    for length in lengths:
        x0, y0 = found[-1]
        found.append((x0 + sign * length * math.sin(math.radians(angle)), y0 - length * math.cos(math.radians(angle))))
    return found


def spot(site: str, side: str) -> Point | None:
    """Where a site of the hand lies on the drawing; None for what it does not show."""
    _hand, _dot, rest = site.partition(".")
    digit, _dot, segment = rest.partition(".")
    if digit not in RAYS or side not in WRIST or segment not in SPOTS:
        return (WRIST[side][0], WRIST[side][1] - 90) if site.startswith("HAND") and side in WRIST else None
    ends = joints(digit, side)
    piece, along = SPOTS[segment]
    start = len(ends) - 2 if piece == -1 else min(piece, len(ends) - 2)
    (x0, y0), (x1, y1) = ends[start], ends[start + 1]
    return x0 + along * (x1 - x0), y0 + along * (y1 - y0)


def draw(dice: Dice, deposits: Iterable[tuple[str, str, float]]) -> bytes:
    """PNG of both hands, 8-bit grey. ``deposits``: (site, side, longest diameter in mm) of each."""
    import numpy as np
    from PIL import Image, ImageDraw, ImageFilter

    tissue, bone = Image.new("L", SIZE, 12), Image.new("L", SIZE, 0)
    for side in WRIST:
        _hand(ImageDraw.Draw(tissue), ImageDraw.Draw(bone), side)
    calcium = Image.new("L", SIZE, 0)
    for site, side, millimetres in deposits:
        if place := spot(site, side):
            _deposit(ImageDraw.Draw(calcium), dice, place, millimetres)
    layers = [
        np.asarray(layer.filter(ImageFilter.GaussianBlur(blur)), float)
        for layer, blur in ((tissue, 6), (bone, 1.6), (calcium, 1.1))
    ]
    noise = np.random.default_rng(dice.whole(0, 2**31)).normal(0, 3, layers[0].shape)
    picture = Image.fromarray(np.clip(layers[0] + 0.55 * layers[1] + 0.8 * layers[2] + noise, 0, 255).astype("uint8"))
    words = ImageDraw.Draw(picture)
    words.text((24, 24), "R", fill=230)
    words.text((SIZE[0] - 34, 24), "L", fill=230)
    words.text((SIZE[0] / 2 - 60, SIZE[1] - 24), "invented, not a patient", fill=170)
    return png(picture)


def _hand(tissue: Any, bone: Any, side: str) -> None:
    x, y = WRIST[side]
    tissue.rounded_rectangle((x - 52, y - 150, x + 56, y + 20), radius=40, fill=70)
    tissue.rectangle((x - 36, y, x + 38, SIZE[1]), fill=70)
    for shift in (-20, 6):
        bone.rounded_rectangle((x + shift, y + 22, x + shift + 22, SIZE[1] + 20), radius=10, fill=190)
    for column in range(4):
        for row in range(2):
            left, top = x - 32 + column * 16, y - 22 + row * 17
            bone.ellipse((left, top, left + 17, top + 17), fill=180)
    for digit in RAYS:
        ends = joints(digit, side)
        tissue.line(ends, fill=70, width=42, joint="curve")
        tissue.ellipse((ends[-1][0] - 20, ends[-1][1] - 20, ends[-1][0] + 20, ends[-1][1] + 20), fill=70)
        for number, ((x0, y0), (x1, y1)) in enumerate(pairwise(ends)):
            gap = 0.06
            inner = (x0 + gap * (x1 - x0), y0 + gap * (y1 - y0), x1 - gap * (x1 - x0), y1 - gap * (y1 - y0))
            bone.line(inner, fill=200, width=19 - 3 * number)


def _deposit(calcium: Any, dice: Dice, place: Point, millimetres: float) -> None:
    """A handful of dense grains within the diameter."""
    reach = min(max(millimetres * 1.1, 4), 26)
    for _grain in range(5 + int(reach)):
        x = place[0] + dice.normal(0, reach / 3, -reach, reach)
        y = place[1] + dice.normal(0, reach / 3, -reach, reach)
        size = dice.between(1.2, 1.5 + reach / 7)
        calcium.ellipse((x - size, y - size, x + size, y + size), fill=dice.whole(200, 255))


def png(picture: Any) -> bytes:
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()


def small(content: bytes, most: int) -> bytes:
    """The picture with at most ``most`` pixels a side."""
    from PIL import Image

    with Image.open(io.BytesIO(content)) as picture:
        picture.thumbnail((most, most))
        return png(picture)
