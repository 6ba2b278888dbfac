"""Pseudonyms and date shifts: keyed, so that nobody without the key (kept outside the database) can undo them."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass

DAYS = 364  # trust.md: a shift of 1 to 364 days, constant per patient and project


@dataclass(frozen=True)
class Cipher:
    """Everything one project's pseudonyms are made with. ``purpose`` is the project's public id."""

    key: str
    purpose: str

    def _digest(self, what: str, of: str) -> bytes:
        return hmac.new(self.key.encode(), f"{self.purpose}|{what}|{of}".encode(), hashlib.sha256).digest()

    def patient(self, public_id: str) -> str:
        """``P`` and 16 hexadecimal digits. The letter keeps a spreadsheet from reading a number."""
        return "P" + self._digest("patient", public_id).hex()[:16].upper()

    def clinic(self, public_id: str) -> str:
        return "C" + self._digest("clinic", public_id).hex()[:8].upper()

    def reader(self, account: str) -> str:
        """Of whoever read a radiograph."""
        return "R" + self._digest("reader", account).hex()[:8].upper()

    def picture(self, public_id: str) -> str:
        """Of a file with a picture: how the ledger knows which ones an export holds."""
        return "I" + self._digest("picture", public_id).hex()[:16].upper()

    def shift(self, public_id: str) -> int:
        """How many days this patient's dates move back: never forward, so that none comes to lie in the future."""
        return 1 + int.from_bytes(self._digest("shift", public_id)[:8], "big") % DAYS
