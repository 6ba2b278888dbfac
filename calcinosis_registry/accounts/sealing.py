"""Secrets of the second factor, sealed with a key that is not in the database: a stolen backup opens no account.

The key is the file ``second_factor_key`` beside the other keys, or SECOND_FACTOR_KEY in the environment. Without it
nobody's authenticator app or recovery codes are of use; an admin then resets the second factor of each account.
"""

from __future__ import annotations

import base64
import hashlib

from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

# What a sealed value begins with, so that sealing twice and opening the unsealed are told apart.
MARK = "sealed:"


def _box() -> Fernet:
    # The key is a secret of any length; Fernet wants 32 bytes.
    return Fernet(base64.urlsafe_b64encode(hashlib.sha256(settings.SECOND_FACTOR_KEY.encode()).digest()))


def sealed(text: str) -> str:
    """The text sealed; what is sealed stays as it is."""
    return text if text.startswith(MARK) else MARK + _box().encrypt(text.encode()).decode()


def opened(text: str) -> str:
    """The text of a sealed value. Raises ImproperlyConfigured for another key, or for a value never sealed."""
    try:
        return _box().decrypt(text.removeprefix(MARK).encode()).decode()
    except InvalidToken as error:
        raise ImproperlyConfigured("The second factor's key is not the one its secrets were sealed with.") from error
