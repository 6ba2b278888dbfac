"""One person registered twice: find the other registration, look at both side by side, merge; and take it back."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from calcinosis_registry.accounts.proof import require_proof
from calcinosis_registry.clinics.policy import one_visible
from calcinosis_registry.clinics.roles import Permission
from calcinosis_registry.transfers import doubles
from patients.listing import found_by, with_names
from patients.models import Merger, Patient

MOVE, VIEW = Permission.MOVE_PATIENTS, Permission.VIEW_RECORDS
SHOWN = 20


def _patient(request: HttpRequest, public_id: str) -> Patient:
    rows = Patient.objects.visible_to(request.user, VIEW).select_related("clinic", "summary")
    return one_visible(rows, request.user, MOVE, public_id=public_id)


def _others(request: HttpRequest, patient: Patient) -> Any:
    """The other patients of the same clinic."""
    return Patient.objects.visible_to(request.user, VIEW).filter(clinic=patient.clinic_id).exclude(pk=patient.pk)


@never_cache
@sensitive_post_parameters("q")
@require_http_methods(["GET", "HEAD", "POST"])
def find(request: HttpRequest, patient_id: str) -> HttpResponse:
    """Whoever looks the same, or is searched for; what a person searches for never stands in a URL."""
    patient = _patient(request, patient_id)
    text = request.POST.get("q", "").replace("\x00", "").strip()[:120]
    rows = _others(request, patient)
    alike = rows.filter(registry_number__in=doubles.alike(patient))
    found = found_by(rows, text, user=request.user) if text else alike
    page = list(found.order_by("registry_number").prefetch_related("diagnosis_set")[: SHOWN + 1])
    mergers = Merger.objects.visible_to(request.user, MOVE).filter(record=patient)
    context = {
        "patient": patient,
        "text": text,
        "found": with_names(page[:SHOWN], user=request.user),
        "more": len(page) > SHOWN,
        "mergers": list(mergers.select_related("double", "by", "taken_back_by")),
    }
    return render(request, "transfers/double_find.html", context)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def compare(request: HttpRequest, patient_id: str, double_id: str) -> HttpResponse:
    patient = _patient(request, patient_id)
    double = _others(request, patient).select_related("clinic").filter(public_id=double_id).first()
    if double is None:
        raise Http404
    if request.method != "POST":
        return _pair(request, patient, double, [])
    require_proof(request)
    try:
        doubles.merge(
            record=patient, double=double, choices=request.POST.dict(), shown=request.POST.get("shown", ""),
            reason=request.POST.get("reason", ""), by=request.user, now=timezone.now(),
        )  # fmt: skip
    except ValidationError as error:
        fresh = _patient(request, patient_id), _others(request, patient).filter(public_id=double_id).first()
        if fresh[1] is None:
            raise Http404 from None
        return _pair(request, *fresh, error.messages)
    said = {"double": double.registry_number, "number": patient.registry_number}
    messages.success(request, _("%(double)s is part of %(number)s now. It can be taken back here.") % said)
    return redirect("transfers:double_find", patient_id=patient.public_id)


def _pair(request: HttpRequest, patient: Patient, double: Patient, errors: list[str]) -> HttpResponse:
    pair = doubles.side_by_side(record=patient, double=double)
    with_names([patient, double], user=request.user)
    context = {
        "patient": patient,
        "double": double,
        "pair": pair,
        "rows": [
            {"answer": one, "chosen": request.POST.get(one.name, one.offered)} for one in pair.differing
        ],
        "same": [one for one in pair.answers if not one.differs and one.record],
        "errors": errors,
        "reason": request.POST.get("reason", ""),
    }  # fmt: skip
    return render(request, "transfers/double_compare.html", context, status=422 if errors else 200)


@require_POST
def take_back(request: HttpRequest, public_id: str) -> HttpResponse:
    rows = Merger.objects.visible_to(request.user, VIEW).select_related("record", "double")
    merger = one_visible(rows, request.user, MOVE, public_id=public_id)
    require_proof(request)
    try:
        doubles.take_back(merger=merger, reason=request.POST.get("reason", ""), by=request.user, now=timezone.now())
    except ValidationError as error:
        for message in error.messages:
            messages.error(request, message)
        messages.error(request, _("Nothing was taken back."))
    else:
        said = {"double": merger.double.registry_number}
        messages.success(request, _("Taken back: %(double)s is a registration of its own again.") % said)
    return redirect("transfers:double_find", patient_id=merger.record.public_id)
