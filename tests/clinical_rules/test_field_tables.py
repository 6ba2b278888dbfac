"""Every row of the clinical model's field tables has its column, with the type, unit, range and codes it names."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest
from django.apps import apps
from django.db import models

from calcinosis_registry.codebook import codelists
from calcinosis_registry.codebook.fields import PartialDateField
from calcinosis_registry.codebook.items import Item, codebook_models, item_fields, item_key, labels
from lesions.models.columns import COMPLICATIONS, DRUGS, MODALITIES, PROCEDURES, SITES
from patients import scoring, units
from patients.models.outcome import INSTRUMENTS
from tests.clinical_rules.clinical_model import MODEL, WITHOUT_A_ROW, Row
from tests.clinical_rules.entry_tables import ENTRY

SECTIONS = re.compile(r"clinical-model [1-8](\.\d)?\b")  # the field tables; 9 and 12 are compared elsewhere
MODELS = {model._meta.model_name: model for model in apps.get_models()}


def named(row: Row) -> str:
    return f"{row.section} {row.name}: {row.field}"


@pytest.fixture(params=[*MODEL, *ENTRY], ids=named)
def row(request) -> Row:
    return request.param


def column(row: Row) -> models.Field:
    model, _dot, name = row.field.partition(".")
    return MODELS[model]._meta.get_field(name)


def item(row: Row) -> Item:
    return column(row).item


def test_the_column_is_what_the_table_says(row):
    field, about = column(row), item(row)
    assert about.source
    assert isinstance(field, PartialDateField) is row.partial_date
    assert about.verified is row.verified
    if row.need:
        assert about.need.value == row.need
    if row.codes:
        assert {str(code) for code in labels(field)} == {*row.codes.split(), *row.plus.split()}
    if row.unit is not None:
        assert about.unit == row.unit
    if row.possible is not None:
        assert exact(about.possible) == exact(row.possible)
    if row.plausible is not None:
        assert exact(about.plausible) == exact(row.plausible)
    if row.decimals is not None:
        assert field.decimal_places == row.decimals
    if row.longest is not None:
        assert field.max_length == row.longest


def exact(limits) -> tuple[Decimal, ...]:
    return tuple(Decimal(str(one)) for one in limits)


def test_every_item_that_names_these_sections_stands_in_the_table():
    compared = {row.field for row in MODEL} | WITHOUT_A_ROW
    assert not {row.field for row in MODEL} & WITHOUT_A_ROW
    missing = [
        f"{item_key(field)}  ({about.source})"
        for model in codebook_models()
        for field in item_fields(model)
        if (about := field.item) and SECTIONS.search(about.source) and item_key(field) not in compared
    ]
    assert not missing, "\n".join(missing)


# --- The lists --------------------------------------------------------------------------------------------------------

# 4.5: LOINC mass, molar, other; canonical unit; one conversion; soft and hard limits
ANALYTES = """
CALCIUM     17861-6 2000-8  -      mmol/L mg/dL=0.2495 2.10 2.65 1.00 5.00
ALBUMIN     1751-7  54347-0 -      g/L    g/dL=10      35   50   10   70
PHOSPHATE   2777-1  14879-1 -      mmol/L mg/dL=0.3229 0.80 1.50 0.20 5.00
VITAMIN_D   62292-8 -       -      nmol/L ng/mL=2.496  50   125  5    600
VITAMIN_D3  1989-3  14635-7 -      nmol/L ng/mL=2.496  50   125  5    600
PTH         2731-8  14866-8 -      ng/L   pmol/L=9.43  10   70   1    3000
ALP         -       -       6768-6 U/L    -            30   130  5    3000
CRP         1988-5  -       -      mg/L   mg/dL=10     0    10   0    600
ESR         -       -       4537-7 mm/h   -            0    30   0    160
CK          -       -       2157-6 U/L    -            20   200  5    200000
CREATININE  2160-0  14682-9 -      umol/L mg/dL=88.4   45   110  10   2500
EGFR        -       -       -      mL/min/{1.73_m2} -  60   -    1    200
"""


@pytest.mark.parametrize("line", ANALYTES.strip().splitlines(), ids=lambda line: line.split()[0])
def test_4_5_an_analyte_is_as_the_table_says(line):
    code, mass, molar, other, ucum, conversion, *limits = line.split()
    one = units.analyte(code)
    told = [one.loinc_mass, one.loinc_molar, one.loinc_other]
    assert [text or "-" for text in told] == [mass, molar, other]
    assert one.ucum == ucum
    if conversion != "-":
        unit, factor = conversion.split("=")
        assert one.factors[unit] == Decimal(factor)
    known = [None if text == "-" else Decimal(text) for text in limits]
    assert [*one.soft, *one.hard] == known
    assert one.adult_only_soft is (code in ("ALP", "PHOSPHATE", "CREATININE"))


def test_4_5_every_analyte_of_the_register_stands_in_the_table():
    assert set(units.ANALYTES) == {line.split()[0] for line in ANALYTES.strip().splitlines()}


POINTS = {
    "skin_proximal_to_mcp": 9, "puffy_fingers": 2, "sclerodactyly": 4, "digital_tip_ulcers": 2, "pitting_scars": 3,
    "telangiectasia": 2, "abnormal_capillaries": 2, "pah": 2, "ild": 2, "raynaud": 3, "anticentromere": 3,
    "anti_scl70": 3, "anti_rnap3": 3,
}  # fmt: skip


def test_4_1_the_points_of_the_criteria():
    assert {one.name: one.points for one in scoring.ACR_EULAR_ITEMS} == POINTS


def rows(path) -> dict[str, dict[str, str]]:
    return {row["code"]: row for row in codelists.read(path)}


@pytest.mark.parametrize(
    ("instrument", "low", "high"),
    [("HAQ_DI", "0", "3"), ("SHAQ_PAIN", "0", "3"), ("CHFS", "0", "90"), ("SCLEROID", "0", "10"), ("MRSS", "0", "51"),
     ("RCS", "0", "10"), ("MCQ", "", "")],
)  # fmt: skip
def test_3_the_range_of_an_instrument(instrument, low, high):
    row = rows(INSTRUMENTS)[instrument]
    assert (row["min"], row["max"]) == (low, high)


def test_3_only_what_is_free_is_embedded():
    embedded = {code for code, row in rows(INSTRUMENTS).items() if row["embeddable"] == "1"}
    free = {"PAIN_NRS", "PAIN_VAS", "PATIENT_GLOBAL", "PHYSICIAN_GLOBAL", "GLOBAL_CHANGE", "WORST_LESION_NRS", "MRSS"}
    assert embedded == free


def test_3_scleroid_weights_sum_to_one():
    assert sum(scoring.SCLEROID_WEIGHTS.values()) == Decimal(1)


# 5.2: site and SNOMED CT of the digits, which are confused elsewhere
DIGITS = {"1": "76505004", "2": "83738005", "3": "65531009", "4": "82002001", "5": "12406000"}


def test_5_2_the_digits_and_their_segments():
    known = rows(SITES)
    for digit, snomed in DIGITS.items():
        segments = {code.split(".")[2] for code in known if code.startswith(f"HAND.D{digit}.")}
        thumb = {"DIST", "PULP", "NAIL", "IP", "PROX", "MCP"}
        assert segments == (thumb if digit == "1" else {"DIST", "MID", "PROX", "DIP", "PIP", "MCP", "PULP", "NAIL"})
        assert known[f"HAND.D{digit}"]["snomed"] == snomed


@pytest.mark.parametrize(
    "code",
    [
        "UL",
        "HAND",
        "HAND.DX",
        "HAND.THENAR",
        "HAND.HYPOTHENAR",
        "HAND.PALM",
        "HAND.DORSUM",
        "HAND.MC",
        "WRIST",
        "WRIST.CARPAL_TUNNEL",
        "FOREARM",
        "ELBOW",
        "ARM",
        "SHOULDER",
        "AXILLA",
        "LL",
        "HIP",
        "BUTTOCK",
        "THIGH",
        "KNEE",
        "LEG",
        "ANKLE",
        "FOOT",
        "FOOT.HEEL",
        "FOOT.TOE1",
        "FOOT.TOE5",
        "TRUNK",
        "TRUNK.CHEST",
        "TRUNK.BREAST",
        "TRUNK.ABDOMEN",
        "TRUNK.BACK",
        "TRUNK.PELVIS",
        "SPINE.C",
        "SPINE.T",
        "SPINE.L",
        "SPINE.S",
        "HEAD",
        "HEAD.FACE",
        "HEAD.SCALP",
        "HEAD.EAR",
        "HEAD.NOSE",
        "NECK",
        "GENITAL",
        "GENERALISED",
        "OTHER",
    ],
)
def test_5_2_a_site_of_the_table_is_known(code):
    assert code in rows(SITES)


@pytest.mark.parametrize(
    ("drug", "atc", "most", "unit"),
    [
        ("DILTIAZEM", "C08DB01", "720", "mg"), ("NIFEDIPINE", "C08CA05", "120", "mg"),
        ("AMLODIPINE", "C08CA01", "20", "mg"), ("PAMIDRONATE", "M05BA03", "120", "mg"),
        ("ALENDRONATE", "M05BA04", "70", "mg"), ("ZOLEDRONATE", "M05BA08", "8", "mg"),
        ("COLCHICINE", "M04AC01", "4", "mg"), ("MINOCYCLINE", "J01AA08", "400", "mg"),
        ("CEFTRIAXONE", "J01DD04", "4", "g"), ("WARFARIN", "B01AA03", "20", "mg"), ("IVIG", "J06BA02", "2", "g"),
        ("RITUXIMAB", "L01FA01", "2", "g"), ("PROBENECID", "M04AB01", "3", "g"),
        ("ALUMINIUM_HYDROXIDE", "A02AB01", "6", "g"), ("SODIUM_THIOSULFATE", "V03AB06", "25", "g"),
        ("METHOTREXATE", "L04AX03", "30", "mg"),
    ],
)  # fmt: skip
def test_7_2_a_drug_has_its_code_and_its_limit(drug, atc, most, unit):
    row = rows(DRUGS)[drug]
    assert (row["atc"], row["max_dose"], row["unit"]) == (atc, most, unit)


def test_7_2_methotrexate_is_weekly():
    assert [code for code, row in rows(DRUGS).items() if row["rule"] == "WEEKLY_ONLY"] == ["METHOTREXATE"]


def test_7_3_surgery_laser_and_shock_wave_name_their_lesions():
    needing = {code for code, row in rows(PROCEDURES).items() if row["needs_lesion"] == "1"}
    assert needing >= {"EXCISION", "DEBULKING", "CURETTAGE", "BURR", "CO2_LASER", "ESWL"}


def test_8_every_complication_of_the_table_is_known():
    wanted = (
        "ULCER EXTRUSION TENDERNESS PAIN CELLULITIS ABSCESS OSTEOMYELITIS SEPTIC_ARTHRITIS NERVE_COMPRESSION "
        "CONTRACTURE BONE_DESTRUCTION GANGRENE AMPUTATION"
    )
    assert set(wanted.split()) <= set(rows(COMPLICATIONS))


def test_2_4_the_modalities_of_the_table_are_known():
    wanted = "CR DX RG CT MR US PT NM XC DMS SM GM BMD XA"
    missing = {code for code in wanted.split() if code not in rows(MODALITIES)}
    assert not missing
