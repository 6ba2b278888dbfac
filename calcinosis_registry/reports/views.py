"""Reports as pages, CSV and SVG: the clinic's own, and Table 1 of a cohort."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from calcinosis_registry.clinics.models import Clinic
from calcinosis_registry.clinics.policy import may, require
from calcinosis_registry.clinics.roles import Permission
from calcinosis_registry.cohorts.builder import DefinitionError, describe
from calcinosis_registry.cohorts.dataset import build
from calcinosis_registry.cohorts.models import Cohort
from calcinosis_registry.cohorts.scope import Scope, scope_of
from calcinosis_registry.quality.models import DataQuery
from calcinosis_registry.reports import figures
from calcinosis_registry.reports.clinic import ClinicNumbers, clinic_numbers
from calcinosis_registry.reports.references import references
from calcinosis_registry.reports.summaries import Line, Summary, frame, lines, table_one
from patients.models import Patient, Visit

CLINIC, COUNT = Permission.CLINIC_REPORTS, Permission.COUNT_COHORTS


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    if not may(request.user, CLINIC):
        require(request, COUNT)
    context = {
        "clinics": Clinic.objects.visible_to(request.user, CLINIC),
        "cohorts": Cohort.objects.visible_to(request.user, COUNT).select_related("project"),
    }
    return render(request, "reports/index.html", context)


# ---- the clinic's own report


def _clinic(request: HttpRequest, public_id: str) -> tuple[Clinic, ClinicNumbers]:
    require(request, CLINIC)
    clinic = Clinic.objects.visible_to(request.user, CLINIC).filter(public_id=public_id).first()
    if clinic is None:
        raise Http404
    numbers = clinic_numbers(
        patients=Patient.objects.visible_to(request.user, CLINIC).filter(clinic=clinic),
        visits=Visit.objects.visible_to(request.user, CLINIC).filter(patient__clinic=clinic),
        queries=DataQuery.objects.visible_to(request.user, CLINIC).filter(clinic=clinic),
        now=timezone.now(),
    )
    return clinic, numbers


@require_safe
def clinic(request: HttpRequest, public_id: str) -> HttpResponse:
    found, numbers = _clinic(request, public_id)
    context = {
        "clinic": found,
        "numbers": numbers,
        "enrolment": _safe(_enrolment(numbers)),
        "completeness": _safe(_completeness(numbers)),
    }
    return render(request, "reports/clinic.html", context)


@require_safe
def clinic_csv(request: HttpRequest, public_id: str) -> HttpResponse:
    found, numbers = _clinic(request, public_id)
    rows: list[tuple[Any, ...]] = [("enrolment", month, count, numbers.patients) for month, count in numbers.enrolment]
    rows += [("completeness", one.label, one.answered, one.asked) for one in numbers.completeness]
    rows += [(name, "", getattr(numbers, name), numbers.patients) for name in ("due", "overdue", "lost")]
    rows += [("open queries", "", len(numbers.query_ages), "")]
    return _csv(f"clinic-{found.code}.csv", ("measure", "part", "count", "denominator"), rows)


@require_safe
def clinic_svg(request: HttpRequest, public_id: str, figure: str) -> HttpResponse:
    found, numbers = _clinic(request, public_id)
    drawn = {"enrolment": _enrolment, "completeness": _completeness}.get(figure)
    if drawn is None:
        raise Http404
    return _svg(f"clinic-{found.code}-{figure}.svg", drawn(numbers))


def _enrolment(numbers: ClinicNumbers) -> str:
    total = sum(count for _month, count in numbers.enrolment)
    told = _("%(n)s of %(all)s patients were registered in these 24 months.") % {"n": total, "all": numbers.patients}
    return figures.columns(_("Patients registered by month"), told, numbers.enrolment)


def _completeness(numbers: ClinicNumbers) -> str:
    rows = [
        figures.Bar(one.label, one.share, f"{one.percent} % ({one.answered}/{one.asked})")
        for one in numbers.completeness
    ]
    told = _("Answered of asked, over %(n)s visits.") % {"n": numbers.visits}
    return figures.bars(_("Completeness of the required answers of a visit"), told, rows)


# ---- Table 1


@dataclass(frozen=True)
class TableOne:
    cohort: Cohort
    scope: Scope
    summaries: list[Summary]
    patients: int

    @property
    def lines(self) -> list[Line]:
        return lines(self.summaries, self.scope)


def _table_one(request: HttpRequest, public_id: str) -> TableOne:
    require(request, COUNT)
    rows = Cohort.objects.visible_to(request.user, COUNT).select_related("project")
    cohort = rows.filter(public_id=public_id).first()
    if cohort is None:
        raise Http404
    scope = scope_of(request.user, cohort.project)
    try:
        data = frame(build(definition=cohort.definition, scope=scope))
    except DefinitionError as error:
        raise Http404 from error
    return TableOne(cohort, scope, table_one(data), len(data.patients))


@require_safe
def table_one_page(request: HttpRequest, public_id: str) -> HttpResponse:
    table = _table_one(request, public_id)
    known = references()
    context = {
        "cohort": table.cohort,
        "scope": table.scope,
        "sentence": describe(table.cohort.definition),
        "patients": table.scope.count(table.patients),
        "rows": [(line, [known[one] for one in line.references if one in known]) for line in table.lines],
        "figure": _safe(_sites(table)),
    }
    return render(request, "reports/table_one.html", context)


@require_safe
def table_one_csv(request: HttpRequest, public_id: str) -> HttpResponse:
    table = _table_one(request, public_id)
    header = ("variable", "label", "part", "n", "percent", "median_iqr", "answered", "missing")
    rows = [
        (one.name, one.label, one.part, one.count.short if one.count else "", one.percent, one.quartiles,
         one.answered.short, one.missing.short)
        for one in table.lines
    ]  # fmt: skip
    return _csv("table-1.csv", header, rows)


@require_safe
def table_one_svg(request: HttpRequest, public_id: str) -> HttpResponse:
    return _svg("table-1-features.svg", _sites(_table_one(request, public_id)))


FEATURES = ("hands", "elbow", "arm", "ulcer", "tender", "extrusion", "infection")


def _sites(table: TableOne) -> str:
    """Where and how: the shares of Table 1 that people compare first."""
    rows = []
    for line in table.lines:
        if line.name in FEATURES and line.count is not None:
            share = float(line.percent) / 100 if line.percent else None
            told = f"{line.percent} % ({line.count.short}/{line.answered.short})" if line.percent else line.count.short
            rows.append(figures.Bar(line.label, share, told))
    title = _("Sites and features of the calcinosis")
    return figures.bars(title, _("Share of the patients who were asked, with numerator and denominator."), rows)


# ---- as files


def _csv(name: str, header: tuple[str, ...], rows: list[Any]) -> HttpResponse:
    answer = HttpResponse(content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    writer = csv.writer(answer)
    writer.writerow(header)
    writer.writerows(rows)
    return answer


def _svg(name: str, content: str) -> HttpResponse:
    answer = HttpResponse(content, content_type="image/svg+xml; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def _safe(svg: str) -> SafeString:
    """Our own drawing; figures.py escapes every word in it."""
    return mark_safe(svg)
