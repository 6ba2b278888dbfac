"""What was typed and not saved stands in the database unreadable: the key lies beside it, never in it."""

from __future__ import annotations

import base64
import hashlib
import hmac
from functools import cache

from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings


@cache
def _fernet(key: str) -> Fernet:
    return Fernet(base64.urlsafe_b64encode(hashlib.sha256(key.encode()).digest()))


def seal(text: str) -> str:
    return _fernet(settings.DRAFT_KEY).encrypt(text.encode()).decode()


def unseal(sealed: str) -> str | None:
    """The text, or None where the key is another one or the row was tampered with."""
    try:
        return _fernet(settings.DRAFT_KEY).decrypt(sealed.encode()).decode()
    except InvalidToken:
        return None


def fingerprint(text: str) -> str:
    """Tells two texts apart and says nothing about them to anybody without the key."""
    return hmac.new(settings.DRAFT_KEY.encode(), text.encode(), hashlib.sha256).hexdigest()
