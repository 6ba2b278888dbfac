"""The migrations take twenty seconds of processor. On SQLite they make the tables once for a state of the code, in a
file that every later process of the tests copies; on PostgreSQL they run as they are."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.commands.migrate import Command
from django.db import connection

ROOT = Path(__file__).resolve().parents[1]


def kept() -> Path:
    """Where the tables of the code as it stands are kept: another line of it is another file."""
    state = hashlib.sha256(b"1")
    for package in ("calcinosis_registry", "lesions", "patients"):
        for source in sorted((ROOT / package).rglob("*.py")):
            state.update(source.read_bytes())
    state.update((ROOT / "requirements.txt").read_bytes())
    return Path(settings.DATA_DIR) / f"tables-{state.hexdigest()[:16]}.sqlite3"


def copied_or_made(migrate: Callable[..., Any]) -> Callable[..., Any]:
    """``migrate`` for the database of a test run: the first process makes the tables, the others wait and copy."""

    def handle(command: Command, *args: Any, **options: Any) -> Any:
        if connection.vendor != "sqlite" or not options.get("run_syncdb"):
            return migrate(command, *args, **options)
        file = kept()
        with Path(f"{file}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            connection.ensure_connection()
            if file.exists():
                with closing(sqlite3.connect(file)) as source:
                    source.backup(connection.connection)
                return None
            for old in file.parent.glob("tables-*.sqlite3"):
                old.unlink()
            done = migrate(command, *args, **options)
            with closing(sqlite3.connect(f"{file}.part")) as target:
                connection.connection.backup(target)
            os.replace(f"{file}.part", file)
            return done

    return handle


def lay(database: Path) -> None:
    """Put the tables at ``database``, for a register of a test's own that is about to migrate."""
    if kept().exists():
        shutil.copyfile(kept(), database)
