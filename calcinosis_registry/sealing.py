"""Text that stands in the database unreadable: its key lies beside the database, never in it.

A key may be several, parted by a space, the newest first: the first seals, each of them opens. So a key is changed
without a moment in which anything is shut (docs/operations/keys.md).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from functools import cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured


class Unopened(ImproperlyConfigured):
    """Sealed with a key that is not here, never sealed, or tampered with."""


def keys(name: str) -> list[str]:
    """The keys a setting holds, newest first."""
    whole: str = getattr(settings, name)
    return whole.split()


@cache
def _box(keys: tuple[str, ...]) -> MultiFernet:
    # A key is a secret of any length; Fernet wants 32 bytes.
    return MultiFernet([Fernet(base64.urlsafe_b64encode(hashlib.sha256(key.encode()).digest())) for key in keys])


class Box:
    """What one key seals. ``mark``: what a sealed value begins with, where sealing twice must do nothing."""

    def __init__(self, key: str, *, mark: str = "") -> None:
        self.key, self.mark = key, mark

    def seal(self, text: str) -> str:
        if self.mark and text.startswith(self.mark):
            return text
        return self.mark + self._fernet.encrypt(text.encode()).decode()

    def open(self, sealed: str) -> str:
        """The text. Raises Unopened."""
        try:
            return self._fernet.decrypt(sealed.removeprefix(self.mark).encode()).decode()
        except InvalidToken as error:
            raise Unopened(f"{self.key} is not the key this was sealed with.") from error

    def reseal(self, sealed: str) -> str:
        """The same under the newest key. Raises Unopened."""
        try:
            return self.mark + self._fernet.rotate(sealed.removeprefix(self.mark).encode()).decode()
        except InvalidToken as error:
            raise Unopened(f"{self.key} is not the key this was sealed with.") from error

    def fingerprint(self, text: str) -> str:
        """Tells two texts apart and says nothing about them to anybody without the key."""
        return hmac.new(keys(self.key)[0].encode(), text.encode(), hashlib.sha256).hexdigest()

    @property
    def _fernet(self) -> MultiFernet:
        # Also as it stands: a key file may end with a line end that was part of the key until now.
        return _box((*keys(self.key), getattr(settings, self.key)))


# Secrets of authenticator apps and recovery codes. Without their key they are of no use to anybody: an admin then
# resets the second factor of each account.
FACTORS = Box("SECOND_FACTOR_KEY", mark="sealed:")
# What was typed and not saved. Without its key it is gone.
DRAFTS = Box("DRAFT_KEY")
