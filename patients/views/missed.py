"""A planned visit that did not take place, and why."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from calcinosis_registry.audit import trail
from calcinosis_registry.clinics.policy import one_visible
from calcinosis_registry.clinics.roles import Permission
from calcinosis_registry.records.drafts import Place
from calcinosis_registry.records.keeping import Keeping, compare_page
from patients.forms import MissedVisitForm
from patients.models import Patient, Visit, VisitState, VisitType
from patients.services import after_save


@require_http_methods(["GET", "HEAD", "POST"])
def missed_visit(request: HttpRequest, patient_id: str) -> HttpResponse:
    """Record a missed visit with its reason and, where there is one, the new appointment."""
    patients = Patient.objects.visible_to(request.user, Permission.VIEW_RECORDS).select_related("clinic", "summary")
    if request.method != "POST":
        patient = one_visible(patients, request.user, Permission.EDIT_RECORDS, public_id=patient_id)
        keeping = _keeping(request, patient)
        form = MissedVisitForm(keeping.bound, instance=_missed(patient), initial=_planned(patient))
        if keeping.comparing:
            return compare_page(request, keeping, [(_("Missed visit"), form)], patient=patient)
        keeping.calm([form])
        return _page(request, form, keeping, patient)
    with trail.together():
        # The patient's row is the queue: the same form sent twice at once makes one visit.
        rows = patients.select_for_update(of=("self",))
        patient = one_visible(rows, request.user, Permission.EDIT_RECORDS, public_id=patient_id)
        keeping = _keeping(request, patient)
        return keeping.claim() or keeping.settle(_save(request, keeping, patient))


def _save(request: HttpRequest, keeping: Keeping, patient: Patient) -> HttpResponse:
    form = MissedVisitForm(keeping.posted, instance=_missed(patient))
    if not form.is_valid() or keeping.refused:
        keeping.refuse(form)
        return _page(request, form, keeping, patient, status=422 if keeping.refused else 200)
    visit = form.save()
    after_save(patient=patient, records=[visit], now=timezone.now())
    messages.success(request, _("The missed visit of %(date)s is recorded.") % {"date": visit.visit_date})
    return redirect(patient)


def _keeping(request: HttpRequest, patient: Patient) -> Keeping:
    address = reverse("patients:visit_missed", args=[patient.public_id])
    return Keeping(request, Place("missed visit", address, patient.clinic_id, patient.public_id), creating=True)


def _missed(patient: Patient) -> Visit:
    return Visit(patient=patient, visit_type=VisitType.FOLLOW_UP, state=VisitState.MISSED)


def _planned(patient: Patient) -> dict[str, Any]:
    """The appointment that has passed, shown for the person to confirm."""
    due = getattr(getattr(patient, "summary", None), "next_due_on", None)
    return {"visit_date": due} if due and due <= timezone.localdate() else {}


def _page(
    request: HttpRequest, form: MissedVisitForm, keeping: Keeping, patient: Patient, status: int = 200
) -> HttpResponse:
    context = {
        "form": form,
        "keeping": keeping,
        "patient": patient,
        "title": _("Missed visit"),
        "adding": True,
        "back": patient.get_absolute_url(),
    }
    return render(request, "records/form.html", context, status=status)
