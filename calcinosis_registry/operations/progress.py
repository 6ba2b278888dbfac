"""How far a long command is, on one line per step."""

from __future__ import annotations

import time
from typing import Any

EVERY_SECONDS = 0.5


class Progress:
    """Call it with what is being done, how much of it is done, and of how much."""

    def __init__(self, out: Any) -> None:
        self._out, self._step, self._told = out, "", 0.0

    def __call__(self, step: str, done: int, total: int) -> None:
        over, now = done >= total, time.monotonic()
        if step == self._step and not over and now - self._told < EVERY_SECONDS:
            return
        self._step, self._told = step, now
        self._out.write(f"\r{step}: {100 * done // max(total, 1)} %", ending="\n" if over else "")
        self._out.flush()
