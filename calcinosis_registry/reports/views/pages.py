"""Reports as pages and files: of a cohort (as exactly as the reader may see it), and of the own clinic (exactly)."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
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


def _report(request: HttpRequest, of: str, public_id: str) -> Report:
    require(request, CLINIC if of == "clinic" else COUNT)
    return asked.OF[of](request.user, public_id)


# ---- the clinic's own numbers: all its patients, whatever they consented to


@require_safe
def clinic(request: HttpRequest, public_id: str) -> HttpResponse:
    report = _report(request, "clinic", public_id)
    assert report.clinic is not None  # noqa: S101  for the type
    numbers, exhibits = keeping(request.user, report.clinic)
    shown = [paper.with_files(report, "keeping", one) for one in exhibits]
    context = {**_frame(report, "keeping"), "numbers": numbers, "exhibits": shown}
    context["may_schedule"] = may(request.user, Permission.SIGN, report.clinic.pk)
    return render(request, "reports/keeping.html", context)


@require_safe
def clinic_csv(request: HttpRequest, public_id: str) -> HttpResponse:
    report = _report(request, "clinic", public_id)
    assert report.clinic is not None  # noqa: S101  for the type
    numbers = numbers_of(request.user, report.clinic)
    rows: list[tuple[Any, ...]] = [("enrolment", month, count, numbers.patients) for month, count in numbers.enrolment]
    rows += [("completeness", one.label, one.answered, one.asked) for one in numbers.completeness]
    rows += [(name, "", getattr(numbers, name), numbers.patients) for name in ("due", "overdue", "lost")]
    rows += [("open queries", "", len(numbers.query_ages), "")]
    return files.csv_answer(f"clinic-{report.clinic.code}.csv", ("measure", "part", "count", "denominator"), rows)


# ---- the chapters, of a cohort or of a clinic's consenting patients


@require_safe
def chapter_page(request: HttpRequest, of: str, public_id: str, chapter: str) -> HttpResponse:
    report = _report(request, of, public_id)
    if chapter not in TITLES:
        raise Http404
    given = request.GET.get("by", "")
    by = chosen(given)
    grouped = chapter in GROUPED
    context = {**_frame(report, chapter), "by": by, "choices": choices() if grouped else []}
    if given != by and grouped:
        context["unknown"] = _("Patients cannot be grouped by “%(item)s”.") % {"item": given[:80]}
    if report.is_large:
        context |= {"job": working.under_way(report, by, request.user), "make": report.url("_make")}
    head, made = _made(report, chapter, by)
    if made is None:
        return render(request, "reports/to_be_made.html", {**context, "title": TITLES[chapter]})
    if head is not None:
        context |= {"made_at": head.when, "is_old": not head.is_current}
    context |= paper.told(report, made, by if grouped else "")
    if made.sheet is not None:
        context["table_csv"] = report.url("_table_one_csv", by=by)
    return render(request, "reports/chapter.html", context)


def _made(report: Report, key: str, by: str) -> tuple[Head | None, Chapter | None]:
    """A chapter made at once; of a large report when it was made last and what, nothing before the worker made any."""
    if not report.is_large:
        return None, report.chapters(key, by=by)[0]
    return report.made_before(key, by) or (None, None)


@require_safe
def table_one_csv(request: HttpRequest, of: str, public_id: str) -> HttpResponse:
    report, by = _report(request, of, public_id), chosen(request.GET.get("by", ""))
    _head, made = _made(report, CHARACTERISTICS, by)
    if made is None:
        return redirect(report.url("_chapter", CHARACTERISTICS, by=by))
    assert made.sheet is not None  # noqa: S101  Table 1 has one
    return files.csv_answer("table-1.csv", made.sheet.header, made.sheet.rows)


@require_POST
def make(request: HttpRequest, of: str, public_id: str) -> HttpResponse:
    """A large report goes before the worker; a small one is made where it is looked at."""
    report = _report(request, of, public_id)
    by, key = chosen(request.POST.get("by", "")), request.POST.get("chapter", "")
    if report.is_large:
        working.ask_for(report, by, request.user)
    return redirect(report.url("_chapter", key if key in TITLES else CHARACTERISTICS, by=by))


def _frame(report: Report, here: str) -> dict[str, Any]:
    """What every page of a report shows around its content."""
    tabs = [(key, title, report.url("_chapter", key)) for key, title in TITLES.items()]
    if report.clinic is not None:
        tabs.insert(0, ("keeping", _("Clinic"), report.url("")))
    pdf = report.url("_pdf") if files.pdf_possible() else ""
    return {"report": report, "scope": report.scope, "tabs": tabs, "here": here, "pdf": pdf}


@require_safe
def figure_file(request: HttpRequest, of: str, public_id: str, chapter: str, figure: str, kind: str) -> HttpResponse:
    report, by = _report(request, of, public_id), chosen(request.GET.get("by", ""))
    if report.clinic is not None and chapter == "keeping":
        exhibits = keeping(request.user, report.clinic)[1]
    elif chapter in TITLES:
        _head, made = _made(report, chapter, by)
        if made is None:
            return redirect(report.url("_chapter", chapter, by=by))
        exhibits = made.exhibits
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


@require_safe
def pdf_file(request: HttpRequest, of: str, public_id: str) -> HttpResponse:
    """Every chapter in one file, by the group the page shows."""
    report, by = _report(request, of, public_id), chosen(request.GET.get("by", ""))
    pdf = report.pdf_before(by) if report.is_large else _pdf_at_once(request, report, by)
    if pdf is None:
        return redirect(report.url("_chapter", CHARACTERISTICS, by=by))
    return files.pdf_file(f"report-{report.name}-{report.public_id}.pdf", pdf)


def _pdf_at_once(request: HttpRequest, report: Report, by: str) -> bytes:
    """Set once as long as nothing changes: pages and figures take some seconds."""
    found, head = report.made_before(PDF, by), Head.now()
    if found is not None and head.at - found[0].at < LONGEST and found[0].is_current:
        return found[1]
    made = paper.pdf(report, report.chapters(*TITLES, by=by), request.user)
    report.keep_pdf(made, head, by)
    return made
