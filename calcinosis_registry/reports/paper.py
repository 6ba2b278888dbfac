"""Chapters as templates show them, on the page and in the PDF of the whole report."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import gettext as _

from calcinosis_registry.accounts.models import User
from calcinosis_registry.reports import files
from calcinosis_registry.reports.asked import Report, keeping
from calcinosis_registry.reports.exhibits import Exhibit
from calcinosis_registry.reports.outline import Chapter
from calcinosis_registry.reports.references import references


@dataclass(frozen=True)
class Shown:
    """An exhibit with the addresses of its files: (word, address)."""

    one: Exhibit
    files: list[tuple[str, str]]


def told(report: Report, chapter: Chapter, by: str = "") -> dict[str, Any]:
    """A chapter as the templates of page and PDF show it."""
    known = references()
    return {
        "chapter": chapter,
        "patients": chapter.patients,
        "groups": chapter.groups,
        "missing": chapter.missing,
        "lines": [(line, [known[one] for one in line.references if one in known]) for line in chapter.table],
        "exhibits": [with_files(report, chapter.key, one, by) for one in chapter.exhibits],
    }


def with_files(report: Report, chapter: str, one: Exhibit, by: str = "") -> Shown:
    kinds = ["svg", *(["png"] if files.pdf_possible() else [])]
    wanted = [(f"{one.key}.{view}" if view else one.key, kind) for view, _drawn in one.drawings for kind in kinds]
    wanted += [(one.key, "csv")] if one.file else []
    several = len(one.drawings) > 1
    found = [
        (f"{kind.upper()} {figure.partition('.')[2]}".strip() if several else kind.upper(),
         report.url("_figure", chapter, figure, kind, by=by))
        for figure, kind in wanted
    ]  # fmt: skip
    return Shown(one, found)


def pdf(report: Report, chapters: list[Chapter], user: User) -> bytes:
    """Every chapter in one file."""
    parts = [told(report, chapter) for chapter in chapters]
    if report.clinic is not None:
        numbers, exhibits = keeping(user, report.clinic)
        shown = [Shown(one, []) for one in exhibits]
        parts.insert(0, {"chapter": {"key": "keeping", "title": _("Clinic")}, "exhibits": shown, "numbers": numbers})
    context = {"report": report, "scope": report.scope, "parts": parts, "made": timezone.localtime()}
    return files.pdf(render_to_string("reports/report_pdf.html", context))
