"""What Table 1 tells of a patient: each variable with its value, its item or unit, its published counterparts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from typing import Any

from django.utils.translation import gettext_lazy as __

from calcinosis_registry.reports.arrays import Array, np
from calcinosis_registry.reports.frame import YEAR, Frame
from calcinosis_registry.reports.histories import answered, entries, features

Values = Callable[[Frame], list[Any]]


@dataclass(frozen=True)
class Variable:
    """``values`` of all patients: each a code (``item``), a number (``unit``), or True/False; None is missing.

    ``NOT_ASKED`` is not in the denominator.
    """

    name: str
    label: Any
    values: Values
    item: str = ""
    unit: Any = ""
    references: tuple[str, ...] = ()
    of_parts: Mapping[str, tuple[str, ...]] = dataclass_field(default_factory=dict)


NOT_ASKED = object()


# ---- what the patients' values are


def of_patients(data: Frame, table: str, column: str) -> list[Any]:
    """The value of the one row each patient has in a table; None without."""
    found: list[Any] = [None] * len(data.patients)
    rows = data[table]
    for patient, value in zip(rows.patient.tolist(), rows[column], strict=True):
        found[patient] = value
    return found


def _code(table: str, column: str) -> Values:
    return lambda data: of_patients(data, table, column)


def _yes(table: str, column: str) -> Values:
    """Yes or no; unknown and unanswered are missing."""
    return lambda data: [{"Y": True, "N": False}.get(str(value)) for value in of_patients(data, table, column)]


def _subset(data: Frame) -> list[Any]:
    diseases = of_patients(data, "diagnoses", "primary_ctd")
    subsets = of_patients(data, "diagnoses", "ssc_subset")
    return [
        subset if disease in ("SSC", "OVERLAP") else NOT_ASKED
        for disease, subset in zip(diseases, subsets, strict=True)
    ]


def _years_between(start: Array, end: Array) -> list[Any]:
    return [None if np.isnan(one) else float(one) / YEAR for one in end - start]


def _on_diagnosis(data: Frame, name: str) -> Array:
    found = np.full(len(data.patients), np.nan)
    found[data["diagnoses"].patient] = data["diagnoses"].middles(name)
    return found


def _duration(data: Frame) -> list[Any]:
    """Years from the first sign other than Raynaud to registration; partial dates by their middle."""
    return _years_between(_on_diagnosis(data, "first_non_raynaud"), entries(data))


def _onset(data: Frame) -> list[Any]:
    """Years from the first sign other than Raynaud to the first calcinosis."""
    return _years_between(_on_diagnosis(data, "first_non_raynaud"), _on_diagnosis(data, "first_calcinosis"))


def _lesions(data: Frame) -> list[Any]:
    return np.bincount(data["lesions"].patient, minlength=len(data.patients)).tolist()


def _at(*sites: str, within: str = "") -> Values:
    """Is a lesion at one of these sites or inside it; asked of patients with a lesion (inside ``within``)."""

    def values(data: Frame) -> list[Any]:
        rows = data["lesions"]
        codes = {code for code in rows["site"] if code}
        asked = rows.isin("site", *(code for code in codes if not within or _inside(code, within)))
        there = asked & rows.isin("site", *(code for code in codes if any(_inside(code, site) for site in sites)))
        return _yes_of(data, asked, there)

    return values


def _yes_of(data: Frame, asked: Array, there: Array) -> list[Any]:
    """True for patients with a lesion that is ``there``, False with only others that are ``asked`` about."""
    n, whose = len(data.patients), data["lesions"].patient
    found = np.full(n, NOT_ASKED, object)
    found[whose[asked]] = False
    found[whose[there]] = True
    return found.tolist()


def _inside(code: str, site: str) -> bool:
    return code == site or code.startswith(f"{site}.")


def _seen(flagged: Callable[[Frame], Array], told: Callable[[Frame], Array]) -> Values:
    """In any observation; missing where no observation answers; asked of patients with an observed lesion."""

    def values(data: Frame) -> list[Any]:
        rows, n = data["observations"].patient, len(data.patients)
        yes = np.bincount(rows[flagged(data)], minlength=n) > 0
        answers = np.bincount(rows[told(data)], minlength=n) > 0
        asked = np.bincount(rows, minlength=n) > 0
        return [
            NOT_ASKED if not one else True if ever else False if told_it else None
            for one, ever, told_it in zip(asked.tolist(), yes.tolist(), answers.tolist(), strict=True)
        ]

    return values


def _feature(name: str) -> Values:
    return _seen(lambda data: features(data)[name], lambda data: answered(data)[name])


def _tender(*codes: str) -> Callable[[Frame], Array]:
    return lambda data: data["observations"].isin("tenderness", *codes)


def _first_pain(data: Frame) -> list[Any]:
    found = np.full(len(data.patients), NOT_ASKED, object)
    rows = data["visits"]
    order = np.lexsort((-rows.days("visit_date"), rows.patient))  # the first visit is written last
    found[rows.patient[order]] = np.array(rows["pain_nrs"], object)[order]
    return found.tolist()


VARIABLES: tuple[Variable, ...] = (
    Variable(
        "sex_at_birth", __("Sex at birth"), _code("patients", "sex_at_birth"), "patient.sex_at_birth",
        of_parts={"F": ("12a", "DP1", "DP2")},
    ),
    Variable("age", __("Age at registration"), _code("patients", "age_at_registration"), unit=__("years")),
    Variable("smoking", __("Smoking"), _code("patients", "smoking"), "patient.smoking"),
    Variable(
        "primary_ctd", __("Connective tissue disease"), _code("diagnoses", "primary_ctd"), "diagnosis.primary_ctd",
        references=("12b",),
        of_parts={
            "SLE": ("12d",), "LUPUS_PANNICULITIS": ("12e",), "MCTD": ("12f",), "OVERLAP": ("12g",), "UCTD": ("12h",),
            "POLYMYOSITIS": ("12i",), "RA": ("12j",),
        },
    ),
    Variable(
        "ssc_subset", __("SSc subset (SSc and overlap)"), _subset, "diagnosis.ssc_subset",
        of_parts={"LCSSC": ("12c",)},
    ),
    Variable(
        "aetiology", __("Type of calcinosis"), _code("diagnoses", "aetiology_subtype"), "diagnosis.aetiology_subtype"
    ),
    Variable(
        "duration", __("Since the first sign other than Raynaud"), _duration, unit=__("years"), references=("6b",)
    ),
    Variable(
        "onset", __("From that sign to the first calcinosis"), _onset, unit=__("years"), references=("3b", "14b", "13d")
    ),
    Variable("digital_ulcer", __("Digital ulcers ever"), _yes("diagnoses", "ever_digital_ulcer")),
    Variable("acro_osteolysis", __("Acro-osteolysis ever"), _yes("diagnoses", "ever_acro_osteolysis")),
    Variable("osteoporosis", __("Osteoporosis ever"), _yes("diagnoses", "ever_osteoporosis")),
    Variable("lesions", __("Lesions per patient"), _lesions, unit=__("lesions")),
    Variable("hands", __("Hands (of patients with a lesion)"), _at("HAND"), references=("2g", "3d", "DP3")),
    Variable("thumb", __("Thumb (of patients with a hand lesion)"), _at("HAND.D1", within="HAND"), references=("3g",)),
    Variable("index", __("Index finger (likewise)"), _at("HAND.D2", within="HAND"), references=("3h",)),
    Variable("elbow", __("Elbow (of patients with a lesion)"), _at("ELBOW"), references=("3e",)),
    Variable("arm", __("Arm or forearm (likewise)"), _at("FOREARM", "ARM"), references=("3f",)),
    Variable("ulcer", __("Ulcer over a lesion, ever"), _feature("ulcer")),
    Variable(
        "tender", __("Tender lesion, ever"), _seen(_tender("1", "2", "3"), _tender("0", "1", "2", "3")),
        references=("2j",),
    ),
    Variable("extrusion", __("Extrusion, ever"), _feature("extrusion"), references=("2k",)),
    Variable(
        "infection", __("Infected lesion, ever"),
        _feature("infection"), references=("2l",),
    ),
    Variable("pain", __("Pain at the first visit"), _first_pain, unit=__("NRS 0–10")),
)  # fmt: skip
