"""Everything that was changed of one patient, newest first: pages, and what the fold of the patient page loads."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from calcinosis_registry.clinics.policy import may
from calcinosis_registry.clinics.roles import Permission
from lesions.blinding import is_withheld
from lesions.history import acts
from lesions.patient_file import EVENTS, PatientFile, newest_events
from patients.models import Patient


@require_safe
@vary_on_headers("X-Requested-With")
def patient_history(request: HttpRequest, public_id: str) -> HttpResponse:
    """One page of it, ``?before=`` the number of an event; to the script of the patient page the list alone."""
    rows = Patient.objects.visible_to(request.user, Permission.VIEW_RECORDS).select_related("clinic", "summary")
    patient = rows.filter(public_id=public_id).first()
    if patient is None:
        raise Http404
    file = PatientFile(patient, reader=request.user.pk)
    identities = may(request.user, Permission.SEE_IDENTITY, patient.clinic_id)
    before = request.GET.get("before", "")
    events = newest_events(patient, before=int(before) if before.isdecimal() and len(before) < 19 else None)
    told = acts(events, file.find, identities=identities, withheld=lambda event: is_withheld(event, request.user))
    context: dict[str, Any] = {
        "patient": patient,
        "acts": told,
        "may_edit": may(request.user, Permission.EDIT_RECORDS, patient.clinic_id),
        "earlier": told[-1].oldest if told and (told[-1].oldest != events[-1].pk or len(events) == EVENTS) else None,
    }
    if request.headers.get("X-Requested-With") == "fetch":
        return render(request, "lesions/_acts.html", context)
    return render(request, "lesions/patient_history.html", context)
