"""How one event is bound to the one before it: pure arithmetic over plain values, the same on every database.

``commitment`` is a hash of what may be personal (the values and the reason) and a random salt kept beside them;
``seal`` is a keyed hash of everything else, the commitment and the seal before. Erasing a person blanks values, reason
and salt: nothing can be guessed back from the commitment, and every seal still fits.
"""

from __future__ import annotations

import datetime
import hashlib
import hmac
import json
import re
from collections.abc import Sequence
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder

FIRST = "0" * 64  # the seal before the first event
SALT_CHARACTERS = 32
# What a seal binds, in this order; "at" as UTC text.
BOUND = (
    "id", "at", "action", "actor_id", "actor_name", "actor_role", "source", "request_id", "model", "object_id",
    "patient", "commitment",
)  # fmt: skip
_encode = DjangoJSONEncoder(sort_keys=True, separators=(",", ":")).encode
_MAY_BE_A_FRACTION = re.compile(r"[:,\[]-?\d+[.eE]")


def number(text: str) -> int | float:
    """A fraction as JSON gives it; a whole one as an integer."""
    value = float(text)
    return int(value) if value.is_integer() else value


_decode = json.JSONDecoder(parse_float=number).decode


def canonical(value: Any) -> str:
    """One text for one JSON value. A database may give 1e2 back as 100: numbers are written by their value."""
    text = _encode(value)
    return _encode(_decode(text)) if _MAY_BE_A_FRACTION.search(text) else text


def commitment(salt: str, changes: Any, reason: str) -> str:
    return hashlib.sha256(f"{salt}{canonical([changes, reason])}".encode()).hexdigest()


def seal(key: bytes, before: str, bound: Sequence[Any]) -> str:
    """``bound``: the values of BOUND. ``before``: the seal of the event before."""
    place, at, *rest = bound
    when = at.astimezone(datetime.UTC).isoformat(timespec="microseconds")
    # Each value behind its length: no two lists of values give one text.
    values = ["-" if one is None else f"{len(text := str(one))}:{text}" for one in rest]
    return hmac.digest(key, "\n".join([before, str(place), when, *values]).encode(), "sha256").hex()
