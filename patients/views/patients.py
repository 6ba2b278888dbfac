"""The patient list with its filters, and the search. What a person searches for never stands in a URL."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST, require_safe

from calcinosis_registry.accounts.rates import SEARCH, too_often
from calcinosis_registry.clinics.models import Clinic, Transfer
from calcinosis_registry.clinics.policy import may, require
from calcinosis_registry.clinics.roles import Permission
from patients.forms import PatientFilter
from patients.listing import ORDERS, PAGE_SIZE, counted, found_by, narrowed, page_of, record_of, with_names
from patients.models import Patient
from patients.views.table import patient_rows

VIEW = Permission.VIEW_RECORDS


@require_safe
def patient_list(request: HttpRequest) -> HttpResponse:
    require(request, VIEW)
    clinics = Clinic.objects.visible_to(request.user, VIEW)
    form = PatientFilter(request.GET, clinics=clinics)
    form.is_valid()  # an answer that makes no sense is left out and shown beside its field
    asked = form.cleaned_data
    scope = Patient.objects.visible_to(request.user, VIEW)
    rows = narrowed(scope, asked, user=request.user, today=timezone.localdate())
    order = asked.get("sort") or "number"
    page = page_of(rows, scope, order=order, after=request.GET.get("after", ""), before=request.GET.get("before", ""))
    count, exact = counted(rows)
    patients, several = with_names(page.rows, user=request.user), "clinic" in form.fields
    context = {
        "form": form,
        "patients": patients,
        "table_rows": patient_rows(patients, several_clinics=several),
        "page": page,
        "count": count,
        "exact": exact,
        "order": order,
        "orders": ORDERS,
        "filtered": any(value for name, value in asked.items() if name != "sort"),
        "several_clinics": several,
        "may_register": may(request.user, Permission.EDIT_RECORDS),
        "may_key_list": may(request.user, Permission.SIGN),
    }
    return render(request, "patients/list.html", context)


@sensitive_post_parameters("q")
@require_POST
def search(request: HttpRequest) -> HttpResponse:
    """By name, hospital number or registry number; the whole registry number goes straight to its patient."""
    require(request, VIEW)
    text = request.POST.get("q", "").replace("\x00", "").strip()[:120]
    scope = Patient.objects.visible_to(request.user, VIEW)
    if not text:
        return redirect("patients:list")
    if (refusal := too_often(request, SEARCH)) is not None:
        return refusal
    exact = scope.filter(registry_number=text.upper()).first() or record_of(scope, registry_number=text.upper())
    if exact is not None:
        return redirect(exact)
    moves = Transfer.objects.visible_to(request.user, VIEW).moved().about(text.upper()).select_related("to_clinic")
    found = found_by(scope, text, user=request.user).order_by("registry_number")
    rows = list(found.select_related("summary", "clinic").prefetch_related("diagnosis_set")[: PAGE_SIZE + 1])
    patients = with_names(rows[:PAGE_SIZE], user=request.user)
    several = Clinic.objects.visible_to(request.user, VIEW).count() > 1
    context = {
        "text": text,
        "patients": patients,
        "table_rows": patient_rows(patients, several_clinics=several),
        "more": len(rows) > PAGE_SIZE,
        "moved": moves.order_by("-pk").first(),
        "shown": PAGE_SIZE,
        "several_clinics": several,
        "may_see_names": may(request.user, Permission.SEE_IDENTITY),
        "may_register": may(request.user, Permission.EDIT_RECORDS),
    }
    return render(request, "patients/search.html", context)
