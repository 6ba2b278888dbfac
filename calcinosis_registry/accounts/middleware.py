"""Second factor for everybody, and the end of a session: 30 minutes idle, 12 hours in all."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect
from django.utils.cache import patch_cache_control, patch_vary_headers
from django.utils.translation import gettext as _

from calcinosis_registry.accounts.services import HAS_SECOND_FACTOR, SEEN, STARTED, has_second_factor
from calcinosis_registry.audit import trail

IDLE_SECONDS = 30 * 60
LONGEST_SECONDS = 12 * 3600
# The time of the last request is written at most once a minute: a page view is not a database write.
NOTE_EVERY_SECONDS = 60
# What an account without a second factor may reach: adding one, proving who it is, leaving.
WITHOUT_SECOND_FACTOR = frozenset({"account_logout", "account_reauthenticate", "mfa_activate_totp", "mfa_add_webauthn"})


# What browsers send. Views and libraries answer other methods each in their own way, so nobody gets that far.
METHODS = frozenset({"GET", "HEAD", "POST"})


class MethodsMiddleware:
    """405 for every other method, to everybody and everywhere."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.method not in METHODS:
            return HttpResponseNotAllowed(sorted(METHODS))
        return self.get_response(request)


class SecondFactorMiddleware:
    """Ends old sessions, then sends an account without second factor to set one. A demo register asks none.

    Nothing it lets through may be kept by a browser or a proxy.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.user.is_authenticated:
            _end_or_note(request)
        response = self.get_response(request)
        patch_cache_control(response, private=True, no_store=True)
        patch_vary_headers(response, ["Cookie"])
        return response

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        if settings.DEMO or not request.user.is_authenticated or not getattr(view, "login_required", True):
            return None
        if request.resolver_match and request.resolver_match.url_name in WITHOUT_SECOND_FACTOR:
            return None
        if request.session.get(HAS_SECOND_FACTOR):
            return None
        if has_second_factor(request.user):
            request.session[HAS_SECOND_FACTOR] = True
            return None
        return redirect("mfa_activate_totp")


def _end_or_note(request: HttpRequest) -> None:
    now = time.time()
    started = request.session.setdefault(STARTED, now)
    seen = request.session.setdefault(SEEN, now)
    # A clock set back would make every session, and every proof in it, last as much longer: so it ends them.
    set_back = now < max(started, seen) - NOTE_EVERY_SECONDS
    if now - started > LONGEST_SECONDS or now - seen > IDLE_SECONDS or set_back:
        with trail.because(_("the session was over")):
            logout(request)
    elif now - seen > NOTE_EVERY_SECONDS:
        request.session[SEEN] = now
