"""What is done to an account: end its sessions, reset its second factor, open and close it."""

from __future__ import annotations

from collections.abc import Iterable

from allauth.mfa.models import Authenticator
from django.contrib.auth.models import AnonymousUser
from django.db import transaction

from calcinosis_registry.accounts.models import User
from calcinosis_registry.accounts.notices import Notice, notify
from calcinosis_registry.audit import trail
from calcinosis_registry.audit.models import Action

# In the session: this account had a second factor when last asked. Every change of it ends the other sessions.
HAS_SECOND_FACTOR = "has_second_factor"
# In the session, in seconds of the clock: when it began, and when it was last used (accounts/middleware.py).
STARTED, SEEN = "session_started", "session_seen"


def has_second_factor(user: User | AnonymousUser) -> bool:
    return bool(with_second_factor([user.pk]))


def with_second_factor(user_ids: Iterable[int | None]) -> set[int]:
    """Which of these accounts have an authenticator app or a passkey."""
    kinds = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)
    rows = Authenticator.objects.filter(user_id__in=user_ids, type__in=kinds)
    return set(rows.values_list("user_id", flat=True))


def end_sessions(*, user: User) -> None:
    """Every session of the account ends at its next request; an event of its own."""
    with trail.together():
        trail.tell(Action.ACCOUNT, about=user, changes={"sessions": [None, "ended"]})
        forget_sessions(user=user)
        notify(user, Notice.SESSIONS_ENDED)


def forget_sessions(*, user: User) -> None:
    """The same as a part of something that has its event already: a role, a second factor."""
    with transaction.atomic():
        locked = User.objects.select_for_update().get(pk=user.pk)
        locked.sessions_ended += 1
        locked.save(update_fields=["sessions_ended"])
    user.sessions_ended = locked.sessions_ended


def reset_second_factor(*, user: User) -> None:
    """Authenticator and recovery codes are gone, sessions end; the next sign-in asks for a new one."""
    with trail.together():
        Authenticator.objects.filter(user=user).delete()
        forget_sessions(user=user)
        notify(user, Notice.SECOND_FACTOR_RESET)


def set_active(*, user: User, active: bool) -> None:
    """A closed account cannot sign in; its sessions end at their next request."""
    with trail.together():
        user.is_active = active
        user.save()
        notify(user, Notice.OPENED if active else Notice.CLOSED)
