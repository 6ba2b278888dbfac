"""Cohorts: list, builder, one cohort."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from calcinosis_registry.clinics.policy import may, require
from calcinosis_registry.clinics.roles import Permission
from calcinosis_registry.cohorts.builder import MOST_CONDITIONS, DefinitionError, describe
from calcinosis_registry.cohorts.counts import count, flow
from calcinosis_registry.cohorts.forms import (
    CohortForm,
    ConditionRow,
    place_errors,
    question_of,
    rows_from,
    rows_of,
)
from calcinosis_registry.cohorts.items import Askable, askable
from calcinosis_registry.cohorts.models import Cohort, ResearchProject
from calcinosis_registry.cohorts.scope import may_export, scope_of
from calcinosis_registry.cohorts.services import save_cohort

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


@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    require(request, COUNT)
    return _builder(request, Cohort(owner=request.user, definition={}))


@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, public_id: str) -> HttpResponse:
    """Only its owner changes a question; a member of the project sees it."""
    cohort = one_cohort(request, public_id)
    if cohort.owner_id != request.user.pk:
        raise PermissionDenied
    return _builder(request, cohort)


def _builder(request: HttpRequest, cohort: Cohort) -> HttpResponse:
    """One page: rows, their count, the name. Each button posts all of it, so it works without script."""
    action = request.POST.get("action", "")
    if request.method != "POST":
        rows, join = rows_from(cohort.definition) or [ConditionRow(0)], cohort.definition.get("join", "all")
        form = CohortForm(instance=cohort, user=request.user)
        project = cohort.project
    else:
        rows, join = rows_of(request.POST), request.POST.get("join", "all")
        if action.startswith("remove-"):
            rows = [row for row in rows if f"remove-{row.index}" != action]
        form = CohortForm(request.POST, instance=cohort, user=request.user)
        project = _chosen_project(request)
    definition = question_of(rows, join)
    told = _told(request, definition, project, rows)
    if action == "save" and form.is_valid() and not told["problems"]:
        try:
            saved = save_cohort(cohort=cohort if cohort.pk else None, definition=definition, by=request.user,
                                name=form.cleaned_data["name"], project=form.cleaned_data["project"])  # fmt: skip
        except ValidationError as error:
            form.add_error(None, error)
        else:
            return redirect(saved)
    if action != "save" and request.method == "POST":
        form = CohortForm(initial=request.POST.dict(), instance=cohort, user=request.user)
    return _page(request, cohort, rows, join, form, told, wrong=action == "save")


def _page(
    request: HttpRequest, cohort: Cohort, rows: list[ConditionRow], join: str, form: Any, told: Any, *, wrong: bool
) -> HttpResponse:
    if request.POST.get("action") == "add" and len(rows) < MOST_CONDITIONS:
        rows = [*rows, ConditionRow(len(rows))]
    for index, row in enumerate(rows):
        row.index = index
    context = {"cohort": cohort, "rows": rows, "join": join, "form": form, "groups": items_by_level(), **told}
    return render(request, "cohorts/builder.html", context, status=422 if wrong else 200)


def _chosen_project(request: HttpRequest) -> ResearchProject | None:
    text = request.POST.get("project", "")
    mine = ResearchProject.objects.visible_to(request.user, COUNT)
    return mine.filter(pk=int(text)).first() if text.isascii() and text.isdigit() and len(text) < 19 else None


def _told(
    request: HttpRequest, definition: Any, project: ResearchProject | None, rows: list[ConditionRow]
) -> dict[str, Any]:
    """Count and sentence of the question, or what is wrong with it, also beside the rows."""
    try:
        return {
            "count": count(definition, scope_of(request.user, project)).text,
            "sentence": describe(definition),
            "problems": [],
        }
    except DefinitionError as error:
        place_errors(rows, error.places)
        return {"count": "", "sentence": "", "problems": error.problems}


def items_by_level() -> dict[str, list[Askable]]:
    """{record in words: its askable items}, for the list of a row."""
    groups: dict[str, list[Askable]] = {}
    for item in askable().values():
        groups.setdefault(item.level.title, []).append(item)
    return groups


@require_POST
def live_count(request: HttpRequest) -> JsonResponse:
    """The count of the form as it stands, for the script. Reads only."""
    require(request, COUNT)
    rows = rows_of(request.POST)
    definition = question_of(rows, request.POST.get("join", "all"))
    return JsonResponse(_told(request, definition, _chosen_project(request), rows))


@require_safe
def condition(request: HttpRequest) -> HttpResponse:
    """One row for the chosen item: its operators and its codes. For the script."""
    require(request, COUNT)
    index = request.GET.get("index", "")
    if not (index.isascii() and index.isdigit() and int(index[:4]) < MOST_CONDITIONS):
        raise Http404
    row = ConditionRow(int(index[:4]), request.GET.get("item", ""))
    return render(request, "cohorts/_condition.html", {"row": row, "groups": items_by_level()})


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
