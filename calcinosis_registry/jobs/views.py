"""One job: how far it is, and the way to what came of it."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from calcinosis_registry.clinics.policy import may
from calcinosis_registry.clinics.roles import Permission
from calcinosis_registry.jobs import services
from calcinosis_registry.jobs.models import Job

# Whoever may ask for long work: an export, a report of a cohort, of the own clinic.
ASKING = (Permission.EXPORT_DATASETS, Permission.COUNT_COHORTS, Permission.CLINIC_REPORTS)


def _job(request: HttpRequest, public_id: str) -> Job:
    held = next((one for one in ASKING if may(request.user, one)), None)
    if held is None:
        raise PermissionDenied
    found = Job.objects.visible_to(request.user, held).filter(public_id=public_id).first()
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
