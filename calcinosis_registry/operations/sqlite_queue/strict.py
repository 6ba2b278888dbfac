"""What PostgreSQL refuses to store, SQLite refuses here too, whichever way it comes: a form, bulk_create, plain SQL.

Of itself SQLite keeps 70 characters in a column of 64, NUL in text, and any number in a column of small ones; such a
register could never move to PostgreSQL. Tables made before this have no such rules until a migration makes them anew;
`manage.py transfer_db --check` finds what they let through.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from django.db.backends.base.operations import BaseDatabaseOperations
from django.db.backends.sqlite3.operations import DatabaseOperations
from django.db.utils import DataError

_WITHOUT_NUL = 'instr("%(column)s", char(0)) = 0'
_SHORT_ENOUGH = f'length("%(column)s") <= %(max_length)s AND {_WITHOUT_NUL}'
_LETTERS = ("CharField", "SlugField", "FileField", "FilePathField")
_NUMBERS = ("SmallIntegerField", "IntegerField", "PositiveSmallIntegerField", "PositiveIntegerField")
_MAY_HIDE = re.compile(r"\\u(?:0000|d[89a-f])", re.IGNORECASE)
_SURROGATE = re.compile("[\ud800-\udfff]")


def _between(internal_type: str) -> str:
    least, most = BaseDatabaseOperations.integer_field_ranges[internal_type]
    return f'"%(column)s" BETWEEN {least} AND {most}'


# {kind of field: what its column checks}, in place of Django's own for these kinds
CHECKS = {
    **dict.fromkeys(_LETTERS, _SHORT_ENOUGH),
    "TextField": _WITHOUT_NUL,
    **{name: _between(name) for name in _NUMBERS},
}


def unkept(text: str) -> str:
    """Why PostgreSQL keeps no such JSON; "" when it does. SQLite keeps what only looks like text when escaped."""
    if _MAY_HIDE.search(text):
        for one in _texts(json.loads(text)):
            if "\0" in one:
                return "it holds a NUL character"
            if _SURROGATE.search(one):
                return "it holds half a surrogate pair"
    return ""


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for one in value:
            yield from _texts(one)
    elif isinstance(value, dict):
        for name, one in value.items():
            yield name
            yield from _texts(one)


class StrictOperations(DatabaseOperations):
    def integer_field_range(self, internal_type: str) -> tuple[int, int]:
        """PostgreSQL's: forms then refuse the same numbers."""
        return BaseDatabaseOperations.integer_field_range(self, internal_type)  # type: ignore[return-value]

    def adapt_json_value(self, value: Any, encoder: type[json.JSONEncoder] | None) -> Any:
        text = super().adapt_json_value(value, encoder)
        if why := unkept(text):
            raise DataError(f"no JSON that can be kept: {why}")
        return text
