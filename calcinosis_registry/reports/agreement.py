"""How far two readers of the hand radiograph agree, in a clinic or over the clinics of a research project.

From the finished double readings read blind. Over a project: of the patients and readings that its datasets have, of
the items it asked for; readers and patients without names, and no row of a single radiograph.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from calcinosis_registry.codebook.items import item_key
from calcinosis_registry.cohorts.dataset import population
from calcinosis_registry.cohorts.pseudonyms import Cipher
from calcinosis_registry.cohorts.scope import Scope
from calcinosis_registry.cohorts.structure import levels
from calcinosis_registry.reports.reliability import (
    Estimate,
    Kappa,
    Limits,
    icc_1_1,
    icc_2_1,
    limits_of_agreement,
    weighted_kappa,
)
from lesions.hand_pairs import Pair, pairs_among
from lesions.models import HandScore

SEVERITIES = 4
SAME_TWO, VARYING = "ICC(2,1)", "ICC(1,1)"
FEWEST = 2  # radiographs from which anything can be said; an interval tells how little that is


@dataclass(frozen=True)
class Row:
    """One radiograph: the totals of both readers on the sites both could score."""

    clinic: str
    patient: str
    study: str
    readers: tuple[str, str]
    totals: tuple[float, float]
    sites: int
    order: tuple[Any, Any] = ("", "")  # of the readers

    @property
    def mean(self) -> float:
        return sum(self.totals) / 2

    @property
    def difference(self) -> float:
        return self.totals[0] - self.totals[1]


@dataclass(frozen=True)
class Part:
    """One pair of readers, or one clinic, of several. ``coefficient`` as in Agreement."""

    name: str
    n: int
    coefficient: str
    icc: Estimate | None
    limits: Limits | None


@dataclass(frozen=True)
class Agreement:
    """``coefficient``: "ICC(2,1)" where the same two readers read all, "ICC(1,1)" where they vary. ``why_none``: why
    there is no coefficient, in words. ``not_blind``: double readings left out."""

    rows: list[Row]
    patients: int
    coefficient: str
    icc: Estimate | None
    why_none: str
    limits: Limits | None
    by_readers: list[Part]
    by_clinic: list[Part]
    kappas: list[Kappa]
    why_no_kappa: str
    not_blind: int

    @property
    def same_two(self) -> bool:
        return self.coefficient == SAME_TWO


@dataclass(frozen=True)
class Names:
    """What an account and a clinic are called, and in which order accounts stand."""

    reader: Callable[[Any], str] = str
    clinic: Callable[[Any], str] = str
    order: Callable[[Any], Any] = str


PLAIN = Names()


def agreement_of(pairs: Sequence[Pair], *, names: Names = PLAIN) -> Agreement:
    """``pairs``: the finished double readings somebody may see."""
    blind = [one for one in pairs if one.second.blinded]
    rows = sorted((_row(one, names) for one in blind), key=lambda row: row.order)
    whole = _part("", rows)
    kappas, why_no_kappa = _kappas(blind)
    return Agreement(
        rows=rows,
        patients=len({row.patient for row in rows}),
        coefficient=whole.coefficient,
        icc=whole.icc,
        why_none=_why_none(rows, whole.icc),
        limits=whole.limits,
        by_readers=_parts(rows, lambda row: row.order, lambda row: ", ".join(row.readers)),
        by_clinic=_parts(rows, lambda row: row.clinic, lambda row: row.clinic),
        kappas=kappas,
        why_no_kappa=why_no_kappa,
        not_blind=len(pairs) - len(blind),
    )


def agreement_in(scope: Scope, user: Any) -> Agreement:
    """Over the clinics of a project, as its member may see it. What is not among its items is not told."""
    assert scope.project is not None  # noqa: S101  asked by the caller
    pairs = pairs_among(user, population(scope), levels()["handscore"].signed())
    found = agreement_of(pairs, names=_coded(pairs, Cipher(settings.PSEUDONYM_KEY, scope.project.public_id)))
    told: dict[str, Any] = {}
    if not scope.shows(_key("total")):
        told |= {"icc": None, "limits": None, "by_readers": [], "by_clinic": []}
        told["why_none"] = _("The total of the hand radiograph score is not among the project’s items.")
    if not scope.shows(_key("simple_severity")):
        told |= {"kappas": [], "why_no_kappa": _("The simple severity is not among the project’s items.")}
    return replace(found, **told) if told else found


def _key(name: str) -> str:
    field: Any = HandScore._meta.get_field(name)
    return item_key(field)


def _coded(pairs: Iterable[Pair], cipher: Cipher) -> Names:
    """Who read stays unsaid; the order of the numbers is another in each project. Clinics are called as in the
    project's coded files: their names beside the same numbers would tell which code is whose."""
    accounts = {one.pk for pair in pairs for one in (pair.first.rater, pair.second.rater) if one is not None}
    order = sorted(accounts, key=lambda pk: cipher.reader(str(pk)))
    places = {pk: place for place, pk in enumerate(order, 1)}
    return Names(
        reader=lambda account: _("Reader %(n)s") % {"n": places[account.pk]} if account else "–",
        clinic=lambda clinic: cipher.clinic(clinic.public_id),
        order=lambda account: places[account.pk] if account else 0,
    )


def _row(one: Pair, names: Names) -> Row:
    """The readers always in one order, whoever read first: a column is then a reader."""
    read = [(one.first.rater, float(one.totals.first)), (one.second.rater, float(one.totals.second))]
    read.sort(key=lambda by: names.order(by[0]))
    (first, total), (second, other) = read
    patient = one.asked.study.patient
    return Row(
        clinic=names.clinic(patient.clinic), patient=patient.registry_number, study=str(one.asked.study),
        readers=(names.reader(first), names.reader(second)), totals=(total, other), sites=one.totals.common,
        order=(names.order(first), names.order(second)),
    )  # fmt: skip


def _part(name: str, rows: Sequence[Row]) -> Part:
    same_two = len({row.readers for row in rows}) == 1
    totals = [row.totals for row in rows]
    icc = (icc_2_1(totals) if same_two else icc_1_1(totals)) if len(rows) >= FEWEST else None
    return Part(name, len(rows), SAME_TWO if same_two else VARYING, icc, limits_of_agreement(totals))


def _parts(rows: Sequence[Row], by: Callable[[Row], Any], name: Callable[[Row], str]) -> list[Part]:
    """Of each, where there are several."""
    several = [list(some) for _of, some in groupby(sorted(rows, key=by), key=by)]
    found = [_part(name(some[0]), some) for some in several]
    return found if len(found) > 1 else []


def _why_none(rows: list[Row], icc: Estimate | None) -> str:
    if not rows:
        return _("No radiograph was read twice yet, the second time blind.")
    if len(rows) < FEWEST:
        return _("One radiograph was read twice: agreement needs two at least.")
    return "" if icc is not None else _("Every reading gave the same total: agreement cannot be told from chance.")


def _kappas(blind: list[Pair]) -> tuple[list[Kappa], str]:
    """Linear and quadratic weights: the papers on the score do not say which they used."""
    graded = [(one.first.simple_severity, one.second.simple_severity) for one in blind]
    pairs = [(int(first), int(second)) for first, second in graded if first and second]
    if not pairs:
        return [], _("No radiograph was given its simple severity by both readers.")
    found = [weighted_kappa(pairs, SEVERITIES, power=power) for power in (1, 2)]
    kappas = [one for one in found if one is not None]
    return kappas, "" if kappas else _("Both readers gave one and the same severity throughout: kappa is undefined.")
