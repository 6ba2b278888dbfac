"""Research projects: request, approve, end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from calcinosis_registry.accounts.proof import require_proof
from calcinosis_registry.clinics.policy import may, require
from calcinosis_registry.clinics.roles import Permission
from calcinosis_registry.cohorts.columns import scope_items
from calcinosis_registry.cohorts.forms import MemberForm, ProjectForm
from calcinosis_registry.cohorts.membership import OPEN
from calcinosis_registry.cohorts.models import Cohort, ProjectQuerySet, ResearchProject
from calcinosis_registry.cohorts.scope import may_export
from calcinosis_registry.cohorts.services import (
    approve_project,
    end_project,
    governs_project,
    refuse_project,
    request_project,
)


def _projects(request: HttpRequest) -> ProjectQuerySet:
    """Those one is in, and those one may approve."""
    if not may(request.user, Permission.COUNT_COHORTS) and not may(request.user, Permission.APPROVE_PROJECTS):
        raise PermissionDenied
    mine = ResearchProject.objects.visible_to(request.user, Permission.COUNT_COHORTS)
    return mine | ResearchProject.objects.visible_to(request.user, Permission.APPROVE_PROJECTS)


def one_project(request: HttpRequest, public_id: str) -> ResearchProject:
    """One that may be seen, or 404."""
    found = _projects(request).filter(public_id=public_id).first()
    if found is None:
        raise Http404
    return found


@require_safe
def projects(request: HttpRequest) -> HttpResponse:
    rows = _projects(request).prefetch_related("clinics", "members")
    may_request = may(request.user, Permission.EXPORT_DATASETS)
    return render(request, "cohorts/projects.html", {"rows": rows, "may_request": may_request})


@require_http_methods(["GET", "HEAD", "POST"])
def new_project(request: HttpRequest) -> HttpResponse:
    require(request, Permission.EXPORT_DATASETS)
    form = ProjectForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            project = request_project(**form.cleaned_data, by=request.user)
        except ValidationError as error:
            form.add_error(None, error)
        else:
            messages.success(request, _("The project is requested. An admin of its clinics approves it."))
            return redirect(project)
    status = 422 if request.method == "POST" else 200
    return render(request, "cohorts/project_form.html", {"form": form}, status=status)


@require_safe
def project(request: HttpRequest, public_id: str) -> HttpResponse:
    return project_page(request, one_project(request, public_id))


def project_page(request: HttpRequest, found: ResearchProject, status: int = 200, **more: Any) -> HttpResponse:
    """``more``: the form of a member that was refused, with what was typed."""
    governs = governs_project(request.user, found)
    may_change = governs and found.state in OPEN
    if may_change:
        more = {"member_form": MemberForm(auto_id="member_%s")} | more
    context = {
        "project": found,
        "may_decide": governs and found.state == "requested" and found.requested_by_id != request.user.pk,
        "may_take": not may_export(request.user, found),
        "may_end": governs and found.state in ("planned", "in force"),
        "cohorts": Cohort.objects.visible_to(request.user, Permission.COUNT_COHORTS)
        .filter(project=found)
        .select_related("owner"),
        "items": _items_in_words(found),
        "may_change": may_change,
    }
    return render(request, "cohorts/project.html", context | more, status=status)


def _items_in_words(project: ResearchProject) -> list[tuple[str, int, list[str]]]:
    """(record, how many items it has, labels of those in scope) of every record of which something is in scope."""
    if project.items is None:
        return []
    chosen = set(project.items)
    named = [
        (title, len(keys), [label for key, label in keys.items() if key in chosen])
        for title, keys in scope_items().items()
    ]
    return [one for one in named if one[2]]


def _decide(request: HttpRequest, public_id: str, act: Callable[[ResearchProject], object], done: str) -> HttpResponse:
    """Approve, refuse or end, by someone who has just proved who they are; what was wrong stands on the project."""
    found = one_project(request, public_id)
    require_proof(request)
    try:
        act(found)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, done % {"day": found.valid_until})
    return redirect(found)


@require_POST
def approve(request: HttpRequest, public_id: str) -> HttpResponse:
    done = _("Approved: its members may export coded rows until %(day)s.")
    return _decide(
        request, public_id, lambda one: approve_project(project=one, by=request.user, now=timezone.now()), done
    )


@require_POST
def refuse(request: HttpRequest, public_id: str) -> HttpResponse:
    because = request.POST.get("because", "")
    return _decide(
        request,
        public_id,
        lambda one: refuse_project(project=one, because=because, by=request.user, now=timezone.now()),
        _("Refused. Who asked reads why."),
    )


@require_POST
def end(request: HttpRequest, public_id: str) -> HttpResponse:
    because = request.POST.get("because", "")
    return _decide(
        request,
        public_id,
        lambda one: end_project(project=one, because=because, by=request.user, now=timezone.now()),
        _("The project is over: nothing more leaves in its name."),
    )
