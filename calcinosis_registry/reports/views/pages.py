"""Reports as pages and files: of a cohort (as exactly as the reader may see it), and of the own clinic (exactly)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from calcinosis_registry.clinics.models import Clinic
from calcinosis_registry.clinics.policy import may, require
from calcinosis_registry.clinics.roles import Permission
from calcinosis_registry.cohorts.builder import DefinitionError, describe
from calcinosis_registry.cohorts.models import Cohort
from calcinosis_registry.cohorts.scope import Scope, scope_of
from calcinosis_registry.quality.models import DataQuery
from calcinosis_registry.reports import files
from calcinosis_registry.reports.building import CHARACTERISTICS, GROUPED, TITLES, Chapter, chapters
from calcinosis_registry.reports.chapters import clinic as clinic_chapter
from calcinosis_registry.reports.clinic import ClinicNumbers, clinic_numbers, standings
from calcinosis_registry.reports.exhibits import Exhibit
from calcinosis_registry.reports.grouping import choices
from calcinosis_registry.reports.references import references
from patients.models import Patient, Visit

CLINIC, COUNT = Permission.CLINIC_REPORTS, Permission.COUNT_COHORTS
EVERYONE: dict[str, Any] = {"join": "all", "conditions": []}


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    if not may(request.user, CLINIC):
        require(request, COUNT)
    context = {
        "clinics": Clinic.objects.visible_to(request.user, CLINIC),
        "cohorts": Cohort.objects.visible_to(request.user, COUNT).select_related("project"),
    }
    return render(request, "reports/index.html", context)


@dataclass(frozen=True)
class Report:
    """Whom a report is about and for: ``name`` of its routes, ``scope`` of its numbers, what the page says of it."""

    name: str
    public_id: str
    title: str
    sentence: str
    definition: Any
    scope: Scope
    cohort: Cohort | None = None
    clinic: Clinic | None = None

    def chapters(self, *keys: str, by: str = "") -> list[Chapter]:
        try:
            return chapters(definition=self.definition, scope=self.scope, keys=keys, by=by)
        except DefinitionError as error:
            raise Http404 from error

    def url(self, route: str, *parts: str) -> str:
        return reverse(f"reports:{self.name}{route}", args=[self.public_id, *parts])


def _cohort(request: HttpRequest, public_id: str) -> Report:
    require(request, COUNT)
    rows = Cohort.objects.visible_to(request.user, COUNT).select_related("project")
    cohort = rows.filter(public_id=public_id).first()
    if cohort is None:
        raise Http404
    try:
        sentence = describe(cohort.definition)
    except DefinitionError as error:
        raise Http404 from error
    scope = scope_of(request.user, cohort.project)
    return Report("cohort", public_id, str(cohort), sentence, cohort.definition, scope, cohort=cohort)


def _clinic(request: HttpRequest, public_id: str) -> Report:
    require(request, CLINIC)
    clinic = Clinic.objects.visible_to(request.user, CLINIC).filter(public_id=public_id).first()
    if clinic is None:
        raise Http404
    sentence = _("Patients of the clinic who consented to research; what was recorded at signed visits.")
    scope = Scope(frozenset({clinic.pk}), exact=True)
    return Report("clinic", public_id, str(clinic), sentence, EVERYONE, scope, clinic=clinic)


# ---- the clinic's own numbers: all its patients, whatever they consented to


def _numbers(request: HttpRequest, clinic: Clinic) -> ClinicNumbers:
    return clinic_numbers(
        patients=Patient.objects.visible_to(request.user, CLINIC).filter(clinic=clinic),
        visits=Visit.objects.visible_to(request.user, CLINIC).filter(patient__clinic=clinic),
        queries=DataQuery.objects.visible_to(request.user, CLINIC).filter(clinic=clinic),
        now=timezone.now(),
    )


def _keeping(request: HttpRequest, clinic: Clinic) -> tuple[ClinicNumbers, list[Exhibit]]:
    numbers = _numbers(request, clinic)
    return numbers, clinic_chapter.exhibits(numbers, standings(clinic, timezone.localdate()))


@require_safe
def clinic(request: HttpRequest, public_id: str) -> HttpResponse:
    report = _clinic(request, public_id)
    assert report.clinic is not None  # noqa: S101  for the type
    numbers, exhibits = _keeping(request, report.clinic)
    shown = [_with_files(report, "keeping", one) for one in exhibits]
    return render(request, "reports/keeping.html", {**_frame(report, "keeping"), "numbers": numbers, "exhibits": shown})


@require_safe
def clinic_csv(request: HttpRequest, public_id: str) -> HttpResponse:
    report = _clinic(request, public_id)
    assert report.clinic is not None  # noqa: S101  for the type
    numbers = _numbers(request, report.clinic)
    rows: list[tuple[Any, ...]] = [("enrolment", month, count, numbers.patients) for month, count in numbers.enrolment]
    rows += [("completeness", one.label, one.answered, one.asked) for one in numbers.completeness]
    rows += [(name, "", getattr(numbers, name), numbers.patients) for name in ("due", "overdue", "lost")]
    rows += [("open queries", "", len(numbers.query_ages), "")]
    return files.csv_answer(f"clinic-{report.clinic.code}.csv", ("measure", "part", "count", "denominator"), rows)


# ---- the chapters, of a cohort or of a clinic's consenting patients


@require_safe
def table_one(request: HttpRequest, public_id: str) -> HttpResponse:
    return _chapter_page(request, _cohort(request, public_id), CHARACTERISTICS)


@require_safe
def table_one_csv(request: HttpRequest, public_id: str) -> HttpResponse:
    return _table_one_csv(request, _cohort(request, public_id))


@require_safe
def clinic_table_one_csv(request: HttpRequest, public_id: str) -> HttpResponse:
    return _table_one_csv(request, _clinic(request, public_id))


def _table_one_csv(request: HttpRequest, report: Report) -> HttpResponse:
    (chapter,) = report.chapters(CHARACTERISTICS, by=request.GET.get("by", ""))
    assert chapter.sheet is not None  # noqa: S101  Table 1 has one
    return files.csv_answer("table-1.csv", chapter.sheet.header, chapter.sheet.rows)


@require_safe
def cohort_chapter(request: HttpRequest, public_id: str, chapter: str) -> HttpResponse:
    return _chapter_page(request, _cohort(request, public_id), chapter)


@require_safe
def clinic_chapter_page(request: HttpRequest, public_id: str, chapter: str) -> HttpResponse:
    return _chapter_page(request, _clinic(request, public_id), chapter)


@require_safe
def cohort_figure(request: HttpRequest, public_id: str, chapter: str, figure: str, kind: str) -> HttpResponse:
    return _figure(request, _cohort(request, public_id), chapter, figure, kind)


@require_safe
def clinic_figure(request: HttpRequest, public_id: str, chapter: str, figure: str, kind: str) -> HttpResponse:
    return _figure(request, _clinic(request, public_id), chapter, figure, kind)


@require_safe
def cohort_pdf(request: HttpRequest, public_id: str) -> HttpResponse:
    return _pdf(request, _cohort(request, public_id))


@require_safe
def clinic_pdf(request: HttpRequest, public_id: str) -> HttpResponse:
    return _pdf(request, _clinic(request, public_id))


def _chapter_page(request: HttpRequest, report: Report, key: str) -> HttpResponse:
    if key not in TITLES:
        raise Http404
    by = request.GET.get("by", "") if key in GROUPED else ""
    (chapter,) = report.chapters(key, by=by)
    context = {**_frame(report, key), **_told(report, chapter, by), "by": by}
    context["choices"] = choices() if key in GROUPED else []
    if chapter.sheet is not None:
        context["table_csv"] = report.url("_table_one_csv") + (f"?{urlencode({'by': by})}" if by else "")
    return render(request, "reports/chapter.html", context)


def _frame(report: Report, here: str) -> dict[str, Any]:
    """What every page of a report shows around its content."""
    tabs = [(key, title, report.url("_chapter", key)) for key, title in TITLES.items()]
    if report.clinic is not None:
        tabs.insert(0, ("keeping", _("Clinic"), report.url("")))
    pdf = report.url("_pdf") if files.pdf_possible() else ""
    return {"report": report, "scope": report.scope, "tabs": tabs, "here": here, "pdf": pdf}


def _told(report: Report, chapter: Chapter, by: str = "") -> dict[str, Any]:
    """A chapter as the templates of page and PDF show it."""
    known = references()
    count = report.scope.count
    return {
        "chapter": chapter,
        "patients": count(chapter.patients),
        "groups": [(name, count(size).short) for name, size in chapter.groups],
        "missing": count(chapter.missing).short if chapter.missing else "",
        "lines": [(line, [known[one] for one in line.references if one in known]) for line in chapter.table],
        "exhibits": [_with_files(report, chapter.key, one, by) for one in chapter.exhibits],
    }


@dataclass(frozen=True)
class Shown:
    """An exhibit with the addresses of its files: (word, address)."""

    one: Exhibit
    files: list[tuple[str, str]]


def _with_files(report: Report, chapter: str, one: Exhibit, by: str = "") -> Shown:
    kinds = ["svg", *(["png"] if files.pdf_possible() else [])]
    wanted = [(f"{one.key}.{view}" if view else one.key, kind) for view, _drawn in one.drawings for kind in kinds]
    wanted += [(one.key, "csv")] if one.file else []
    asked = f"?{urlencode({'by': by})}" if by else ""
    several = len(one.drawings) > 1
    found = [
        (f"{kind.upper()} {figure.partition('.')[2]}".strip() if several else kind.upper(),
         report.url("_figure", chapter, figure, kind) + asked)
        for figure, kind in wanted
    ]  # fmt: skip
    return Shown(one, found)


def _figure(request: HttpRequest, report: Report, key: str, figure: str, kind: str) -> HttpResponse:
    if report.clinic is not None and key == "keeping":
        exhibits = _keeping(request, report.clinic)[1]
    elif key in TITLES:
        exhibits = report.chapters(key, by=request.GET.get("by", "") if key in GROUPED else "")[0].exhibits
    else:
        raise Http404
    name, _dot, view = figure.partition(".")
    found = next((one for one in exhibits if one.key == name), None)
    if found is None or kind not in files.KINDS:
        raise Http404
    answer = files.figure_answer(found, view, kind, whose=report.title)
    if answer is None:
        raise Http404
    return answer


def _pdf(request: HttpRequest, report: Report) -> HttpResponse:
    """Every chapter in one file, by the group the page shows."""
    found = report.chapters(*TITLES, by=request.GET.get("by", ""))
    parts = [_told(report, chapter) for chapter in found]
    if report.clinic is not None:
        numbers, exhibits = _keeping(request, report.clinic)
        shown = [Shown(one, []) for one in exhibits]
        parts.insert(0, {"chapter": {"key": "keeping", "title": _("Clinic")}, "exhibits": shown, "numbers": numbers})
    context = {"report": report, "scope": report.scope, "parts": parts, "made": timezone.localtime()}
    return files.pdf_answer(f"report-{report.name}-{report.public_id}.pdf", "reports/report_pdf.html", context)
