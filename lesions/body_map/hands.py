"""Both hands, palms and backs.

Drawn in the anatomical position, fingers down: only so is the patient's right on the viewer's left with the thumb
outward on the palms and inward on the backs. (With fingers up that arrangement would show the other hand.)
Coordinates state the right hand, palm towards the viewer, thumb on the viewer's left; 2 units to the millimetre.
"""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from lesions.body_map.atlas import Caption, Sheet, View
from lesions.body_map.digits import FINGER, THUMB, Digit
from lesions.body_map.geometry import Contour, Curve, Point, joined, oval, smooth

WIDTH, HEIGHT = 600.0, 540.0
SHIFT: Point = (42, 40)
NUMERALS = ("I", "II", "III", "IV", "V")

D1 = Digit("D1", (72, 166), 36, 138, 23.5, THUMB)
FINGERS = (
    Digit("D2", (94, 262), 6.5, 150, 19.5, FINGER),
    Digit("D3", (134.5, 270), 1.0, 166, 19.8, FINGER),
    Digit("D4", (174.5, 265), -5.0, 153, 19.0, FINGER),
    Digit("D5", (211.5, 247), -13.0, 120, 17.2, FINGER),
)
DIGITS = (D1, *FINGERS)
# Between the fingers, on the proximal edge of the MCP band.
KNUCKLES: dict[str, Point] = {"m23": (113, 228), "m34": (154, 230), "m45": (193, 220)}


def _contour() -> Contour:
    """The silhouette from the thumb side of the forearm round all fingers to the little-finger side."""
    knots: dict[str, Point] = {"arm_l": (104, 0), "wrist_l0": (99, 26), "wrist_l1": (97, 64), "base_l": (88, 92), "thenar": (66, 124)}
    knots |= D1.knots(right_from=0.32)
    knots |= {"web0": (66, 213), "web1": (73, 219), "web2": (74.5, 234)}
    webs: dict[str, Point] = {"w23": (114, 264), "w34": (154.5, 265), "w45": (193.5, 255)}
    for finger, web in zip(FINGERS, [*webs, ""], strict=True):
        knots |= finger.knots()
        if web:
            knots[web] = webs[web]
    return Contour(knots | {
        "ulnar0": (231, 222), "ulnar1": (233, 190), "ulnar2": (229, 150), "ulnar3": (219, 112), "base_r": (208, 86),
        "wrist_r1": (203, 64), "wrist_r0": (202, 26), "arm_r": (202, 0),
    })


def _sheet(key: str) -> Sheet:
    """Palms: as drawn on the viewer's left for the right hand. Backs: the same hand turned over, so mirrored in place."""
    palm = key == "palmar"

    def right(point: Point) -> Point:
        x = point[0] + SHIFT[0]
        return (x if palm else WIDTH / 2 - x, point[1] + SHIFT[1])

    def left(point: Point) -> Point:
        x, y = right(point)
        return (WIDTH - x, y)

    return Sheet(key, right, left)


def palmar() -> View:
    """Both palms."""
    sheet, line = _sheet("palmar"), _contour()
    sheet.outline(line.curve)
    life = smooth([line["web1"], (92, 213), (114, 200), (131, 168), (137, 128), (134, 88)])
    ulnar = smooth([line["ulnar1"], (204, 184), (182, 162), (168, 124), (164, 86)])
    _wrist(sheet, line)
    sheet.pair("HAND.THENAR", joined(
        line.between("base_l", "D1.l0.0"), _thumb_root(line), life, [(134, 88), (110, 84), line["base_l"]]), centre=(93, 148))
    sheet.pair("HAND.HYPOTHENAR", joined(
        line.between("ulnar1", "base_r"), [line["base_r"], (186, 84), (164, 86)], ulnar.reversed()), centre=(205, 140))
    sheet.pair("HAND.PALM", joined(
        life.reversed(), line.between("web1", "web2"), _knuckle_line(line), line.between("ulnar0", "ulnar1"), ulnar,
        [(164, 86), (149, 84), (134, 88)]), centre=(150, 178))
    for digit in DIGITS:
        _segments(sheet, line, digit)
    sheet.pair("WRIST.CARPAL_TUNNEL", smooth([
        (130, 76), (149, 72), (168, 76), (172, 94), (168, 112), (149, 117), (131, 112), (127, 94)], closed=True))
    _palm_creases(sheet, life)
    return _view(sheet, _("Hands, palms"), _("Both palms, fingers down; the patient's right hand is on your left, thumbs outward."),
                 _("RIGHT palm"), _("LEFT palm"))


def dorsal() -> View:
    """Both backs of the hands."""
    sheet, line = _sheet("dorsal"), _contour()
    sheet.outline(line.curve)
    _wrist(sheet, line)
    sheet.pair("HAND.DORSUM", joined(
        line.between("base_l", "D1.l0.0"), D1.across(0.0, to_right=True), [D1.at(0, -D1.edge(0)), (96, 164), (110, 155)],
        [(110, 155), (176, 152), line["ulnar2"]], line.between("ulnar2", "base_r"), [line["base_r"], (149, 80), line["base_l"]]),
        centre=(150, 116))
    sheet.pair("HAND.MC", joined(
        [D1.at(0, -D1.edge(0)), (96, 164), (110, 155)], [(110, 155), (176, 152), line["ulnar2"]],
        line.between("ulnar2", "ulnar0"), _knuckle_line(line).reversed(), line.between("web2", "D1.r0.32"),
        [D1.at(0.32, -D1.edge(0.32)), D1.at(0.2, -D1.edge(0.2)), D1.at(0.1, -D1.edge(0.1)), D1.at(0, -D1.edge(0))]), centre=(152, 188))
    for digit in DIGITS:
        _segments(sheet, line, digit)
    _back_details(sheet)
    return _view(sheet, _("Hands, backs"), _("The backs of both hands, fingers down; the patient's right hand is on your left, thumbs inward."),
                 _("RIGHT, back of hand"), _("LEFT, back of hand"))


def _wrist(sheet: Sheet, line: Contour) -> None:
    top = [line["wrist_r0"], (150, 29), line["wrist_l0"]]
    low = [line["base_l"], (110, 84), (149, 84), (186, 84), line["base_r"]]
    sheet.pair("WRIST", joined(line.between("wrist_l0", "base_l"), low, line.between("base_r", "wrist_r0"), top), centre=(150, 50))


def _thumb_root(line: Contour) -> Curve:
    """From the radial edge over the thumb's root to the first web."""
    inner = [D1.at(0, -D1.edge(0)), D1.at(0.1, -D1.edge(0.1)), D1.at(0.2, -D1.edge(0.2)), D1.at(0.32, -D1.edge(0.32))]
    return joined(D1.across(0.0, to_right=True), inner, line.between("D1.r0.32", "web1"))


def _knuckle_line(line: Contour) -> Curve:
    """The proximal edge of the four MCP bands, thumb side first."""
    return smooth([line["web2"], (92, 226), KNUCKLES["m23"], (134, 226), KNUCKLES["m34"], (175, 223), KNUCKLES["m45"], (212, 212), line["ulnar0"]])


def _segments(sheet: Sheet, line: Contour, digit: Digit) -> None:
    """All regions of one digit, and the numeral beyond its tip that stands for the whole digit."""
    code = f"HAND.{digit.name}"
    thumb = digit is D1
    bands = (("PROX", 0.2, 0.42), ("IP", 0.42, 0.56)) if thumb else (
        ("PROX", 0.0, 0.28), ("PIP", 0.28, 0.40), ("MID", 0.40, 0.60), ("DIP", 0.60, 0.70))
    last = bands[-1][2]
    sheet.pair(f"{code}.MCP", _thumb_mcp(line) if thumb else _finger_mcp(line, digit))
    for name, start, end in bands:
        sheet.pair(f"{code}.{name}", _band(line, digit, start, end))
    tip_from = 0.64 if thumb else 0.78
    if sheet.key == "palmar":
        sheet.pair(f"{code}.DIST", _band(line, digit, last, tip_from))
        sheet.pair(f"{code}.PULP", joined(
            line.between(f"{digit.name}.l{tip_from}", f"{digit.name}.r{tip_from}"), digit.across(tip_from, to_right=False)))
    else:
        nail_from = 0.70 if thumb else 0.80
        whole = joined(line.between(f"{digit.name}.l{last}", f"{digit.name}.r{last}"), digit.across(last, to_right=False))
        sheet.pair(f"{code}.DIST", whole, centre=digit.at((last + nail_from) / 2 + 0.01))
        nail = digit.nail(nail_from, 0.985, 0.60 if not thumb else 0.66)
        sheet.pair(f"{code}.NAIL", nail)
        sheet.nail(nail)
        sheet.detail([digit.at(nail_from + 0.045, 0.4), digit.at(nail_from + 0.07, 0), digit.at(nail_from + 0.045, -0.4)])
    sheet.pair(code, digit.tag(16 / digit.length, 11.5))


def _band(line: Contour, digit: Digit, start: float, end: float) -> Curve:
    name = digit.name
    if f"{name}.r{start}" in line.knots:
        inner = line.between(f"{name}.r{end}", f"{name}.r{start}")
    else:  # the thumb's inner edge lies inside the hand above the first web
        inner = joined(line.between(f"{name}.r{end}", f"{name}.r0.32"), [digit.at(0.32, -digit.edge(0.32)), digit.at(start, -digit.edge(start))])
    return joined(line.between(f"{name}.l{start}", f"{name}.l{end}"), digit.across(end, to_right=True), inner, digit.across(start, to_right=False))


def _thumb_mcp(line: Contour) -> Curve:
    inner = [D1.at(0.2, -D1.edge(0.2)), D1.at(0.1, -D1.edge(0.1)), D1.at(0, -D1.edge(0))]
    return joined(line.between("D1.l0.0", "D1.l0.2"), D1.across(0.2, to_right=True), inner, D1.across(0.0, to_right=False))


def _finger_mcp(line: Contour, digit: Digit) -> Curve:
    """The pad (palm) or knuckle (back) above a finger, between the knuckle line and the finger's base."""
    place = FINGERS.index(digit)
    marks: list[Point] = [line["web2"], *KNUCKLES.values(), line["ulnar0"]]
    tops: list[Point] = [(92, 226), (134, 226), (175, 223), (212, 212)]
    before, after = ["web2", "w23", "w34", "w45"][place], ["w23", "w34", "w45", "ulnar0"][place]
    pieces: list[Curve | list[Point]] = [[marks[place + 1], tops[place], marks[place]]]
    if place:
        pieces.append([marks[place], line[before]])
    pieces += [line.between(before, f"{digit.name}.l0.0"), digit.across(0.0, to_right=True), line.between(f"{digit.name}.r0.0", after)]
    if place < 3:
        pieces.append([line[after], marks[place + 1]])
    return joined(*pieces)


def _palm_creases(sheet: Sheet, life: Curve) -> None:
    sheet.detail(
        life,
        [(231, 214), (206, 219), (178, 214), (150, 220), (128, 234), (117, 244)],  # heart line
        [(80, 216), (112, 198), (150, 188), (188, 188), (214, 196)],  # head line
        [(100, 68), (128, 72), (150, 71), (178, 72), (201, 68)], [(99, 60), (150, 63), (202, 60)],  # wrist
        D1.crease(0.49, 0.9), D1.crease(0.52, 0.8), D1.crease(0.2, 0.85), D1.crease(0.23, 0.6),
    )
    for finger in FINGERS:
        sheet.detail(*(finger.crease(t, s) for t, s in ((0.0, 0.95), (0.03, 0.75), (0.33, 0.95), (0.36, 0.8), (0.65, 0.9))))


def _back_details(sheet: Sheet) -> None:
    sheet.detail(D1.crease(0.46, 0.55, -0.02), D1.crease(0.49, 0.7), D1.crease(0.52, 0.55, 0.03))
    for finger, foot in zip(FINGERS, ((122, 118), (142, 112), (161, 114), (180, 122)), strict=True):
        sheet.detail(*(finger.crease(t, s, b) for t, s, b in (
            (0.31, 0.5, -0.02), (0.325, 0.7, -0.01), (0.345, 0.75, 0.01), (0.365, 0.6, 0.02), (0.64, 0.6, -0.008), (0.66, 0.6, 0.012))))
        knuckle = finger.at(-0.13)
        sheet.detail(
            [finger.at(-0.09, 0.6), finger.at(-0.17, 0.35), finger.at(-0.19, 0), finger.at(-0.17, -0.35), finger.at(-0.09, -0.6)],
            [finger.at(-0.22), ((knuckle[0] + foot[0]) / 2, (knuckle[1] + foot[1]) / 2), foot],  # extensor tendon
        )
    sheet.detail(oval((189, 62), 9, 7))  # ulnar head


def _view(sheet: Sheet, title: str, description: str, right: str, left: str) -> View:
    x = sheet.right((150, 0))[0]
    tags = [
        Caption(*move(digit.at(1 + 16 / digit.length)), numeral)
        for move in (sheet.right, sheet.left) for digit, numeral in zip(DIGITS, NUMERALS, strict=True)
    ]
    return View(
        sheet.key, title, description, WIDTH, HEIGHT, 13,
        tuple(sheet.outlines), tuple(sheet.details), tuple(sheet.nails), tuple(sheet.regions),
        (Caption(x, 26, right, strong=True), Caption(WIDTH - x, 26, left, strong=True), *tags),
    )
