"""Unlock a signed visit, or ask a second person to agree: with a reason, and the proof."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from calcinosis_registry.accounts.proof import other_ways, prove_by_password, prove_otherwise, proven
from calcinosis_registry.audit import trail
from lesions.unlocking import (
    SHORTEST_REASON,
    anybody_to_agree,
    ask_unlock,
    end_asking,
    needs_second,
    standing,
    unlock_visit,
)
from lesions.views.signing import visits_to_sign
from patients.models import Signature, Visit

END = "end"  # the button that takes back or refuses what was asked
ALONE, ASK, WAIT, AGREE = "alone", "ask", "wait", "agree"


@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def unlock(request: HttpRequest, public_id: str) -> HttpResponse:
    """Un-sign a visit to change it. The signature stays listed."""
    if request.method != "POST":
        (visit,) = visits_to_sign(request, [public_id])
        if not visit.is_locked:
            messages.warning(request, _("The visit is not signed."))
            return redirect(visit)
        return _page(request, visit, {})
    ends = request.POST.get("act") == END
    if not ends:
        prove_otherwise(request)
    with trail.together():
        (visit,) = visits_to_sign(request, [public_id], lock=True)
        errors = {}
        if not ends and not proven(request) and not prove_by_password(request, request.POST.get("password", "")):
            errors["password"] = _("That is not your password. Nothing was changed.")
        else:
            try:
                said = _end(request, visit) if ends else _unlock_or_ask(request, visit)
            except ValidationError as error:
                errors["reason"] = " ".join(error.messages)
        if errors:
            return _page(request, visit, errors)
    messages.success(request, said)
    return redirect(visit)


def _end(request: HttpRequest, visit: Visit) -> str:
    end_asking(visit=visit, by=request.user)  # type: ignore[arg-type]
    return _("The visit stays signed.")


def _unlock_or_ask(request: HttpRequest, visit: Visit) -> str:
    by: Any = request.user
    told = {"visit": visit, "by": by, "now": timezone.now(), "reason": request.POST.get("reason", "")}
    if _mode(visit, standing(visit), by) in (ASK, WAIT):
        ask_unlock(**told)
        return _("Asked. The visit stays signed until a second person agrees.")
    unlock_visit(**told)
    return _("The visit is unlocked and no longer signed.")


def _mode(visit: Visit, signature: Signature | None, by: Any) -> str:
    """What this person can do here."""
    asked = signature.unlock_asked_by_id if signature is not None else None
    if asked is not None and asked != by.pk:
        return AGREE
    if not needs_second(visit, signature, by):
        return ALONE
    return ASK if asked is None else WAIT


def _page(request: HttpRequest, visit: Visit, errors: dict[str, str]) -> HttpResponse:
    signature: Any = standing(visit)
    mode = _mode(visit, signature, request.user)
    context = {
        "visit": visit,
        "patient": visit.patient,
        "signature": signature,
        "mode": mode,
        "nobody": mode in (ASK, WAIT) and not anybody_to_agree(visit, request.user),  # type: ignore[arg-type]
        "errors": errors,
        "reason": request.POST.get("reason", ""),
        "shortest": SHORTEST_REASON,
        "asks_password": not proven(request),
        "other_ways": other_ways(request),
    }
    return render(request, "lesions/unlock.html", context, status=422 if errors else 200)
