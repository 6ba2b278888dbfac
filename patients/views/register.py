"""Register a patient on one page: consent, identity, person, disease, antibodies; duplicates are asked about first."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import IntegrityError
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from calcinosis_registry.audit import trail
from calcinosis_registry.clinics.models import Clinic
from calcinosis_registry.clinics.policy import require
from calcinosis_registry.clinics.roles import Permission
from calcinosis_registry.identity.services import likely_duplicates
from calcinosis_registry.records.drafts import Place
from calcinosis_registry.records.keeping import Keeping, compare_page
from patients.forms import Registration
from patients.listing import with_names
from patients.models import Consent, Patient
from patients.services import register_patient


@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def register(request: HttpRequest) -> HttpResponse:
    require(request, Permission.EDIT_RECORDS)
    clinics = Clinic.objects.visible_to(request.user, Permission.EDIT_RECORDS)
    keeping = Keeping(request, Place("registration", reverse("patients:register"), None), creating=True)
    if request.method != "POST":
        return _open(request, keeping, clinics)
    with trail.together():
        return keeping.claim() or keeping.settle(_register(request, keeping, clinics))


def _open(request: HttpRequest, keeping: Keeping, clinics: Any) -> HttpResponse:
    """An empty form, or a draft in it, or what the draft says."""
    versions = Consent.objects.visible_to(request.user, Permission.EDIT_RECORDS).order_by("-pk")
    newest = versions.values_list("form_version", flat=True).first() or ""
    registration = Registration(keeping.bound, clinics=clinics, form_version=newest)
    if keeping.comparing:
        return compare_page(request, keeping, registration.titled_parts)
    keeping.calm(registration.parts)
    return _page(request, registration, keeping)


def _register(request: HttpRequest, keeping: Keeping, clinics: Any) -> HttpResponse:
    if keeping.refused is None and (standing := _standing(request)):
        return redirect(standing)
    registration = Registration(keeping.posted, clinics=clinics)
    valid = registration.is_valid()
    if keeping.refused:
        keeping.refuse(registration.start)
        registration.start.renew()
        return _page(request, registration, keeping, status=422)
    if not valid:
        return _page(request, registration, keeping)
    here, elsewhere = _duplicates(request, registration)
    if (here or elsewhere) and not registration.start.cleaned_data["another_person"]:
        return _page(request, registration, keeping, here=here, elsewhere=elsewhere, ask=True)
    try:
        patient = _save(request, registration)
    except IntegrityError:  # the same form, sent twice at the same moment
        return _sent_twice(request, registration, keeping)
    except ValidationError as error:
        registration.start.add_error(None, error.messages)
        return _page(request, registration, keeping)
    messages.success(request, _("%(number)s is registered.") % {"number": patient.registry_number})
    return redirect(patient)


def _standing(request: HttpRequest) -> Patient | None:
    """The patient this very form made before."""
    rows = Patient.objects.visible_to(request.user, Permission.VIEW_RECORDS)
    token = request.POST.get("public_id", "")
    return rows.filter(public_id=token).first() if token.isalnum() else None


def _sent_twice(request: HttpRequest, registration: Registration, keeping: Keeping) -> HttpResponse:
    if standing := _standing(request):
        return redirect(standing)
    registration.start.add_error(None, _("The form is out of date. Open it again; nothing was saved."))
    return _page(request, registration, keeping)


def _duplicates(request: HttpRequest, registration: Registration) -> tuple[list[Patient], bool]:
    """(patients of the clinic who look the same, whether another clinic has one); the names shown are told."""
    here, elsewhere = likely_duplicates(
        clinic=registration.start.chosen_clinic, identity=registration.identity.instance
    )
    rows = Patient.objects.visible_to(request.user, Permission.VIEW_RECORDS).prefetch_related("diagnosis_set")
    numbers = [one.registry_number for one in here]
    alike = Q(registry_number__in=numbers) | Q(doubles__registry_number__in=numbers)
    found = rows.filter(alike).distinct() if here else rows.none()
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
    request: HttpRequest, registration: Registration, keeping: Keeping, *, here: list[Patient] | None = None,
    elsewhere: bool = False, ask: bool = False, status: int = 200,
) -> HttpResponse:  # fmt: skip
    start = registration.start
    context = {
        "registration": registration,
        "keeping": keeping,
        "cards": registration.cards(),
        "clinic": start["clinic"] if "clinic" in start.fields else None,
        "another_person": start["another_person"],
        "here": here or [],
        "elsewhere": elsewhere,
        "ask": ask,
    }
    return render(request, "patients/register.html", context, status=status)
