"""The agreement of the readers of hand radiographs, in a clinic or over a project: a page, its numbers, its picture."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from math import isnan, nan
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from calcinosis_registry.clinics.models import Clinic
from calcinosis_registry.clinics.policy import require
from calcinosis_registry.clinics.roles import Permission
from calcinosis_registry.cohorts.models import ResearchProject
from calcinosis_registry.cohorts.scope import may_export, scope_of
from calcinosis_registry.reports.agreement import Agreement, Part, agreement_in, agreement_of
from calcinosis_registry.reports.bland_altman import bland_altman
from calcinosis_registry.reports.reliability import Estimate
from lesions.hand_pairs import pairs_of

CLINIC = Permission.CLINIC_REPORTS
PARTS = (
    "of", "name", "radiographs", "coefficient", "value", "low_95", "high_95", "mean_difference", "limit_low",
    "limit_high",
)  # fmt: skip
HEADER = ("patient", "radiograph", "reader_a", "reader_b", "total_a", "total_b", "mean", "difference", "common_sites")


def _found(request: HttpRequest, public_id: str) -> tuple[Clinic, Agreement]:
    require(request, CLINIC)
    clinic = Clinic.objects.visible_to(request.user, CLINIC).filter(public_id=public_id).first()
    if clinic is None:
        raise Http404
    pairs = [one for one in pairs_of(request.user) if one.asked.study.patient.clinic_id == clinic.pk]
    return clinic, agreement_of(pairs)


@require_safe
def page(request: HttpRequest, public_id: str) -> HttpResponse:
    clinic, found = _found(request, public_id)
    return _page(request, found, "agreement", clinic=clinic)


@require_safe
def numbers(request: HttpRequest, public_id: str) -> HttpResponse:
    clinic, found = _found(request, public_id)
    rows = [
        (row.patient, row.study, *row.readers, *row.totals, row.mean, row.difference, row.sites) for row in found.rows
    ]
    return _csv(f"agreement-{clinic.code}.csv", HEADER, rows)


@require_safe
def picture(request: HttpRequest, public_id: str) -> HttpResponse:
    clinic, found = _found(request, public_id)
    return _svg(f"agreement-{clinic.code}.svg", found, named=True)


# ---- over the clinics of a research project, for its members: nobody is named, no radiograph has a row


def _project(request: HttpRequest, public_id: str) -> tuple[ResearchProject, Agreement | None, str]:
    """(project, agreement, why there is none)."""
    require(request, Permission.COUNT_COHORTS)
    rows = ResearchProject.objects.visible_to(request.user, Permission.COUNT_COHORTS)
    project = rows.filter(public_id=public_id).first()
    if project is None:
        raise Http404
    require(request, Permission.EXPORT_DATASETS)
    why_not = may_export(request.user, project)
    return project, None if why_not else agreement_in(scope_of(request.user, project), request.user), why_not


@require_safe
def of_project(request: HttpRequest, public_id: str) -> HttpResponse:
    project, found, why_not = _project(request, public_id)
    return _page(request, found, "project_agreement", project=project, why_not=why_not)


@require_safe
def numbers_of_project(request: HttpRequest, public_id: str) -> HttpResponse:
    _of, found, _why_not = _project(request, public_id)
    if found is None:
        raise Http404
    whole = Part("", len(found.rows), found.coefficient, found.icc, found.limits)
    parts = [("all", whole), *(("clinic", one) for one in found.by_clinic)]
    parts += [("readers", one) for one in found.by_readers]
    rows = [(of, one.name, one.n, one.coefficient, *_interval(one.icc), *_limits(one)) for of, one in parts]
    rows += [("all", "", one.n, f"kappa, {one.weights}", *_interval(one.estimate), "", "", "") for one in found.kappas]
    return _csv("agreement.csv", PARTS, rows)


@require_safe
def picture_of_project(request: HttpRequest, public_id: str) -> HttpResponse:
    _of, found, _why_not = _project(request, public_id)
    return _svg("agreement.svg", found, named=False)


def _interval(estimate: Estimate | None) -> tuple[float | str, ...]:
    """Nothing where an estimate has no interval."""
    values = (estimate.value, estimate.low, estimate.high) if estimate else (nan, nan, nan)
    return tuple("" if isnan(one) else one for one in values)


def _limits(part: Part) -> tuple[float | str, ...]:
    return (part.limits.mean, part.limits.low, part.limits.high) if part.limits else ("", "", "")


# ---- both


def _page(request: HttpRequest, found: Agreement | None, route: str, **told: Any) -> HttpResponse:
    of = told.get("clinic") or told["project"]
    context = {
        **told, "of": of, "found": found,
        "picture": mark_safe(_picture(found, named="clinic" in told)) if found and found.limits else "",
        "numbers_url": reverse(f"reports:{route}_csv", args=[of.public_id]),
        "picture_url": reverse(f"reports:{route}_svg", args=[of.public_id]),
    }  # fmt: skip
    return render(request, "reports/agreement.html", context)


def _csv(name: str, header: Iterable[str], rows: Iterable[Iterable[Any]]) -> HttpResponse:
    answer = _as_file(name, "text/csv; charset=utf-8")
    writer = csv.writer(answer)
    writer.writerow(header)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return answer


def _svg(name: str, found: Agreement | None, *, named: bool) -> HttpResponse:
    if found is None or not found.limits:
        raise Http404
    answer = _as_file(name, "image/svg+xml; charset=utf-8")
    answer.write(_picture(found, named=named))
    return answer


def _as_file(name: str, content_type: str) -> HttpResponse:
    answer = HttpResponse(content_type=content_type)
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def _cell(value: Any) -> Any:
    """A name that a spreadsheet would take for a formula is text."""
    return f"'{value}" if isinstance(value, str) and value[:1] in tuple("=+-@\t\r") else value


def _picture(found: Agreement, *, named: bool) -> str:
    """``named``: each spot tells its patient and radiograph."""
    assert found.limits is not None  # noqa: S101  asked by the callers
    limits = found.limits
    told = _(
        "%(n)s radiographs read twice: mean difference %(mean).1f, limits of agreement %(low).1f to %(high).1f points."
    ) % {"n": limits.n, "mean": limits.mean, "low": limits.low, "high": limits.high}
    spots = [
        (
            row.mean,
            row.difference,
            (f"{row.patient}, {row.study}: " if named else "") + "{:g} / {:g}".format(*row.totals),
        )
        for row in found.rows
    ]
    axes = (_("Mean of both readers (points)"), _("Difference (points)"))
    return bland_altman(_("Difference against mean of two readers"), told, spots, limits, axes)
