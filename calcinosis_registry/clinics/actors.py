"""Who acts in a web request, as the trail keeps it; sign-ins and sign-outs as events."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.login import get_authentication_records
from allauth.account.signals import user_logged_in
from django.contrib.auth.models import AnonymousUser
from django.contrib.auth.signals import user_logged_out
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.utils.crypto import get_random_string

from calcinosis_registry.accounts.models import User
from calcinosis_registry.audit import trail
from calcinosis_registry.audit.models import Action
from calcinosis_registry.clinics.policy import roles_text


def actor_of(request: HttpRequest, user: User | AnonymousUser) -> trail.Actor:
    """Account, roles and address of a request. The roles come from the query that grants() needs anyway."""
    source = f"web {_address(request)}".strip()
    request_id = getattr(request, "log_id", "") or get_random_string(16)
    if not user.is_authenticated:
        return trail.Actor(name="anonymous", source=source, request_id=request_id)
    return trail.Actor(
        id=user.pk, name=str(user)[:200], role=roles_text(user)[:200], source=source, request_id=request_id
    )


def _address(request: HttpRequest) -> str:
    """The client's address; behind proxies TRUSTED_PROXIES says how many of them to believe."""
    try:
        return get_adapter(request).get_client_ip(request)
    except PermissionDenied:  # a unix socket has no address
        return ""


def listen() -> None:
    """Connect the library's signals: allauth offers no other place to hear of a sign-in."""
    user_logged_in.connect(_signed_in, dispatch_uid="trail")
    user_logged_out.connect(_signed_out, dispatch_uid="trail")


def _signed_in(sender: Any, request: HttpRequest, user: User, **_more: Any) -> None:
    steps = [one.get("type") or one["method"] for one in get_authentication_records(request, user)]
    with trail.acting(_same_request(request, user)):
        trail.tell(Action.SIGN_IN, changes={"with": [None, ", ".join(dict.fromkeys(steps))]} if steps else None)


def _signed_out(sender: Any, request: HttpRequest, user: User | None, **_more: Any) -> None:
    if user is not None:
        with trail.acting(_same_request(request, user)):
            trail.tell(Action.SIGN_OUT)


def _same_request(request: HttpRequest, user: User) -> trail.Actor:
    """The person of a request that began or will end without one."""
    standing = trail.current_actor()
    actor = actor_of(request, user)
    return replace(actor, request_id=standing.request_id) if standing.request_id else actor
