"""A report of more patients than a page waits for: made by the worker, chapter by chapter, and its PDF."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.utils.translation import get_language, override
from django.utils.translation import gettext as _

from calcinosis_registry.accounts.models import User
from calcinosis_registry.jobs.models import OVER, Job
from calcinosis_registry.jobs.services import JobRefused, Tell, ask
from calcinosis_registry.reports import files, kept, paper
from calcinosis_registry.reports.asked import OF, Report
from calcinosis_registry.reports.groups import chosen
from calcinosis_registry.reports.outline import CHARACTERISTICS, TITLES

KIND = "report"


def under_way(report: Report, by: str, user: User) -> Job | None:
    """The job of this person that is making it."""
    mine = Job.objects.filter(owner=user, kind=KIND, arguments=_arguments(report, by)).exclude(state__in=OVER)
    return mine.first()


def ask_for(report: Report, by: str, user: User) -> Job:
    """The job that makes it: the one under way, or a new one."""
    title = _("Report of “%(title)s”") % {"title": report.title}
    return under_way(report, by, user) or ask(kind=KIND, title=title, arguments=_arguments(report, by), by=user)


def _arguments(report: Report, by: str) -> dict[str, str]:
    return {"of": report.name, "public_id": report.public_id, "by": by, "language": get_language() or ""}


def run(job: Job, tell: Tell) -> str:
    """Make every chapter and the PDF, in the owner's name, under the rules of this moment; where they are read."""
    with override(job.arguments["language"] or None):
        return _run(job, tell)


def _run(job: Job, tell: Tell) -> str:
    of, public_id, by = (job.arguments[name] for name in ("of", "public_id", "by"))
    by = chosen(by)
    try:
        report = OF[of](job.owner, public_id)
    except (Http404, PermissionDenied) as error:
        raise JobRefused(_("You may not see this report any more.")) from error
    head = kept.Head.now()
    chapters = list(report.make(by, tell))
    if files.pdf_possible():
        tell(_("PDF"), len(TITLES), len(TITLES) + 1)
        report.keep_pdf(paper.pdf(report, chapters, job.owner), head, by)
    if any(report.made_before(key, by) is None for key in TITLES):
        told = _(
            "The report could not be kept: the disk may be full, or a consent changed meanwhile. Ask for it again."
        )
        raise JobRefused(told)
    return report.url("_chapter", CHARACTERISTICS, by=by)
