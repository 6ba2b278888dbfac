"""Sign one visit or several: what is signed stands on the page, and who signs proves it again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from calcinosis_registry.accounts.proof import other_ways, prove_by_password, prove_otherwise, proven
from calcinosis_registry.audit import trail
from calcinosis_registry.clinics.policy import clinic_of, may, require
from calcinosis_registry.clinics.roles import Permission
from lesions.signed_records import Line, lines_of
from lesions.signing import Candidate, candidates, sign_visits
from patients.listing import with_names
from patients.models import Meaning, Patient, Visit

MOST = 50  # visits under one proof: more is no reading


def visits_to_sign(request: HttpRequest, ids: Sequence[str], *, lock: bool = False) -> list[Visit]:
    """These visits; 404 when one is not visible, 403 when one may be seen and not signed."""
    rows = Visit.objects.visible_to(request.user, Permission.VIEW_RECORDS).filter(public_id__in=ids)
    rows = rows.select_related("patient__clinic", "signed_by").order_by("pk")
    found = list(rows.select_for_update(of=("self",)) if lock else rows)
    if not found or len(found) != len(set(ids)):
        raise Http404
    if not all(may(request.user, Permission.SIGN, clinic_of(one)) for one in found):
        raise PermissionDenied
    return found


@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def sign(request: HttpRequest, public_id: str) -> HttpResponse:
    """Everything the signature covers, what it means, and the proof."""
    return _sign(request, [public_id], single=True)


@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def sign_several(request: HttpRequest) -> HttpResponse:
    """The visits chosen on the work list, one proof for all; all are signed or none."""
    require(request, Permission.SIGN)
    asked = request.POST if request.method == "POST" else request.GET
    ids = list(dict.fromkeys(asked.getlist("visit")))
    if not ids:
        messages.warning(request, _("Choose the visits to sign."))
        return redirect("home")
    if len(ids) > MOST:
        messages.error(request, _("At most %(n)s visits at a time. Nothing was signed.") % {"n": MOST})
        return redirect("home")
    return _sign(request, ids, single=False)


def _sign(request: HttpRequest, ids: list[str], *, single: bool) -> HttpResponse:
    if request.method != "POST":
        return _sign_page(request, visits_to_sign(request, ids), single=single)
    prove_otherwise(request)
    with trail.together():
        visits = visits_to_sign(request, ids, lock=True)
        meaning = request.POST.get("meaning", "")
        errors = {}
        if meaning not in Meaning.values:
            errors["meaning"] = _("Say what your signature means.")
        if not proven(request) and not prove_by_password(request, request.POST.get("password", "")):
            errors["password"] = _("That is not your password. Nothing was signed.")
        if errors:
            return _sign_page(request, visits, single=single, errors=errors)
        shown = {pk: request.POST.get(f"shown-{pk}", "") for pk in ids}
        try:
            sign_visits(visits=visits, shown=shown, meaning=meaning, by=request.user, now=timezone.now())
        except ValidationError as error:
            return _sign_page(request, visits, single=single, errors={"all": error.messages})
    if single:
        messages.success(request, _("Visit of %(date)s is signed and locked.") % {"date": visits[0].visit_date})
        return redirect(visits[0])
    message = ngettext("%(n)s visit is signed and locked.", "%(n)s visits are signed and locked.", len(visits))
    messages.success(request, message % {"n": len(visits)})
    return redirect("home")


def _sign_page(
    request: HttpRequest, visits: list[Visit], *, single: bool, errors: dict[str, Any] | None = None
) -> HttpResponse:
    found = candidates(visits)
    context = {
        "ready": [_shown(one) for one in found if not one.reasons],
        "not_ready": [_shown(one) for one in found if one.reasons],
        "single": single,
        "meanings": Meaning.choices,
        "meaning": request.POST.get("meaning", ""),
        "errors": errors or {},
        "asks_password": not proven(request),
        "other_ways": other_ways(request),
        "action": request.path,
        "patient": visits[0].patient if single else None,
        "visit": visits[0] if single else None,
    }
    if not single:
        _name(request, visits)
    return render(request, "lesions/sign.html", context, status=422 if errors else 200)


def _name(request: HttpRequest, visits: list[Visit]) -> None:
    """Names beside the registry numbers, with the one event that tells of it."""
    numbers = [visit.patient_id for visit in visits]
    rows = Patient.objects.visible_to(request.user, Permission.VIEW_RECORDS).filter(pk__in=numbers)
    known = {row.pk: row for row in with_names(list(rows.prefetch_related("diagnosis_set")), user=request.user)}
    for visit in visits:
        visit.patient.name = known[visit.patient_id].name  # type: ignore[attr-defined]


def _shown(one: Candidate) -> tuple[Candidate, list[Line]]:
    return one, lines_of(one)
