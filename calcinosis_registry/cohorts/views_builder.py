"""The page a cohort is built on: a tree of conditions, its sentence, its count, its name."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from calcinosis_registry.clinics.policy import require
from calcinosis_registry.clinics.sent_keys import sent_key
from calcinosis_registry.cohorts.asking import too_many
from calcinosis_registry.cohorts.builder import DefinitionError, describe
from calcinosis_registry.cohorts.counts import count
from calcinosis_registry.cohorts.drafting import Draft, act, choosable, definition_of, drafted, named, posted
from calcinosis_registry.cohorts.forms import CohortForm
from calcinosis_registry.cohorts.language import HowOften, Join, Relation, Which
from calcinosis_registry.cohorts.models import Cohort, ResearchProject
from calcinosis_registry.cohorts.scope import scope_of
from calcinosis_registry.cohorts.services import save_cohort
from calcinosis_registry.cohorts.structure import levels
from calcinosis_registry.cohorts.views import COUNT, one_cohort
from lesions.map_views import map_views


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
    """Each button posts all of it, so it works without script; with it the page swaps the tree and asks the count."""
    action, unknown = request.POST.get("action", ""), ""
    saving = action == "save"
    if request.method != "POST":
        root, project = drafted(cohort.definition), cohort.project
        form = CohortForm(instance=cohort, user=request.user)
    else:
        root, project = posted(request.POST), chosen_project(request)
        unknown = act(root, action, request.POST)
        form = CohortForm(request.POST if saving else None, initial=request.POST.dict(), instance=cohort,
                          user=request.user)  # fmt: skip
    told = tell(request, root, project, whole=saving)
    if saving and form.is_valid() and not told["problems"]:
        try:
            saved = save_cohort(
                cohort=cohort if cohort.pk else None, definition=definition_of(root, whole=True), by=request.user,
                name=form.cleaned_data["name"], project=form.cleaned_data["project"],
            )  # fmt: skip
        except ValidationError as error:
            form.add_error(None, error)
        else:
            return redirect(saved)
    items = scope_of(request.user, project).items
    context = {
        "cohort": cohort, "root": root, "form": form, "joins": Join.choices, "whiches": Which.choices,
        "often": HowOften.choices, "relations": Relation.choices, "items": [named(one) for one in choosable("", items)],
        "maps": map_views([], selectable=True),
        "unknown": action.partition(":")[2] if unknown else None, "typed": _typed(request, action), **told,
    }  # fmt: skip
    return render(request, "cohorts/builder.html", context, status=422 if saving else 200)


def _typed(request: HttpRequest, action: str) -> str:
    """What stood in the search of the button that was pressed."""
    verb, _sign, name = action.partition(":")
    return request.POST.get(f"pick-{verb}-{name}", "")


def chosen_project(request: HttpRequest) -> ResearchProject | None:
    key = sent_key(request.POST.get("project", ""))
    return ResearchProject.objects.visible_to(request.user, COUNT).filter(pk=key).first()


def tell(request: HttpRequest, root: Draft, project: ResearchProject | None, *, whole: bool) -> dict[str, Any]:
    """Count and sentence of the question, or what is wrong with it, also beside the nodes."""
    unfinished = sum(one.kind == "test" and one.is_unfinished for one in root.all())
    told: dict[str, Any] = {"count": "", "sentence": "", "problems": [], "unfinished": unfinished}
    definition, scope = definition_of(root, whole=whole), scope_of(request.user, project)
    try:
        told["sentence"] = describe(definition)
        if refusal := too_many(request, scope):
            return told | {"sentence": refusal}
        told["count"] = count(definition, scope).text
    except DefinitionError as error:
        root.place_errors(error.places, whole=whole)
        told["problems"] = error.problems
    return told


@require_POST
def live_count(request: HttpRequest) -> JsonResponse:
    """The count of the form as it stands, for the script. Reads only."""
    require(request, COUNT)
    root = posted(request.POST)
    told = tell(request, root, chosen_project(request), whole=False)
    return JsonResponse(told | {"errors": {one.id: one.error for one in root.all() if one.error}})


@require_safe
def items(request: HttpRequest) -> JsonResponse:
    """Every item that can be asked, with its meaning, for the search of the page; and what hangs together."""
    require(request, COUNT)
    rows = [
        {
            "key": one.key, "kind": one.level.kind, "record": one.level.title, "label": one.label, "unit": one.unit,
            "meaning": one.meaning, "words": " ".join(map(str, one.codes.values()))[:400],
        }
        for one in choosable("", None)
    ]  # fmt: skip
    within = {kind: sorted({one.level.kind for one in choosable(kind, None)}) for kind in levels()}
    return JsonResponse({"items": rows, "within": within, "none": _("No item of the codebook has these words.")})
