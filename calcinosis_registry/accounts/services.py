"""What is done to an account: end its sessions, reset its second factor, open and close it."""

from __future__ import annotations

from collections.abc import Iterable

from allauth.mfa.models import Authenticator
from django.contrib.auth.models import AnonymousUser

from calcinosis_registry.accounts.models import User
from calcinosis_registry.audit import trail
from calcinosis_registry.audit.models import Action

# In the session: this account had a second factor when last asked. Every change of it ends the other sessions.
HAS_SECOND_FACTOR = "has_second_factor"


def has_second_factor(user: User | AnonymousUser) -> bool:
    return bool(with_second_factor([user.pk]))


def with_second_factor(user_ids: Iterable[int | None]) -> set[int]:
    """Which of these accounts have a TOTP authenticator."""
    rows = Authenticator.objects.filter(user_id__in=user_ids, type=Authenticator.Type.TOTP)
    return set(rows.values_list("user_id", flat=True))


def end_sessions(*, user: User) -> None:
    """Every session of the account ends at its next request."""
    user.sessions_ended += 1
    user.save()


def reset_second_factor(*, user: User) -> None:
    """Authenticator and recovery codes are gone; the next sign-in asks for a new one. Sessions end."""
    with trail.together():
        Authenticator.objects.filter(user=user).delete()
        trail.tell(Action.ACCOUNT, about=user, changes={"second factor": ["set", "reset"]})
        end_sessions(user=user)


def set_active(*, user: User, active: bool) -> None:
    """A closed account cannot sign in; its sessions end at their next request."""
    user.is_active = active
    user.save()
