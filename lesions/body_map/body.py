"""The body, front and back.

Coordinates state the patient's right half: (distance from the midline, height). Proportions are those of an adult of
seven and a half heads, arms a little away from the trunk, palms forward (the anatomical position), no sex shown.
"""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from lesions.body_map.atlas import Caption, Sheet, View
from lesions.body_map.geometry import Contour, Curve, Point, joined, oval, smooth

WIDTH, HEIGHT, MIDLINE = 440.0, 880.0, 220.0

# From the neck over shoulder and arm, round the hand, back to the armpit, down the trunk and the leg, up to the crotch.
TRUNK: dict[str, Point] = {
    "neck0": (21, 108), "neck1": (20.5, 128), "neck2": (25, 147), "trapezius": (47, 160),
    "acromion": (75, 169), "deltoid0": (92, 181), "deltoid1": (101, 204), "deltoid2": (105, 232),
    "arm0": (110, 264), "arm1": (117, 296), "elbow0": (123, 316), "elbow1": (128, 332), "elbow2": (134, 350),
    "forearm0": (143, 374), "forearm1": (151, 404), "wrist0": (156, 432), "wrist1": (160, 450),
    "thenar": (168, 462), "thumb0": (179, 478), "thumb1": (185, 494), "thumb2": (184, 502), "thumb3": (179, 500),
    "thumb4": (173, 489), "web": (170, 484), "index0": (174, 500), "index1": (178, 517), "index2": (177, 524),
    "index3": (173, 521), "middle0": (172, 530), "middle1": (169, 534), "middle2": (166, 529), "ring1": (163, 532),
    "ring2": (159, 529), "ring3": (157, 520), "little1": (153, 521), "little2": (149, 514), "little3": (146, 500),
    "ulnar": (142, 478), "wrist1i": (139, 455), "wrist0i": (134, 437), "forearm1i": (122, 408),
    "forearm0i": (109, 378), "elbow2i": (103, 354), "elbow1i": (101, 338), "elbow0i": (98, 322), "arm1i": (92, 300),
    "arm0i": (85, 270), "armpit": (75, 246), "chest0": (74, 266), "chest1": (71, 292), "waist0": (65, 318),
    "waist1": (62, 338), "waist2": (65, 362), "iliac": (72, 388), "hip0": (79, 415), "hip1": (83, 438),
    "thigh0": (84, 462), "thigh1": (81, 510), "thigh2": (73, 558), "knee0": (65, 592), "knee1": (63, 612),
    "knee2": (62, 634), "calf0": (65, 662), "calf1": (62, 700), "calf2": (53, 742), "ankle0": (48, 766),
    "ankle1": (48, 780), "ankle2": (51, 790),
}
FOOT_FRONT: dict[str, Point] = {
    "foot0": (59, 806), "foot1": (70, 822), "foot2": (72, 832), "foot3": (62, 838), "foot4": (44, 839),
    "foot5": (30, 834), "foot6": (26, 820), "foot7": (27, 806),
}
HEEL: dict[str, Point] = {
    "foot0": (58, 802), "foot1": (64, 816), "foot2": (62, 828), "foot3": (52, 835), "foot4": (40, 837),
    "foot5": (29, 832), "foot6": (25, 820), "foot7": (27, 806),
}
LEG_INSIDE: dict[str, Point] = {
    "ankle2i": (26, 788), "ankle1i": (25, 778), "ankle0i": (28, 764), "calf2i": (28, 742), "calf1i": (22, 704),
    "calf0i": (20, 664), "knee2i": (25, 634), "knee1i": (24, 612), "knee0i": (23, 590), "thigh2i": (18, 556),
    "thigh1i": (10, 506), "thigh0i": (4, 462), "crotch": (0, 440),
}
HEAD: dict[str, Point] = {
    "top": (0, 16), "crown": (19, 20), "side": (33, 35), "temple": (38, 56), "ear0": (38, 68), "ear1": (36, 92),
    "jaw": (30, 109), "chin0": (16, 124), "chin1": (0, 128),
}
EAR: tuple[Point, ...] = ((37, 70), (42, 65), (46, 70), (45, 82), (41, 93), (37, 93), (36, 82))


def _side(rear: bool) -> Contour:
    return Contour(TRUNK | (HEEL if rear else FOOT_FRONT) | LEG_INSIDE)


def _limb(line: Contour, upper: str, lower: str, bend: float = 3.0) -> Curve:
    """The stretch of a limb between two levels: outer edge, across, inner edge, across."""
    def across(a: Point, b: Point) -> Curve:
        return smooth([a, ((a[0] + b[0]) / 2, (a[1] + b[1]) / 2 + bend), b])

    return joined(
        line.between(upper, lower), across(line[lower], line[f"{lower}i"]),
        line.between(f"{lower}i", f"{upper}i"), across(line[f"{upper}i"], line[upper]),
    )


def _limbs(sheet: Sheet, line: Contour) -> None:
    """Arm, leg and hand, the same from both sides of the body."""
    fold = (82.0, 226.0)
    sheet.pair("ARM", joined(
        line.between("deltoid2", "elbow0"), [line["elbow0"], (110, 321), line["elbow0i"]],
        line.between("elbow0i", "arm0i"), [line["arm0i"], (90, 246), fold], [fold, (95, 232), line["deltoid2"]],
    ))
    sheet.pair("ELBOW", _limb(line, "elbow0", "elbow2"))
    sheet.pair("FOREARM", _limb(line, "elbow2", "wrist0"))
    sheet.pair("WRIST", _limb(line, "wrist0", "wrist1", 2))
    sheet.pair("KNEE", _limb(line, "knee0", "knee2", 4))
    sheet.pair("LEG", _limb(line, "knee2", "ankle0"))
    sheet.pair("ANKLE", _limb(line, "ankle0", "ankle2", 2))
    hand = joined(line.between("wrist1", "wrist1i"), [line["wrist1i"], (150, 455), line["wrist1"]])
    sheet.link(hand, "dorsal" if sheet.key == "back" else "palmar")
    foot = joined(line.between("ankle2", "ankle2i"), [line["ankle2i"], (38, 791), line["ankle2"]])
    sheet.pair("FOOT.HEEL" if sheet.key == "back" else "FOOT", foot)
    sheet.detail(  # between the fingers
        [(172.5, 522), (170, 508), (168, 498)], [(164, 530), (162, 512), (160, 500)], [(156, 521), (154.5, 508), (153, 498)],
    )


def _silhouette(sheet: Sheet, line: Contour) -> None:
    ear = smooth(EAR, closed=True)
    half = joined([(0, 100), line["neck0"]], line.curve)
    sheet.outlines.append(sheet.whole(half).d(closed=True))
    sheet.outline(ear)
    sheet.outlines.append(sheet.whole(Contour(HEAD).curve).d(closed=True))


def _sheet(key: str) -> Sheet:
    # Seen from the front the patient's right is on the viewer's left; seen from behind it is on the viewer's right.
    sign = 1 if key == "back" else -1
    return Sheet(
        key,
        right=lambda p: (MIDLINE + sign * p[0], p[1]),
        left=lambda p: (MIDLINE - sign * p[0], p[1]),
    )


def front() -> View:
    """The body from the front."""
    sheet, line, head = _sheet("front"), _side(rear=False), Contour(HEAD)
    _silhouette(sheet, line)
    hairline = [head["temple"], (31, 44), (17, 37), (0, 36)]
    sheet.pair("HEAD.SCALP", joined(head.between("top", "temple"), hairline, [(0, 36), (0, 16)]))
    sheet.pair("HEAD.FACE", joined(hairline[::-1], head.between("temple", "chin1"), [(0, 128), (0, 36)]), centre=(22, 84))
    sheet.middle("HEAD.NOSE", smooth([(0, 66), (3.5, 69), (4.5, 80), (8.5, 89), (5, 94), (0, 95)]), (0, 84))
    sheet.pair("HEAD.EAR", smooth(EAR, closed=True))
    sheet.pair("NECK", joined(
        [(0, 128), head["chin0"], (24, 117), line["neck0"]], line.between("neck0", "neck2"), [line["neck2"], (12, 157), (0, 160)],
        [(0, 160), (0, 128)]), centre=(12, 143))
    _front_trunk(sheet, line)
    _limbs(sheet, line)
    _front_details(sheet)
    return _view(sheet, _("Body, front"), _("The whole body seen from the front; the patient's right is on your left."), _("Front"))


def _front_trunk(sheet: Sheet, line: Contour) -> None:
    fold: Point = (82, 226)
    axilla_front = smooth([fold, (70, 242), line["chest0"]])
    sternum, costal = 8, [line["chest1"], (52, 296), (30, 286), (8, 268)]
    shoulder_edge = [fold, (74, 202), (62, 180), line["trapezius"]]
    sheet.pair("SHOULDER", joined(
        line.between("trapezius", "deltoid2"), [line["deltoid2"], (95, 232), fold], shoulder_edge,
    ), centre=(88, 200))
    sheet.pair("TRUNK.CHEST", joined(
        [(sternum, 158.5), (14, 156), line["neck2"]], line.between("neck2", "trapezius"), shoulder_edge[::-1], axilla_front,
        line.between("chest0", "chest1"), costal, [(sternum, 268), (sternum, 158.5)],
    ), centre=(40, 190))
    sheet.middle("TRUNK.CHEST", joined([(0, 160), (sternum, 158.5)], [(sternum, 158.5), (sternum, 268)], [(sternum, 268), (0, 266)]))
    sheet.pair("TRUNK.BREAST", smooth([
        (39, 208), (55, 214), (64, 229), (62, 246), (48, 258), (30, 257), (18, 246), (17, 229), (25, 214)], closed=True))
    sheet.pair("AXILLA", joined(line.between("arm0i", "chest0"), axilla_front.reversed(), [fold, (90, 246), line["arm0i"]]))
    groin = [line["iliac"], (56, 402), (36, 415), (18, 422), (8, 423)]
    sheet.pair("TRUNK.ABDOMEN", joined(
        costal[::-1], line.between("chest1", "iliac"), groin, [(8, 423), (8, 268)]), centre=(37, 345))
    sheet.middle("TRUNK.ABDOMEN", joined([(0, 266), (8, 268)], [(8, 268), (8, 423)], [(8, 423), (0, 423)]), (0, 330))
    hip_edge = smooth([line["thigh0"], (64, 445), (57, 420), (60, 400)])
    crease = smooth([(62, 440), (44, 436), (26, 438), (11, 446)])
    sheet.pair("HIP", joined(line.between("iliac", "thigh0"), hip_edge, [(60, 400), line["iliac"]]))
    sheet.pair("TRUNK.PELVIS", joined(
        [(8, 423), (18, 422), (36, 415), (60, 400)], hip_edge.reversed(), crease, [(11, 446), (8, 423)]), centre=(36, 427))
    sheet.pair("THIGH", joined(
        crease.reversed(), [(62, 440), line["thigh0"]], line.between("thigh0", "knee0"), [line["knee0"], (44, 595), line["knee0i"]],
        line.between("knee0i", "crotch"), [line["crotch"], (11, 446)]), centre=(46, 520))
    sheet.middle("GENITAL", smooth([(0, 423), (8, 424), (12, 438), (11, 454), (0, 461)]))


def _front_details(sheet: Sheet) -> None:
    sheet.detail(
        [(8, 60), (16, 56), (25, 59)],  # brow
        [(9, 69), (16, 65.5), (23, 69.5)], [(9, 69), (16, 72), (23, 69.5)],  # eye
        [(0, 108), (6, 107), (13, 109)], [(0, 114), (6, 114), (9, 112)],  # mouth
        [(9, 160), (30, 165), (55, 167), (72, 170)],  # collarbone
        [(14, 132), (11, 146), (5, 157)],  # sternomastoid
        [(39, 336), (36, 372), (30, 398)],  # edge of rectus
        [(0, 349), (2.4, 351), (0, 354)],  # navel
        [(33, 594), (30, 610), (34, 626)], [(53, 594), (56, 610), (53, 626)],  # kneecap
        [(45, 640), (42, 690), (38, 745)],  # shin
        [(104, 341), (115, 344), (127, 338)],  # elbow crease
        [(34, 836), (35, 829), (42, 828)], [(44, 838), (45, 831), (51, 831)], [(53, 838), (54, 832), (60, 832)],  # toes
    )
    sheet.detail(oval((40, 234), 2.2, 2.2))


def back() -> View:
    """The body from behind."""
    sheet, line, head = _sheet("back"), _side(rear=True), Contour(HEAD)
    _silhouette(sheet, line)
    nape: list[Point] = [line["neck0"], (12, 116), (0, 118)]
    sheet.pair("HEAD.SCALP", joined(head.between("top", "jaw"), [head["jaw"], line["neck0"]], nape, [(0, 118), (0, 16)]))
    sheet.pair("HEAD.EAR", smooth(EAR, closed=True))
    sheet.pair("NECK", joined(
        [(7, 117), (12, 116), line["neck0"]], line.between("neck0", "neck2"), [line["neck2"], (7, 154)], [(7, 154), (7, 117)]))
    _back_trunk(sheet, line)
    _limbs(sheet, line)
    _back_details(sheet)
    return _view(sheet, _("Body, back"), _("The whole body seen from behind; the patient's right is on your right."), _("Back"))


def _back_trunk(sheet: Sheet, line: Contour) -> None:
    fold: Point = (82, 226)
    shoulder_edge = [fold, (72, 200), (62, 180), line["trapezius"]]
    sheet.pair("SHOULDER", joined(
        line.between("trapezius", "deltoid2"), [line["deltoid2"], (95, 232), fold], shoulder_edge), centre=(87, 200))
    sheet.pair("TRUNK.BACK", joined(
        [(9, 153), line["neck2"]], line.between("neck2", "trapezius"), shoulder_edge[::-1],
        [fold, (90, 246), line["arm0i"]], line.between("arm0i", "iliac"),
        [line["iliac"], (42, 372), (9, 370)], [(9, 370), (9, 153)]), centre=(42, 262))
    edge = smooth([line["thigh0"], (68, 440), (64, 414), line["iliac"]])
    fold_line = smooth([(79, 455), (60, 462), (38, 464), (16, 458), (0, 440)])
    sheet.pair("HIP", joined(line.between("iliac", "thigh0"), edge))
    sheet.pair("BUTTOCK", joined(
        [(9, 370), (42, 372), line["iliac"]], edge.reversed(), fold_line, [(0, 440), (0, 420)], [(0, 420), (9, 408), (9, 370)]),
        centre=(36, 420))
    sheet.pair("THIGH", joined(
        fold_line.reversed(), [(79, 455), line["thigh0"]], line.between("thigh0", "knee0"),
        [line["knee0"], (44, 595), line["knee0i"]], line.between("knee0i", "crotch")), centre=(46, 525))
    for site, top, bottom, wide in (
        ("SPINE.C", 118, 158, 7), ("SPINE.T", 158, 292, 9), ("SPINE.L", 292, 366, 9), ("SPINE.S", 366, 418, 10),
    ):
        low = 1.5 if site == "SPINE.S" else wide
        sheet.middle(site, joined([(0, top), (wide, top)], [(wide, top), (wide, (top + bottom) / 2), (low, bottom)], [(low, bottom), (0, bottom)]))


def _back_details(sheet: Sheet) -> None:
    sheet.detail(
        [(17, 196), (24, 222), (38, 244)], [(38, 244), (52, 238), (64, 222)], [(18, 196), (42, 190), (70, 190)],  # scapula
        [(16, 310), (20, 340), (17, 362)],  # erector spinae
        [(2, 424), (1, 436)],  # cleft
        [(26, 606), (42, 611), (60, 607)],  # popliteal crease
        [(42, 640), (43, 670), (42, 700)], [(24, 690), (36, 708), (43, 702)], [(43, 702), (52, 712), (60, 694)],  # calf
        [(33, 742), (34, 770), (32, 796)], [(43, 742), (42, 770), (44, 796)],  # Achilles
        [(108, 334), (114, 326), (121, 333)],  # olecranon
    )


def _view(sheet: Sheet, title: str, description: str, name: str) -> View:
    right, left = sheet.right((165, 0))[0], sheet.left((165, 0))[0]
    return View(
        sheet.key, title, description, WIDTH, HEIGHT, 11,
        tuple(sheet.outlines), tuple(sheet.details), tuple(sheet.nails), tuple(sheet.regions),
        (Caption(right, 40, _("RIGHT"), strong=True), Caption(left, 40, _("LEFT"), strong=True), Caption(MIDLINE, 868, name)),
        tuple(sheet.links),
    )
