"""The address of one row. ``reverse()`` costs as much as writing a line of a table, and a page has a hundred links."""

from __future__ import annotations

from functools import lru_cache
from types import EllipsisType

from django.urls import get_script_prefix, reverse

_PLACE = "0public-id0"


def address(route: str, *args: str | EllipsisType, of: str) -> str:
    """``reverse(route, args=args)`` with the public id ``of`` where ``args`` has ``...``; looked up once a route."""
    before, after = _around(route, args, get_script_prefix())
    return f"{before}{of}{after}"


@lru_cache(maxsize=512)
def _around(route: str, args: tuple[str | EllipsisType, ...], _prefix: str) -> tuple[str, str]:
    before, _place, after = reverse(route, args=[_PLACE if one is ... else one for one in args]).partition(_PLACE)
    return before, after
