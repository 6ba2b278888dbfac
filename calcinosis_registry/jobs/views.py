"""One job: how far it is, and the way to what came of it."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from calcinosis_registry.clinics.policy import require
from calcinosis_registry.clinics.roles import Permission
from calcinosis_registry.jobs import services
from calcinosis_registry.jobs.models import Job

EXPORT = Permission.EXPORT_DATASETS


def _job(request: HttpRequest, public_id: str) -> Job:
    require(request, EXPORT)
    found = Job.objects.visible_to(request.user, EXPORT).filter(public_id=public_id).first()
    if found is None:
        raise Http404
    return found


@never_cache
@require_safe
def job(request: HttpRequest, public_id: str) -> HttpResponse:
    """The page asks for itself again while the job is not over (jobs.js); ``part``: only what changes."""
    template = "jobs/_state.html" if "part" in request.GET else "jobs/job.html"
    return render(request, template, {"job": _job(request, public_id)})


@require_POST
def cancel(request: HttpRequest, public_id: str) -> HttpResponse:
    found = _job(request, public_id)
    services.cancel(job=found, by=request.user)
    return redirect(found)
