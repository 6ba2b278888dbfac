"""One page for the record, a letter, a leaflet. Showing a name is one reading, told to the trail."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from calcinosis_registry.clinics.policy import may, one_visible
from calcinosis_registry.clinics.roles import Permission
from calcinosis_registry.identity.services import read_identity
from calcinosis_registry.letters.forms import LetterForm
from calcinosis_registry.letters.summary import Summary, sentences, summary_of, treatment
from calcinosis_registry.reports import files
from lesions.patient_file import PatientFile
from patients.models import Patient

VIEW, NAMES = Permission.VIEW_RECORDS, Permission.SEE_IDENTITY


def _told(request: HttpRequest, patient: Patient) -> Summary:
    return summary_of(patient, PatientFile(patient, reader=request.user.pk), timezone.localdate())


def _context(request: HttpRequest, patient: Patient, told: Summary) -> dict[str, Any]:
    shown = may(request.user, NAMES, patient.clinic_id)
    identity = read_identity(user=request.user, registry_number=patient.registry_number) if shown else None
    return {"patient": patient, "identity": identity, "told": told, "today": timezone.localdate(), "user": request.user}


@require_safe
def summary(request: HttpRequest, patient_id: str) -> HttpResponse:
    """The page for the record, as PDF; without a name for those who may not read it."""
    rows = Patient.objects.visible_to(request.user, VIEW).select_related("clinic")
    patient = one_visible(rows, request.user, VIEW, public_id=patient_id)
    if not files.pdf_possible():
        return _impossible(request)
    told = _told(request, patient)
    running = [treatment(one) for one in told.running]
    stopped = [treatment(one) for one in told.stopped]
    context = {**_context(request, patient, told), "running": running, "stopped": stopped}
    return files.pdf_answer(f"{patient.registry_number}.pdf", "letters/summary_pdf.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def letter(request: HttpRequest, patient_id: str) -> HttpResponse:
    """What goes into the letter, and the form for what the doctor adds; posted, the letter as PDF."""
    rows = Patient.objects.visible_to(request.user, VIEW).select_related("clinic")
    patient = one_visible(rows, request.user, NAMES, public_id=patient_id)
    told = _told(request, patient)
    form = LetterForm(request.POST or None)
    paragraphs = sentences(patient, told)
    if request.method == "POST" and form.is_valid():
        if not files.pdf_possible():
            return _impossible(request)
        context = {**_context(request, patient, told), "form": form.cleaned_data, "paragraphs": paragraphs}
        return files.pdf_answer(f"letter-{patient.registry_number}.pdf", "letters/letter_pdf.html", context)
    context = {"patient": patient, "form": form, "paragraphs": paragraphs, "told": told}
    return render(request, "letters/letter.html", context, status=422 if request.method == "POST" else 200)


@require_safe
def leaflet(request: HttpRequest) -> HttpResponse:
    return render(request, "letters/leaflet.html", {"pdf": files.pdf_possible()})


@require_safe
def leaflet_pdf(request: HttpRequest) -> HttpResponse:
    if not files.pdf_possible():
        return _impossible(request)
    return files.pdf_answer("calcinosis-leaflet.pdf", "letters/leaflet_pdf.html", {"today": timezone.localdate()})


def _impossible(request: HttpRequest) -> HttpResponse:
    """No Pango on this server: said, not failed."""
    told = _(
        "This server cannot make PDF files: the library Pango is missing. Print the page from the browser instead."
    )
    page = render_to_string("letters/impossible.html", {"told": told}, request=request)
    return HttpResponse(page, status=503)
