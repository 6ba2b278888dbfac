"""One file of the hostile corpus: made when asked for, never committed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

TAKEN = "taken"


@dataclass(frozen=True)
class Case:
    """``said``: a pattern of the refusal, or TAKEN where the file is harmless once cleaned. ``gone``: bytes that no
    stored file may hold. ``ends_by_limit``: the parsing process may be ended by its limits."""

    title: str
    name: str
    make: Callable[[], bytes]
    said: str
    gone: tuple[bytes, ...] = ()
    ends_by_limit: bool = False
