"""Home: the clinic's work list; people without a clinic's records go to their own page."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from calcinosis_registry.clinics.policy import may
from calcinosis_registry.clinics.roles import Permission
from patients.models import Patient
from patients.worklist import MORE_WORK, worklist

# Where a person without records begins: the first permission held decides.
OTHER_HOMES = (
    (Permission.COUNT_COHORTS, "cohorts:list"),
    (Permission.MANAGE_ACCOUNTS, "clinics:accounts"),
)


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    if not may(request.user, Permission.VIEW_RECORDS):
        for permission, route in OTHER_HOMES:
            if may(request.user, permission):
                return redirect(route)
        return render(request, "patients/home_without_role.html")
    patients = Patient.objects.visible_to(request.user, Permission.VIEW_RECORDS)
    context: dict[str, Any] = {"may_register": may(request.user, Permission.EDIT_RECORDS)}
    if not patients.exists() and not any(find(request.user).count for find in MORE_WORK):  # type: ignore[arg-type]
        return render(request, "patients/home_empty.html", context)
    today = timezone.localdate()
    context |= {"work": worklist(user=request.user, today=today), "today": today}
    return render(request, "patients/home.html", context)
