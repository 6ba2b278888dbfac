"""Everything a request changes is done by its account."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from calcinosis_registry.audit import trail
from calcinosis_registry.clinics.actors import actor_of


class ActorMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with trail.acting(actor_of(request, request.user)):
            return self.get_response(request)
