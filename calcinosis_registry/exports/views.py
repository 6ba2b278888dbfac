"""Exports: ask for one, take it, see which were made."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.text import slugify
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from calcinosis_registry.accounts.proof import require_proof
from calcinosis_registry.accounts.rates import TAKE_OUT, too_often
from calcinosis_registry.clinics.policy import may, require
from calcinosis_registry.clinics.roles import Permission
from calcinosis_registry.cohorts.asking import too_many
from calcinosis_registry.cohorts.builder import DefinitionError
from calcinosis_registry.cohorts.dataset import why_not_taken
from calcinosis_registry.cohorts.models import Cohort
from calcinosis_registry.cohorts.scope import scope_of
from calcinosis_registry.exports.foresight import foresee
from calcinosis_registry.exports.forms import ExportForm
from calcinosis_registry.exports.models import Export, ExportQuerySet
from calcinosis_registry.exports.services import ExportRefused, take
from calcinosis_registry.exports.working import is_small, make_or_ask, unfinished
from calcinosis_registry.records.sending import SentFile
from calcinosis_registry.room import NoRoom

SHOWN = 200
EXPORT, APPROVE = Permission.EXPORT_DATASETS, Permission.APPROVE_PROJECTS


def _exports(request: HttpRequest) -> ExportQuerySet:
    if not may(request.user, EXPORT) and not may(request.user, APPROVE):
        raise PermissionDenied
    mine = Export.objects.visible_to(request.user, EXPORT)
    return mine | Export.objects.visible_to(request.user, APPROVE)


def _export(request: HttpRequest, public_id: str) -> Export:
    rows = _exports(request).select_related("cohort", "project", "created_by")
    found = rows.filter(public_id=public_id).first()
    if found is None:
        raise Http404
    return found


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    exports = _exports(request)
    context = {
        "rows": exports.select_related("cohort", "project", "created_by")[:SHOWN], "all": exports.count(),
        "jobs": unfinished(request.user, now=timezone.now())[:SHOWN],  # type: ignore[arg-type]
        "may_count": may(request.user, Permission.COUNT_COHORTS),
    }  # fmt: skip
    return render(request, "exports/list.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest, public_id: str) -> HttpResponse:
    """Ask for the files of a cohort."""
    require(request, EXPORT)
    rows = Cohort.objects.visible_to(request.user, EXPORT).select_related("project")
    cohort = rows.filter(public_id=public_id).first()
    if cohort is None:
        raise Http404
    look = request.POST.get("action") == "look"
    form = ExportForm(None if look else request.POST or None, initial=request.POST.dict(), cohort=cohort)
    if request.method == "POST" and not look and form.is_valid():
        if (refusal := too_often(request, TAKE_OUT)) is not None:
            return refusal
        try:
            export = make_or_ask(cohort=cohort, by=request.user, now=timezone.now(), **form.cleaned_data)
        except ExportRefused as error:
            form.add_error(None, str(error))
        else:
            return redirect(export)
    context = {"cohort": cohort, "form": form, "refusal": why_not_taken(request.user, cohort.project)}
    if not context["refusal"]:
        context |= foreseen(request, cohort, at_any_size=look)
    return render(request, "exports/new.html", context, status=422 if request.method == "POST" and not look else 200)


def foreseen(request: HttpRequest, cohort: Cohort, *, at_any_size: bool) -> dict[str, Any]:
    """The smallest group of what is chosen; of a large cohort when it is asked for. Asked as often as counts are."""
    if refusal := too_many(request, scope_of(request.user, cohort.project)):
        return {"waits_because": refusal}
    freeze = cohort.freezes.filter(public_id=request.POST.get("freeze", ""), ended_at__isnull=True).first()
    told: dict[str, Any] = {"by": request.user, "freeze": freeze, "all_visits": "all_visits" in request.POST}
    try:
        if at_any_size or is_small(cohort=cohort, **told):
            return {"foresight": foresee(cohort=cohort, **told)}
    except DefinitionError as error:
        return {"problems": error.problems}
    except ExportRefused as error:
        return {"problems": [str(error)]}
    except NoRoom as error:
        return {} if request.method == "POST" and not at_any_size else {"waits_because": error}  # the making says it
    return {"foresight_waits": True}


@require_safe
def export(request: HttpRequest, public_id: str) -> HttpResponse:
    found = _export(request, public_id)
    return render(request, "exports/export.html", {"export": found, "mine": found.created_by_id == request.user.pk})


@never_cache
@require_POST
def download(request: HttpRequest, public_id: str) -> HttpResponseBase:
    """The zip, for whoever made it; the event is written first."""
    found = _export(request, public_id)
    if found.created_by_id != request.user.pk:
        raise PermissionDenied
    require_proof(request)
    try:
        path = take(export=found, by=request.user, now=timezone.now())
    except ExportRefused as error:
        context = {"export": found, "mine": True, "refusal": str(error)}
        return render(request, "exports/export.html", context, status=410)
    name = f"{slugify(found.cohort.name) or 'cohort'}-{found.format}-{found.created_at:%Y-%m-%d}.zip"
    return SentFile(path, name=name, content_type="application/zip")
