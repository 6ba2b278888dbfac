"""E-mails to whose account it is: somebody who is not they may have done it. Never a word about a patient.

allauth sends its own when the password or a second factor was changed by the person; these are the others. Each leaves
beside the request, after the change is kept: neither its duration nor a mail server that is down undoes anything.
"""

from __future__ import annotations

import datetime
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from enum import Enum

from django.core.mail import EmailMessage
from django.db import transaction
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from calcinosis_registry.accounts.models import User
from calcinosis_registry.audit import trail

logger = logging.getLogger(__name__)
# A mail about a forgotten password leaves here, too: how long it takes may not tell whether the address has an account.
POST_OFFICE = ThreadPoolExecutor(max_workers=2, thread_name_prefix="post")


class Notice(Enum):
    """What happened, in one sentence; it is the subject, too."""

    NEW_DEVICE = _("Your account was signed in with a browser it had not used before")
    RECOVERY_CODE = _("A recovery code of your account was used")
    TOO_MANY = _("Sign-in to your account is held back: too many wrong passwords were tried")
    WRONG_PROOFS = _("A session of your account was ended: its password was typed wrong five times")
    SECOND_FACTOR_RESET = _("The second factor of your account was reset")
    SESSIONS_ENDED = _("All sessions of your account were ended")
    CLOSED = _("Your account was closed")
    OPENED = _("Your account was opened again")
    ROLE_ENDED = _("A role of your account was ended")
    UNLOCK_ASKED = _("A colleague asks to unlock a visit that you signed")
    UNLOCKED = _("A visit that you signed was unlocked: your signature is withdrawn")


def notify(user: User, what: Notice) -> None:
    """Once the transaction around it is kept."""
    now, actor = timezone.now(), trail.current_actor()
    transaction.on_commit(lambda: post(lambda: _written(user, what, now, actor)))


def post(written: Callable[[], EmailMessage]) -> None:
    """Send beside the request what ``written`` makes."""
    POST_OFFICE.submit(_send, written)


def _written(user: User, what: Notice, now: datetime.datetime, actor: trail.Actor) -> EmailMessage:
    by = actor.name if actor.id and actor.id != user.pk else ""
    context = {"user": user, "what": what.value, "now": now, "by": by, "source": actor.source}
    return EmailMessage(str(what.value), render_to_string("accounts/notice.txt", context), None, [user.email])


def _send(written: Callable[[], EmailMessage]) -> None:
    try:
        written().send()
    except Exception as error:  # nobody asks what became of it: what is not written here is not known to anybody
        logger.error("an e-mail could not be sent: %s", type(error).__name__)
