"""The table of bad inputs (trust-cases 8), row by row: where it is typed, what, and what the register answers.

``number`` is the row of that table. A row without a path today stands in NO_PATH with the reason.
"""

from __future__ import annotations

from dataclasses import dataclass

SAVED, ASKED = "saved", "saved, with a question to answer"
EARLY = "Enter a year (1987), a year and month (1987-03), a full date (1987-03-12)"
DATE = "Enter a date that exists as year-month-day"
NUMBER = "Enter the number alone; it is in mm."
NO_ROW = "Select a valid choice|is not a valid value|is not one of the available"
UNSEEN = "holds a sign that cannot be seen"


@dataclass(frozen=True)
class Bad:
    """``field``: the one typed into. ``said``: part of what stands beside it ("|" for either), SAVED or ASKED;
    ``kept``: what is stored where it was saved, if not what was typed; ``beside``: other fields of the same form."""

    number: int
    form: str
    field: str
    typed: str | list[str]
    said: str
    kept: str | None = None
    beside: tuple[tuple[str, str], ...] = ()


def each(number: int, form: str, field: str, said: str, *typed: str, **more: object) -> list[Bad]:
    return [Bad(number, form, field, one, said, **more) for one in typed]  # type: ignore[arg-type]


BORN, VISITED, NEXT = "person-birth_date", "visit_date", "next_visit_due"
FAMILY, HOSPITAL = "identity-family_name", "identity-hospital_number"
IMPOSSIBLE_DAYS = ("29 Feb 2023", "2023-02-29", "2024-04-31", "31/04/2024", "00/00/2020", "2020-00-00")
AMBIGUOUS = ("01/02/03", "3/4/2024", "03/04/2024")
NO_YEARS = ("0000-01-01", "10000-01-01", "-44-03-15", "-0044")
OTHER_DIGITS = ("٢٠٢٤-٠١-٠١", "２０２４-０１-０１", "২০২৪-০১-০১")
NO_NUMBERS = (
    "NaN",
    "nan",
    "Infinity",
    "-inf",
    "-0",
    "1.234,5",
    "1 234",
    "1,2,3",
    "3 cm",
    "30mm",
    "true",
    "[]",
    "{}",
    "null",
    "1_000",
    "٣",
    "１２",
    "1e0",
    "0x1",
    "=1+1",
    "9" * 5000,
    "½",
    "12-13",
)

NO_ROWS = ("true", "1e0", "0x1", str(2**63), str(2**70), "9" * 5000)

DATES = [
    *each(1, "register", BORN, "in the future", "2999-01-01", "2999", "2026-12"),
    *each(2, "register", BORN, "age over 120 years", "1850", "1850-06-01"),
    *each(2, "register", BORN, ASKED, "1917-03", beside=(("another_person", "on"),)),
    *each(3, "visit", VISITED, "before birth (1968-04)", "1967-01-01", "1850-01-01"),
    *each(4, "visit", VISITED, SAVED, "1968-04-01"),
    *each(6, "patient", "death_date", "There are visits after that: 2026-03-01", "2026-02", "2025"),
    *each(6, "patient", "death_date", "Death is before birth (1968-04)", "1960", "1968-03"),
    *each(6, "patient", "death_date", "in the future", "2999"),
    *each(7, "visit", VISITED, "in the future", "2999-01-01", "2026-12-31"),
    *each(9, "course", "stop", "The end is before the start (2025-03)", "2024", "2025-02-28"),
    *each(11, "course", "start", "before birth", "1960", "1968-03"),
    *each(11, "course", "start", "in the future", "2999"),
    *each(11, "course of the dead", "start", "after death (2026-04)", "2026-05"),
    *each(12, "register", BORN, EARLY, *IMPOSSIBLE_DAYS, "1968-13", "00/1968"),
    *each(12, "visit", VISITED, DATE, *IMPOSSIBLE_DAYS),
    *each(13, "register", BORN, EARLY, *AMBIGUOUS),
    *each(13, "visit", VISITED, DATE, *AMBIGUOUS),
    *each(13, "course", "start", EARLY, *AMBIGUOUS),
    *each(14, "register", BORN, EARLY, *NO_YEARS),
    *each(14, "visit", VISITED, DATE, *NO_YEARS),
    *each(14, "visit", VISITED, "in the future", "9999-12-31"),
    *each(14, "visit", NEXT, "more than 10 years ahead", "9999-12-31", "2040-01-01"),
    *each(17, "visit", VISITED, DATE, "2024-01-01T23:30+14:00", "2024-01-01T00:00:00Z", "2024-01-01 10:00"),
    *each(17, "register", BORN, EARLY, "1968-01-01T23:30+14:00"),
    *each(19, "register", BORN, SAVED, "1968", "1968-04-12"),
    *each(19, "register", BORN, SAVED, "03/1968", kept="1968-03"),
    *each(21, "visit", VISITED, "in the future", "2026-12-01", beside=(("today", "2027-01-01"),)),
    *each(22, "visit", VISITED, DATE, *OTHER_DIGITS),
    *each(22, "register", BORN, EARLY, *OTHER_DIGITS, "١٩٦٨"),
]
NUMBERS = [
    *each(23, "observation", "length_mm", "Must be between 0.5 and 400 mm.", "-5", "-5,0"),
    *each(24, "observation", "length_mm", "Must be between 0.5 and 400 mm.", "0", "0.0"),
    *each(27, "observation", "length_mm", SAVED, "3,5", "3.5", " 3.5 ", kept="3.5"),
    *each(26, "observation", "length_mm", NUMBER, *NO_NUMBERS),
    *each(29, "observation", "length_mm", "Ensure that there are no more than", "3.456789", "3.45"),
    *each(31, "observation", "length_mm", ASKED, "90", kept="90.0"),
    *each(
        33,
        "visit",
        "new_digital_ulcer_count",
        "Enter a whole number.",
        "1_0",
        "٣",
        "3.0",
        "1e0",
        "[]",
        beside=(("new_digital_ulcer", "Y"),),
    ),
    *each(34, "observation", "length_mm", "Ensure that there are no more than|Must be between", str(2**63), str(2**70)),
    *each(
        34,
        "visit",
        "new_digital_ulcer_count",
        "Must be between 0 and 10|between",
        str(2**63),
        str(2**70),
        beside=(("new_digital_ulcer", "Y"),),
    ),
    *each(36, "observation", "lesion", NO_ROW, "true", "own ", "1e0", "0x1", "-1", "[]", str(2**63), str(2**70)),
    *[Bad(36, "course", "lesions", [one], NO_ROW) for one in NO_ROWS],
    *each(37, "visit", "pain_nrs", "Select a valid choice", "11", "-1", "2.5", "ten"),
    *each(38, "course", "dose", "more than 0", "0", "0.000"),
    *each(38, "course", "dose", "Must be between 0 and 100000", "-60", "100001"),
    *each(38, "course", "dose", ASKED, "60000", kept="60000.000"),
]
NAMES = (
    "O'Brien",
    "d'Angelo-Ñíguez",
    "Nguyễn",
    "王小明",
    "Ω",
    "X",
    "Ł" * 100,
    "İnce",
    "Işık",
    "Groß",
    "ÅSTRÖM",
    "山田 太郎",
)
TEXT = [
    *each(39, "register", FAMILY, SAVED, *NAMES),
    *each(41, "visit", "note", SAVED, "👩🏽\u200d⚕️ better", "क्\u200dष"),
    *each(42, "visit", "note", SAVED, "cafe\u0301", kept="caf\u00e9"),
    *each(41, "register", HOSPITAL, "Only the letters A to Z", "K-77👩🏽", "K\u00e9-1", "K\u200d1"),
    *each(43, "register", FAMILY, SAVED, "Du\u200barte", "\ufeffDuarte", "Dua\u2060rte", kept="Duarte"),
    *each(43, "register", FAMILY, UNSEEN, "Du\u202earte", "\u2066Duarte\u2069", "Du\u0007arte"),
    *each(44, "register", HOSPITAL, "Only the letters A to Z", "К-7701", "K-77０1"),
    *each(46, "visit", "note", "could not be read", "bad \udce9 byte"),
    *each(47, "register", FAMILY, UNSEEN, "Du\x1b[31marte", "Du\x08arte", "Dua\x85rte"),
    *each(47, "register", FAMILY, "It must be one line.", "Duarte\r\nBcc: x@example.org", "a\nb"),
    *each(47, "visit", "note", UNSEEN, "red \x1b[31m text", "bell \x07"),
    *each(48, "visit", "note", "at most 1000 characters", "x" * 10_000_000),
    *each(49, "visit", "note", "at most 1000 characters", "x" * 1001, "😀" * 1001),
    *each(49, "visit", "note", SAVED, "😀" * 1000),
    *each(49, "visit", "note", SAVED, "a\r\n" * 498 + "end", kept="a\n" * 498 + "end"),
    *each(51, "register", FAMILY, SAVED, "  Duarte  ", kept="Duarte"),
    *each(51, "register", HOSPITAL, SAVED, "  K-7701\t", kept="K-7701"),
    *each(
        52,
        "visit",
        "note",
        SAVED,
        "<script>alert(1)</script>",
        "{{7*7}}{% load x %}",
        "${7*7}",
        "<img src=x onerror=y>",
    ),
    *each(53, "visit", "note", SAVED, "=cmd|'/c calc'!A1", "+1", "-1+1", "@SUM(A1)"),
    *each(57, "visit", "note", ASKED, "call her at +41 44 123 45 67", "756 1234 5678 97"),
]
RELATIONS = [
    *each(66, "lesion", "site", "Select a valid choice|This field is required", "NO.SUCH.SITE", "", "HAND.D2.PULP "),
    *each(76, "course", "agent", "Select a valid choice", "L04AX03", "C08DB01", "diltiazem", "DILTIAZEM|X"),
    *each(76, "register", "disease-primary_ctd", "Select a valid choice", "M34.1", "SSc", "FLU"),
    *each(106, "course", "ongoing", "Select a valid choice", "true", "1", "[]", "y"),
]
TABLE = [*DATES, *NUMBERS, *TEXT, *RELATIONS]

FILE, JSON = "a table of values is read in from no file", "no JSON is taken"
NO_PATH = {
    8: "a follow-up may be entered before the baseline: visits are entered in any order, one baseline at most",
    16: FILE,
    18: "no time of day is asked for",
    28: "tested with 26: a unit is refused with a hint",
    32: "tested with 26",
    54: "see test_a_search_is_literal",
    56: "see test_a_search_finds",
    58: "tests/patients/test_register.py",
    59: "tests/patients/test_register.py",
    61: "the form of a national number is no rule of the register: clinics of several countries",
    62: "no clinic has a rule for the length of its numbers",
    63: "tests/lesions/test_visit_guard.py",
    64: "tests/house_rules/test_access.py",
    67: "no site of the body is asked of one sex only",
    68: "tests/lesions: what follows on a resolved lesion",
    69: "a primary of a tumour is not recorded",
    71: "tests/records/test_record_form.py: what other records point at",
    72: "tested with 11",
    73: "tests/patients/test_consent.py",
    74: "tests/records/test_record_form.py",
    **dict.fromkeys((77, 78, 79, 81, 82, 83, 84, 86, 87, 88, 89, 91, 92, 93, 94, 96, 97, 98, 99), FILE),
    **dict.fromkeys((101, 102, 103, 104), "tests/lesions/imaging"),
    **dict.fromkeys((107, 108, 109, 111, 117), JSON),
    112: "tests/lesions/imaging/test_stored_files.py",
    113: "tests/lesions/imaging/test_stored_files.py",
    114: "see test_an_address",
    116: "see test_a_foreign_host",
    118: "slow bodies and headers end in the server before the register",
}
LISTED = (
    *(
        1,
        2,
        3,
        4,
        6,
        7,
        8,
        9,
        11,
        12,
        13,
        14,
        16,
        17,
        18,
        19,
        21,
        22,
        23,
        24,
        26,
        27,
        28,
        29,
        31,
        32,
        33,
        34,
        36,
        37,
        38,
    ),
    *(
        39,
        41,
        42,
        43,
        44,
        46,
        47,
        48,
        49,
        51,
        52,
        53,
        54,
        56,
        57,
        58,
        59,
        61,
        62,
        63,
        64,
        66,
        67,
        68,
        69,
        71,
        72,
        73,
        74,
    ),
    *(
        76,
        77,
        78,
        79,
        81,
        82,
        83,
        84,
        86,
        87,
        88,
        89,
        91,
        92,
        93,
        94,
        96,
        97,
        98,
        99,
        101,
        102,
        103,
        104,
        106,
        107,
        108,
    ),
    *(109, 111, 112, 113, 114, 116, 117, 118),
)
