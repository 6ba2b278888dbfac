"""A second factor set or removed is one event in its transaction, and ends the other sessions of the account.

Authenticators are allauth's rows: its own signals come after the commit, so the rows' signals carry the event.
"""

from __future__ import annotations

from typing import Any

from allauth.mfa.models import Authenticator
from allauth.mfa.signals import (
    authentication_failed,
    authenticator_added,
    authenticator_removed,
    authenticator_reset,
)
from django.contrib.auth import update_session_auth_hash
from django.db.models.signals import post_delete, post_save
from django.http import HttpRequest

from calcinosis_registry.accounts.adapter import tell_refused
from calcinosis_registry.accounts.models import User
from calcinosis_registry.accounts.notices import Notice, notify
from calcinosis_registry.accounts.services import HAS_SECOND_FACTOR, forget_sessions
from calcinosis_registry.audit import trail
from calcinosis_registry.audit.models import Action


def listen() -> None:
    post_save.connect(_saved, sender=Authenticator, dispatch_uid="trail")
    post_delete.connect(_deleted, sender=Authenticator, dispatch_uid="trail")
    for signal in (authenticator_added, authenticator_removed, authenticator_reset):
        signal.connect(_keep_this_session, dispatch_uid="session")
    authentication_failed.connect(_refused, dispatch_uid="trail")


def _saved(sender: Any, instance: Authenticator, created: bool, update_fields: Any = None, **_more: Any) -> None:
    if created:
        _tell(instance, "set")
        forget_sessions(user=instance.user)
    elif update_fields is None:  # the others note when it was last used or seen
        used = instance.type == Authenticator.Type.RECOVERY_CODES
        _tell(instance, "used" if used else "renamed")
        if used:
            notify(instance.user, Notice.RECOVERY_CODE)


def _deleted(sender: Any, instance: Authenticator, **_more: Any) -> None:
    _tell(instance, "removed")
    forget_sessions(user=instance.user)


def _tell(authenticator: Authenticator, what: str) -> None:
    trail.tell(Action.ACCOUNT, about=authenticator.user, changes={str(authenticator.type): [None, what]})


def _keep_this_session(sender: Any, request: HttpRequest, user: User, **_more: Any) -> None:
    """The session in which its owner made the change goes on; whether it has a second factor is asked again."""
    user.refresh_from_db(fields=["sessions_ended"])
    request.session.pop(HAS_SECOND_FACTOR, None)
    update_session_auth_hash(request, user)


def _refused(sender: Any, user: User, authenticator: Authenticator, **_more: Any) -> None:
    tell_refused(user, str(authenticator.type))
