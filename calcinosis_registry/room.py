"""A disk without room, in words: the same sentence on a page, in a job and in a command."""

from __future__ import annotations

import errno

from django.utils.translation import gettext as _


class NoRoom(Exception):
    """There is no room left, or no right to write; one sentence that says it."""


def is_full(error: BaseException | None) -> bool:
    return isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)


def said_of(error: OSError) -> str:
    what = _("The disk is full.") if is_full(error) else _("A file could not be written.")
    return f"{what} {nothing_lost()}"


def nothing_lost() -> str:
    return _("Nothing was made. Nothing was lost: what was saved before stands.")
