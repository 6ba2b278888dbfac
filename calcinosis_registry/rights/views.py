"""The page about one person's rights, and the list of erasures that wait for a second person."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from calcinosis_registry.accounts.proof import require_proof
from calcinosis_registry.clinics.access_report import access_to
from calcinosis_registry.clinics.policy import one_visible, require
from calcinosis_registry.clinics.roles import Permission
from calcinosis_registry.clinics.scope import events_visible_to
from calcinosis_registry.exports.services import exports_of
from calcinosis_registry.rights.forms import ErasureForm, FileForm
from calcinosis_registry.rights.models import ErasureRequest, PersonalFile
from calcinosis_registry.rights.services import (
    confirm_erasure,
    make_personal_file,
    request_erasure,
    withdraw_erasure,
)
from patients.models import Patient, in_force

ANSWER, CONFIRM = Permission.ANSWER_PERSON, Permission.CONFIRM_ERASURE


def _patient(request: HttpRequest, public_id: str) -> Patient:
    rows = Patient.objects.visible_to(request.user, Permission.VIEW_RECORDS).select_related("clinic", "summary")
    return one_visible(rows, request.user, ANSWER, public_id=public_id)


@never_cache
@require_safe
def person(request: HttpRequest, patient_id: str) -> HttpResponse:
    return _page(request, _patient(request, patient_id))


@never_cache
@require_POST
def personal_file(request: HttpRequest, patient_id: str) -> HttpResponseBase:
    """Everything about the person as a download. It is not kept: its line in the ledger is."""
    patient, form = _patient(request, patient_id), FileForm(request.POST)
    require_proof(request)
    if not form.is_valid():
        return _page(request, patient, file_form=form, status=422)
    exports = Path(settings.EXPORTS_DIR)
    exports.mkdir(parents=True, exist_ok=True, mode=0o700)
    target = tempfile.TemporaryFile(dir=exports)  # noqa: SIM115  closed by the response; never has a name
    try:
        make_personal_file(
            patient=patient, target=target, reason=form.cleaned_data["reason"], by=request.user, now=timezone.now()
        )
    except ValidationError as error:
        target.close()
        form.add_error(None, ValidationError(error.messages))
        return _page(request, patient, file_form=form, status=422)
    except BaseException:
        target.close()
        raise
    target.seek(0)
    name = f"{patient.registry_number}.zip"
    return FileResponse(target, as_attachment=True, filename=name, content_type="application/zip")


@require_POST
def ask_erasure(request: HttpRequest, patient_id: str) -> HttpResponse:
    patient, form = _patient(request, patient_id), ErasureForm(request.POST)
    require_proof(request)
    if form.is_valid():
        try:
            request_erasure(patient=patient, by=request.user, now=timezone.now(), **form.cleaned_data)
        except ValidationError as error:
            form.add_error(None, ValidationError(error.messages))
        else:
            messages.success(request, _("Asked for. Nothing is erased before a second person confirms."))
            return redirect("rights:person", patient_id=patient.public_id)
    return _page(request, patient, erasure_form=form, status=422)


def _page(request: HttpRequest, patient: Patient, *, status: int = 200, **forms: Any) -> HttpResponse:
    number, consents = patient.registry_number, list(patient.consent_set.all())  # type: ignore[attr-defined]
    requests = ErasureRequest.objects.visible_to(request.user, CONFIRM)
    files = PersonalFile.objects.visible_to(request.user, ANSWER)
    context = {
        "patient": patient,
        "consent": in_force(consents),
        "newest_consent": consents[0] if consents else None,
        "exports": list(exports_of(patient).select_related("project", "created_by")),
        "access": access_to(events_visible_to(request.user, Permission.VIEW_RECORDS), *patient.numbers),
        "files": list(files.filter(registry_number=number).select_related("created_by")[:20]),
        "standing": requests.open().filter(registry_number=number).select_related("requested_by").first(),
        "file_form": FileForm(auto_id="file_%s"),
        "erasure_form": ErasureForm(auto_id="erasure_%s"),
        **forms,
    }
    return render(request, "rights/person.html", context, status=status)


@require_safe
def erasures(request: HttpRequest) -> HttpResponse:
    require(request, CONFIRM)
    rows = ErasureRequest.objects.visible_to(request.user, CONFIRM)
    rows = rows.select_related("clinic", "requested_by", "decided_by")
    waiting = list(rows.open().order_by("requested_at"))
    return render(
        request, "rights/erasures.html", {"waiting": waiting, "decided": list(rows.exclude(state="OPEN")[:100])}
    )


@require_POST
def confirm(request: HttpRequest, public_id: str) -> HttpResponse:
    """Erase, after the second person typed the number as a last look."""
    asked = _asked(request, public_id)
    require_proof(request)
    if request.POST.get("number", "").strip().upper() != asked.registry_number:
        messages.error(request, _("Type the registry number to confirm. Nothing was erased."))
        return redirect("rights:erasures")
    return _decided(request, asked, confirm_erasure, _("%(number)s is erased."))


@require_POST
def withdraw(request: HttpRequest, public_id: str) -> HttpResponse:
    return _decided(request, _asked(request, public_id), withdraw_erasure, _("%(number)s is not erased."))


def _asked(request: HttpRequest, public_id: str) -> ErasureRequest:
    require(request, CONFIRM)
    found = ErasureRequest.objects.visible_to(request.user, CONFIRM).filter(public_id=public_id).first()
    if found is None:
        raise Http404
    return found


def _decided(request: HttpRequest, asked: ErasureRequest, decide: Any, told: str) -> HttpResponse:
    try:
        decide(asked=asked, by=request.user, now=timezone.now())
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, told % {"number": asked.registry_number})
    return redirect("rights:erasures")
