"""The PostgreSQL database: empty before, and afterwards with every row, index, link and trigger, or empty again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.db import connection

from calcinosis_registry.audit import guards
from calcinosis_registry.operations import databases, safe_database
from calcinosis_registry.operations.transfer.tables import MADE_BY_MIGRATE, Sum, Table, TransferRefused

MOVING = 0x6D6F7665  # PostgreSQL's lock of whoever moves a register into this database
# How values are written and read, whatever the server is set to; and nothing that ends a long statement.
SESSION = {
    "TimeZone": "UTC", "DateStyle": "ISO, YMD", "bytea_output": "hex", "extra_float_digits": "1",
    "statement_timeout": "0", "idle_in_transaction_session_timeout": "0", "lock_timeout": "10s",
    "maintenance_work_mem": "256MB",
}  # fmt: skip
# An index with a condition or an expression stays ("k"): PostgreSQL writes it down otherwise than it was told.
STRUCTURE = """
SELECT conrelid::regclass::text, quote_ident(conname), contype::text,
       pg_get_constraintdef(oid) || CASE WHEN convalidated THEN '' ELSE ' NOT VALID' END
FROM pg_constraint WHERE connamespace = current_schema()::regnamespace AND contype IN ('f', 'u', 'p', 'c')
UNION ALL
SELECT indrelid::regclass::text, indexrelid::regclass::text,
       CASE WHEN indpred IS NULL AND indexprs IS NULL THEN 'i' ELSE 'k' END, pg_get_indexdef(indexrelid)
FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
WHERE relnamespace = current_schema()::regnamespace
  AND NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conindid = indexrelid AND contype IN ('u', 'p', 'x'))
ORDER BY 3, 1, 2
"""


class Target:
    """Inside one transaction of the register's own connection."""

    def __init__(self, cursor: Any, tables: dict[str, Table]) -> None:
        self._cursor, self._tables = cursor, tables

    def prepare(self) -> None:
        """Tables as `migrate` makes them, with nothing in them, for nobody but us. Raises TransferRefused."""
        self._ask("SELECT pg_try_advisory_xact_lock(%s)", [MOVING], wanted=True, otherwise="Another move is running.")
        for name, value in SESSION.items():
            self._cursor.execute("SELECT set_config(%s, %s, true)", [name, value])
        self.refuse_unless_fit()
        call_command("migrate", verbosity=0, interactive=False)
        self._cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # what waits for the commit would keep tables in use
        there = set(databases.tables(self._cursor))
        if others := sorted(there ^ set(self._tables)):
            raise TransferRefused(f"The PostgreSQL database and the register differ in the table {others[0]}.")
        names = ", ".join(_quoted(name) for name in self._tables)
        self._cursor.execute(f"LOCK TABLE {names} IN ACCESS EXCLUSIVE MODE")
        self._refuse_rows(there)

    def refuse_unless_fit(self) -> None:
        """Raises TransferRefused for a database that holds anything, or would not keep a register."""
        if not settings.DEMO and (reasons := safe_database.reasons()):
            raise TransferRefused(" ".join(reasons))
        encoded = "The PostgreSQL database is not encoded as UTF8: createdb --encoding=UTF8 --template=template0"
        self._ask("SHOW server_encoding", wanted="UTF8", otherwise=encoded)
        there = set(databases.tables(self._cursor))
        if others := sorted(there - set(self._tables)):
            raise TransferRefused(
                f"The PostgreSQL database holds tables that are not a register's, first {others[0]}: give the register "
                "a database of its own."
            )
        self._refuse_rows(there)

    def _ask(self, question: str, values: Iterable[Any] = (), *, wanted: Any, otherwise: str) -> None:
        self._cursor.execute(question, list(values))
        if self._cursor.fetchone()[0] != wanted:
            raise TransferRefused(otherwise)

    def _refuse_rows(self, there: set[str]) -> None:
        for name in sorted(there.difference(MADE_BY_MIGRATE)):
            self._cursor.execute(f"SELECT EXISTS (SELECT 1 FROM {_quoted(name)})")  # noqa: S608
            if self._cursor.fetchone()[0]:
                raise TransferRefused(
                    f"The PostgreSQL database is not empty: {name} has rows. A register moves into an empty database "
                    "only; nothing there was changed."
                )

    @contextmanager
    def bare(self) -> Iterator[None]:
        """Without links, and without indexes but those of keys: built once over all rows they cost a fraction, and
        links checked row by row would stand in the server's memory, all of them. Afterwards all stand as before."""
        before = self._structure()
        for table, name, kind, _sql in before:  # links first: they lean on the indexes
            if kind in "fu":
                self._cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
            elif kind == "i":
                self._cursor.execute(f"DROP INDEX {name}")
        for name in MADE_BY_MIGRATE:
            self._cursor.execute(f"DELETE FROM {_quoted(name)}")  # noqa: S608
        yield
        for table, name, kind, sql in reversed(before):
            if kind in "fu":
                self._cursor.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} {sql}")
            elif kind == "i":
                self._cursor.execute(sql)
        if self._structure() != before or guards.missing():
            raise TransferRefused("Links, indexes or triggers of the PostgreSQL database are not as migrate made them.")

    def _structure(self) -> list[tuple[str, str, str, str]]:
        self._cursor.execute(STRUCTURE)
        return list(self._cursor.fetchall())

    def copy(self, table: Table, chunks: Iterable[list[tuple[Any, ...]]]) -> Iterator[int]:
        """Write the rows of a table; yields how many, chunk by chunk."""
        columns = ", ".join(_quoted(column.name) for column in table.columns)
        with self._cursor.copy(f"COPY {_quoted(table.name)} ({columns}) FROM STDIN") as into:
            for chunk in chunks:
                into.write(b"".join([table.line(values) for _row, *values in chunk]))
                yield len(chunk)

    def sum(self, table: Table) -> Sum:
        """Read a table back."""
        columns = ", ".join(_quoted(column.name) for column in table.columns)
        order = _quoted(table.key) + (' COLLATE "C"' if table.key_is_text else "")
        found = Sum()
        question = f"SELECT {columns} FROM {_quoted(table.name)} ORDER BY {order}"  # noqa: S608
        with self._cursor.copy(f"COPY ({question}) TO STDOUT") as rows:
            for line in rows:
                found.add(table.heard(bytes(line)))
        return found.done()

    def go_on_counting(self, sequences: dict[str, int]) -> None:
        """A number once given is never given again, also where its row is gone."""
        for table in self._tables.values():
            if table.counted and (last := sequences.get(table.name, 0)):
                self._cursor.execute(
                    "SELECT setval(pg_get_serial_sequence(%s, %s), %s)", [_quoted(table.name), table.key, last]
                )

    def analyze(self) -> None:
        """Without it the first questions would be planned as if all tables were empty."""
        self._cursor.execute("ANALYZE")


def _quoted(name: str) -> str:
    return connection.ops.quote_name(name)
