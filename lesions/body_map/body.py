"""The body, front and back.

Coordinates state the patient's right half: (distance from the midline, height). Proportions are those of an adult of
seven and a half heads, arms a little away from the trunk, palms forward (the anatomical position), no sex shown.
"""

from __future__ import annotations

from collections.abc import Iterator

from django.utils.translation import gettext_lazy as _

from lesions.body_map.atlas import Caption, Sheet, View, Words
from lesions.body_map.digits import Digit
from lesions.body_map.geometry import Contour, Point, joined, knots, lines, oval, points, traced

WIDTH, HEIGHT, MIDLINE = 440.0, 880.0, 220.0

# From the neck over shoulder and arm to the wrist; the hand is drawn by its digits; then back to the armpit, down the
# trunk and the leg, up to the crotch.
ARM_OUTSIDE = knots("""
    neck0 21,108  neck1 21,128  neck2 25,146  trapezius 46,158  acromion 76,167  deltoid0 95,177
    deltoid1 106,200  deltoid2 111,232  arm0 115,262  arm1 120,294  elbow0 124,314  elbow1 130,332
    elbow2 138,350  forearm0 147,374  forearm1 154,404  wrist0 157.5,432  wrist1 161,450  thenar 169,463
""")
ARM_INSIDE = knots("""
    ulnar 141,476  wrist1i 138,455  wrist0i 135,437  forearm1i 124,408  forearm0i 111,378
    elbow2i 104,354  elbow1i 99.5,338  elbow0i 96,322  arm1i 90,300  arm0i 84,268  armpit 76,244
    chest0 76,264  chest1 72,292  waist0 65,318  waist1 62,338  waist2 65,362  iliac 71,388  hip0 77,414
    hip1 80,438  thigh0 81,462  thigh1 79.5,508  thigh2 72,556  knee0 64,590  knee1 61.5,612  knee2 61,634
    calf0 66,660  calf1 64,698  calf2 53,744  ankle0 47,768  ankle1 48.5,780  ankle2 51,790
""")
SMALL = points("0,1 .3,.98 .62,.92 .85,.80 .96,.45 1,0")
THUMB = Digit("T1", (167, 468), -33, 39, 6.3, SMALL)
FINGERS = (
    Digit("T2", (171.2, 493), -9, 38, 4.6, SMALL),
    Digit("T3", (163.4, 496), -7, 42, 4.7, SMALL),
    Digit("T4", (155.6, 496), -4, 39, 4.5, SMALL),
    Digit("T5", (148.3, 492), -1, 31, 4.0, SMALL),
)
WEBS = knots("w23 167,497  w34 159.2,499  w45 151.6,497")


def _hand() -> dict[str, Point]:
    """Thumb, four fingers and the webs between them, from the thumb side on."""
    thumb = [name for name in reversed(THUMB.knots(left_from=0.3)) if name != "T1.r0.0"]
    found = {name: THUMB.knots()[name] for name in thumb} | knots("web0 173.5,482  web1 174.6,486")
    for finger, web in zip(FINGERS, [*WEBS, ""], strict=True):
        there = finger.knots()
        found |= {name: there[name] for name in reversed(there) if not name.endswith("0.0")}
        found |= {web: WEBS[web]} if web else {}
    return found


TRUNK = ARM_OUTSIDE | _hand() | ARM_INSIDE
FOOT_FRONT = knots("""
    foot0 59,806  foot1 70,822  foot2 72,832  foot3 62,838  foot4 44,839  foot5 30,834  foot6 26,820
    foot7 27,806
""")
HEEL = knots("""
    foot0 58,802  foot1 64,816  foot2 62,828  foot3 52,835  foot4 40,837  foot5 29,832  foot6 25,820
    foot7 27,806
""")
LEG_INSIDE = knots("""
    ankle2i 26,788  ankle1i 25,778  ankle0i 28,764  calf2i 28,742  calf1i 22,704  calf0i 20,664
    knee2i 25,634  knee1i 24,612  knee0i 23,590  thigh2i 16,556  thigh1i 7.5,506  thigh0i 2.5,462
    crotch 0,440
""")
HEAD = knots("""
    top 0,16  crown 19,20  side 33,35  temple 38,56  ear0 38,68  ear1 36,92  jaw 30,109  chin0 16,124
    chin1 0,128
""")
EAR = "37,70 42,65 46,70 45,82 41,93 37,93 36,82 37,70"


# Regions of the right half: site, where its mark stands ("@", else its centre of gravity), its edge (geometry.traced).
LIMBS = f"""
    ARM: deltoid2>elbow0 | elbow0 110,321 elbow0i | elbow0i>arm0i | arm0i 90,246 82,226 | 82,226 95,232 deltoid2
    ELBOW: elbow0>elbow2 | elbow2 120.5,356 elbow2i | elbow2i>elbow0i | elbow0i 110,321 elbow0
    FOREARM: elbow2>wrist0 | wrist0 145,437 wrist0i | wrist0i>elbow2i | elbow2i 120.5,356 elbow2
    WRIST: wrist0>wrist1 | wrist1 150,455 wrist1i | wrist1i>wrist0i | wrist0i 145,437 wrist0
    KNEE: knee0>knee2 | knee2 43,638 knee2i | knee2i>knee0i | knee0i 44,595 knee0
    LEG: knee2>ankle0 | ankle0 38,768 ankle0i | ankle0i>knee2i | knee2i 43,638 knee2
    ANKLE: ankle0>ankle2 | ankle2 38,791 ankle2i | ankle2i>ankle0i | ankle0i 38,768 ankle0
    SHOULDER @88,200: trapezius>deltoid2 | deltoid2 95,232 82,226 | 82,226 74,202 62,180 trapezius
    HEAD.EAR: {EAR}
"""
HAND = "wrist1>wrist1i | wrist1i 150,455 wrist1"
SOLE = "ankle2>ankle2i | ankle2i 38,791 ankle2"

FRONT_SIDES = """
    HEAD.SCALP: top>temple | temple 31,44 17,37 0,36 | 0,36 0,16
    HEAD.FACE @22,84: 0,36 17,37 31,44 temple | temple>chin1 | chin1 0,36
    NECK @12,143: 0,128 9,126.6 20.6,119 | neck1>neck2 | neck2 12,157 0,160 | 0,160 0,128
    TRUNK.CHEST @40,190: 8,158.5 14,156 neck2 | neck2>trapezius | trapezius 62,180 74,202 82,226
        | 82,226 70,242 chest0 | chest0>chest1 | chest1 52,296 30,286 8,268 | 8,268 8,158.5
    TRUNK.BREAST: 41,206 57,212 66,228 63,245 49,256 31,255 19,245 18,228 27,213 41,206
    AXILLA: arm0i>chest0 | chest0 70,242 82,226 | 82,226 90,246 arm0i
    TRUNK.ABDOMEN @37,345: 8,268 30,286 52,296 chest1 | chest1>iliac | iliac 56,402 36,415 18,422 8,423 | 8,423 8,268
    HIP: iliac>thigh0 | thigh0 64,445 57,420 60,400 | 60,400 iliac
    TRUNK.PELVIS @36,427: 8,423 18,422 36,415 60,400 | 60,400 57,420 64,445 thigh0 | 62,440 44,436 26,438 11,446
        | 11,446 8,423
    THIGH @46,520: 11,446 26,438 44,436 62,440 | 62,440 thigh0 | thigh0>knee0 | knee0 44,595 knee0i | knee0i>crotch
        | crotch 11,446
"""
FRONT_MIDDLE = """
    HEAD.NOSE @0,84: 0,66 3.5,69 4.5,80 8.5,89 5,94 0,95
    TRUNK.CHEST: 0,160 8,158.5 | 8,158.5 8,268 | 8,268 0,266
    TRUNK.ABDOMEN @0,330: 0,266 8,268 | 8,268 8,423 | 8,423 0,423
    GENITAL: 0,423 8,424 12,438 11,454 0,461
"""
FRONT_DETAILS = """
    8,59.5 16,55.5 26,58.5  # brow
    9,68 16,64.5 23.5,68.5
    9.5,68.6 16,71 23,69
    3,90 5.5,92.5 8,90  # nostril
    0,106.5 3.4,105.4 6.5,107 12.5,108.6  # mouth
    0,113 5.5,112.6 9,110.6
    0,118.5 4.5,118
    40.5,73 43.6,76 42,83 39.5,89  # ear
    9,161 22,162.5 40,166 56,167 72,170.5  # collarbone
    12,165 30,168.5 46,171
    17.5,131 13.5,146 6.5,158  # sternomastoid
    3.4,163 0,167.5
    81,224 70,237 55,246.5 36,251 17,247.5 5,240  # breast muscle
    80,180 86,196 84,212 80,224  # deltoid
    100,214 97.5,232 101,246
    99,250 103,276 107,300  # biceps
    112,252 114.5,272 117,290
    67,268 60,274 55,282 52,290  # serratus
    68,284 62,289 58,296
    8,272 20,282 32,299 40,318 43,340  # rib margin
    39,344 36.5,372 29,402 22,420  # edge of rectus
    6,306 18,309 31,307
    6,332 19,335 33,333
    0,346.5 2.3,348.6 2.4,351.4 0,353.4  # navel
    68,392 58,398 51,407  # iliac crest
    64,414 44,430 22,444 12,452  # groin
    58,470 62,505 60,545 54,572  # quadriceps
    40,482 44,530 43,570
    27,548 25.5,570 29,586 34,580  # vastus medialis
    59,560 60.5,576 57,588
    33.5,596 30.5,609 34,623 43,628 52,623 55.5,609 52.5,596 43,592.5 33.5,596  # kneecap
    39,632 43,639 47,632
    44.5,648 42.5,690 38.5,742  # shin
    58,652 61,676 58,704 51,728  # calf
    26,652 23.5,676 26,700 30,722
    44,776 47,779.5 44.5,783.5  # malleoli
    29,772 26.6,776 28.6,780
    104,341 115,344 127,338  # elbow crease
    130,346 134,366 133,390  # forearm
    141,440 148,442.5 156,438.5  # wrist
    36.5,836 37,830 41.5,829  # toes
    46,837.5 46.5,831.5 51.5,831
    55,837 56,832 61,832.5
    63.5,834 65,829.5 68.5,829.5
"""

SKULL = "top>ear1 | ear1 29,110 20,117 9,120 0,119"
BACK_SIDES = f"""
    HEAD.SCALP: {SKULL} | 0,119 0,16
    NECK: 7,119.6 20,117 | neck1>neck2 | neck2 7,154 | 7,154 7,119.6
    TRUNK.BACK @42,262: 9,153 neck2 | neck2>trapezius | trapezius 62,180 74,202 82,226 | 82,226 90,246 arm0i
        | arm0i>iliac | iliac 42,372 9,370 | 9,370 9,153
    HIP: iliac>thigh0 | thigh0 68,440 64,414 iliac
    BUTTOCK @36,420: 9,370 42,372 iliac | iliac 64,414 68,440 thigh0 | 79,455 60,462 38,464 16,458 0,440 | 0,440 0,420
        | 0,420 9,408 9,370
    THIGH @46,525: 0,440 16,458 38,464 60,462 79,455 | 79,455 thigh0 | thigh0>knee0 | knee0 44,595 knee0i
        | knee0i>crotch
"""
BACK_MIDDLE = """
    SPINE.C: 0,119.6 7,119.6 | 7,119.6 7,158 | 7,158 0,158
    SPINE.T: 0,158 9,158 | 9,158 9,292 | 9,292 0,292
    SPINE.L: 0,292 9,292 | 9,292 9,366 | 9,366 0,366
    SPINE.S @0,388: 0,366 9,366 | 9,366 17,376 13,396 4,416 0,420
"""
BACK_DETAILS = """
    60,180 46,192 30,216 14,256 9.5,286  # trapezius
    22,190 19.5,206 27,228 38,246 44,243 55,230 66,212  # scapula
    21,191 42,186 66,181  # its spine
    82,226 76,240 66,256 50,268  # latissimus
    73,292 56,312 36,332 20,350
    14,300 20,330 19,356 12,372  # erector spinae
    99,216 95,232 97,246  # deltoid, triceps
    93,262 99,284 104,304
    108,260 111,280 114,300
    20,378 24,381 27,378.5  # dimple
    2.6,398 2,420 1.6,440  # cleft
    76,448 62,459.5 42,463.5 22,458 8,449  # gluteal fold
    52,478 55,520 52,572  # hamstrings
    32,482 30,530 33,580
    27,580 29,596 33,612  # popliteal fossa
    57,578 56,594 53,610
    27,611 43,615.5 59,611
    43,632 43.5,664 43,690  # calf heads
    23,668 29,694 38,701 43,697 50,704 59,698 63.5,674
    33.5,738 36,766 34.5,792  # Achilles
    42.5,738 40.5,766 43,794
    27,772 30,776 28.5,781
    47.5,774 45,778 46.6,783
    108,334 114,326.5 121,333 119.5,341 110,342 108,334  # olecranon
    126,352 130,372 130,394  # forearm
    141,440 148,437.5 156,437  # wrist
"""


def front() -> View:
    """The body from the front."""
    sheet, line, head = _sheet("front"), Contour(TRUNK | FOOT_FRONT | LEG_INSIDE), Contour(HEAD)
    _silhouette(sheet, line, "top>chin1", head)
    for site, edge, centre in _told(FRONT_SIDES + LIMBS):
        sheet.pair(site, traced(edge, line, head), centre=centre)
    for site, edge, centre in _told(FRONT_MIDDLE):
        sheet.middle(site, traced(edge, line, head), centre)
    sheet.pair("FOOT", traced(SOLE, line))
    sheet.link(traced(HAND, line), "palmar")
    sheet.detail(*lines(FRONT_DETAILS), oval((42, 232), 3.2), oval((42, 232), 1.1), oval((16, 67.6), 1.9))
    says = _("The whole body seen from the front; the patient's right is on your left.")
    return _view(sheet, _("Body, front"), says, _("Front"))


def back() -> View:
    """The body from behind."""
    sheet, line, head = _sheet("back"), Contour(TRUNK | HEEL | LEG_INSIDE), Contour(HEAD)
    _silhouette(sheet, line, SKULL, head)
    for site, edge, centre in _told(BACK_SIDES + LIMBS):
        sheet.pair(site, traced(edge, line, head), centre=centre)
    for site, edge, centre in _told(BACK_MIDDLE):
        sheet.middle(site, traced(edge, line, head), centre)
    sheet.pair("FOOT.HEEL", traced(SOLE, line))
    sheet.link(traced(HAND, line), "dorsal")
    sheet.detail(*lines(BACK_DETAILS))
    says = _("The whole body seen from behind; the patient's right is on your right.")
    return _view(sheet, _("Body, back"), says, _("Back"))


def _told(text: str) -> Iterator[tuple[str, str, Point | None]]:
    """(site, edge, centre or None) per region of a table; a row that starts with "|" goes on with the one before."""
    for row in filter(str.strip, text.replace("\n        |", " |").splitlines()):
        name, _colon, edge = row.partition(":")
        site, at, centre = name.partition("@")
        yield site.strip(), edge, points(centre)[0] if at else None


def _silhouette(sheet: Sheet, line: Contour, skull: str, head: Contour) -> None:
    sheet.bodies.append(sheet.whole(joined([(0, 100), line["neck0"]], line.curve)))
    sheet.outline(traced(EAR))
    sheet.bodies.append(sheet.whole(traced(skull, head)))


def _sheet(key: str) -> Sheet:
    # Seen from the front the patient's right is on the viewer's left; seen from behind it is on the viewer's right.
    sign = 1 if key == "back" else -1
    return Sheet(
        key,
        right=lambda p: (MIDLINE + sign * p[0], p[1]),
        left=lambda p: (MIDLINE - sign * p[0], p[1]),
    )


def _view(sheet: Sheet, title: Words, description: Words, name: Words) -> View:
    right, left = sheet.right((165, 0))[0], sheet.left((165, 0))[0]
    captions = (
        Caption(right, 40, _("RIGHT"), strong=True),
        Caption(left, 40, _("LEFT"), strong=True),
        Caption(MIDLINE, 868, name),
    )
    return sheet.view(title, description, WIDTH, HEIGHT, mark=19, captions=captions)
