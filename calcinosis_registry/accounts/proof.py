"""Prove again who you are: at most five minutes before signing, unlocking, exporting, erasing or changing roles.

Three ways to ask, one rule (``proven``): ``@proof_required`` on a view, ``require_proof(request)`` inside one (after it
has found out whether the action is allowed at all), ``prove_by_password(request, password)`` for a form that has the
password in it. The first two send the person to prove it and go on with the same request afterwards.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import wraps
from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.login import get_authentication_records
from allauth.account.internal.flows.reauthentication import reauthenticate_by_password, suspend_request
from allauth.core import ratelimit
from allauth.core.exceptions import ImmediateHttpResponse, ReauthenticationRequired
from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

View = Callable[..., HttpResponse]
PASSKEY = "mfa_reauthenticate:webauthn"


def proven(request: HttpRequest) -> bool:
    """Did this person prove in this session, minutes ago and beside the sign-in, who they are?"""
    if not request.user.is_authenticated:
        return False
    again = [one for one in get_authentication_records(request, request.user) if one.get("reauthenticated")]
    return bool(again) and time.time() - again[-1]["at"] < settings.ACCOUNT_REAUTHENTICATION_TIMEOUT


def require_proof(request: HttpRequest) -> None:
    """Go on when proven. Else the library's middleware asks for a proof and then repeats the request."""
    if not proven(request):
        raise ReauthenticationRequired


def proof_required(view: View | None = None, *, allow_get: bool = False) -> Any:
    """The same as a decorator. ``allow_get``: reading needs no proof, as on a page with a list and a form."""

    def decorated(inner: View) -> View:
        @wraps(inner)
        def asking(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if not (allow_get and request.method in ("GET", "HEAD")):
                require_proof(request)
            return inner(request, *args, **kwargs)

        return asking

    return decorated(view) if view else decorated


def other_ways(request: HttpRequest) -> list[dict[str, str]]:
    """How this account can prove itself but by its password: {id, description, url} of app or code, and of passkey."""
    ways: list[dict[str, str]] = get_adapter(request).get_reauthentication_methods(request.user)
    passkey = {"description": _("Use a passkey")}  # as our own pages call it
    return [one | (passkey if one["id"] == PASSKEY else {}) for one in ways if one["id"] != "reauthenticate"]


def prove_otherwise(request: HttpRequest) -> None:
    """For a form with the password in it: was another way pressed (a button "prove")? Then off to its page, and back
    here with the same form. A password typed beside it does not wait in the session."""
    for way in other_ways(request):
        if way["id"] == request.POST.get("prove") and not proven(request):
            typed = request.POST.copy()
            typed.pop("password", None)
            request.POST = typed  # type: ignore[assignment]
            raise ImmediateHttpResponse(suspend_request(request, way["url"]))


def prove_by_password(request: HttpRequest, password: str) -> bool:
    """Is this the password of who is signed in? Then it counts as a proof; wrong ones are counted and limited.

    False for a wrong password, and for any once too many were tried: an open workstation is no place to guess.
    """
    if not ratelimit.consume(request, action="reauthenticate", user=request.user):
        return False
    try:
        right = get_adapter(request).reauthenticate(request.user, password)
    except ValidationError:  # too many failed ones
        return False
    if right:
        reauthenticate_by_password(request)
    return right
