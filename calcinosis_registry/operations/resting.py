"""Requests to a register that rests: what only reads goes on, everything else is told why and keeps what it typed."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.urls import Resolver404, resolve

from calcinosis_registry import read_only
from calcinosis_registry.operations import error_pages

# Posts that change no record: coming and going, proving who it is, and looking something up.
READING = frozenset({
    "account_login", "account_logout", "account_reauthenticate", "mfa_authenticate", "mfa_reauthenticate",
    "mfa_reauthenticate_webauthn", "patients:search", "patients:key_list", "cohorts:count", "clinics:trail_verify",
    "letters:letter",
})  # fmt: skip


class RestingMiddleware:
    """Before the session: an answer that is not given anyway costs nothing."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.method == "POST" and (why := read_only.reason()) and _route(request) not in READING:
            return error_pages.resting(request, why)
        return self.get_response(request)


def _route(request: HttpRequest) -> str:
    try:
        return resolve(request.path_info).view_name
    except Resolver404:
        return ""
