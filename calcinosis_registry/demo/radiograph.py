"""A drawing that passes for a hand radiograph at a glance: bones, soft tissue, deposits where the story puts them."""

from __future__ import annotations

import datetime
import io
import math
import struct
from collections.abc import Iterable
from itertools import pairwise
from typing import Any

from calcinosis_registry.demo.told import Dice

SIZE = (720, 540)
MM = 0.7  # of a pixel at the detector
DX_IMAGE = "1.2.840.10008.5.1.4.1.1.1.1"
DEVICE = "Drawn"
WRIST = {"R": (190, 400), "L": (530, 400)}
# {digit: (degrees from upwards, lengths from the wrist outwards)} of the left hand, thumb to the viewer's left
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
    sign = -1 if side == "R" else 1  # palms on the plate beside each other: the thumbs point to the middle
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
    return preview(film(dice, deposits))


def film(dice: Dice, deposits: Iterable[tuple[str, str, float]]) -> Any:
    """Both hands as 12-bit values, bone bright."""
    import numpy as np
    from PIL import Image, ImageDraw, ImageFilter

    tissue, bone = Image.new("L", SIZE, 12), Image.new("L", SIZE, 0)
    for side in WRIST:
        _hand(ImageDraw.Draw(tissue), ImageDraw.Draw(bone), side)
    calcium, words = Image.new("L", SIZE, 0), Image.new("L", SIZE, 0)
    for site, side, millimetres in deposits:
        if place := spot(site, side):
            _deposit(ImageDraw.Draw(calcium), dice, place, millimetres)
    written = ImageDraw.Draw(words)
    written.text((24, 24), "R", fill=230)
    written.text((SIZE[0] - 34, 24), "L", fill=230)
    written.text((SIZE[0] / 2 - 60, SIZE[1] - 24), "invented, not a patient", fill=170)
    layers = [
        np.asarray(layer.filter(ImageFilter.GaussianBlur(blur)), float)
        for layer, blur in ((tissue, 6), (bone, 1.6), (calcium, 1.1))
    ]
    noise = np.random.default_rng(dice.whole(0, 2**31)).normal(0, 3, layers[0].shape)
    shades = np.maximum(layers[0] + 0.55 * layers[1] + 0.8 * layers[2] + noise, np.asarray(words, float))
    return (np.clip(shades, 0, 255.9) * 16).astype("<u2")


def preview(values: Any) -> bytes:
    """PNG of a film's values."""
    from PIL import Image

    return png(Image.fromarray((values >> 4).astype("uint8")))


def as_dicom(values: Any, *, modality: str, day: datetime.date, uids: tuple[str, str, str]) -> bytes:
    """A DICOM file without a person. ``uids``: of the study, the series and the picture."""
    study, series, picture = uids
    height, width = values.shape
    elements = [
        _text(0x00080016, "UI", DX_IMAGE), _text(0x00080018, "UI", picture), _text(0x00080020, "DA", f"{day:%Y%m%d}"),
        _text(0x00080060, "CS", modality), _text(0x00080070, "LO", DEVICE), _text(0x00180015, "CS", "HAND"),
        _text(0x00181164, "DS", f"{MM}\\{MM}"), _text(0x00185101, "CS", "PA"), _text(0x0020000D, "UI", study),
        _text(0x0020000E, "UI", series), _whole(0x00280002, 1), _text(0x00280004, "CS", "MONOCHROME2"),
        _whole(0x00280010, height), _whole(0x00280011, width), _whole(0x00280100, 16), _whole(0x00280101, 12),
        _whole(0x00280102, 11), _whole(0x00280103, 0), _text(0x00280301, "CS", "NO"),
        _text(0x00281050, "DS", "1900"), _text(0x00281051, "DS", "3800"),
        _element(0x7FE00010, "OW", values.tobytes()),
    ]  # fmt: skip
    meta = _text(0x00020010, "UI", "1.2.840.10008.1.2.1")
    return bytes(128) + b"DICM" + _element(0x00020000, "UL", struct.pack("<I", len(meta))) + meta + b"".join(elements)


def _element(tag: int, form: str, value: bytes) -> bytes:
    head = struct.pack("<HH2s", tag >> 16, tag & 0xFFFF, form.encode())
    return head + (struct.pack("<HI", 0, len(value)) if form == "OW" else struct.pack("<H", len(value))) + value


def _text(tag: int, form: str, words: str) -> bytes:
    value = words.encode()
    return _element(tag, form, value + (b"\0" if form == "UI" else b" ") * (len(value) % 2))


def _whole(tag: int, number: int) -> bytes:
    return _element(tag, "US", struct.pack("<H", number))


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
