"""Units and limits of laboratory analytes."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patients import units

values = st.decimals(min_value=Decimal("0.01"), max_value=Decimal(100000), places=2)


@pytest.mark.parametrize(
    ("code", "value", "unit", "expected"),
    [
        ("CALCIUM", "10", "mg/dL", "2.495"),
        ("CALCIUM", "2.05", "mmol/L", "2.05"),
        ("ALBUMIN", "3.0", "g/dL", "30"),
        ("PHOSPHATE", "4", "mg/dL", "1.2916"),
        ("VITAMIN_D", "30", "ng/mL", "74.88"),
        ("PTH", "5", "pmol/L", "47.15"),
        ("PTH", "47", "pg/mL", "47"),
        ("CRP", "1.5", "mg/dL", "15"),
        ("CREATININE", "1", "mg/dL", "88.4"),
    ],
)
def test_converts_to_the_canonical_unit(code, value, unit, expected):
    assert units.to_canonical(code, Decimal(value), unit) == Decimal(expected)


def test_an_unknown_unit_is_named_with_what_is_accepted():
    with pytest.raises(ValueError, match=r"“mg/L”.*mmol/L, mg/dL"):
        units.to_canonical("CALCIUM", Decimal(1), "mg/L")


def test_an_unknown_analyte_is_named():
    with pytest.raises(ValueError, match="KRYPTON"):
        units.accepted_units("KRYPTON")


@given(code=st.sampled_from(sorted(units.ANALYTES)), value=values)
def test_the_canonical_unit_comes_first_and_changes_nothing(code, value):
    unit = units.accepted_units(code)[0]
    assert unit == units.analyte(code).ucum
    assert units.to_canonical(code, value, unit) == value


@pytest.mark.parametrize("code", sorted(units.ANALYTES))
def test_soft_limits_lie_inside_the_hard_ones(code):
    low, high = units.hard_range(code)
    assert low < high
    assert all(units.within(limit, (low, high)) for limit in units.soft_range(code) if limit is not None)


def test_limits_are_inclusive_and_hold_after_conversion():
    assert units.within(Decimal("5.00"), units.hard_range("CALCIUM"))
    assert not units.within(Decimal("5.01"), units.hard_range("CALCIUM"))
    assert not units.within(units.to_canonical("CALCIUM", Decimal(21), "mg/dL"), units.hard_range("CALCIUM"))
    assert units.within(Decimal(200), units.soft_range("EGFR"))


@pytest.mark.parametrize("code", ["ALP", "PHOSPHATE", "CREATININE"])
def test_adult_soft_limits_are_off_for_children(code):
    assert units.soft_range(code, adult=False) == (None, None)
    assert units.soft_range(code) != (None, None)


def test_other_soft_limits_stay_on_for_children():
    assert units.soft_range("CALCIUM", adult=False) == (Decimal("2.10"), Decimal("2.65"))


@pytest.mark.parametrize(
    ("code", "unit", "expected"),
    [
        ("CALCIUM", "mmol/L", "2000-8"),
        ("CALCIUM", "mg/dL", "17861-6"),
        ("PTH", "pg/mL", "2731-8"),
        ("PTH", "pmol/L", "14866-8"),
        ("ALP", "U/L", "6768-6"),
        ("VITAMIN_D", "ng/mL", "62292-8"),
        ("VITAMIN_D3", "ng/mL", "1989-3"),
        ("VITAMIN_D", "nmol/L", ""),
    ],
)
def test_mass_and_molar_results_have_their_own_loinc(code, unit, expected):
    assert units.loinc(code, unit) == expected
