"""Browsers in which an account signed in completely before.

Wrong passwords typed elsewhere count against everybody elsewhere; a known device has a count of its own. So nobody can
lock a clinician out of the ward's computer. The cookie opens nothing: it holds a random name of the browser and, for
each account that signed in there, a code only we can make. It names no account.
"""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare, get_random_string, salted_hmac

from calcinosis_registry.accounts.models import User

COOKIE = "known_device"
LASTS_SECONDS = 180 * 86_400
# As many people share one computer of a ward; who signed in longest ago is forgotten first.
ACCOUNTS = 12


def device_of(request: HttpRequest, user: User) -> str:
    """The name of this browser if the account signed in here before, else ""."""
    name, *codes = request.COOKIES.get(COOKIE, "").split(".")
    known = any(constant_time_compare(code, _code(name, user)) for code in codes[:ACCOUNTS])
    return name if known else ""


def remember(request: HttpRequest, response: HttpResponse, user: User) -> None:
    """From now on this browser is a known device of the account."""
    name, *codes = request.COOKIES.get(COOKIE, "").split(".")
    if len(name) != 22 or not name.isalnum():
        name, codes = get_random_string(22), []
    own = _code(name, user)
    codes = [own, *(code for code in codes if code != own)][:ACCOUNTS]
    response.set_cookie(
        COOKIE, ".".join([name, *codes]), max_age=LASTS_SECONDS, httponly=True, samesite="Lax",
        secure=settings.SESSION_COOKIE_SECURE,
    )  # fmt: skip


def _code(name: str, user: User) -> str:
    return salted_hmac("accounts.known_devices", f"{name}:{user.pk}", algorithm="sha256").hexdigest()[:32]
