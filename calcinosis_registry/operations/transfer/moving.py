"""A register moves from SQLite to PostgreSQL: all of it, compared and verified, or nothing (docs/decisions/0033)."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.contenttypes.models import ContentType
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.utils import timezone

from calcinosis_registry import __version__
from calcinosis_registry.audit import witness
from calcinosis_registry.operations.backup import Tell
from calcinosis_registry.operations.restore import render_one_page
from calcinosis_registry.operations.transfer.examination import Examined, examine, refuse_another_shape
from calcinosis_registry.operations.transfer.source import Source
from calcinosis_registry.operations.transfer.tables import Sum, Table, TransferRefused, all_tables
from calcinosis_registry.operations.transfer.target import Target

Say = Callable[[str], None]


def default_file() -> Path:
    return Path(settings.DATA_DIR) / "registry.sqlite3"


def check(file: Path, tell: Tell, *, say: Say) -> None:
    """Could this register move, and, where DATABASE_URL is PostgreSQL, into that database? Writes nothing."""
    tables = all_tables()
    with Source(file, held=False) as source:
        refuse_another_shape(source, tables)
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                Target(cursor, tables).refuse_unless_fit()
        found = examine(source, tables, tell)
        found.refuse()
    say(f"{_counted(found.sums)} can move as they are.")
    if connection.vendor != "postgresql":
        say("DATABASE_URL is no PostgreSQL database: where they would go was not looked at.")


def move(file: Path, tell: Tell, *, say: Say) -> None:
    """Examine, copy, compare, verify; commit; and close the SQLite file for good. Raises TransferRefused."""
    if connection.vendor != "postgresql":
        raise TransferRefused("Set DATABASE_URL to the new, empty PostgreSQL database.")
    tables = all_tables()
    with Source(file, held=True) as source:
        refuse_another_shape(source, tables)
        with connection.cursor() as cursor:
            Target(cursor, tables).refuse_unless_fit()
        found = examine(source, tables, tell)
        found.refuse()
        with transaction.atomic(), connection.cursor() as cursor:
            target = Target(cursor, tables)
            tell("tables", 0, 1)
            target.prepare()
            tell("tables", 1, 1)
            with target.bare():
                _copy(source, target, tables, tell)
                tell("indexes and links", 0, 1)
            tell("indexes and links", 1, 1)
            target.go_on_counting(source.sequences())
            target.analyze()
            _compare(target, tables, found, tell)
            ContentType.objects.clear_cache()
            _verify(say)
            # Closed before the commit: whoever is killed between the two runs the command again, and of no moment are
            # there two registers that take what is saved.
            source.close_for_good()
    say(f"{_counted(found.sums)} moved, each as it was.")
    try:
        say(f"Written down in {_report(file, found)}.")
    except OSError as error:  # it has moved all the same
        say(f"What moved could not be written down: {error}.")


def _copy(source: Source, target: Target, tables: dict[str, Table], tell: Tell) -> None:
    total, done = sum(source.counts(tables).values()), 0
    for table in tables.values():
        for count in target.copy(table, source.rows(table)):
            done += count
            tell("copying", done, total)


def _compare(target: Target, tables: dict[str, Table], found: Examined, tell: Tell) -> None:
    """Rows and checksums of both sides. Raises TransferRefused."""
    for done, table in enumerate(tables.values(), 1):
        said, there = found.sums[table.name], target.sum(table)
        if (said.rows, said.sha256) != (there.rows, there.sha256):
            raise TransferRefused(
                f"The table {table.name} is not what it was: {said.rows} rows of SQLite, {there.rows} of PostgreSQL, "
                "and their checksums differ. Nothing was kept. This is a fault of the register: report it."
            )
        tell("comparing", done, len(tables))


def _verify(say: Say) -> None:
    """Trail, signatures and a page, asked of PostgreSQL as ever. Raises TransferRefused."""
    for command in ("verify_audit", "verify_signatures"):
        out = io.StringIO()
        try:
            call_command(command, stdout=out, stderr=io.StringIO())
        except CommandError as error:
            raise TransferRefused(
                f"{out.getvalue()}{error} Every row is as it was in SQLite, so it does not hold there either: run "
                f"manage.py {command} without DATABASE_URL and settle that first. Nothing was kept."
            ) from error
        say(out.getvalue().strip())
    say(render_one_page())


def _counted(sums: dict[str, Sum]) -> str:
    return f"{sum(one.rows for one in sums.values())} rows in {len(sums)} tables"


def _report(file: Path, found: Examined) -> Path:
    """What moved, for whoever must show it one day: counts and checksums, no values."""
    now = timezone.now()
    to = connection.settings_dict
    told: dict[str, Any] = {
        "at": now.isoformat(), "software": __version__, "from": str(file),
        "to": f"{to['HOST'] or 'local'}:{to['PORT'] or 5432}/{to['NAME']}",
        "tables": {name: asdict(one) for name, one in found.sums.items()},
    }  # fmt: skip
    path = Path(settings.DATA_DIR) / f"moved-to-postgresql-{now:%Y%m%dT%H%M%SZ}.json"
    path.write_text(json.dumps(told, indent=1), encoding="utf-8")
    os.chmod(path, 0o600)
    return path


def go_back(file: Path) -> None:
    """Open the SQLite file again. Raises TransferRefused where people have worked in PostgreSQL since."""
    with Source(file, held=True) as source:
        if not source.is_closed():
            raise TransferRefused(f"{file} is open: nothing moved away from it.")
        try:
            head = witness.head()
        except (witness.Unreadable, OSError) as error:
            raise TransferRefused("The head of the audit trail cannot be read (REGISTRY_WITNESS).") from error
        later = (head.id if head else 0) - source.last_event()
        if later > 0:
            raise TransferRefused(
                f"The audit trail has {later} events since the move: going back would lose what they tell of. Stay "
                "with PostgreSQL; if its server is lost, restore its backup."
            )
        source.open_again()
