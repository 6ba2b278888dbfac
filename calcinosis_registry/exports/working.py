"""An export at once when it is small, by the worker when it is not."""

from __future__ import annotations

import datetime
from typing import Any

from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from calcinosis_registry.accounts.models import User
from calcinosis_registry.clinics.roles import Permission
from calcinosis_registry.cohorts.builder import DefinitionError, matching
from calcinosis_registry.cohorts.dataset import population
from calcinosis_registry.cohorts.models import Cohort, Freeze
from calcinosis_registry.cohorts.scope import scope_of
from calcinosis_registry.exports.models import KEPT, Export
from calcinosis_registry.exports.services import ExportRefused, check, make_export
from calcinosis_registry.exports.writers import FORMATS
from calcinosis_registry.jobs.models import Job, State
from calcinosis_registry.jobs.services import JobRefused, Tell, ask


def make_or_ask(
    *, cohort: Cohort, by: User, now: datetime.datetime, freeze: Freeze | None = None, **choices: Any
) -> Export | Job:
    """The export, or the job that makes it. Raises ExportRefused."""
    told = {name: choices[name] for name in ("format", "profile", "reason", "include_text")}
    pictures = choices.get("include_images", False)  # each is read by a process of its own: never while somebody waits
    check(by, cohort.project, **told, include_images=pictures, freeze=freeze)
    small = is_small(cohort=cohort, by=by, freeze=freeze, all_visits=choices.get("all_visits", False))
    if small and not pictures:
        return make_export(cohort=cohort, project=cohort.project, by=by, now=now, freeze=freeze, **choices)
    kind = str(FORMATS[choices["format"]].label)
    arguments = {"cohort": cohort.pk, "freeze": freeze.pk if freeze else None, "choices": choices}
    title = _("Export of “%(cohort)s” as %(format)s") % {"cohort": cohort, "format": kind}
    return ask(kind="export", title=title, arguments=arguments, by=by)


def unfinished(user: User, *, now: datetime.datetime) -> QuerySet[Job]:
    """What this account asked for and is not in the ledger: waiting, being made, or for a week come to nothing."""
    mine = Job.objects.visible_to(user, Permission.EXPORT_DATASETS).filter(kind="export").exclude(state=State.DONE)
    return mine.filter(Q(finished_at=None) | Q(finished_at__gte=now - KEPT)).order_by("-created_at", "-pk")


def is_small(*, cohort: Cohort, by: User, freeze: Freeze | None, all_visits: bool) -> bool:
    """Few enough patients that somebody may wait for it. Raises ExportRefused."""
    if freeze is not None:
        return freeze.patients <= settings.EXPORT_AT_ONCE
    scope = scope_of(by, cohort.project)
    try:
        found = matching(cohort.definition, population(scope), all_visits=all_visits, items=scope.items)
        return found.order_by()[: settings.EXPORT_AT_ONCE + 1].count() <= settings.EXPORT_AT_ONCE
    except DefinitionError as error:
        raise ExportRefused(" ".join(error.problems)) from error


def run(job: Job, tell: Tell) -> str:
    """Make the export a job asks for; its address. A job run again finds what it made before it was killed."""
    made = Export.objects.filter(job=job.public_id).first()
    if made is None:
        cohort = Cohort.objects.select_related("project").get(pk=job.arguments["cohort"])
        freeze = Freeze.objects.filter(pk=job.arguments["freeze"]).first() if job.arguments["freeze"] else None
        try:
            made = make_export(
                cohort=cohort, project=cohort.project, by=job.owner, now=timezone.now(), freeze=freeze,
                job=job.public_id, tell=tell, **job.arguments["choices"],
            )  # fmt: skip
        except ExportRefused as error:
            raise JobRefused(str(error)) from error
    return made.get_absolute_url()
