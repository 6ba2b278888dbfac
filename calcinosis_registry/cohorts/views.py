"""Cohorts: list, builder, one cohort."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from calcinosis_registry.clinics.policy import may, require
from calcinosis_registry.clinics.roles import Permission
from calcinosis_registry.cohorts.builder import DefinitionError, describe
from calcinosis_registry.cohorts.counts import count, flow
from calcinosis_registry.cohorts.models import Cohort
from calcinosis_registry.cohorts.scope import may_export, scope_of

COUNT = Permission.COUNT_COHORTS


def one_cohort(request: HttpRequest, public_id: str) -> Cohort:
    """The cohort, or 404."""
    require(request, COUNT)
    rows = Cohort.objects.visible_to(request.user, COUNT).select_related("project", "owner")
    found = rows.filter(public_id=public_id).first()
    if found is None:
        raise Http404
    return found


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    require(request, COUNT)
    rows = Cohort.objects.visible_to(request.user, COUNT).select_related("project", "owner")
    return render(request, "cohorts/list.html", {"rows": rows})


@require_safe
def cohort(request: HttpRequest, public_id: str) -> HttpResponse:
    found = one_cohort(request, public_id)
    scope = scope_of(request.user, found.project)
    context: dict[str, Any] = {"cohort": found, "scope": scope, "mine": found.owner_id == request.user.pk}
    try:
        context |= {
            "count": count(found.definition, scope),
            "everyone": count({}, scope),
            "steps": flow(found.definition, scope),
            "sentence": describe(found.definition),
        }
    except DefinitionError as error:
        # The codebook moved on: the question stays, and says what it can no longer ask.
        context["problems"] = error.problems
    if may(request.user, Permission.EXPORT_DATASETS):
        context["refusal"] = may_export(request.user, found.project)
        context["exporter"] = True
    context["no_project"] = _("No project")
    return render(request, "cohorts/cohort.html", context)
