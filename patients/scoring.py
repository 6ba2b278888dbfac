"""Patient-level scores and derived values: pure functions of plain values.

Missing answers are never imputed: a score that cannot be known is None, or a range where the model asks for one.
Section numbers are those of the clinical model.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from patients import units

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

YES, NO, UNKNOWN = "Y", "N", "U"


# --- ACR/EULAR 2013 classification of systemic sclerosis (4.1; van den Hoogen 2013) ----------------------------------


@dataclass(frozen=True)
class CriteriaItem:
    """One sub-item; of the items of one ``group`` only the highest counts."""

    name: str
    label: StrOrPromise
    points: int
    group: str


ACR_EULAR_ITEMS: tuple[CriteriaItem, ...] = (
    CriteriaItem(
        "skin_proximal_to_mcp",
        _("Skin thickening of the fingers of both hands, proximal to the MCP joints"),
        9,
        "proximal",
    ),
    CriteriaItem("puffy_fingers", _("Puffy fingers"), 2, "fingers"),
    CriteriaItem("sclerodactyly", _("Sclerodactyly (distal to MCP, proximal to PIP)"), 4, "fingers"),
    CriteriaItem("digital_tip_ulcers", _("Digital tip ulcers"), 2, "fingertips"),
    CriteriaItem("pitting_scars", _("Fingertip pitting scars"), 3, "fingertips"),
    CriteriaItem("telangiectasia", _("Telangiectasia"), 2, "telangiectasia"),
    CriteriaItem("abnormal_capillaries", _("Abnormal nailfold capillaries"), 2, "capillaries"),
    CriteriaItem("pah", _("Pulmonary arterial hypertension"), 2, "lung"),
    CriteriaItem("ild", _("Interstitial lung disease"), 2, "lung"),
    CriteriaItem("raynaud", _("Raynaud phenomenon"), 3, "raynaud"),
    CriteriaItem("anticentromere", _("Anticentromere antibody"), 3, "antibodies"),
    CriteriaItem("anti_scl70", _("Anti-topoisomerase I (Scl-70) antibody"), 3, "antibodies"),
    CriteriaItem("anti_rnap3", _("Anti-RNA polymerase III antibody"), 3, "antibodies"),
)
ACR_EULAR_THRESHOLD = 9


@dataclass(frozen=True)
class AcrEular:
    """Points with unknown items as absent (``score_min``) and as present (``score_max``).

    ``classified`` is YES, NO, INDETERMINATE or NOT_APPLICABLE.
    """

    score_min: int
    score_max: int
    classified: str


def acr_eular_2013(answers: Mapping[str, str], *, excluded: bool = False) -> AcrEular:
    """Score item answers ("Y", "N", "U" or "" = not assessed; an absent name is not assessed).

    ``excluded``: the skin thickening spares the fingers, or another disorder explains the picture better.
    Raises ValueError naming an item or answer it does not know.
    """
    known = {item.name for item in ACR_EULAR_ITEMS}
    for name, answer in answers.items():
        if name not in known or answer not in (YES, NO, UNKNOWN, ""):
            raise ValueError(f"ACR/EULAR 2013 has no item {name!r} with the answer {answer!r}")
    lowest = _group_points(answers, counted=(YES,))
    highest = _group_points(answers, counted=(YES, UNKNOWN, ""))
    if excluded:
        classified = "NOT_APPLICABLE"
    elif lowest >= ACR_EULAR_THRESHOLD:
        classified = "YES"
    else:
        classified = "NO" if highest < ACR_EULAR_THRESHOLD else "INDETERMINATE"
    return AcrEular(lowest, highest, classified)


def _group_points(answers: Mapping[str, str], *, counted: tuple[str, ...]) -> int:
    best: dict[str, int] = {}
    for item in ACR_EULAR_ITEMS:
        if answers.get(item.name, "") in counted:
            best[item.group] = max(best.get(item.group, 0), item.points)
    return sum(best.values())


# --- Questionnaires and skin score (3, 4.4) ---------------------------------------------------------------------------

HAQ_CATEGORIES = ("dressing", "arising", "eating", "walking", "hygiene", "reach", "grip", "activities")
HAQ_MINIMUM_CATEGORIES = 6


def haq_di(categories: Mapping[str, int | None], *, aids: Collection[str] = ()) -> Decimal | None:
    """HAQ-DI 0-3 to 3 decimals from the worst item of each category (0-3); None with fewer than 6 of 8 categories.

    An aid, device or help in a category raises an answered category to at least 2. Raises ValueError for an unknown
    category or a value outside 0-3. Source: 3 [S37].
    """
    unknown = (set(categories) | set(aids)) - set(HAQ_CATEGORIES)
    if unknown:
        raise ValueError(f"HAQ-DI has no category {sorted(unknown)}")
    answered = {
        name: _integer(f"HAQ-DI {name}", value, 0, 3) for name, value in categories.items() if value is not None
    }
    if len(answered) < HAQ_MINIMUM_CATEGORIES:
        return None
    raised = [max(value, 2) if name in aids else value for name, value in answered.items()]
    return _rounded(Decimal(sum(raised)) / len(raised), "0.001")


SCLEROID_WEIGHTS: dict[str, Decimal] = {
    "raynaud": Decimal("0.117"),
    "fatigue": Decimal("0.114"),
    "hand_function": Decimal("0.109"),
    "pain": Decimal("0.104"),
    "life_choices": Decimal("0.098"),
    "upper_gi": Decimal("0.096"),
    "mobility": Decimal("0.095"),
    "lower_gi": Decimal("0.093"),
    "dyspnoea": Decimal("0.091"),
    "digital_ulcers": Decimal("0.083"),
}


def scleroid(answers: Mapping[str, int | None]) -> Decimal | None:
    """ScleroID 0-10 to one decimal from ten NRS 0-10; None when one is missing. Source: 3 [S42]."""
    values = _complete("ScleroID", answers, SCLEROID_WEIGHTS, 0, 10)
    if values is None:
        return None
    return _rounded(sum((SCLEROID_WEIGHTS[name] * value for name, value in values.items()), Decimal(0)), "0.1")


MRSS_SITES: tuple[str, ...] = (
    "face",
    "anterior_chest",
    "abdomen",
    *(
        f"{part}_{side}"
        for part in ("fingers", "hand_dorsum", "forearm", "upper_arm", "thigh", "lower_leg", "foot")
        for side in ("right", "left")
    ),
)


def mrss_total(sites: Mapping[str, int | None]) -> int | None:
    """Modified Rodnan skin score 0-51 from 17 sites of 0-3; None when a site is missing. Source: 4.4 [S56]."""
    values = _complete("mRSS", sites, MRSS_SITES, 0, 3)
    return None if values is None else sum(values.values())


CHFS_ITEMS = 18


def chfs_total(items: Collection[int | None]) -> int | None:
    """Cochin Hand Function Scale 0-90 from 18 items of 0-5; None when an item is missing. Source: 3 [S41]."""
    if len(items) > CHFS_ITEMS:
        raise ValueError(f"CHFS has {CHFS_ITEMS} items, not {len(items)}")
    answered = [_integer("CHFS item", item, 0, 5) for item in items if item is not None]
    return sum(answered) if len(answered) == CHFS_ITEMS else None


# --- Laboratory (1.3, 4.5) --------------------------------------------------------------------------------------------

CALCIUM_MMOL_PER_MG_DL = units.analyte("CALCIUM").factors["mg/dL"]
PHOSPHATE_MMOL_PER_MG_DL = units.analyte("PHOSPHATE").factors["mg/dL"]
CREATININE_UMOL_PER_MG_DL = units.analyte("CREATININE").factors["mg/dL"]
CALCIUM_PHOSPHATE_SOFT_MAX = Decimal(55)  # mg2/dL2; above: warn (4.5, EK-M)


def corrected_calcium(calcium: Decimal, albumin: Decimal) -> Decimal:
    """Albumin-corrected calcium in mmol/L from calcium (mmol/L) and albumin (g/L). Source: 4.5 (EK-H)."""
    return calcium + Decimal("0.02") * (40 - albumin)


def calcium_phosphate_product(calcium: Decimal, phosphate: Decimal) -> Decimal:
    """Ca x P in mg2/dL2, one decimal, from both in mmol/L. Source: 4.5."""
    return _rounded((calcium / CALCIUM_MMOL_PER_MG_DL) * (phosphate / PHOSPHATE_MMOL_PER_MG_DL), "0.1")


def egfr_ckd_epi_2021(creatinine: Decimal, *, age: int, female: bool) -> Decimal | None:
    """eGFR in mL/min/1.73 m2, whole number, from creatinine in umol/L; None under 18 years (adult equation).

    Source: CKD-EPI 2021 creatinine equation without race, Inker et al., N Engl J Med 2021;385:1737-49.
    """
    if creatinine <= 0:
        raise ValueError(f"Creatinine must be above 0 umol/L, not {creatinine}")
    if age < 18:
        return None
    kappa, alpha, factor = (0.7, -0.241, 1.012) if female else (0.9, -0.302, 1.0)
    ratio = float(creatinine / CREATININE_UMOL_PER_MG_DL) / kappa
    value = 142 * min(ratio, 1.0) ** alpha * max(ratio, 1.0) ** -1.200 * 0.9938**age * factor
    return _rounded(Decimal(str(value)), "1")


@dataclass(frozen=True, kw_only=True)
class MetabolicLabs:
    """Latest results in canonical units (mmol/L, mL/min/1.73 m2, ng/L); ``pth_uln``: the laboratory's upper limit."""

    corrected_calcium: Decimal | None = None
    phosphate: Decimal | None = None
    egfr: Decimal | None = None
    pth: Decimal | None = None
    pth_uln: Decimal | None = None


def metabolic_prompt(aetiology: str, labs: MetabolicLabs, *, adult: bool = True) -> tuple[str, ...]:
    """Why to ask "metabolic cause excluded?" (rule V-01, 1.3): analyte codes; empty when there is no reason.

    Only for the DYSTROPHIC subtype. Non-blocking.
    """
    if aetiology != "DYSTROPHIC":
        return ()
    reasons = []
    if labs.corrected_calcium is not None and not units.within(labs.corrected_calcium, units.soft_range("CALCIUM")):
        reasons.append("CALCIUM")
    if labs.phosphate is not None and not units.within(labs.phosphate, units.soft_range("PHOSPHATE", adult=adult)):
        reasons.append("PHOSPHATE")
    if labs.egfr is not None and labs.egfr < 30:
        reasons.append("EGFR")
    if labs.pth is not None and labs.pth_uln is not None and labs.pth > 2 * labs.pth_uln:
        reasons.append("PTH")
    return tuple(reasons)


# --- Shared arithmetic ------------------------------------------------------------------------------------------------


def _rounded(value: Decimal, step: str) -> Decimal:
    return value.quantize(Decimal(step), rounding=ROUND_HALF_UP)


def _integer(what: str, value: int, low: int, high: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise ValueError(f"{what} must be a whole number from {low} to {high}, not {value!r}")
    return value


def _complete(
    what: str, answers: Mapping[str, int | None], names: Collection[str], low: int, high: int
) -> dict[str, int] | None:
    """The checked answers, or None when one of ``names`` is missing. Raises ValueError for a name that is not there."""
    unknown = set(answers) - set(names)
    if unknown:
        raise ValueError(f"{what} has no item {sorted(unknown)}")
    given = {name: _integer(f"{what} {name}", value, low, high) for name, value in answers.items() if value is not None}
    return given if len(given) == len(names) else None
