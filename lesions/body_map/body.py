"""The body, front and back.

Coordinates state the patient's right half: (distance from the midline, height). Proportions are those of an adult of
seven and a half heads, arms a little away from the trunk, palms forward (the anatomical position), no sex shown.
"""

from __future__ import annotations

from collections.abc import Iterator

from django.utils.translation import gettext_lazy as _

from lesions.body_map.atlas import Caption, Sheet, View, Words
from lesions.body_map.geometry import Contour, Point, joined, knots, lines, oval, points, traced

WIDTH, HEIGHT, MIDLINE = 440.0, 880.0, 220.0

# From the neck over shoulder and arm, round the hand, back to the armpit, down the trunk and the leg, up to the crotch.
TRUNK = knots("""
    neck0 21,108  neck1 20.5,128  neck2 25,147  trapezius 47,160  acromion 77,168  deltoid0 94,180
    deltoid1 102,203  deltoid2 105,232  arm0 110,264  arm1 117,296  elbow0 123,316  elbow1 128,332
    elbow2 134,350  forearm0 143,374  forearm1 151,404  wrist0 156,432  wrist1 160,450  thenar 168,462
    thumb0 179,478  thumb1 185,494  thumb2 184,502  thumb3 179,500  thumb4 173,489  web 170,484
    index0 174,500  index1 178,517  index2 177,524  index3 173,521  middle0 172,530  middle1 169,534
    middle2 166,529  ring1 163,532  ring2 159,529  ring3 157,520  little1 153,521  little2 149,514
    little3 146,500  ulnar 142,478  wrist1i 139,455  wrist0i 134,437  forearm1i 122,408  forearm0i 109,378
    elbow2i 103,354  elbow1i 101,338  elbow0i 98,322  arm1i 92,300  arm0i 85,270  armpit 75,246
    chest0 74,266  chest1 71,292  waist0 65,318  waist1 62,338  waist2 65,362  iliac 70,388  hip0 76,414
    hip1 79,438  thigh0 80,462  thigh1 78,510  thigh2 71,558  knee0 65,592  knee1 63,612  knee2 62,634
    calf0 65,662  calf1 62,700  calf2 53,742  ankle0 48,766  ankle1 48,780  ankle2 51,790
""")
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
    ELBOW: elbow0>elbow2 | elbow2 118.5,355 elbow2i | elbow2i>elbow0i | elbow0i 110,321 elbow0
    FOREARM: elbow2>wrist0 | wrist0 145,437 wrist0i | wrist0i>elbow2i | elbow2i 118.5,355 elbow2
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
    TRUNK.BREAST: 39,208 55,214 64,229 62,246 48,258 30,257 18,246 17,229 25,214 39,208
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
    8,60 16,56 25,59  # brow
    9,69 16,65.5 23,69.5  # eye
    9,69 16,72 23,69.5
    0,108 6,107 13,109  # mouth
    0,114 6,114 9,112
    9,160 30,165 55,167 72,170  # collarbone
    14,132 11,146 5,157  # sternomastoid
    39,336 36,372 30,398  # edge of rectus
    0,349 2.4,351 0,354  # navel
    33,594 30,610 34,626  # kneecap
    53,594 56,610 53,626
    45,640 42,690 38,745  # shin
    104,341 115,344 127,338  # elbow crease
    34,836 35,829 42,828  # toes
    44,838 45,831 51,831
    53,838 54,832 60,832
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
    18,200 21,220 29,238 38,246 46,242 56,228 66,214  # scapula
    20,197 44,188 72,180  # its spine
    16,310 20,340 17,362  # erector spinae
    2,424 1,436  # cleft
    26,606 42,611 60,607  # popliteal crease
    42,642 43,668 42,694  # calf
    23,678 30,700 42,700 52,712 62,688
    33,742 34,770 32,796  # Achilles
    43,742 42,770 44,796
    108,334 114,326 121,333  # olecranon
"""
FINGERS = """
    172.5,522 170,508 168,498
    164,530 162,512 160,500
    156,521 154.5,508 153,498
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
    sheet.detail(*lines(FRONT_DETAILS), *lines(FINGERS), oval((40, 234), 2.2))
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
    sheet.detail(*lines(BACK_DETAILS), *lines(FINGERS))
    says = _("The whole body seen from behind; the patient's right is on your right.")
    return _view(sheet, _("Body, back"), says, _("Back"))


def _told(text: str) -> Iterator[tuple[str, str, Point | None]]:
    """(site, edge, centre or None) per region of a table; a row that starts with "|" goes on with the one before."""
    for row in filter(str.strip, text.replace("\n        |", " |").splitlines()):
        name, _colon, edge = row.partition(":")
        site, at, centre = name.partition("@")
        yield site.strip(), edge, points(centre)[0] if at else None


def _silhouette(sheet: Sheet, line: Contour, skull: str, head: Contour) -> None:
    sheet.outlines.append(sheet.whole(joined([(0, 100), line["neck0"]], line.curve)).d(closed=True))
    sheet.outline(traced(EAR))
    sheet.outlines.append(sheet.whole(traced(skull, head)).d(closed=True))


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
    return sheet.view(title, description, WIDTH, HEIGHT, mark=11, captions=captions)
