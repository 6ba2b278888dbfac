"""Both hands as a radiograph hangs: fingers up, the patient's right hand on the viewer's left, thumbs to the middle.

The contour of the palms (hands.py), turned by half a circle in its place: a turned palm is still the palm of the same
hand. A region is a site of the hand radiograph score with the soft tissue around its bone; the bones are drawn in it.
"""

from __future__ import annotations

from functools import cache
from math import hypot

from django.utils.translation import gettext_lazy as _

from lesions.body_map.atlas import Caption, Sheet, View
from lesions.body_map.digits import Digit
from lesions.body_map.geometry import Contour, Curve, Point, joined, points, smooth
from lesions.body_map.hands import D1, FINGERS, HEIGHT, KNUCKLES, SHIFT, WIDTH, contour, inside_thumb

TOPS = points("92,226 134,226 175,223 212,212")  # the knuckle line where it crosses each finger
ROOTS = points("127,120 146,122 163,121 182,117")  # the bases of the second to fifth metacarpal
CARPALS = points("113,96 131,101 150,104 169,102 187,96 119,77 140,75 161,75 182,76")


@cache
def bones() -> View:
    """The sheet of the hand radiograph score: ``View.nails`` are the bones."""
    sheet, line = Sheet("bones", _right, _left), contour()
    sheet.outline(line.curve)
    _wrist(sheet, line)
    _metacarpals(sheet, line)
    _thumb(sheet, line)
    for finger in FINGERS:
        _finger(sheet, line, finger)
    says = _("Both hands as on a radiograph, fingers up; the patient's right hand is on your left.")
    sides = (
        Caption(_right((150, 0))[0], 22, _("RIGHT"), strong=True),
        Caption(WIDTH - _right((150, 0))[0], 22, _("LEFT"), strong=True),
    )
    return sheet.view(_("Hands, sites of the score"), says, WIDTH, HEIGHT, mark=14.5, captions=sides)


def _right(point: Point) -> Point:
    return (WIDTH / 2 - SHIFT[0] - point[0], HEIGHT - SHIFT[1] - point[1] + 14)


def _left(point: Point) -> Point:
    x, y = _right(point)
    return (WIDTH - x, y)


def _bone(start: Point, end: Point, *halves: float) -> Curve:
    """A long bone: half its width at the start, in the middle and at the end."""
    (x0, y0), (x1, y1) = start, end
    length = hypot(x1 - x0, y1 - y0)
    along, aside = ((x1 - x0) / length, (y1 - y0) / length), (-(y1 - y0) / length, (x1 - x0) / length)
    head, waist, foot = halves

    def at(share: float, half: float) -> Point:
        far = share * length
        return (x0 + along[0] * far + aside[0] * half, y0 + along[1] * far + aside[1] * half)

    stations = [
        (0.03, head * 0.8),
        (0.1, head),
        (0.3, (head + 2 * waist) / 3),
        (0.5, waist),
        (0.72, (foot + waist) / 2),
    ]
    stations += [(0.9, foot), (0.97, foot * 0.75)]
    left = [at(share, half) for share, half in stations]
    return smooth([*left, *(at(share, -half) for share, half in reversed(stations))], closed=True)


def _wrist(sheet: Sheet, line: Contour) -> None:
    far = [line["base_l"], (112, 110), (150, 116), (186, 110), line["base_r"]]
    near = [line["wrist_r1"], (176, 61), (150, 59), (124, 61), line["wrist_l1"]]
    sheet.pair("CARPUS", joined(line.between("wrist_l1", "base_l"), far, line.between("base_r", "wrist_r1"), near))
    split = [(152, 60), (153, 30), (153, 0)]
    radius = joined(line.between("arm_l", "wrist_l1"), [line["wrist_l1"], (124, 61), (152, 60)], split)
    sheet.pair("RADIUS", radius, centre=(128, 30))
    ulna = joined(line.between("arm_r", "wrist_r1"), [line["wrist_r1"], (176, 61), (152, 60)], split)
    sheet.pair("ULNA", ulna, centre=(178, 30))
    sheet.nail(_bone((128, 3), (124, 60), 14, 13, 21), _bone((178, 3), (179, 57), 11, 9, 12))
    sheet.nail(*(smooth(_round(spot, 9.5), closed=True) for spot in CARPALS))


def _round(centre: Point, radius: float) -> list[Point]:
    x, y = centre
    shares = points("-1,0 -.6,.75 .55,.8 1,-.1 .5,-.8 -.6,-.7")
    return [(x + radius * across, y + radius * down) for across, down in shares]


def _metacarpals(sheet: Sheet, line: Contour) -> None:
    """The thumb's with the ball of the thumb; the second with the first web; the others between the fingers."""
    inner = D1.at(0.1, -D1.edge(0.1))
    carpal = [inner, (103, 150), (112, 110)]
    ball = joined(
        line.between("base_l", "D1.l0.1"), D1.across(0.1, to_right=True), carpal, [(112, 110), line["base_l"]]
    )
    sheet.pair("MC1", ball, centre=(88, 148))
    web = joined(inside_thumb(0.1, 0.2, 0.32), line.between("D1.r0.32", "web2"))
    marks: list[Point] = [line["web2"], *KNUCKLES.values(), line["ulnar0"]]
    bases: list[Point] = [(112, 110), (136, 115), (155, 116), (173, 113), line["base_r"]]
    for place in range(4):
        edge: Curve | list[Point] = joined(carpal[::-1], web) if place == 0 else [bases[place], marks[place]]
        far = line.between("ulnar0", "base_r") if place == 3 else [marks[place + 1], bases[place + 1]]
        shape = joined(edge, [marks[place], TOPS[place], marks[place + 1]], far, [bases[place + 1], bases[place]])
        sheet.pair(f"MC{place + 2}", shape, centre=((ROOTS[place][0] + TOPS[place][0]) / 2, 172))
        sheet.nail(_bone(ROOTS[place], (TOPS[place][0], TOPS[place][1] - 4), 9, 5.5, 10))
    sheet.nail(_bone((106, 116), D1.at(0.06), 9, 6.5, 11))


def _thumb(sheet: Sheet, line: Contour) -> None:
    sheet.pair("D1.PROX", _section(line, D1, 0.1, 0.49))
    sheet.pair("D1.DIST", _end(line, D1, 0.49))
    sheet.nail(_bone(D1.at(0.12), D1.at(0.48), 10, 6, 9), _bone(D1.at(0.5), D1.at(0.93), 9, 4.5, 6.5))


def _finger(sheet: Sheet, line: Contour, finger: Digit) -> None:
    place, name = FINGERS.index(finger), finger.name
    marks: list[Point] = [line["web2"], *KNUCKLES.values(), line["ulnar0"]]
    before, after = ["web2", "w23", "w34", "w45"][place], ["w23", "w34", "w45", "ulnar0"][place]
    pieces: list[Curve | list[Point]] = [[marks[place + 1], TOPS[place], marks[place]]]
    if place:
        pieces.append([marks[place], line[before]])
    pieces += [
        line.between(before, f"{name}.l0.34"),
        finger.across(0.34, to_right=True),
        line.between(f"{name}.r0.34", after),
    ]
    if place < 3:
        pieces.append([line[after], marks[place + 1]])
    sheet.pair(f"{name}.PROX", joined(*pieces), centre=finger.at(0.12))
    sheet.pair(f"{name}.MID", _section(line, finger, 0.34, 0.65))
    sheet.pair(f"{name}.DIST", _end(line, finger, 0.65))
    knuckle = (TOPS[place][0], TOPS[place][1] + 6)
    wide = finger.width / 20
    sheet.nail(
        _bone(knuckle, finger.at(0.33), 9.5 * wide, 5.5 * wide, 8 * wide),
        _bone(finger.at(0.35), finger.at(0.64), 8.5 * wide, 4.5 * wide, 7 * wide),
        _bone(finger.at(0.66), finger.at(0.93), 7.5 * wide, 3.5 * wide, 5.5 * wide),
    )


def _section(line: Contour, digit: Digit, start: float, end: float) -> Curve:
    name = digit.name
    if f"{name}.r{start}" in line.knots:
        inner: Curve = line.between(f"{name}.r{end}", f"{name}.r{start}")
    else:
        inner = joined(line.between(f"{name}.r{end}", f"{name}.r0.32"), inside_thumb(0.32, 0.2, start))
    edge, low = line.between(f"{name}.l{start}", f"{name}.l{end}"), digit.across(end, to_right=True)
    return joined(edge, low, inner, digit.across(start, to_right=False))


def _end(line: Contour, digit: Digit, start: float) -> Curve:
    round_it = line.between(f"{digit.name}.l{start}", f"{digit.name}.r{start}")
    return joined(round_it, digit.across(start, to_right=False))
