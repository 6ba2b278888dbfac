"""How often protected counts are asked: who adds up hundreds of them could average the lots away (decision 0020)."""

from __future__ import annotations

import logging

from allauth.core.internal import ratelimit
from django.core.cache import cache
from django.http import HttpRequest
from django.utils.translation import gettext as _

from calcinosis_registry.audit import trail
from calcinosis_registry.audit.models import Action
from calcinosis_registry.cohorts.scope import Scope

RATES = {"protected_count": "60/m/user,600/h/user"}  # a person who builds a cohort asks ten or twenty in a minute
TOLD_AGAIN = 600  # seconds
log = logging.getLogger("calcinosis_registry.cohorts")


def too_many(request: HttpRequest, scope: Scope) -> str:
    """Why this count is not given now; "" when it is. Exact counts of one's own are not limited."""
    if scope.exact:
        return ""
    told = {"app": "registry", "action": "protected_count", "config": RATES, "user": request.user, "limit_get": True}
    if ratelimit.consume(request, **told) is not None:  # type: ignore[arg-type]
        return ""
    log.warning("protected counts refused")
    if cache.add(f"counts-refused-{request.user.pk}", 1, TOLD_AGAIN):  # once: a trail is not filled by asking on
        trail.tell(Action.READ, about=request.user, changes={"protected counts": "refused, too many in a short time"})
    return _("That were many counts in a short time. Nothing is lost; wait a minute and ask again.")
