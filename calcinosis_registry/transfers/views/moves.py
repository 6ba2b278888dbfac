"""The offer of a record on its patient's pages, and what the other clinic sees and decides."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from calcinosis_registry.accounts.proof import require_proof
from calcinosis_registry.clinics.models import Transfer, TransferState
from calcinosis_registry.clinics.policy import may, one_visible, require
from calcinosis_registry.clinics.roles import Permission
from calcinosis_registry.transfers import services
from calcinosis_registry.transfers.forms import AcceptForm, DeclineForm, OfferForm
from calcinosis_registry.transfers.obstacles import obstacles
from patients.models import Patient

MOVE = Permission.MOVE_PATIENTS
DECIDED_SHOWN = 100


@require_http_methods(["GET", "HEAD", "POST"])
def offer(request: HttpRequest, patient_id: str) -> HttpResponse:
    rows = Patient.objects.visible_to(request.user, Permission.VIEW_RECORDS).select_related("clinic", "summary")
    patient = one_visible(rows, request.user, MOVE, public_id=patient_id)
    standing = Transfer.objects.visible_to(request.user, MOVE).offered().about(patient.registry_number).first()
    if request.method != "POST" or standing is not None:
        form = None if standing else OfferForm(from_clinic=patient.clinic_id)
        return _offer_page(request, patient, standing, form)
    require_proof(request)
    form = OfferForm(request.POST, from_clinic=patient.clinic_id)
    if form.is_valid():
        to, reason = form.cleaned_data["to"], form.cleaned_data["reason"]
        try:
            services.offer(patient=patient, to=to, reason=reason, by=request.user, now=timezone.now())
        except ValidationError as error:
            form.add_error(None, ValidationError(error.messages))
        else:
            messages.success(request, _("Offered to %(clinic)s. Nothing moves before they accept.") % {"clinic": to})
            return redirect("transfers:offer", patient_id=patient.public_id)
    return _offer_page(request, patient, None, form, status=422)


def _offer_page(
    request: HttpRequest, patient: Patient, standing: Transfer | None, form: OfferForm | None, status: int = 200
) -> HttpResponse:  # fmt: skip
    before = Transfer.objects.visible_to(request.user, MOVE).about(patient.registry_number)
    context = {
        "patient": patient,
        "standing": standing,
        "form": form,
        "obstacles": [] if standing or status == 422 else obstacles(patient),
        "before": list(
            before.exclude(state=TransferState.OFFERED).select_related("from_clinic", "to_clinic", "decided_by")
        ),
    }
    return render(request, "transfers/offer.html", context, status=status)


@require_safe
def transfers(request: HttpRequest) -> HttpResponse:
    """What waits for this person's clinics, what they offered, and what was decided."""
    require(request, MOVE)
    rows = Transfer.objects.visible_to(request.user, MOVE)
    rows = rows.select_related("from_clinic", "to_clinic", "offered_by", "decided_by")
    waiting = list(rows.offered().order_by("offered_at", "pk"))
    context = {
        "incoming": [one for one in waiting if may(request.user, MOVE, one.to_clinic_id)],
        "outgoing": [one for one in waiting if may(request.user, MOVE, one.from_clinic_id)],
        "decided": list(rows.exclude(state=TransferState.OFFERED).order_by("-decided_at", "-pk")[:DECIDED_SHOWN]),
    }
    return render(request, "transfers/list.html", context)


@never_cache
@require_safe
def transfer(request: HttpRequest, public_id: str) -> HttpResponse:
    return _page(request, _transfer(request, public_id))


@require_POST
def accept(request: HttpRequest, public_id: str) -> HttpResponse:
    found, form = _received(request, public_id), AcceptForm(request.POST)
    require_proof(request)
    if form.is_valid():
        number = form.cleaned_data["hospital_number"]
        try:
            patient = services.accept(transfer=found, hospital_number=number, by=request.user, now=timezone.now())
        except ValidationError as error:
            form.add_error(None, ValidationError(error.messages))
        else:
            return _accepted(request, patient, found)
    return _refused(request, public_id, form, accept_form=form)


def _accepted(request: HttpRequest, patient: Patient, found: Transfer) -> HttpResponse:
    said = {"number": patient.registry_number, "clinic": found.to_clinic}
    messages.success(
        request,
        _("%(number)s is with %(clinic)s. Research, images and contact rest until a consent given here is recorded.")
        % said,
    )  # fmt: skip
    if services.same_person_here(patient):
        messages.warning(
            request,
            _("Another patient here has this name or number: perhaps the same person. See Record, “Registered twice”."),
        )
    return redirect(patient)


@require_POST
def decline(request: HttpRequest, public_id: str) -> HttpResponse:
    found, form = _received(request, public_id), DeclineForm(request.POST)
    if form.is_valid():
        try:
            services.decline(transfer=found, why=form.cleaned_data["why"], by=request.user, now=timezone.now())
        except ValidationError as error:
            form.add_error(None, ValidationError(error.messages))
        else:
            messages.success(request, _("Declined. The record stays with %(clinic)s.") % {"clinic": found.from_clinic})
            return redirect("transfers:list")
    return _refused(request, public_id, form, decline_form=form)


def _refused(request: HttpRequest, public_id: str, form: Any, **forms: Any) -> HttpResponse:
    """The page again with what was typed; in a message alone where there is nothing left to decide."""
    now = _transfer(request, public_id)
    if now.state == TransferState.OFFERED:
        return _page(request, now, status=422, **forms)
    for said in form.non_field_errors() or [_("This offer has been decided already.")]:
        messages.error(request, said)
    return redirect("transfers:transfer", public_id=public_id)


@require_POST
def take_back(request: HttpRequest, public_id: str) -> HttpResponse:
    found = _transfer(request, public_id)
    if not may(request.user, MOVE, found.from_clinic_id):
        raise PermissionDenied
    try:
        services.take_back(transfer=found, by=request.user, now=timezone.now())
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, _("Taken back. %(number)s stays here.") % {"number": found.registry_number})
    return redirect("transfers:list")


def _transfer(request: HttpRequest, public_id: str) -> Transfer:
    require(request, MOVE)
    rows = Transfer.objects.visible_to(request.user, MOVE)
    rows = rows.select_related("from_clinic", "to_clinic", "offered_by", "decided_by")
    found = rows.filter(public_id=public_id).first()
    if found is None:
        raise Http404
    return found


def _received(request: HttpRequest, public_id: str) -> Transfer:
    """An offer this person decides about: offered to a clinic of theirs."""
    found = _transfer(request, public_id)
    if not may(request.user, MOVE, found.to_clinic_id):
        raise PermissionDenied
    return found


def _page(request: HttpRequest, found: Transfer, *, status: int = 200, **forms: Any) -> HttpResponse:
    decides = found.state == TransferState.OFFERED and may(request.user, MOVE, found.to_clinic_id)
    context = {
        "transfer": found,
        "decides": decides,
        "offers": found.state == TransferState.OFFERED and may(request.user, MOVE, found.from_clinic_id),
        "person": services.glimpse(transfer=found) if decides else None,
        "accept_form": AcceptForm(auto_id="accept_%s"),
        "decline_form": DeclineForm(auto_id="decline_%s"),
        **forms,
    }
    return render(request, "transfers/transfer.html", context, status=status)
