"""Table 1: what a cohort is like. Pure: a Dataset in, numbers with their denominators out.

Every number is counted from the rows an export of the same cohort holds. Medians and quartiles: inclusive method,
linear between neighbours (the default of R, type 7).
"""

from __future__ import annotations

import datetime
import statistics
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as __

from calcinosis_registry.codebook.catalogue import codes_of
from calcinosis_registry.cohorts.dataset import Dataset
from calcinosis_registry.cohorts.items import askable
from calcinosis_registry.cohorts.scope import Count, Scope

YEAR = 365.25
Row = Mapping[str, Any]


class OutOfScope(LookupError):
    """The project does not have the item in scope: what needs it is not reported."""


class Cells(dict[str, Any]):
    """A row by column name; a column that the dataset does not have is no missing value."""

    def __missing__(self, name: str) -> Any:
        raise OutOfScope(name)

    def get(self, name: str, _default: Any = None) -> Any:
        return self[name]


@dataclass(frozen=True)
class Frame:
    """The rows of a few tables by patient; ``patients`` in the dataset's order."""

    patients: tuple[str, ...]
    rows: Mapping[str, Mapping[str, list[Row]]]

    def of(self, table: str, patient: str) -> list[Row]:
        if table not in self.rows:
            raise OutOfScope(table)
        return self.rows[table].get(patient, [])

    def first(self, table: str, patient: str) -> Row:
        """The one row of a table with one per patient; {} without."""
        return next(iter(self.of(table, patient)), {})


def frame(dataset: Dataset) -> Frame:
    """Read the tables that Table 1 is counted from."""
    rows: dict[str, Mapping[str, list[Row]]] = {}
    for name in ("patients", "diagnoses", "visits", "lesions", "observations"):
        table = dataset.tables.get(name)
        if table is None:
            continue
        found: dict[str, list[Row]] = defaultdict(list)
        for row in table.rows():
            found[row[0]].append(Cells(zip(table.header, row, strict=True)))
        rows[name] = found
    return Frame(tuple(person.pseudonym for person in dataset.people), rows)


Value = Callable[[Frame, str], Any]


@dataclass(frozen=True)
class Variable:
    """``value`` of one patient: a code (``item``), a number (``unit``), or True/False; None is missing.

    ``NOT_ASKED`` is not in the denominator.
    """

    name: str
    label: Any
    value: Value
    item: str = ""
    unit: Any = ""
    references: tuple[str, ...] = ()
    of_parts: Mapping[str, tuple[str, ...]] = dataclass_field(default_factory=dict)


NOT_ASKED = object()


@dataclass(frozen=True)
class Part:
    """One code of a variable: how many have it."""

    code: str
    label: str
    count: int


@dataclass(frozen=True)
class Summary:
    """One variable: ``answered`` is the denominator; ``parts`` for codes, ``quartiles`` (25, 50, 75 %) for numbers."""

    variable: Variable
    answered: int
    missing: int
    parts: tuple[Part, ...] = ()
    quartiles: tuple[float, float, float] | None = None


def table_one(data: Frame) -> list[Summary]:
    """Every variable of Table 1 whose items are in scope, in order."""
    found = []
    for variable in VARIABLES:
        try:
            found.append(summarise(variable, data))
        except OutOfScope:
            continue
    return found


def summarise(variable: Variable, data: Frame) -> Summary:
    values = [value for patient in data.patients if (value := variable.value(data, patient)) is not NOT_ASKED]
    known = [value for value in values if value is not None]
    missing = len(values) - len(known)
    if variable.item:
        found = Counter(str(value) for value in known)
        labels = dict(codes_of(askable()[variable.item].field))
        parts = tuple(Part(code, label, found[code]) for code, label in labels.items() if found[code])
        return Summary(variable, len(known), missing, parts)
    if not variable.unit:
        return Summary(variable, len(known), missing, (Part("Y", _("Yes"), sum(known)),))
    return Summary(variable, len(known), missing, quartiles=quartiles([float(value) for value in known]))


def quartiles(values: list[float]) -> tuple[float, float, float] | None:
    """(25 %, 50 %, 75 %); None without values."""
    if len(values) < 2:
        return (values[0],) * 3 if values else None  # type: ignore[return-value]
    low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
    return low, middle, high


# ---- what one patient's value is


def _code(table: str, column: str) -> Value:
    return lambda data, patient: data.first(table, patient).get(column)


def _yes(table: str, column: str) -> Value:
    """Yes or no; unknown and unanswered are missing."""
    return lambda data, patient: {"Y": True, "N": False}.get(str(data.first(table, patient).get(column)))


def _subset(data: Frame, patient: str) -> Any:
    diagnosis = data.first("diagnoses", patient)
    return diagnosis.get("ssc_subset") if diagnosis.get("primary_ctd") in ("SSC", "OVERLAP") else NOT_ASKED


def _middle(row: Row, name: str) -> datetime.date | None:
    earliest, latest = row.get(f"{name}_earliest"), row.get(f"{name}_latest")
    return None if earliest is None or latest is None else earliest + (latest - earliest) / 2


def _duration(data: Frame, patient: str) -> float | None:
    """Years from the first sign other than Raynaud to registration; partial dates by their middle."""
    start = _middle(data.first("diagnoses", patient), "first_non_raynaud")
    return None if start is None else (data.first("patients", patient)["registered_on"] - start).days / YEAR


def _onset(data: Frame, patient: str) -> float | None:
    """Years from the first sign other than Raynaud to the first calcinosis."""
    diagnosis = data.first("diagnoses", patient)
    start, end = _middle(diagnosis, "first_non_raynaud"), _middle(diagnosis, "first_calcinosis")
    return None if start is None or end is None else (end - start).days / YEAR


def _lesions(data: Frame, patient: str) -> int:
    return len(data.of("lesions", patient))


def _at(*sites: str, within: str = "") -> Value:
    """Is a lesion at one of these sites or inside it; asked of patients with a lesion (inside ``within``)."""

    def value(data: Frame, patient: str) -> Any:
        codes = [str(row["site"]) for row in data.of("lesions", patient) if row["site"]]
        codes = [code for code in codes if _inside(code, within)] if within else codes
        return any(_inside(code, site) for code in codes for site in sites) if codes else NOT_ASKED

    return value


def _inside(code: str, site: str) -> bool:
    return code == site or code.startswith(f"{site}.")


def _ever(column: str, yes: frozenset[str], no: frozenset[str]) -> Value:
    """In any observation; missing where no observation answers; asked of patients with an observed lesion."""

    def value(data: Frame, patient: str) -> Any:
        seen = {row[column] for row in data.of("observations", patient)}
        if not seen:
            return NOT_ASKED
        return True if seen & yes else False if seen & no else None

    return value


def _extruded(data: Frame, patient: str) -> Any:
    """Chalky or milky drainage, or a deposit gone by extrusion."""
    rows = data.of("observations", patient)
    if not rows:
        return NOT_ASKED
    if any(row["drainage"] in ("CHALKY", "MILKY") or row["status_change"] == "EXTRUDED_COMPLETE" for row in rows):
        return True
    return False if any(row["drainage"] not in (None, "U") for row in rows) else None


def _first_pain(data: Frame, patient: str) -> Any:
    visits = sorted(data.of("visits", patient), key=lambda row: row["visit_date"])
    return visits[0]["pain_nrs"] if visits else NOT_ASKED


_Y, _N = frozenset({"Y"}), frozenset({"N"})
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
    Variable("ulcer", __("Ulcer over a lesion, ever"), _ever("ulcerated", _Y, _N)),
    Variable(
        "tender", __("Tender lesion, ever"), _ever("tenderness", frozenset({"1", "2", "3"}), frozenset({"0"})),
        references=("2j",),
    ),
    Variable("extrusion", __("Extrusion, ever"), _extruded, references=("2k",)),
    Variable(
        "infection", __("Infected lesion, ever"),
        _ever("infection", frozenset({"SUSPECTED", "CONFIRMED_CULTURE"}), frozenset({"NONE"})), references=("2l",),
    ),
    Variable("pain", __("Pain at the first visit"), _first_pain, unit=__("NRS 0–10")),
)  # fmt: skip


# ---- as it may be shown


@dataclass(frozen=True)
class Line:
    """One line of the table as text; ``part`` is "" on the line of the variable itself."""

    name: str
    label: str
    part: str
    count: Count | None
    percent: str
    quartiles: str
    answered: Count
    missing: Count
    references: tuple[str, ...] = ()


def lines(summaries: list[Summary], scope: Scope) -> list[Line]:
    """The table as this scope may see it: small counts and what would give them away are protected."""
    return [line for summary in summaries for line in _lines(summary, scope)]


def _lines(summary: Summary, scope: Scope) -> list[Line]:
    variable = summary.variable
    answered, missing = scope.count(summary.answered), scope.count(summary.missing)
    label = f"{variable.label} ({variable.unit})" if variable.unit else str(variable.label)
    parts = summary.parts
    alone = len(parts) == 1 and not variable.item
    own = parts[0] if alone else None
    head = Line(
        variable.name, label, "", scope.count(own.count) if own else None, _percent(own, summary, scope) if own else "",
        _quartiles(summary, scope), answered, missing, variable.references,
    )  # fmt: skip
    name = str(variable.label)
    rest = [
        Line(
            variable.name,
            name,
            one.label,
            scope.count(one.count),
            _percent(one, summary, scope),
            "",
            answered,
            missing,
            variable.of_parts.get(one.code, ()),
        )
        for one in ([] if alone else parts)
    ]
    return [head, *rest]


def _percent(part: Part, summary: Summary, scope: Scope) -> str:
    """Of the protected figures, so that a percentage never says more than they do."""
    count, whole = scope.count(part.count).number, scope.count(summary.answered).number
    if count is None or not whole:
        return ""
    share = min(100 * count / whole, 100.0)
    return f"{share:.1f}" if scope.exact else f"{share:.0f}"


def _quartiles(summary: Summary, scope: Scope) -> str:
    if summary.quartiles is None or scope.count(summary.answered).number is None:
        return ""
    low, middle, high = (f"{value:.1f}" if scope.exact else f"{value:.0f}" for value in summary.quartiles)
    return f"{middle} [{low}–{high}]"
