"""Reports as pages and files: of a cohort (as exactly as the reader may see it), and of the own clinic (exactly)."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from calcinosis_registry.clinics.models import Clinic
from calcinosis_registry.clinics.policy import may, require
from calcinosis_registry.clinics.roles import Permission
from calcinosis_registry.cohorts.models import Cohort, ResearchProject
from calcinosis_registry.reports import asked, files, paper, working
from calcinosis_registry.reports.asked import CLINIC, COUNT, Report, keeping, numbers_of
from calcinosis_registry.reports.building import LONGEST, PDF
from calcinosis_registry.reports.groups import choices, chosen
from calcinosis_registry.reports.kept import Head
from calcinosis_registry.reports.outline import CHARACTERISTICS, GROUPED, TITLES, Chapter


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    if not may(request.user, CLINIC):
        require(request, COUNT)
    context = {
        "clinics": Clinic.objects.visible_to(request.user, CLINIC),
        "cohorts": Cohort.objects.visible_to(request.user, COUNT).select_related("project"),
        "projects": ResearchProject.objects.visible_to(request.user, Permission.EXPORT_DATASETS).in_force(
            timezone.localdate()
        ),
    }
    return render(request, "reports/index.html", context)


def _cohort(request: HttpRequest, public_id: str) -> Report:
    require(request, COUNT)
    return asked.of_cohort(request.user, public_id)


def _clinic(request: HttpRequest, public_id: str) -> Report:
    require(request, CLINIC)
    return asked.of_clinic(request.user, public_id)


# ---- the clinic's own numbers: all its patients, whatever they consented to


@require_safe
def clinic(request: HttpRequest, public_id: str) -> HttpResponse:
    report = _clinic(request, public_id)
    assert report.clinic is not None  # noqa: S101  for the type
    numbers, exhibits = keeping(request.user, report.clinic)
    shown = [paper.with_files(report, "keeping", one) for one in exhibits]
    context = {**_frame(report, "keeping"), "numbers": numbers, "exhibits": shown}
    context["may_schedule"] = may(request.user, Permission.SIGN, report.clinic.pk)
    return render(request, "reports/keeping.html", context)


@require_safe
def clinic_csv(request: HttpRequest, public_id: str) -> HttpResponse:
    report = _clinic(request, public_id)
    assert report.clinic is not None  # noqa: S101  for the type
    numbers = numbers_of(request.user, report.clinic)
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
    chapter = _made(report, CHARACTERISTICS, chosen(request.GET.get("by", "")))
    if chapter is None:
        return redirect(report.url("_chapter", CHARACTERISTICS))
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


@require_POST
def cohort_make(request: HttpRequest, public_id: str) -> HttpResponse:
    return _make(request, _cohort(request, public_id))


@require_POST
def clinic_make(request: HttpRequest, public_id: str) -> HttpResponse:
    return _make(request, _clinic(request, public_id))


def _make(request: HttpRequest, report: Report) -> HttpResponse:
    """A large report goes before the worker; a small one is made where it is looked at."""
    by, key = chosen(request.POST.get("by", "")), request.POST.get("chapter", "")
    if report.is_large:
        working.ask_for(report, by, request.user)
    to = report.url("_chapter", key if key in TITLES else CHARACTERISTICS)
    return redirect(to + (f"?{urlencode({'by': by})}" if by else ""))


def _made(report: Report, key: str, by: str) -> Chapter | None:
    """A chapter at once; of a large report the one made last, None before the worker made any."""
    if not report.is_large:
        return report.chapters(key, by=by)[0]
    found = report.made_before(key, by)
    return None if found is None else found[1]


def _chapter_page(request: HttpRequest, report: Report, key: str) -> HttpResponse:
    if key not in TITLES:
        raise Http404
    given = request.GET.get("by", "")
    by = chosen(given)
    context = {**_frame(report, key), "by": by, "choices": choices() if key in GROUPED else []}
    if given != by and key in GROUPED:
        context["unknown"] = _("Patients cannot be grouped by “%(item)s”.") % {"item": given[:80]}
    if report.is_large:
        context |= _by_the_worker(request, report, key, by)
        if "made_at" not in context:
            return render(request, "reports/to_be_made.html", {**context, "title": TITLES[key]})
    chapter = _made(report, key, by)
    if chapter is None:  # its time was over between two looks
        raise Http404
    context |= paper.told(report, chapter, by if key in GROUPED else "")
    if chapter.sheet is not None:
        context["table_csv"] = report.url("_table_one_csv") + (f"?{urlencode({'by': by})}" if by else "")
    return render(request, "reports/chapter.html", context)


def _by_the_worker(request: HttpRequest, report: Report, key: str, by: str) -> dict[str, Any]:
    """What is said of a large report: when it was made, whether anything changed since, how far a new one is."""
    told: dict[str, Any] = {"job": working.under_way(report, by, request.user), "make": report.url("_make")}
    found = report.made_before(key, by)
    if found is not None:
        head, _chapter = found
        told |= {"made_at": head.when, "is_old": not head.is_current}
    return told


def _frame(report: Report, here: str) -> dict[str, Any]:
    """What every page of a report shows around its content."""
    tabs = [(key, title, report.url("_chapter", key)) for key, title in TITLES.items()]
    if report.clinic is not None:
        tabs.insert(0, ("keeping", _("Clinic"), report.url("")))
    pdf = report.url("_pdf") if files.pdf_possible() else ""
    return {"report": report, "scope": report.scope, "tabs": tabs, "here": here, "pdf": pdf}


def _figure(request: HttpRequest, report: Report, key: str, figure: str, kind: str) -> HttpResponse:
    if report.clinic is not None and key == "keeping":
        exhibits = keeping(request.user, report.clinic)[1]
    elif key in TITLES:
        chapter = _made(report, key, chosen(request.GET.get("by", "")))
        if chapter is None:
            return redirect(report.url("_chapter", key))
        exhibits = chapter.exhibits
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
    by = chosen(request.GET.get("by", ""))
    pdf = report.pdf_before(by) if report.is_large else _pdf_at_once(request, report, by)
    if pdf is None:
        return redirect(report.url("_chapter", CHARACTERISTICS) + (f"?{urlencode({'by': by})}" if by else ""))
    return files.pdf_file(f"report-{report.name}-{report.public_id}.pdf", pdf)


def _pdf_at_once(request: HttpRequest, report: Report, by: str) -> bytes:
    """Set once as long as nothing changes: pages and figures take some seconds."""
    found, head = report.made_before(PDF, by), Head.now()
    if found is not None and head.at - found[0].at < LONGEST and found[0].is_current:
        return found[1]
    made = paper.pdf(report, report.chapters(*TITLES, by=by), request.user)
    report.keep_pdf(made, head, by)
    return made
