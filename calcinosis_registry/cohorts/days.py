"""A stored date, whole or partial, as the numbers of its first and last possible day; the same on both databases."""

from __future__ import annotations

import datetime
from typing import Any

from django.db import models
from django.db.models import Func, IntegerField, TextField, Value
from django.db.models.functions import Cast

EPOCH = datetime.date(1970, 1, 1)


def number_of(day: datetime.date) -> int:
    return (day - EPOCH).days


class FirstDay(Func):
    """``2015`` → the number of 2015-01-01; null where nothing is known."""

    output_field = IntegerField()
    arity = 1
    # Padded with the rest of the first day: 2015 → 2015-01-01, 2015-06 → 2015-06-01.
    SQLITE = "CASE WHEN {x} IS NULL OR {x} = 'unknown' THEN NULL ELSE CAST(julianday({day}) - 2440587.5 AS INTEGER) END"
    POSTGRES = "CASE WHEN {x} IS NULL OR {x} = 'unknown' THEN NULL ELSE ({day} - DATE '1970-01-01') END"
    PADDED = "substr({x} || substr('-01-01', length({x}) - 3), 1, 10)"

    def __init__(self, *expressions: Any, **extra: Any) -> None:
        super().__init__(*(Cast(one, TextField()) for one in expressions), **extra)

    def as_sqlite(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        return self._as(compiler, connection, self.SQLITE, self.sqlite_day())

    def as_postgresql(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        return self._as(compiler, connection, self.POSTGRES, self.postgres_day())

    def sqlite_day(self) -> str:
        return self.PADDED

    def postgres_day(self) -> str:
        return f"CAST({self.PADDED} AS DATE)"

    def _as(self, compiler: Any, connection: Any, template: str, day: str) -> Any:
        sql, params = compiler.compile(self.source_expressions[0])
        text = template.replace("{day}", day)
        return text.replace("{x}", sql), tuple(params) * text.count("{x}")


class LastDay(FirstDay):
    """``2015`` → the number of 2015-12-31."""

    SQLITE_MONTH = "date({x} || '-01', '+1 month', '-1 day')"
    POSTGRES_MONTH = "CAST(CAST({x} || '-01' AS DATE) + INTERVAL '1 month' - INTERVAL '1 day' AS DATE)"

    def sqlite_day(self) -> str:
        return (
            "CASE length({x}) WHEN 4 THEN {x} || '-12-31' WHEN 7 THEN "
            + self.SQLITE_MONTH
            + " ELSE substr({x}, 1, 10) END"
        )

    def postgres_day(self) -> str:
        return (
            "CASE length({x}) WHEN 4 THEN CAST({x} || '-12-31' AS DATE) WHEN 7 THEN "
            + self.POSTGRES_MONTH
            + " ELSE CAST(substr({x}, 1, 10) AS DATE) END"
        )


def constant(day: datetime.date) -> models.Expression:
    return Value(number_of(day), output_field=IntegerField())
