"""Patient-level scores: the worked examples of clinical-model 12.5 and their boundaries."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patients import scoring

ALL_ABSENT = {item.name: "N" for item in scoring.ACR_EULAR_ITEMS}
answer_sheets = st.fixed_dictionaries({name: st.sampled_from(["Y", "N", "U", ""]) for name in ALL_ABSENT})


def present(*names):
    return ALL_ABSENT | dict.fromkeys(names, "Y")


def test_acr_eular_a_sclerodactyly_pitting_raynaud():
    result = scoring.acr_eular_2013(present("sclerodactyly", "pitting_scars", "raynaud"))
    assert result == scoring.AcrEular(10, 10, "YES")


def test_acr_eular_b_only_the_highest_of_a_group_counts():
    result = scoring.acr_eular_2013(
        present(
            "puffy_fingers",
            "sclerodactyly",
            "digital_tip_ulcers",
            "pitting_scars",
            "pah",
            "ild",
            "anticentromere",
            "anti_scl70",
        )
    )
    assert result.score_min == result.score_max == 12


def test_acr_eular_c_below_nine_with_everything_else_absent_is_no():
    result = scoring.acr_eular_2013(present("raynaud", "anticentromere", "telangiectasia"))
    assert result == scoring.AcrEular(8, 8, "NO")


@pytest.mark.parametrize("unknown", ["U", ""])
def test_acr_eular_c_is_indeterminate_while_an_item_is_unknown(unknown):
    answers = present("raynaud", "anticentromere", "telangiectasia") | {"ild": unknown}
    assert scoring.acr_eular_2013(answers) == scoring.AcrEular(8, 10, "INDETERMINATE")


def test_an_unknown_item_that_cannot_reach_nine_leaves_the_no():
    assert scoring.acr_eular_2013(present("raynaud") | {"puffy_fingers": "U"}).classified == "NO"


def test_nothing_assessed_is_a_full_range():
    assert scoring.acr_eular_2013({}) == scoring.AcrEular(0, 28, "INDETERMINATE")


def test_the_sufficient_item_classifies_alone():
    assert scoring.acr_eular_2013({"skin_proximal_to_mcp": "Y"}).classified == "YES"


def test_an_exclusion_makes_it_not_applicable():
    assert scoring.acr_eular_2013(present("skin_proximal_to_mcp"), excluded=True).classified == "NOT_APPLICABLE"


@given(answer_sheets)
def test_without_the_sufficient_item_the_total_never_exceeds_19(answers):
    result = scoring.acr_eular_2013(answers | {"skin_proximal_to_mcp": "N"})
    assert 0 <= result.score_min <= result.score_max <= 19


@given(answer_sheets, st.sampled_from(["Y", "N"]))
def test_settling_the_unknowns_stays_inside_the_range(answers, settled):
    result = scoring.acr_eular_2013(answers)
    final = scoring.acr_eular_2013(
        {name: value if value in "YN" and value else settled for name, value in answers.items()}
    )
    assert result.score_min <= final.score_min == final.score_max <= result.score_max
    if result.classified != "INDETERMINATE":
        assert final.classified == result.classified


@pytest.mark.parametrize("answers", [{"calcinosis": "Y"}, {"raynaud": "yes"}])
def test_an_unknown_item_or_answer_is_refused(answers):
    with pytest.raises(ValueError, match=next(iter(answers))):
        scoring.acr_eular_2013(answers)


HAQ = dict(zip(scoring.HAQ_CATEGORIES, (1, 0, 2, 1, 0, 0, 3, 1), strict=True))


@pytest.mark.parametrize(
    ("aids", "expected"),
    [((), "1.000"), (("hygiene",), "1.250"), (("walking",), "1.125"), (("grip",), "1.000"), (("eating",), "1.000")],
)
def test_haq_di_raises_a_category_with_an_aid_to_two(aids, expected):
    assert scoring.haq_di(HAQ, aids=aids) == Decimal(expected)


def test_haq_di_divides_by_the_categories_answered():
    assert scoring.haq_di(HAQ | {"arising": None}) == Decimal("1.143")


def test_haq_di_needs_six_of_eight():
    six = {name: HAQ[name] for name in scoring.HAQ_CATEGORIES[:6]}
    assert scoring.haq_di(six) == Decimal("0.667")
    assert scoring.haq_di(six | {"dressing": None}, aids=["dressing"]) is None


@pytest.mark.parametrize("wrong", [{"grip": 4}, {"grip": -1}, {"sleep": 1}])
def test_haq_di_refuses_impossible_answers(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        scoring.haq_di(HAQ | wrong)


SCLEROID = dict(zip(scoring.SCLEROID_WEIGHTS, (9, 3, 4, 0, 7, 2, 6, 4, 0, 3), strict=True))


def test_scleroid_published_example():
    assert scoring.scleroid(SCLEROID) == Decimal("3.9")


def test_scleroid_spans_0_to_10_and_misses_with_a_missing_answer():
    assert scoring.scleroid(dict.fromkeys(SCLEROID, 0)) == 0
    assert scoring.scleroid(dict.fromkeys(SCLEROID, 10)) == 10
    assert scoring.scleroid(SCLEROID | {"pain": None}) is None


def test_scleroid_refuses_eleven():
    with pytest.raises(ValueError, match="pain"):
        scoring.scleroid(SCLEROID | {"pain": 11})


def test_mrss_has_17_sites_and_reaches_51():
    assert len(scoring.MRSS_SITES) == 17
    assert scoring.mrss_total(dict.fromkeys(scoring.MRSS_SITES, 3)) == 51
    assert scoring.mrss_total(dict.fromkeys(scoring.MRSS_SITES, 0)) == 0


def test_mrss_with_a_missing_site_is_missing():
    assert scoring.mrss_total(dict.fromkeys(scoring.MRSS_SITES, 3) | {"face": None}) is None
    assert scoring.mrss_total({"face": 3}) is None


def test_mrss_refuses_a_site_it_does_not_have():
    with pytest.raises(ValueError, match="neck"):
        scoring.mrss_total({"neck": 1})


def test_chfs_reaches_90_and_misses_with_a_missing_item():
    assert scoring.chfs_total([5] * 18) == 90
    assert scoring.chfs_total([5] * 17) is None
    assert scoring.chfs_total([5] * 17 + [None]) is None


@pytest.mark.parametrize("items", [[6] + [0] * 17, [0] * 19, [True] * 18])
def test_chfs_refuses_impossible_items(items):
    with pytest.raises(ValueError, match="CHFS"):
        scoring.chfs_total(items)


def test_corrected_calcium():
    assert scoring.corrected_calcium(Decimal("2.05"), Decimal(30)) == Decimal("2.25")
    assert scoring.corrected_calcium(Decimal("2.40"), Decimal(40)) == Decimal("2.40")


def test_calcium_phosphate_product_in_mg2_per_dl2():
    assert scoring.calcium_phosphate_product(Decimal("2.495"), Decimal("1.6145")) == Decimal("50.0")


@pytest.mark.parametrize(
    ("creatinine_mg_dl", "age", "female", "expected"),
    # By hand from the equation: at creatinine = kappa both powers are 1, which leaves 142 x 0.9938^age (x 1.012).
    [("0.9", 50, False, 104), ("0.7", 50, True, 105), ("1.0", 50, False, 92), ("1.8", 50, False, 45)],
)
def test_egfr_ckd_epi_2021(creatinine_mg_dl, age, female, expected):
    creatinine = Decimal(creatinine_mg_dl) * Decimal("88.4")
    assert scoring.egfr_ckd_epi_2021(creatinine, age=age, female=female) == expected


def test_egfr_is_not_computed_for_children_nor_from_zero():
    assert scoring.egfr_ckd_epi_2021(Decimal(60), age=17, female=True) is None
    with pytest.raises(ValueError, match="Creatinine"):
        scoring.egfr_ckd_epi_2021(Decimal(0), age=40, female=True)


Labs = scoring.MetabolicLabs


@pytest.mark.parametrize(
    ("labs", "reasons"),
    [
        (Labs(), ()),
        (Labs(corrected_calcium=Decimal("2.65")), ()),
        (Labs(corrected_calcium=Decimal("2.66")), ("CALCIUM",)),
        (Labs(phosphate=Decimal("0.79")), ("PHOSPHATE",)),
        (Labs(egfr=Decimal(30)), ()),
        (Labs(egfr=Decimal(29)), ("EGFR",)),
        (Labs(pth=Decimal(140), pth_uln=Decimal(70)), ()),
        (Labs(pth=Decimal(141), pth_uln=Decimal(70)), ("PTH",)),
        (Labs(pth=Decimal(500)), ()),
    ],
)
def test_metabolic_prompt_at_its_limits(labs, reasons):
    assert scoring.metabolic_prompt("DYSTROPHIC", labs) == reasons


def test_metabolic_prompt_only_for_dystrophic_and_not_for_a_growing_childs_phosphate():
    labs = Labs(phosphate=Decimal("1.8"))
    assert scoring.metabolic_prompt("METASTATIC", labs) == ()
    assert scoring.metabolic_prompt("DYSTROPHIC", labs, adult=False) == ()
