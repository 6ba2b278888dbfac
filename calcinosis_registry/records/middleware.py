"""Two nets under every page: the NUL sign PostgreSQL refuses, and the form whose session is over.

A form says beside its field what it refuses; any other NUL answers 400, not 500. A form that arrives without its person
being signed in is kept for them before it is turned away.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db import DataError
from django.http import HttpRequest, HttpResponse
from django.views.defaults import bad_request

from calcinosis_registry.records.holding import held, page_of


class NulMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """400 for the database driver's refusal; every other exception goes on."""
        if isinstance(exception, ValueError | DataError) and "NUL" in str(exception):
            return bad_request(request, exception)
        return None


class HeldFormMiddleware:
    """Stands before the one that asks to sign in."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        page = page_of(request)
        return held(request, page) if page is not None and page.owner_id != request.user.pk else None
