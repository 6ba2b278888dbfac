"""When something broke: a page that needs no database, says so, and holds what was typed."""

from __future__ import annotations

import sys

from django.conf import settings
from django.core.exceptions import RequestDataTooBig, TooManyFieldsSent
from django.db import IntegrityError, InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.template.defaultfilters import filesizeformat
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_variables

from calcinosis_registry.read_only import ReadOnly
from calcinosis_registry.room import NoRoom, is_full

RETRY_SECONDS, RESTS_SECONDS = 5, 300
# What a page must not hold: whoever typed it types it again.
NEVER_HELD = ("password", "secret", "credential", "otp")
ACCOUNT_PAGES = "/account/"
FOREIGN_KEY = "23503"  # PostgreSQL's number for it; SQLite says it in words
FULL = ("disk is full", "No space left", "could not extend file", "disk I/O error")


def server_error(request: HttpRequest) -> HttpResponse:
    """Answers every uncaught exception: 503 where waiting helps, 409 where somebody was faster, else 500. Nothing was
    changed in any case."""
    error = sys.exc_info()[1]
    if isinstance(error, ReadOnly):
        return resting(request, error.reason)
    full, away, gone = _is_full(error), isinstance(error, OperationalError | InterfaceError), _is_gone(error)
    if isinstance(error, NoRoom):
        title, text = _("There is no room to make this"), str(error)
    elif full:
        title, text = (
            _("The disk of the register is full"),
            _("Nothing can be saved until your administrator made room."),
        )
    elif away:
        title, text = _("The register cannot reach its database"), _("This usually passes within a minute.")
    elif gone:
        title = _("Somebody changed or removed at the same moment what this is about")
        text = _("Nothing was saved. Open the page again to see how it stands now.")
    else:
        title = _("Something broke on our side")
        text = _(
            "The fault has been written down. If it happens again, tell your administrator the time and what you did."
        )
    return _page(request, title, text, 503 if full or away else 409 if gone else 500)


def resting(request: HttpRequest, why: str) -> HttpResponse:
    """503 to whoever saves while the register is read-only: its reason, and what was typed."""
    answer = _page(request, _("The register can only be read at present"), why, 503)
    answer["Retry-After"] = str(RESTS_SECONDS)
    return answer


def _page(request: HttpRequest, title: str, text: str, status: int) -> HttpResponse:
    details = {
        "title": title, "text": text, "typed": _typed(request), "files": _chose_files(request),
        "address": request.get_full_path(), "number": getattr(request, "log_id", ""),
    }  # fmt: skip
    answer = HttpResponse(render_to_string("500.html", details), status=status)
    answer["Cache-Control"] = "no-store"
    if status == 503:
        answer["Retry-After"] = str(RETRY_SECONDS)
    return answer


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """400; 413 for what is too large, naming the limit."""
    limit = ""
    if isinstance(exception, RequestDataTooBig):
        size = filesizeformat(settings.DATA_UPLOAD_MAX_MEMORY_SIZE)
        limit = _("What was sent is larger than %(size)s: shorten a text.") % {"size": size}
    elif isinstance(exception, TooManyFieldsSent):
        limit = _("The form has more than %(count)s fields.") % {"count": settings.DATA_UPLOAD_MAX_NUMBER_FIELDS}
    status = 413 if isinstance(exception, RequestDataTooBig) else 400
    return HttpResponse(render_to_string("400.html", {"limit": limit}, request), status=status)


def _is_gone(error: BaseException | None) -> bool:
    """Does a row lead to one that somebody took away meanwhile: a person who was erased while a form was sent?"""
    state = getattr(error.__cause__, "sqlstate", "") if error is not None else ""
    return isinstance(error, IntegrityError) and (state == FOREIGN_KEY or "FOREIGN KEY" in str(error))


def _is_full(error: BaseException | None) -> bool:
    if isinstance(error, OperationalError):
        return any(sign in str(error) for sign in FULL)
    return isinstance(error, NoRoom) or is_full(error)


@sensitive_variables()
def _typed(request: HttpRequest) -> list[tuple[str, str]]:
    """Name and value of every field of the form that was sent; empty for one that holds a secret."""
    if request.method != "POST" or request.path.startswith(ACCOUNT_PAGES):
        return []
    try:
        pairs = [(name, value) for name, values in request.POST.lists() for value in values]
    except Exception:  # the body itself could not be read
        return []
    if any(sign in name.lower() for name, _value in pairs for sign in NEVER_HELD):
        return []
    return pairs


def _chose_files(request: HttpRequest) -> bool:
    try:
        return request.method == "POST" and bool(request.FILES)
    except Exception:
        return False
