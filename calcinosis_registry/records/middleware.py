"""PostgreSQL refuses the NUL sign in text: a form says so beside its field, anything else answers 400, not 500."""

from __future__ import annotations

from collections.abc import Callable

from django.db import DataError
from django.http import HttpRequest, HttpResponse
from django.views.defaults import bad_request


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
