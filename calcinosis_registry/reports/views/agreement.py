"""The agreement of the readers of hand radiographs: a page, its numbers and its picture."""

from __future__ import annotations

import csv
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from calcinosis_registry.clinics.models import Clinic
from calcinosis_registry.clinics.policy import require
from calcinosis_registry.clinics.roles import Permission
from calcinosis_registry.reports.agreement import Agreement, agreement_of
from calcinosis_registry.reports.bland_altman import bland_altman
from lesions.hand_pairs import pairs_of

CLINIC = Permission.CLINIC_REPORTS
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
    context = {"clinic": clinic, "found": found, "picture": mark_safe(_picture(found)) if found.limits else ""}
    return render(request, "reports/agreement.html", context)


@require_safe
def numbers(request: HttpRequest, public_id: str) -> HttpResponse:
    clinic, found = _found(request, public_id)
    rows = [
        (row.patient, row.study, *row.readers, *row.totals, row.mean, row.difference, row.sites) for row in found.rows
    ]
    answer = _as_file(f"agreement-{clinic.code}.csv", "text/csv; charset=utf-8")
    writer = csv.writer(answer)
    writer.writerow(HEADER)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return answer


@require_safe
def picture(request: HttpRequest, public_id: str) -> HttpResponse:
    clinic, found = _found(request, public_id)
    if not found.limits:
        raise Http404
    answer = _as_file(f"agreement-{clinic.code}.svg", "image/svg+xml; charset=utf-8")
    answer.write(_picture(found))
    return answer


def _as_file(name: str, content_type: str) -> HttpResponse:
    answer = HttpResponse(content_type=content_type)
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def _cell(value: Any) -> Any:
    """A name that a spreadsheet would take for a formula is text."""
    return f"'{value}" if isinstance(value, str) and value[:1] in tuple("=+-@\t\r") else value


def _picture(found: Agreement) -> str:
    assert found.limits is not None  # noqa: S101  asked by the callers
    limits = found.limits
    told = _(
        "%(n)s radiographs read twice: mean difference %(mean).1f, limits of agreement %(low).1f to %(high).1f points."
    ) % {"n": limits.n, "mean": limits.mean, "low": limits.low, "high": limits.high}
    spots = [
        (row.mean, row.difference, f"{row.patient}, {row.study}: {row.totals[0]:g} / {row.totals[1]:g}")
        for row in found.rows
    ]
    axes = (_("Mean of both readers (points)"), _("Difference (points)"))
    return bland_altman(_("Difference against mean of two readers"), told, spots, limits, axes)
