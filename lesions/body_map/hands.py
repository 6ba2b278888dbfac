"""Both hands, palms and backs.

Drawn in the anatomical position, fingers down: only so is the patient's right on the viewer's left with the thumb
outward on the palms and inward on the backs. (With fingers up that arrangement would show the other hand.)
Coordinates state the right hand, palm towards the viewer, thumb on the viewer's left; 2 units to the millimetre.
"""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from lesions.body_map.atlas import Caption, Sheet, View, Words
from lesions.body_map.digits import FINGER, THUMB, Digit
from lesions.body_map.geometry import Contour, Curve, Point, joined, knots, points, traced

WIDTH, HEIGHT = 600.0, 516.0
SHIFT: Point = (42, 40)
NUMERALS = ("I", "II", "III", "IV", "V")

D1 = Digit("D1", (74, 164), 37, 140, 23, THUMB)
FINGERS = (
    Digit("D2", (94.5, 262), 7.5, 150, 19.8, FINGER),
    Digit("D3", (135, 270), 1.8, 166, 20.0, FINGER),
    Digit("D4", (175, 265), -4.5, 154, 19.2, FINGER),
    Digit("D5", (213.8, 246), -11, 122, 17.4, FINGER),
)
DIGITS = (D1, *FINGERS)
# Between the fingers, on the proximal edge of the MCP band.
KNUCKLES = knots("m23 113,228 m34 154,230 m45 193,220")


def contour() -> Contour:
    """The silhouette from the thumb side of the forearm round all fingers to the little-finger side."""
    line = knots("arm_l 104,0 wrist_l0 99,26 wrist_l1 97,64 base_l 89,90 thenar0 76,112 thenar1 61,132")
    line |= D1.knots(right_from=0.32) | knots("web0 66,213 web1 73,219 web2 74.5,234")
    webs = knots("w23 114,264 w34 154.5,265 w45 193.5,255")
    for finger, web in zip(FINGERS, [*webs, ""], strict=True):
        line |= finger.knots()
        if web:
            line[web] = webs[web]
    line |= knots("ulnar0 232,222 ulnar1 234,190 ulnar2 229,150 ulnar3 219,112 base_r 208,86 wrist_r1 203,64")
    return Contour(line | knots("wrist_r0 202,26 arm_r 202,0"))


def _sheet(key: str) -> Sheet:
    """Palms: the right hand as drawn, on the viewer's left. Backs: the same hand turned over, so mirrored in place."""
    palm = key == "palmar"

    def right(point: Point) -> Point:
        x = point[0] + SHIFT[0]
        return (x if palm else WIDTH / 2 - x, point[1] + SHIFT[1])

    def left(point: Point) -> Point:
        x, y = right(point)
        return (WIDTH - x, y)

    return Sheet(key, right, left)


LIFE_LINE = "web1 92,213 114,200 131,168 137,128 134,88"
HYPOTHENAR_LINE = "ulnar1 204,184 182,162 168,124 164,86"


def palmar() -> View:
    """Both palms."""
    sheet, line = _sheet("palmar"), contour()
    sheet.outline(line.curve)
    _wrist(sheet, line)
    _palm(sheet, line)
    for digit in DIGITS:
        _segments(sheet, line, digit)
    tunnel = traced("130,76 149,72 168,76 172,94 168,112 149,117 131,112 127,94 130,76")
    sheet.pair("WRIST.CARPAL_TUNNEL", tunnel)
    _palm_creases(sheet)
    sheet.detail(traced(LIFE_LINE, line))
    says = _("Both palms, fingers down; the patient's right hand is on your left, thumbs outward.")
    return _view(sheet, _("Hands, palms"), says, _("RIGHT palm"), _("LEFT palm"))


def _palm(sheet: Sheet, line: Contour) -> None:
    """Thenar, hypothenar and the hollow between them."""
    life, ulnar = traced(LIFE_LINE, line), traced(HYPOTHENAR_LINE, line)
    thumb = joined(D1.across(0.0, to_right=True), inside_thumb(0.0, 0.1, 0.2, 0.32), line.between("D1.r0.32", "web1"))
    thenar = joined(line.between("base_l", "D1.l0.0"), thumb, life, traced("134,88 110,84 base_l", line))
    sheet.pair("HAND.THENAR", thenar, centre=(93, 148))
    hypothenar = joined(traced("ulnar1>base_r | base_r 186,84 164,86", line), ulnar.reversed())
    sheet.pair("HAND.HYPOTHENAR", hypothenar, centre=(205, 140))
    far = joined(life.reversed(), line.between("web1", "web2"), _knuckle_line(line), line.between("ulnar0", "ulnar1"))
    sheet.pair("HAND.PALM", joined(far, ulnar, points("164,86 149,84 134,88")), centre=(150, 178))


def dorsal() -> View:
    """Both backs of the hands."""
    sheet, line = _sheet("dorsal"), contour()
    sheet.outline(line.curve)
    _wrist(sheet, line)
    shafts = [D1.at(0, -D1.edge(0)), (103, 166), (120, 156), (150, 152), (190, 151), line["ulnar2"]]
    sheet.pair(
        "HAND.DORSUM",
        joined(
            line.between("base_l", "D1.l0.0"),
            D1.across(0.0, to_right=True),
            shafts,
            line.between("ulnar2", "base_r"),
            [line["base_r"], (149, 80), line["base_l"]],
        ),
        centre=(150, 116),
    )
    sheet.pair(
        "HAND.MC",
        joined(
            shafts,
            line.between("ulnar2", "ulnar0"),
            _knuckle_line(line).reversed(),
            line.between("web2", "D1.r0.32"),
            inside_thumb(0.32, 0.2, 0.1, 0.0),
        ),
        centre=(152, 188),
    )
    for digit in DIGITS:
        _segments(sheet, line, digit)
    _back_details(sheet)
    says = _("The backs of both hands, fingers down; the patient's right hand is on your left, thumbs inward.")
    return _view(sheet, _("Hands, backs"), says, _("RIGHT, back of hand"), _("LEFT, back of hand"))


def _wrist(sheet: Sheet, line: Contour) -> None:
    top = [line["wrist_r0"], (150, 29), line["wrist_l0"]]
    low = [line["base_l"], (110, 84), (149, 84), (186, 84), line["base_r"]]
    sheet.pair(
        "WRIST",
        joined(line.between("wrist_l0", "base_l"), low, line.between("base_r", "wrist_r0"), top),
        centre=(150, 50),
    )


def inside_thumb(*stations: float) -> list[Point]:
    """The thumb's inner edge where it lies inside the hand, above the first web."""
    return [D1.at(t, -D1.edge(t)) for t in stations]


def _knuckle_line(line: Contour) -> Curve:
    """The proximal edge of the four MCP bands, thumb side first."""
    told = "web2 92,226 m23 134,226 m34 175,223 m45 212,212 ulnar0"
    return traced(told, line, Contour(KNUCKLES))


def _segments(sheet: Sheet, line: Contour, digit: Digit) -> None:
    """All regions of one digit, and the numeral beyond its tip that stands for the whole digit."""
    code = f"HAND.{digit.name}"
    thumb = digit is D1
    bands = (
        (("PROX", 0.2, 0.42), ("IP", 0.42, 0.56))
        if thumb
        else (("PROX", 0.0, 0.28), ("PIP", 0.28, 0.40), ("MID", 0.40, 0.60), ("DIP", 0.60, 0.70))
    )
    sheet.pair(f"{code}.MCP", _thumb_mcp(line) if thumb else _finger_mcp(line, digit))
    for name, start, end in bands:
        sheet.pair(f"{code}.{name}", _band(line, digit, start, end))
    _fingertip(sheet, line, digit, bands[-1][2])
    sheet.pair(code, digit.tag(17 / digit.length, 13))


def _fingertip(sheet: Sheet, line: Contour, digit: Digit, joint: float) -> None:
    """Beyond the last joint: the distal phalanx with the pulp (palm) or the nail (back)."""
    code, thumb = f"HAND.{digit.name}", digit is D1
    if sheet.key == "palmar":
        pulp = 0.64 if thumb else 0.78
        sheet.pair(f"{code}.DIST", _band(line, digit, joint, pulp))
        sheet.pair(f"{code}.PULP", _tip(line, digit, pulp))
        return
    start, end, wide = (0.71, 0.955, 0.62) if thumb else (0.805, 0.965, 0.57)
    sheet.pair(f"{code}.DIST", _tip(line, digit, joint), centre=digit.at((joint + start) / 2 + 0.01))
    nail = digit.nail(start, end, wide)
    sheet.pair(f"{code}.NAIL", nail)
    sheet.nail(nail)
    moon = start + (end - start) * 0.2
    sheet.detail([digit.at(moon, 0.36), digit.at(moon + 0.02, 0), digit.at(moon, -0.36)])


def _tip(line: Contour, digit: Digit, start: float) -> Curve:
    round_it = line.between(f"{digit.name}.l{start}", f"{digit.name}.r{start}")
    return joined(round_it, digit.across(start, to_right=False))


def _band(line: Contour, digit: Digit, start: float, end: float) -> Curve:
    name = digit.name
    if f"{name}.r{start}" in line.knots:
        inner = line.between(f"{name}.r{end}", f"{name}.r{start}")
    else:
        inner = joined(
            line.between(f"{name}.r{end}", f"{name}.r0.32"),
            inside_thumb(0.32, start),
        )
    return joined(
        line.between(f"{name}.l{start}", f"{name}.l{end}"),
        digit.across(end, to_right=True),
        inner,
        digit.across(start, to_right=False),
    )


def _thumb_mcp(line: Contour) -> Curve:
    edge, low, high = line.between("D1.l0.0", "D1.l0.2"), D1.across(0.2, to_right=True), D1.across(0.0, to_right=False)
    return joined(edge, low, inside_thumb(0.2, 0.1, 0.0), high)


def _finger_mcp(line: Contour, digit: Digit) -> Curve:
    """The pad (palm) or knuckle (back) above a finger, between the knuckle line and the finger's base."""
    place = FINGERS.index(digit)
    marks: list[Point] = [line["web2"], *KNUCKLES.values(), line["ulnar0"]]
    tops: list[Point] = points("92,226 134,226 175,223 212,212")
    before, after = ["web2", "w23", "w34", "w45"][place], ["w23", "w34", "w45", "ulnar0"][place]
    pieces: list[Curve | list[Point]] = [[marks[place + 1], tops[place], marks[place]]]
    if place:
        pieces.append([marks[place], line[before]])
    pieces += [
        line.between(before, f"{digit.name}.l0.0"),
        digit.across(0.0, to_right=True),
        line.between(f"{digit.name}.r0.0", after),
    ]
    if place < 3:
        pieces.append([line[after], marks[place + 1]])
    return joined(*pieces)


def _palm_creases(sheet: Sheet) -> None:
    sheet.detail(
        points("231,214 206,219 178,214 150,220 128,234 117,244"),  # heart line
        points("80,216 112,198 150,188 188,188 214,196"),  # head line
        points("100,68 128,72 150,71 178,72 201,68"),
        points("99,60 150,63 202,60"),  # wrist
        D1.crease(0.49, 0.9),
        D1.crease(0.52, 0.8),
        D1.crease(0.2, 0.85),
        D1.crease(0.23, 0.6),
    )
    for finger in FINGERS:
        sheet.detail(
            *(finger.crease(t, s) for t, s in ((0.0, 0.95), (0.03, 0.75), (0.33, 0.95), (0.36, 0.8), (0.65, 0.9)))
        )


def _back_details(sheet: Sheet) -> None:
    sheet.detail(D1.crease(0.46, 0.55, -0.02), D1.crease(0.49, 0.7), D1.crease(0.52, 0.55, 0.03))
    pip = ((0.31, 0.5, -0.02), (0.325, 0.7, -0.01), (0.345, 0.75, 0.01), (0.365, 0.6, 0.02))
    dip = ((0.64, 0.6, -0.008), (0.66, 0.6, 0.012))
    knuckle = points("-.09,.6 -.17,.35 -.19,0 -.17,-.35 -.09,-.6")
    for finger, root in zip(FINGERS, points("122,118 142,112 161,114 180,122"), strict=True):
        sheet.detail(*(finger.crease(t, span, bend) for t, span, bend in (*pip, *dip)))
        sheet.detail([finger.at(along, across) for along, across in knuckle])
        near = finger.at(-0.13)
        sheet.detail([finger.at(-0.22), ((near[0] + root[0]) / 2, (near[1] + root[1]) / 2), root])  # extensor tendon
    sheet.detail(points("180,66 180,58 186,52 194,52 199,57"))  # ulnar head


def _view(sheet: Sheet, title: Words, description: Words, right: Words, left: Words) -> View:
    x = sheet.right((150, 0))[0]
    tags = [
        Caption(*move(digit.at(1 + 17 / digit.length)), numeral)
        for move in (sheet.right, sheet.left)
        for digit, numeral in zip(DIGITS, NUMERALS, strict=True)
    ]
    sides = (Caption(x, 26, right, strong=True), Caption(WIDTH - x, 26, left, strong=True))
    return sheet.view(title, description, WIDTH, HEIGHT, mark=14.5, captions=(*sides, *tags))
