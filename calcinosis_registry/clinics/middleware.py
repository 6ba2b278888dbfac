"""Everything a request changes is done by its account, on the day it is in the account's clinic."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from calcinosis_registry.audit import trail
from calcinosis_registry.clinics.actors import actor_of
from calcinosis_registry.clinics.policy import zone_of


class ActorMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with trail.acting(actor_of(request, request.user)), timezone.override(zone_of(request.user)):
            return self.get_response(request)
