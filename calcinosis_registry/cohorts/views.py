"""Cohorts: list, builder, one cohort."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from calcinosis_registry.clinics.policy import may, require
from calcinosis_registry.clinics.roles import Permission
from calcinosis_registry.clinics.sent_keys import sent_key
from calcinosis_registry.cohorts.asking import too_many
from calcinosis_registry.cohorts.builder import DefinitionError, describe
from calcinosis_registry.cohorts.counts import Step, count, flow, overlap
from calcinosis_registry.cohorts.models import Cohort
from calcinosis_registry.cohorts.scope import Count, may_export, scope_of
from calcinosis_registry.cohorts.services import copy_cohort, share_cohort

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
    return cohort_page(request, one_cohort(request, public_id))


def cohort_page(request: HttpRequest, found: Cohort, status: int = 200, **more: Any) -> HttpResponse:
    """``more``: what was typed on it and refused."""
    scope = scope_of(request.user, found.project)
    mine = found.owner_id == request.user.pk
    context: dict[str, Any] = {"cohort": found, "scope": scope, "mine": mine}
    try:
        if refusal := too_many(request, scope):
            raise DefinitionError([refusal])
        steps = flow(found.definition, scope)
        context |= {
            "steps": steps, "sentence": describe(found.definition),
            # With "any" the conditions stand beside each other, and the cohort is what they find together.
            "count": _no_more_than_last(count(found.definition, scope), steps, found.definition),
        }  # fmt: skip
    except DefinitionError as error:
        # The codebook moved on: the question stays, and says what it can no longer ask.
        context["problems"] = error.problems
    if may(request.user, Permission.EXPORT_DATASETS):
        context["refusal"] = may_export(request.user, found.project)
        context["exporter"] = True
    if found.project is not None:
        shares = set(found.shares.values_list("user_id", flat=True))
        members = [one.user for one in found.project.now_members if one.user_id != found.owner_id]
        context["members"] = [(person, person.pk in shares) for person in members]
    others = Cohort.objects.visible_to(request.user, COUNT).exclude(pk=found.pk)
    context["others"] = others.filter(project=found.project)[:100]
    return render(request, "cohorts/cohort.html", context | more, status=status)


def _no_more_than_last(counted: Count, steps: list[Step], definition: Any) -> Count:
    """The last step of a narrowing flow is the cohort: the two say the same."""
    return steps[-1].count if definition.get("join", "all") != "any" else counted


@require_POST
def copy(request: HttpRequest, public_id: str) -> HttpResponse:
    found = one_cohort(request, public_id)
    try:
        made = copy_cohort(cohort=found, by=request.user)
    except DefinitionError as error:
        messages.error(request, " ".join(error.problems))
        return redirect(found)
    messages.success(request, _("This is your own copy: give it a name and change what you like."))
    return redirect("cohorts:edit", made.public_id)


@require_POST
def share(request: HttpRequest, public_id: str) -> HttpResponse:
    found = one_cohort(request, public_id)
    ids = {sent_key(one) for one in request.POST.getlist("people")}
    people = [one.user for one in found.project.now_members if one.user_id in ids] if found.project else []
    try:
        share_cohort(cohort=found, with_all=request.POST.get("who") == "all", people=people, by=request.user)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, _("Saved who sees this cohort."))
    return redirect(found)


@require_safe
def compare(request: HttpRequest, public_id: str) -> HttpResponse:
    """Two cohorts of one project (or of none) side by side."""
    one = one_cohort(request, public_id)
    others = Cohort.objects.visible_to(request.user, COUNT).filter(project=one.project).exclude(pk=one.pk)
    other = others.filter(public_id=request.GET.get("with", "")).first()
    if other is None:
        raise Http404
    scope = scope_of(request.user, one.project)
    context: dict[str, Any] = {"one": one, "other": other, "scope": scope}
    try:
        if refusal := too_many(request, scope):
            raise DefinitionError([refusal])
        context["overlap"] = overlap(one.definition, other.definition, scope)
        context["sides"] = [(side, describe(side.definition), flow(side.definition, scope)) for side in (one, other)]
    except DefinitionError as error:
        context["problems"] = error.problems
    return render(request, "cohorts/compare.html", context)
