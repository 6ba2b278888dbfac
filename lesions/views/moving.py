"""A visit entered on the wrong patient: find the right one, see what moves, say what becomes of each lesion, move."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from calcinosis_registry.audit import trail
from calcinosis_registry.clinics.policy import one_visible
from calcinosis_registry.clinics.roles import Permission
from lesions.moving import DROP, NEW, Plan, move_visit, plan_move
from patients.listing import found_by, with_names
from patients.models import Patient, Visit

SHOWN = 20


def _visit(request: HttpRequest, public_id: str, *, lock: bool = False) -> Visit:
    rows = Visit.objects.visible_to(request.user, Permission.VIEW_RECORDS).select_related("patient__clinic")
    if lock:
        rows = rows.select_for_update(of=("self",))
    return one_visible(rows, request.user, Permission.EDIT_RECORDS, public_id=public_id)


@sensitive_post_parameters("q")
@require_http_methods(["GET", "HEAD", "POST"])
def move(request: HttpRequest, public_id: str) -> HttpResponse:
    visit = _visit(request, public_id)
    if visit.is_locked:
        messages.error(request, _("The visit is signed: unlock it first. Nothing was moved."))
        return redirect(visit)
    if request.method != "POST" or not request.POST.get("target"):
        return _search(request, visit)
    if "confirm" not in request.POST:
        return _preview(request, plan_move(visit=visit, target=_target(request, visit)), {})
    return _move(request, public_id)


def _search(request: HttpRequest, visit: Visit) -> HttpResponse:
    """What a person searches for never stands in a URL."""
    text = request.POST.get("q", "").strip()[:120]
    rows = _others(request, visit)
    found = found_by(rows, text, user=request.user).order_by("registry_number") if text else rows.none()
    page = list(found.select_related("summary", "clinic").prefetch_related("diagnosis_set")[: SHOWN + 1])
    context = {
        "visit": visit,
        "patient": visit.patient,
        "text": text,
        "found": with_names(page[:SHOWN], user=request.user),
        "more": len(page) > SHOWN,
    }
    return render(request, "lesions/move_search.html", context)


def _others(request: HttpRequest, visit: Visit) -> Any:
    """The other patients of the visit's clinic."""
    rows = Patient.objects.visible_to(request.user, Permission.VIEW_RECORDS)
    return rows.filter(clinic=visit.patient.clinic_id).exclude(pk=visit.patient_id)


def _target(request: HttpRequest, visit: Visit) -> Patient:
    found = _others(request, visit).filter(public_id=request.POST["target"]).select_related("clinic").first()
    if found is None:
        raise Http404
    return found


def _move(request: HttpRequest, public_id: str) -> HttpResponse:
    with trail.together():
        visit = _visit(request, public_id, lock=True)
        target = _target(request, visit)
        # Both patients' rows are the queue for whatever else is saved of them, always in the same order.
        both = Patient.objects.visible_to(request.user, Permission.EDIT_RECORDS)
        list(both.select_for_update(of=("self",)).filter(pk__in=[visit.patient_id, target.pk]).order_by("pk"))
        plan = plan_move(visit=visit, target=target)
        chosen = {one.lesion.pk: request.POST.get(f"lesion-{one.lesion.pk}", "") for one in plan.lesions}
        if request.POST.get("shown") != plan.shown:
            return _preview(request, plan, {"all": [_("The visit was changed meanwhile: look at it again.")]})
        try:
            reason = request.POST.get("reason", "")[:400]
            move_visit(plan=plan, choices=chosen, reason=reason, by=request.user, now=timezone.now())
        except ValidationError as error:
            errors: Any = error.message_dict if hasattr(error, "error_dict") else {"all": error.messages}
            # Read again: what was tried is undone, in the rows but not in these objects.
            plan = plan_move(visit=_visit(request, public_id), target=_target(request, _visit(request, public_id)))
            return _preview(request, plan, errors)
    moved = {"date": visit.visit_date, "number": target.registry_number}
    messages.success(request, _("The visit of %(date)s stands with %(number)s now. Look it through.") % moved)
    return redirect(f"{visit.get_absolute_url()}?check=1")


def _preview(request: HttpRequest, plan: Plan, errors: dict[str, list[str]]) -> HttpResponse:
    (target,) = with_names([plan.target], user=request.user)
    rows = []
    for one in plan.lesions:
        name = f"lesion-{one.lesion.pk}"
        chosen = request.POST.get(name, NEW if one.found_here else "")
        options = [(lesion.public_id, _("It is %(lesion)s") % {"lesion": lesion}) for lesion in plan.theirs]
        if one.can_be_new:
            options.append((NEW, _("A new lesion of this patient")))
        options.append((DROP, _("Leave this entry out")))
        rows.append({"one": one, "name": name, "options": options, "chosen": chosen, "errors": errors.get(name)})
    context = {
        "visit": plan.visit,
        "patient": plan.visit.patient,
        "target": target,
        "plan": plan,
        "rows": rows,
        "errors": errors,
        "reason": request.POST.get("reason", ""),
    }
    return render(request, "lesions/move.html", context, status=422 if errors else 200)
