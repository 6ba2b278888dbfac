"""One consistent copy of the database while others write, and back again: SQLite by its online backup, PostgreSQL by
pg_dump. What a backup says about the database is asked of the very state that is copied."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection, transaction

from calcinosis_registry.operations.manifest import BackupRefused

PARTS = {"sqlite": "database.sqlite3", "postgresql": "database.dump"}
# No table: triggers of a SQLite file whose rows moved to PostgreSQL ask for it, so that every write fails (transfer/).
CLOSED = "moved_to_postgresql"


@dataclass(frozen=True)
class Facts:
    """What one state of the database says: rows per table, migrations applied, files named, the trail's last event."""

    rows: dict[str, int]
    migrations: list[str]
    files: list[str]
    trail: dict[str, Any]

    @classmethod
    def of(cls, cursor: Any) -> Facts:
        """``cursor``: of any DB-API connection to one of the two databases."""
        quote = connection.ops.quote_name
        rows = {}
        for table in tables(cursor):
            cursor.execute(f"SELECT COUNT(*) FROM {quote(table)}")  # noqa: S608  a name the database gave us
            rows[table] = cursor.fetchone()[0]
        cursor.execute("SELECT app, name FROM django_migrations ORDER BY app, name")
        migrations = [f"{app}.{name}" for app, name in cursor.fetchall()]
        cursor.execute("SELECT DISTINCT sha256 FROM lesions_imagingfile ORDER BY sha256")
        files = [one for (one,) in cursor.fetchall()]
        cursor.execute("SELECT id, seal FROM audit_event ORDER BY id DESC LIMIT 1")
        last, seal = cursor.fetchone() or (0, "")
        return cls(rows, migrations, files, {"last": last, "seal": seal})


def tables(cursor: Any) -> list[str]:
    if connection.vendor == "sqlite":
        cursor.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name")
    else:
        cursor.execute(
            "SELECT tablename FROM pg_catalog.pg_tables WHERE schemaname = current_schema() ORDER BY tablename"
        )
    return [name for (name,) in cursor.fetchall()]


def size() -> int:
    """About as many bytes as a copy takes at most."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()")
        else:
            cursor.execute("SELECT pg_database_size(current_database())")
        return int(cursor.fetchone()[0])


def is_empty() -> bool:
    """Whether the register's database holds no table at all."""
    with connection.cursor() as cursor:
        return not tables(cursor)


def take(folder: Path) -> Facts:
    """Copy the database into ``folder`` under its name in PARTS. Raises BackupRefused when that cannot be done."""
    target = folder / PARTS[connection.vendor]
    facts = _take_sqlite(target) if connection.vendor == "sqlite" else _take_postgresql(target)
    os.chmod(target, 0o600)
    with target.open("rb") as file:
        os.fsync(file.fileno())
    return facts


def _take_sqlite(target: Path) -> Facts:
    source = sqlite3.connect(f"file:{settings.DATABASES['default']['NAME']}?mode=ro", uri=True, timeout=20)
    with closing(source), closing(sqlite3.connect(target)) as copy:
        # All pages in one step: one read transaction, so writers go on and the copy is one state. In several steps
        # every commit in between would begin it anew.
        source.backup(copy, pages=-1)
        copy.execute("PRAGMA journal_mode=DELETE")  # one file, no -wal beside it
        check_sqlite(copy)
        return Facts.of(copy.cursor())


def _take_postgresql(target: Path) -> Facts:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        cursor.execute("SELECT pg_export_snapshot()")
        (snapshot,) = cursor.fetchone()
        run_client("pg_dump", "--format=custom", "--no-owner", "--no-privileges", "--lock-wait-timeout=20s",
                   f"--snapshot={snapshot}", f"--file={target}")  # fmt: skip
        return Facts.of(cursor)


def check(folder: Path, said: dict[str, Any]) -> None:
    """Is the copy sound, and what the manifest says? Read only. Raises BackupRefused with the reason."""
    part = folder / PARTS[connection.vendor]
    if connection.vendor == "postgresql":
        run_client("pg_restore", "--list", str(part), connected=False)
        return
    # immutable: SQLite neither locks nor writes anything beside the file
    with closing(sqlite3.connect(f"file:{part}?mode=ro&immutable=1", uri=True)) as copy:
        try:
            check_sqlite(copy)
            compare(said, Facts.of(copy.cursor()))
        except sqlite3.DatabaseError as error:
            raise BackupRefused(f"{part.name} is no sound database: {error}.") from error


def check_sqlite(copy: sqlite3.Connection) -> None:
    (answer,) = copy.execute("PRAGMA integrity_check").fetchone()
    if answer != "ok":
        raise BackupRefused(f"The database is damaged: {answer}")
    if broken := copy.execute("PRAGMA foreign_key_check").fetchall():
        raise BackupRefused(f"The database is damaged: {len(broken)} rows point at rows that are not there.")


def compare(said: dict[str, Any], facts: Facts) -> None:
    """Raises BackupRefused where the database is not what the manifest says."""
    for table in sorted(set(said["rows"]) | set(facts.rows)):
        wanted, found = said["rows"].get(table), facts.rows.get(table)
        if wanted != found:
            raise BackupRefused(f"Table {table} has {found} rows; the manifest says {wanted}.")
    if said["migrations"] != facts.migrations:
        raise BackupRefused("The migrations of the database are not those of the manifest.")
    if said["trail"] != facts.trail:
        raise BackupRefused("The last event of the trail is not the one of the manifest.")


def load(folder: Path) -> None:
    """Put the copy in the place of the empty database: whole or not at all."""
    part = folder / PARTS[connection.vendor]
    if connection.vendor == "postgresql":
        run_client("pg_restore", "--exit-on-error", "--single-transaction", "--no-owner", "--no-privileges", str(part))
        return
    connection.close()
    final = Path(settings.DATABASES["default"]["NAME"])
    aside = final.with_name(final.name + ".restoring")
    aside.unlink(missing_ok=True)
    shutil.copyfile(part, aside)
    os.chmod(aside, 0o600)
    with aside.open("rb") as file:
        os.fsync(file.fileno())
    for suffix in ("-wal", "-shm", "-journal"):  # of the empty database; they would not fit this one
        final.with_name(final.name + suffix).unlink(missing_ok=True)
    os.replace(aside, final)


def sound() -> None:
    """The restored database itself. Raises BackupRefused."""
    if connection.vendor == "sqlite":
        connection.ensure_connection()
        check_sqlite(connection.connection)


def run_client(program: str, *arguments: str, connected: bool = True) -> None:
    """One of PostgreSQL's own programs, on the register's database. Raises BackupRefused with its message."""
    told = settings.DATABASES["default"]
    env, where = dict(os.environ), []
    if connected:
        env |= {"PGPASSWORD": told["PASSWORD"]} if told.get("PASSWORD") else {}
        env |= {"PGSSLMODE": mode} if (mode := told.get("OPTIONS", {}).get("sslmode")) else {}
        where = [f"--dbname={told['NAME']}"]
        where += [f"--host={told['HOST']}"] if told.get("HOST") else []
        where += [f"--port={told['PORT']}"] if told.get("PORT") else []
        where += [f"--username={told['USER']}", "--no-password"] if told.get("USER") else ["--no-password"]
    done = subprocess.run(  # noqa: S603  a fixed program, no shell
        [find_client(program), *where, *arguments],
        env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    if done.returncode:
        raise BackupRefused(f"{program} failed: {done.stderr.strip().splitlines()[-1] if done.stderr else '?'}")


def find_client(program: str) -> str:
    """Debian's newest version, which reads every older server; else what is on the path."""
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{program}"), key=lambda path: float(path.parts[4]))
    path = str(found[-1]) if found else shutil.which(program)
    if not path:
        raise BackupRefused(f"{program} is not installed (Debian: apt-get install postgresql-client).")
    return path
