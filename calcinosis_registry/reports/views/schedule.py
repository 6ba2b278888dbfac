"""The monthly e-mail of a clinic's report: set by a clinician of the clinic."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from calcinosis_registry.clinics.policy import may, require
from calcinosis_registry.clinics.roles import Permission
from calcinosis_registry.reports import asked, services
from calcinosis_registry.reports.forms import ScheduleForm
from calcinosis_registry.reports.models import Reminder

READ, SET = Permission.CLINIC_REPORTS, Permission.SIGN


@require_http_methods(["GET", "HEAD", "POST"])
def schedule(request: HttpRequest, public_id: str) -> HttpResponse:
    require(request, READ)
    report = asked.of_clinic(request.user, public_id)
    clinic = report.clinic
    assert clinic is not None  # noqa: S101  for the type
    if not may(request.user, SET, clinic.pk):
        raise PermissionDenied
    there = Reminder.objects.visible_to(request.user, READ).filter(clinic=clinic)
    first = there.first()
    begun = {"people": [one.user_id for one in there], "day": first.day if first else 1}
    form = ScheduleForm(request.POST or None, initial=begun, readers=services.readers_of(clinic))
    if request.method == "POST" and form.is_valid():
        chosen = form.cleaned_data
        services.schedule(clinic=clinic, people=chosen["people"], day=chosen["day"], today=timezone.localdate())
        if chosen["people"]:
            told = _("The e-mail goes to %(n)s people every month on day %(day)s.")
            messages.success(request, told % {"n": len(chosen["people"]), "day": chosen["day"]})
        else:
            messages.success(request, _("Nobody gets the e-mail."))
        return redirect(report.url(""))
    return render(request, "reports/schedule.html", {"form": form, "report": report, "first": first})
