"""Research projects: request, approve, end."""

from __future__ import annotations

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
from calcinosis_registry.cohorts.forms import ProjectForm
from calcinosis_registry.cohorts.models import ProjectQuerySet, ResearchProject
from calcinosis_registry.cohorts.services import approve_project, end_project, governs_project, request_project


def _projects(request: HttpRequest) -> ProjectQuerySet:
    """Those one is in, and those one may approve."""
    if not may(request.user, Permission.COUNT_COHORTS) and not may(request.user, Permission.APPROVE_PROJECTS):
        raise PermissionDenied
    mine = ResearchProject.objects.visible_to(request.user, Permission.COUNT_COHORTS)
    return mine | ResearchProject.objects.visible_to(request.user, Permission.APPROVE_PROJECTS)


def _project(request: HttpRequest, public_id: str) -> ResearchProject:
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
    found = _project(request, public_id)
    governs = governs_project(request.user, found)
    context = {
        "project": found,
        "may_approve": governs and found.state == "requested" and found.requested_by_id != request.user.pk,
        "may_end": governs and found.state in ("planned", "in force"),
        "cohorts": found.cohorts.select_related("owner") if may(request.user, Permission.COUNT_COHORTS) else [],
    }
    return render(request, "cohorts/project.html", context)


@require_POST
def approve(request: HttpRequest, public_id: str) -> HttpResponse:
    found = _project(request, public_id)
    require_proof(request)
    try:
        approve_project(project=found, by=request.user, now=timezone.now())
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(
            request, _("Approved: its members may export coded rows until %(day)s.") % {"day": found.valid_until}
        )
    return redirect(found)


@require_POST
def end(request: HttpRequest, public_id: str) -> HttpResponse:
    found = _project(request, public_id)
    require_proof(request)
    end_project(project=found, by=request.user, now=timezone.now())
    messages.success(request, _("The project is over: nothing more leaves in its name."))
    return redirect(found)
