"""Register a patient on one page: consent, identity, person, disease, antibodies; duplicates are asked about first."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import IntegrityError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from calcinosis_registry.clinics.models import Clinic
from calcinosis_registry.clinics.policy import require
from calcinosis_registry.clinics.roles import Permission
from calcinosis_registry.identity.services import likely_duplicates
from patients.forms import Registration
from patients.listing import with_names
from patients.models import Consent, Patient
from patients.services import register_patient


@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
def register(request: HttpRequest) -> HttpResponse:
    require(request, Permission.EDIT_RECORDS)
    clinics = Clinic.objects.visible_to(request.user, Permission.EDIT_RECORDS)
    if request.method != "POST":
        versions = Consent.objects.visible_to(request.user, Permission.EDIT_RECORDS).order_by("-pk")
        newest = versions.values_list("form_version", flat=True).first() or ""
        return _page(request, Registration(clinics=clinics, form_version=newest))
    if standing := _standing(request):
        return redirect(standing)
    registration = Registration(request.POST, clinics=clinics)
    if not registration.is_valid():
        return _page(request, registration)
    here, elsewhere = _duplicates(request, registration)
    if (here or elsewhere) and not registration.start.cleaned_data["another_person"]:
        return _page(request, registration, here=here, elsewhere=elsewhere, ask=True)
    try:
        patient = _save(request, registration)
    except IntegrityError:  # the same form, sent twice at the same moment
        return _sent_twice(request, registration)
    except ValidationError as error:
        registration.start.add_error(None, error.messages)
        return _page(request, registration)
    messages.success(request, _("%(number)s is registered.") % {"number": patient.registry_number})
    return redirect(patient)


def _standing(request: HttpRequest) -> Patient | None:
    """The patient this very form made before."""
    rows = Patient.objects.visible_to(request.user, Permission.VIEW_RECORDS)
    token = request.POST.get("public_id", "")
    return rows.filter(public_id=token).first() if token.isalnum() else None


def _sent_twice(request: HttpRequest, registration: Registration) -> HttpResponse:
    if standing := _standing(request):
        return redirect(standing)
    registration.start.add_error(None, _("The form is out of date. Open it again; nothing was saved."))
    return _page(request, registration)


def _duplicates(request: HttpRequest, registration: Registration) -> tuple[list[Patient], bool]:
    """(patients of the clinic who look the same, whether another clinic has one); the names shown are told."""
    here, elsewhere = likely_duplicates(
        clinic=registration.start.chosen_clinic, identity=registration.identity.instance
    )
    rows = Patient.objects.visible_to(request.user, Permission.VIEW_RECORDS).prefetch_related("diagnosis_set")
    found = rows.filter(registry_number__in=[one.registry_number for one in here]) if here else rows.none()
    return with_names(list(found), user=request.user), elsewhere


def _save(request: HttpRequest, registration: Registration) -> Patient:
    patient = registration.patient
    patient.public_id = registration.start.cleaned_data["public_id"]
    return register_patient(
        clinic=registration.start.chosen_clinic,
        patient=patient,
        identity=registration.identity.instance,
        consent=registration.consent.instance,
        diagnosis=registration.disease.instance,
        antibodies=registration.antibodies.antibodies(patient),
        by=request.user,
        now=timezone.now(),
    )


def _page(
    request: HttpRequest, registration: Registration, *, here: list[Patient] | None = None, elsewhere: bool = False,
    ask: bool = False,
) -> HttpResponse:  # fmt: skip
    start = registration.start
    context = {
        "registration": registration,
        "cards": registration.cards(),
        "clinic": start["clinic"] if "clinic" in start.fields else None,
        "another_person": start["another_person"],
        "here": here or [],
        "elsewhere": elsewhere,
        "ask": ask,
    }
    return render(request, "patients/register.html", context)
