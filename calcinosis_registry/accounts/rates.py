"""How often one account may do what reads much at once: searching names, and taking files out.

A person at work stays far below; who stole a session, or copies the register by a script, does not. Counted in the
cache, which in production is a table: across processes, and over a restart. Sign-in has limits of its own (settings).
"""

from __future__ import annotations

import logging

from allauth.core.internal import ratelimit
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from calcinosis_registry.audit import trail
from calcinosis_registry.audit.models import Action

SEARCH, TAKE_OUT = "search", "take_out"
RATES = {SEARCH: "60/m/user", TAKE_OUT: "10/h/user"}
TOLD_AGAIN = 600  # seconds
log = logging.getLogger("calcinosis_registry.accounts")


def too_often(request: HttpRequest, action: str) -> HttpResponse | None:
    """The answer 429, and one event, where the account did this too often; else None, and it is counted."""
    if ratelimit.consume(request, app="registry", action=action, config=RATES, user=request.user) is not None:
        return None
    log.warning("an account did something too often", extra={"told": {"what": action}})
    if cache.add(f"too-often-{action}-{request.user.pk}", 1, TOLD_AGAIN):  # once: a trail is not filled by going on
        trail.tell(Action.READ, about=request.user, changes={action: "refused, too often in a short time"})
    (rate,) = ratelimit.parse_rates(RATES[action])
    wait = int(rate.duration)
    answer = render(request, "429.html", {"minutes": wait // 60, "most": rate.amount}, status=429)
    answer["Retry-After"] = str(wait)
    return answer
