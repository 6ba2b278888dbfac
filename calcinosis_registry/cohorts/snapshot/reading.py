"""Rows of the database as Arrow, all of one moment: past Python by ADBC, in a reading transaction of their own (of a
SQLite file in a process of its own, aside.py says why).

Inside a transaction of the caller its own connection reads: what was written there and not committed belongs to the
answer, and nobody else sees it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

from django.db import connection

from calcinosis_registry.cohorts.snapshot import aside
from calcinosis_registry.cohorts.snapshot.layout import Stored


@contextmanager
def one_moment() -> Iterator[Reader]:
    """A reader whose answers all belong to one moment."""
    if connection.in_atomic_block or _in_memory():
        yield Reader(_by_cursor)
        return
    if connection.vendor == "sqlite":
        with aside.opened(str(connection.get_connection_params()["database"])) as ask:
            yield Reader(lambda sql, _schema: ask(sql))
        return
    with _postgresql() as other, other.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield Reader(lambda sql, _schema: _by_adbc(cursor, sql))


def _in_memory() -> bool:
    """Then nobody else can open it."""
    return connection.vendor == "sqlite" and connection.is_in_memory_db()  # type: ignore[attr-defined]


class Reader:
    """Asks for the chain's head first: what is read afterwards is at least as new."""

    def __init__(self, ask: Callable[[str, Any], Any]) -> None:
        self._ask = ask

    def head(self) -> tuple[int, str]:
        """(number, seal) of the last event; (0, "") before the first."""
        import pyarrow as pa

        schema = pa.schema([("id", pa.int64()), ("seal", pa.string())])
        found = self._table("SELECT id, seal FROM audit_event ORDER BY id DESC LIMIT 1", schema)
        rows = found.to_pylist()
        return (rows[0]["id"], rows[0]["seal"]) if rows else (0, "")

    def _table(self, sql: str, schema: Any) -> Any:
        answer = self._ask(sql, schema)
        return answer.read_all() if hasattr(answer, "read_all") else answer

    def rows(self, stored: Stored, condition: str) -> Any:
        """The rows of a file whose patient meets ``condition`` (SQL, numbers only), after one row of samples."""
        import pyarrow as pa

        kinds = [
            pa.string() if one.is_text else pa.float64() if "DEC" in one.type else pa.int64() for one in stored.cells
        ]
        schema = pa.schema([pa.field(one.name, kind) for one, kind in zip(stored.cells, kinds, strict=True)])
        samples = ", ".join(f'{cell.sample()} AS "{cell.name}"' for cell in stored.cells)
        asked = ", ".join(cell.read() for cell in stored.cells)
        return self._ask(f"SELECT {samples} UNION ALL SELECT {asked} FROM {stored.origin} {condition}", schema)


def _by_cursor(sql: str, schema: Any) -> Any:
    import pyarrow as pa

    with connection.cursor() as cursor:
        cursor.execute(sql)
        rows = cursor.fetchall()
    cells = list(zip(*rows, strict=True)) or [()] * len(schema)
    return pa.table([pa.array(some, one.type) for some, one in zip(cells, schema, strict=True)], schema=schema)


def _by_adbc(cursor: Any, sql: str) -> Any:
    cursor.execute(sql)
    return cursor.fetch_record_batch()


def _postgresql() -> Any:
    from adbc_driver_postgresql import dbapi as postgresql

    told = connection.get_connection_params()
    names = {"dbname": "dbname", "user": "user", "password": "password", "host": "host", "port": "port"}
    given = "&".join(f"{key}={quote(str(told[name]), safe='')}" for name, key in names.items() if told.get(name))
    return postgresql.connect(f"postgresql:///?{given}")
