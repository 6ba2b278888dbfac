"""The clinic's own report: enrolment, completeness, follow-up, open queries. Exact, of all its patients."""

from __future__ import annotations

import datetime
import statistics
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Avg, Count, F, Sum
from django.db.models.functions import TruncMonth

from calcinosis_registry.clinics.models import Clinic
from calcinosis_registry.codebook.items import Need, item_fields
from calcinosis_registry.cohorts.scope import MIXED, Cell
from calcinosis_registry.quality.models import DataQuery, DataQueryQuerySet
from patients.models import Patient, Visit

MONTHS = 24


@dataclass(frozen=True)
class Completeness:
    """One required item of the visit: answered of asked."""

    label: str
    answered: int
    asked: int

    @property
    def share(self) -> float:
        return self.answered / self.asked if self.asked else 0.0

    @property
    def percent(self) -> str:
        return f"{100 * self.share:.1f}" if self.asked else "–"


@dataclass(frozen=True)
class ClinicNumbers:
    """``enrolment``: (YYYY-MM, patients) of the last 24 months; ``query_ages``: days each open query waits."""

    patients: int
    visits: int
    enrolment: list[tuple[str, int]]
    completeness: list[Completeness]
    due: int
    overdue: int
    lost: int
    query_ages: list[int]

    @property
    def median_query_age(self) -> float | None:
        return statistics.median(self.query_ages) if self.query_ages else None


def clinic_numbers(*, patients: Any, visits: Any, queries: DataQueryQuerySet, now: datetime.datetime) -> ClinicNumbers:
    """Count. ``patients``, ``visits``, ``queries`` are the querysets of the clinic that the reader may see."""
    today = now.date()
    attended = visits.attended()
    return ClinicNumbers(
        patients=patients.count(),
        visits=attended.count(),
        enrolment=_enrolment(patients, today),
        completeness=_completeness(attended),
        due=patients.due(today).count(),
        overdue=patients.overdue(today).count(),
        lost=patients.lost(today).count(),
        query_ages=[(now - at).days for at in queries.open().values_list("opened_at", flat=True)],
    )


@dataclass(frozen=True)
class Some:
    """How many patients, and who (cohorts/scope.py): what of another clinic is shown depends on both."""

    number: int = 0
    cell: Cell = field(default_factory=lambda: Cell(0, 0))

    def __sub__(self, other: Some) -> Some:
        """Those who are not among the others, who are all among them."""
        cell = Cell(self.cell.total - other.cell.total, self.cell.mixed - other.cell.mixed)
        return Some(self.number - other.number, cell)

    def __add__(self, other: Some) -> Some:
        cell = Cell(self.cell.total + other.cell.total, self.cell.mixed + other.cell.mixed)
        return Some(self.number + other.number, cell)


@dataclass(frozen=True)
class Standing:
    """A clinic among all. ``in_time``: neither overdue nor lost; ``answered``: mean completeness of its patients in %.

    ``name`` is told of the reader's ``own`` only.
    """

    name: str
    patients: Some
    in_time: Some
    lost: Some
    answered: float
    queries: int
    own: bool


def standings(clinic: Clinic, today: datetime.date) -> list[Standing]:
    """Every clinic with patients. Raw counts: what is shown of other clinics is protected (chapters/benchmark.py)."""
    rows = Patient.objects.records()
    whole, overdue, lost = (_by_clinic(some) for some in (rows, rows.overdue(today), rows.lost(today)))
    answered = dict(rows.order_by().values_list("clinic_id").annotate(mean=Avg("summary__completeness")))
    queries = dict(DataQuery.objects.open().order_by().values_list("clinic_id").annotate(n=Count("pk")))
    return [
        Standing(
            clinic.name if pk == clinic.pk else "",
            some,
            some - overdue.get(pk, Some()) - lost.get(pk, Some()),
            lost.get(pk, Some()),
            float(answered[pk] or 0),
            queries.get(pk, 0),
            pk == clinic.pk,
        )
        for pk, some in sorted(whole.items())
    ]


def _by_clinic(patients: Any) -> dict[int, Some]:
    told = {"n": Count("pk"), "total": Sum("pk"), "mixed": Sum(F("pk") * F("pk") % MIXED)}
    rows = patients.order_by().values("clinic_id").annotate(**told)
    return {row["clinic_id"]: Some(row["n"], Cell(row["total"], row["mixed"])) for row in rows}


def _enrolment(patients: Any, today: datetime.date) -> list[tuple[str, int]]:
    first = today.year * 12 + today.month - MONTHS  # months since the year 0
    start = datetime.date(first // 12, first % 12 + 1, 1)
    rows = patients.filter(registered_on__gte=start).order_by().annotate(month=TruncMonth("registered_on"))
    found = Counter(f"{month:%Y-%m}" for month in rows.values_list("month", flat=True))
    months = [f"{number // 12:04d}-{number % 12 + 1:02d}" for number in range(first, first + MONTHS)]
    return [(month, found[month]) for month in months]


def _completeness(visits: Any) -> list[Completeness]:
    """Asked: the item applies to the visit; answered: it is not missing (a number or “not done” both answer)."""
    fields = [field for field in item_fields(Visit) if field.item.need is not Need.OPTIONAL]  # type: ignore[attr-defined]
    asked: Counter[str] = Counter()
    missing: Counter[str] = Counter()
    for visit in visits.order_by().iterator(chunk_size=2000):
        values = visit.values()
        asked.update(field.name for field in fields if field.item.applies(values))  # type: ignore[attr-defined]
        missing.update(field.name for field in visit.missing())
    return [
        Completeness(_capital(field.verbose_name), asked[field.name] - missing[field.name], asked[field.name])
        for field in fields
    ]


def _capital(words: Any) -> str:
    words = str(words)
    return words[:1].upper() + words[1:]
