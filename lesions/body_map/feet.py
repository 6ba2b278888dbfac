"""Both feet: from above (toes down) and the soles (toes up), the patient's right on the viewer's left in either.

Coordinates state the right foot from above, big toe on the viewer's right (inward).
"""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from lesions.body_map.atlas import Caption, Sheet, View
from lesions.body_map.digits import TOE, Digit
from lesions.body_map.geometry import Contour, Curve, Point, joined, knots, lines, points, smooth

WIDTH, HEIGHT = 420.0, 680.0
SHIFT: Point = (52, 44)
SOLE_TOP, SOLE_HEIGHT = 352.0, 290.0

TOES = (
    Digit("TOE5", (19, 201), 8, 37, 9.6, TOE),
    Digit("TOE4", (36, 213), 5, 41, 9.0, TOE),
    Digit("TOE3", (53.5, 222), 3, 44, 9.2, TOE),
    Digit("TOE2", (72, 228), 1, 48, 10.0, TOE),
    Digit("TOE1", (97, 225), -2, 55, 16.5, TOE),
)
WEBS = points("27.5,204 44.5,215 62.5,223 81,226")


def _toes() -> dict[str, Point]:
    found: dict[str, Point] = {}
    for number, toe in enumerate(TOES):
        found |= toe.knots()
        if number < len(WEBS):
            found[f"web{number}"] = WEBS[number]
    return found


def _dorsum() -> Contour:
    before = knots("""
        leg_l 37,0  ankle_l0 35,24  malleolus_l 27,52  ankle_l1 31,78  side0 24,118  side1 13,160
    """)
    after = knots("""
        ball 116,208  ball1 111,182  arch 100,140  arch1 93,104  ankle_r1 91,78  malleolus_r 97,50
        ankle_r0 89,24  leg_r 86,0
    """)
    return Contour(before | _toes() | after)


def _sole() -> Contour:
    before = knots("""
        heel0 62,14  heel1 42,20  heel2 30,42  heel3 30,70  side0 25,112  side1 13,160
    """)
    after = knots("""
        ball 116,208  ball1 110,180  arch 94,142  arch1 86,108  heel4 90,70  heel5 92,42  heel6 82,20
        heel7 62,14
    """)
    return Contour(before | _toes() | after)


def _below(point: Point) -> Point:
    """From a point of the drawing from above to its place on the sole: the same foot, toes up."""
    return (point[0], SOLE_TOP + SOLE_HEIGHT - point[1] - SHIFT[1])


def feet() -> View:
    """Both feet from above, and both soles with the heels."""
    sheet = Sheet(
        "feet",
        right=lambda p: (p[0] + SHIFT[0], p[1] + SHIFT[1]),
        left=lambda p: (WIDTH - p[0] - SHIFT[0], p[1] + SHIFT[1]),
    )
    top, sole = _dorsum(), _sole()
    sheet.outline(top.curve, sole.curve.moved(_below))
    ankle_low = [top["ankle_l1"], (60, 92), top["ankle_r1"]]
    sheet.pair(
        "ANKLE",
        joined(
            top.between("ankle_l0", "ankle_l1"),
            ankle_low,
            top.between("ankle_r1", "ankle_r0"),
            [top["ankle_r0"], (62, 28), top["ankle_l0"]],
        ),
    )
    heel_line = smooth([sole["heel4"], (60, 80), sole["heel3"]])
    sheet.pair(
        "FOOT",
        joined(
            top.between("ankle_l1", "TOE5.l0.0"), _toe_line(top), top.between("TOE1.r0.0", "ankle_r1"), ankle_low[::-1]
        ),
        joined(
            sole.between("heel3", "TOE5.l0.0"), _toe_line(sole), sole.between("TOE1.r0.0", "heel4"), heel_line
        ).moved(_below),
        centre=(62, 150),
    )
    for toe in TOES:
        upper = joined(top.between(f"{toe.name}.l0.0", f"{toe.name}.r0.0"), toe.across(0.0, to_right=False))
        sheet.pair(f"FOOT.{toe.name}", upper, upper.moved(_below), centre=toe.at(0.45))
    sheet.pair(
        "FOOT.HEEL",
        joined(sole.between("heel0", "heel3"), heel_line.reversed(), sole.between("heel4", "heel7")).moved(_below),
    )
    _details(sheet)
    return _view(sheet)


def _toe_line(line: Contour) -> Curve:
    """Along the bases of the toes, over the webs between them."""
    pieces: list[Curve] = []
    for number, toe in enumerate(TOES):
        pieces.append(toe.across(0.0, to_right=True))
        if number < len(WEBS):
            pieces.append(line.between(f"{toe.name}.r0.0", f"{TOES[number + 1].name}.l0.0"))
    return joined(*pieces)


def _details(sheet: Sheet) -> None:
    for toe in TOES:
        big = toe.name == "TOE1"
        sheet.nail(toe.nail(0.56, 0.95, 0.66 if big else 0.58))
        sheet.detail(toe.crease(0.34, 0.6, 0.02), toe.crease(0.40, 0.6, 0.03))
        sheet.detail(smooth([_below(toe.at(0.42, 0.7)), _below(toe.at(0.38)), _below(toe.at(0.42, -0.7))]))
    sheet.detail(
        *lines("""
        58,96 50,140 38,186
        62,96 60,145 54,196
        66,96 71,150 73,200
        70,94 84,150 95,198
        32,40 36,46 37,53 35,60 31,64  # malleoli
        92,38 88,44 87,51 89,58 93,62
    """)
    )
    ball = points("16,178 38,170 60,172 80,168 92,160 100,166")
    arch = points("80,106 72,126 75,146 86,160")
    sheet.detail([_below(p) for p in ball], [_below(p) for p in arch])


def _view(sheet: Sheet) -> View:
    x = sheet.right((62, 0))[0]
    captions = (
        Caption(x, 28, _("RIGHT, from above"), strong=True),
        Caption(WIDTH - x, 28, _("LEFT, from above"), strong=True),
        Caption(x, HEIGHT - 14, _("RIGHT sole"), strong=True),
        Caption(WIDTH - x, HEIGHT - 14, _("LEFT sole"), strong=True),
    )
    says = _("Both feet from above, toes down, and both soles, toes up; the patient's right foot is on your left.")
    return sheet.view(_("Feet"), says, WIDTH, HEIGHT, mark=14, captions=captions)
