"""What a patient's page shows of the clinical records, kept in this process until anything of the patient changes.

Kept under the seal of the last change of the patient (audit/chain.py): a keyed hash of that event and of all before it,
so a save, a signature, a data query or a restored backup leads to another key, and nothing has to be thrown away by
hand. The key also says who may read it how, in which language and on which day. Nothing of an identity is in it, and
every request proves its right before it asks here.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock

from django.utils.safestring import SafeString

MOST_CHARACTERS = 4_000_000  # of all patients together: at most 8 MB of a process
LONGEST_SECONDS = 600  # a repair that writes no event (rebuild_summaries) is seen after this


@dataclass(frozen=True)
class Disease:
    """What the header says of the diagnosis: plain values, for a record would hold its patient."""

    public_id: str
    short: str
    diagnosed_on: object
    first_calcinosis: object


@dataclass(frozen=True)
class Sections:
    """``main``: lesions, course, cards; ``aside``: map and what is left to do."""

    main: SafeString
    aside: SafeString
    disease: Disease | None


class Kept:
    """The sections asked for last, of a bounded size."""

    def __init__(self, most: int = MOST_CHARACTERS) -> None:
        self._most, self._size, self._lock = most, 0, Lock()
        self._found: OrderedDict[bytes, tuple[float, Sections]] = OrderedDict()

    def get(self, key: bytes, make: Callable[[], Sections]) -> Sections:
        """The sections under ``key``; made, and kept, where they are not."""
        now = time.monotonic()
        with self._lock:
            made_at, found = self._found.get(key, (0.0, None))
            if found is not None and now - made_at < LONGEST_SECONDS:
                self._found.move_to_end(key)
                return found
        made = make()
        with self._lock:
            for old in [one for one, (then, _sections) in self._found.items() if now - then >= LONGEST_SECONDS]:
                self._drop(old)  # what nobody asks for again does not stay in memory
            self._drop(key)
            self._found[key] = now, made
            self._size += _size(made)
            while self._size > self._most:
                self._drop(next(iter(self._found)))
        return made

    def clear(self) -> None:
        with self._lock:
            self._found.clear()
            self._size = 0

    def _drop(self, key: bytes) -> None:
        _made_at, found = self._found.pop(key, (0.0, None))
        self._size -= _size(found) if found is not None else 0


def _size(sections: Sections) -> int:
    return len(sections.main) + len(sections.aside)
