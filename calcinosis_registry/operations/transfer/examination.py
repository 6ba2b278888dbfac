"""Everything PostgreSQL would refuse, found before anything is written to it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from django.db.migrations.loader import MigrationLoader

from calcinosis_registry.operations.backup import Tell
from calcinosis_registry.operations.transfer.source import Source
from calcinosis_registry.operations.transfer.tables import Sum, Table, TransferRefused, Unfit

BROKEN_RULE = "CHECK constraint failed in "


@dataclass
class Examined:
    """``faults``: {(table, column, why): row numbers}; ``damages``: of the file itself; ``sums`` per table."""

    sums: dict[str, Sum] = field(default_factory=dict)
    faults: dict[tuple[str, str, str], list[int]] = field(default_factory=dict)
    damages: list[str] = field(default_factory=list)

    def told(self) -> Iterator[str]:
        """A line for each fault, with the numbers of all its rows and never a value."""
        yield from self.damages
        for (table, column, why), rows in sorted(self.faults.items()):
            word = "row" if len(rows) == 1 else "rows"
            yield f"{table}.{column}: {why}: {word} {in_words(rows)}"

    def refuse(self) -> None:
        if lines := list(self.told()):
            count = sum(len(rows) for rows in self.faults.values()) + len(self.damages)
            raise TransferRefused(
                f"PostgreSQL would not take {count} values as they are stored. Nothing was written. Mend them first "
                "(docs/operations/move-to-postgresql.md):\n  " + "\n  ".join(lines)
            )


def in_words(numbers: list[int]) -> str:
    """1–3, 7"""
    spans: list[list[int]] = []
    for number in sorted(set(numbers)):
        if spans and number == spans[-1][1] + 1:
            spans[-1][1] = number
        else:
            spans.append([number, number])
    return ", ".join(str(first) if first == last else f"{first}–{last}" for first, last in spans)


def refuse_another_shape(source: Source, tables: dict[str, Table]) -> None:
    """Raises TransferRefused for a file that this software did not lay out, or laid out long ago."""
    there = source.tables()
    if "django_migrations" not in there:
        raise TransferRefused(f"{source.file} holds no register.")
    loader = MigrationLoader(None)
    applied = source.migrations()
    known = set(loader.disk_migrations) | {old for one in loader.disk_migrations.values() for old in one.replaces}
    if newer := sorted(applied - known):
        raise TransferRefused(f"{source.file} was written by newer software: {'.'.join(newer[0])} is unknown here.")
    if waiting := sorted(set(loader.graph.leaf_nodes()) - applied):
        raise TransferRefused(
            f"{source.file} is of older software: {'.'.join(waiting[0])} was not applied. Without DATABASE_URL, run "
            "manage.py migrate first."
        )
    if others := sorted(set(there) ^ set(tables)):
        raise TransferRefused(f"{source.file} and the register differ in the table {others[0]}.")
    for name, table in tables.items():
        if others := sorted(there[name] ^ {column.name for column in table.columns}):
            raise TransferRefused(f"{source.file} and the register differ in the column {name}.{others[0]}.")


def examine(source: Source, tables: dict[str, Table], tell: Tell) -> Examined:
    """Look at every value of every row."""
    found = Examined(damages=source.damages())
    counts = source.counts(tables)
    total, done = sum(counts.values()), 0
    for name, table in tables.items():
        found.sums[name] = summed = Sum()
        for chunk in source.rows(table):
            for row, *values in chunk:
                try:
                    summed.add(table.said(values))
                except Unfit:
                    _tell_faults(found, table, row, values)
            done += len(chunk)
            tell("examining", done, total)
        summed.done()
    for name, column, row, parent in source.broken_links():
        found.faults.setdefault((name, column, f"it leads to no row of {parent}"), []).append(row)
    told = {table for table, _column, _why in found.faults}  # then SQLite's rule and ours found the same
    found.damages = [one for one in found.damages if one.removeprefix(BROKEN_RULE) not in told]
    return found


def _tell_faults(found: Examined, table: Table, row: int, values: list) -> None:
    for column, why in table.faults(values):
        found.faults.setdefault((table.name, column, why), []).append(row)
