"""The register's SQLite file: read as one state that nobody changes, and closed for good when its rows have moved."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

from calcinosis_registry.operations.databases import CLOSED
from calcinosis_registry.operations.sqlite_queue.base import Turn
from calcinosis_registry.operations.transfer.tables import MIGRATIONS, Table, TransferRefused

CHUNK = 2000  # rows in memory at a time


class Source:
    """``held``: this process has the place of the one writer until it is done, so whoever saves waits; else it reads
    beside the others, one state too."""

    def __init__(self, file: Path, *, held: bool) -> None:
        self.file = file
        self._held, self._turn = held, Turn(f"{file}.queue")

    def __enter__(self) -> Source:
        if not self.file.is_file():
            raise TransferRefused(f"There is no SQLite register at {self.file}.")
        if self._held:
            self._turn.take()
        try:
            self._lite = self._opened()
        except BaseException as error:
            self._turn.give_up()
            if isinstance(error, sqlite3.OperationalError):
                why = f"{self.file} cannot be held: {error}. Stop the server and the worker."
                raise TransferRefused(why) from error
            raise
        return self

    def _opened(self) -> sqlite3.Connection:
        where = f"file:{quote(str(self.file))}?mode=rw"
        lite = sqlite3.connect(where, uri=True, isolation_level=None, timeout=20)
        try:
            lite.execute("PRAGMA synchronous=FULL")
            lite.execute("BEGIN IMMEDIATE" if self._held else "BEGIN")
            lite.execute("SELECT 1 FROM sqlite_master").fetchone()  # from here on one state is read
        except BaseException:
            lite.close()
            raise
        return lite

    def __exit__(self, *raised: object) -> None:
        self._lite.close()  # what is not committed is rolled back
        self._turn.give_up()

    def ask(self, question: str) -> list[tuple[Any, ...]]:
        self._lite.text_factory = str
        return self._lite.execute(question).fetchall()

    def tables(self) -> dict[str, set[str]]:
        """{table: its columns}"""
        names = self.ask("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
        return {name: {row[1] for row in self.ask(f'PRAGMA table_info("{name}")')} for (name,) in names}

    def migrations(self) -> set[tuple[str, str]]:
        return set(self.ask(f"SELECT app, name FROM {MIGRATIONS}"))  # type: ignore[arg-type]  # noqa: S608

    def counts(self, tables: dict[str, Table]) -> dict[str, int]:
        return {name: self.ask(f'SELECT COUNT(*) FROM "{name}"')[0][0] for name in tables}  # noqa: S608

    def sequences(self) -> dict[str, int]:
        """The last number each table ever gave, also where its row is gone."""
        return dict(self.ask("SELECT name, seq FROM sqlite_sequence"))

    def rows(self, table: Table) -> Iterator[list[tuple[Any, ...]]]:
        """Chunks of (row number, value, value …) in the order of the key. Text comes as a bytearray, undecoded."""
        columns = ", ".join(f'"{column.name}"' for column in table.columns)
        asked = self._lite.cursor()
        asked.execute(f'SELECT rowid, {columns} FROM "{table.name}" ORDER BY "{table.key}"')  # noqa: S608
        while True:
            self._lite.text_factory = bytearray
            if not (chunk := asked.fetchmany(CHUNK)):
                return
            yield chunk

    def damages(self) -> list[str]:
        """What SQLite itself finds wrong with its file: broken pages and indexes, rules of its own it did not keep."""
        return [told for (told,) in self.ask("PRAGMA integrity_check(1000)") if told != "ok"]

    def broken_links(self) -> Iterator[tuple[str, str, int, str]]:
        """(table, column, row number, where it should lead) of rows that lead nowhere."""
        links: dict[str, dict[int, str]] = {}
        for table, row, parent, number in self.ask("PRAGMA foreign_key_check"):
            if table not in links:
                links[table] = {one[0]: one[3] for one in self.ask(f'PRAGMA foreign_key_list("{table}")')}
            yield table, links[table][number], row, parent

    def last_event(self) -> int:
        return int(self.ask("SELECT COALESCE(MAX(id), 0) FROM audit_event")[0][0])

    def is_closed(self) -> bool:
        return bool(self._triggers())

    def close_for_good(self) -> None:
        """From here on every write to this file fails, also of a server that still has it open: a row of it would be
        in no register. Reading goes on."""
        for table in self.tables():
            for act in ("INSERT", "UPDATE", "DELETE"):
                # There is no such table: the database is at fault, not what was typed, so pages keep that.
                name, asks = f"{CLOSED}_{table}_{act}", f"SELECT 1 FROM {CLOSED}"  # noqa: S608
                self._lite.execute(f'CREATE TRIGGER IF NOT EXISTS "{name}" BEFORE {act} ON "{table}" BEGIN {asks}; END')
        self._lite.execute("COMMIT")

    def open_again(self) -> None:
        for name in self._triggers():
            self._lite.execute(f'DROP TRIGGER "{name}"')
        self._lite.execute("COMMIT")

    def _triggers(self) -> list[str]:
        names = self.ask("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        return [name for (name,) in names if name.startswith(f"{CLOSED}_")]
