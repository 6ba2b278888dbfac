"""Pseudonyms and date shifts: keyed, so that nobody without the key (kept outside the database) can undo them."""

from __future__ import annotations

import datetime
import hashlib
import hmac
from dataclasses import dataclass

from calcinosis_registry.codebook.partial_dates import PartialDate, Precision

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

    def shift(self, public_id: str) -> datetime.timedelta:
        """How far this patient's dates move: always back, so that none comes to lie in the future."""
        return -datetime.timedelta(days=1 + int.from_bytes(self._digest("shift", public_id)[:8], "big") % DAYS)


def shifted(value: PartialDate, by: datetime.timedelta) -> PartialDate:
    """A partial date moved, as far as known.

    A full date moves exactly. Of a month or a year the middle moves and is cut to the same precision again: an interval
    moved as it is would begin on the day of the shift and so tell it.
    """
    if value.precision is Precision.UNKNOWN:
        return value
    earliest, latest = value.earliest, value.latest
    assert earliest is not None and latest is not None  # noqa: S101  known dates have both
    middle = earliest + (latest - earliest) // 2 + by
    if value.precision is Precision.YEAR:
        return PartialDate(middle.year)
    return PartialDate(middle.year, middle.month) if value.precision is Precision.MONTH else PartialDate.of(middle)
