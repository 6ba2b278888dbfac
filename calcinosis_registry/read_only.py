"""A register that rests: everything can be read, nothing is saved. One file says so to every process at once.

For a move to another machine, an upgrade, an incident. The trail is the one home of the rule: without its event no
change is made (audit/models.py). Readings of an identity and sign-ins are still written: who looked is never left out.
"""

from __future__ import annotations

import os
from pathlib import Path

from django.conf import settings
from django.core.management.base import CommandError
from django.utils.translation import gettext as _

LONGEST = 300  # letters of the reason


class ReadOnly(CommandError):
    """Nothing is saved while the register rests. Says why; on the command line one sentence without a traceback."""

    def __init__(self, reason: str) -> None:
        super().__init__(_("The register is read-only at present: %(why)s Nothing was changed.") % {"why": reason})
        self.reason = reason


def _file() -> Path:
    return settings.DATA_DIR / "read-only"


def reason() -> str:
    """Why nothing is saved, in the operator's words; "" when everything works."""
    try:
        return _file().read_text(encoding="utf-8")[:LONGEST]
    except FileNotFoundError:
        return ""


def begin(why: str) -> None:
    """From now on. A write that holds the lock of the chain already is still finished: wait for that lock once."""
    new = _file().with_suffix(".new")
    new.write_text(why[:LONGEST], encoding="utf-8")
    os.replace(new, _file())


def end() -> bool:
    """False when it was not read-only."""
    try:
        _file().unlink()
    except FileNotFoundError:
        return False
    return True
