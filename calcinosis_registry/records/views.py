"""Drafts as the script keeps and a person discards them, and the form whose token is stale."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.middleware.csrf import get_token
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.csrf import csrf_failure
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST, require_safe

from calcinosis_registry.clinics.policy import may
from calcinosis_registry.clinics.roles import Permission
from calcinosis_registry.records.drafts import LONGEST, Page, keep
from calcinosis_registry.records.holding import held, page_of
from calcinosis_registry.records.kept import Draft


@require_safe
def session(request: HttpRequest) -> HttpResponse:
    """Who is signed in, and the token a form needs now: asked before a form is sent. Nobody: the sign-in page."""
    if "application/json" not in request.headers.get("Accept", ""):  # a person, in the window opened to sign in
        return render(request, "records/signed_in.html")
    return JsonResponse({"person": request.user.pk, "name": str(request.user), "token": get_token(request)})


@sensitive_post_parameters()
@require_POST
def keep_draft(request: HttpRequest) -> HttpResponse:
    """Keep a form as it stands. The page's own slip says whose it is and what it is about."""
    page = Page.read(request.POST.get("draft", ""))
    if page is None or int(request.META.get("CONTENT_LENGTH") or 0) > LONGEST:
        return JsonResponse({"problem": _("This cannot be kept as a draft.")}, status=422)
    if page.owner_id != request.user.pk:
        return JsonResponse({"problem": _("You are signed in as somebody else.")}, status=409)
    if not may(request.user, Permission.EDIT_RECORDS, page.place.clinic_id):
        raise PermissionDenied
    draft = keep(page=page, data=request.POST, now=timezone.now())
    return JsonResponse({"kept": draft is not None})


@require_POST
def discard_draft(request: HttpRequest, public_id: str) -> HttpResponse:
    """Throw one's own draft away."""
    draft = Draft.objects.visible_to(request.user, Permission.EDIT_RECORDS).filter(public_id=public_id).first()
    if draft is None:
        raise Http404
    address = draft.address
    draft.delete()
    messages.success(request, _("The draft is discarded."))
    return redirect("home" if "home" in request.POST else address)


def stale(request: HttpRequest, reason: str = "") -> HttpResponse:
    """CSRF_FAILURE_VIEW: what was typed on a page of ours is kept and shown again with a fresh token."""
    page = page_of(request)
    return csrf_failure(request, reason) if page is None else held(request, page)
