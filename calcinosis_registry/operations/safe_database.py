"""A database that forgets what it acknowledged is refused at start: the database itself is asked."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core import checks
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, connection

from calcinosis_registry.operations.databases import CLOSED

# {setting: (what it must be, why)}
POSTGRESQL = {
    "fsync": ("on", "an acknowledged save would not be on the disk"),
    "full_page_writes": ("on", "a power cut in the middle of a page would damage it for good"),
    "synchronous_commit": ("on", "a crash would take acknowledged saves back"),
}
BETTER = {"synchronous_commit": {"on", "remote_apply", "remote_write"}}
SQLITE: dict[str, tuple[set[Any], str, str]] = {
    "synchronous": ({2, 3}, "FULL", "a power cut would take acknowledged saves back"),
    "foreign_keys": ({1}, "ON", "records could lose what they belong to"),
    "journal_mode": ({"wal"}, "WAL", "readers and writers would lock each other out"),
}
MOVED = "This register moved to PostgreSQL: set DATABASE_URL. To go back: manage.py transfer_db --back."


def reasons() -> list[str]:
    """Why this database must not hold real patients, one sentence each. Empty where it may."""
    found = []
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            for name, (wanted, why) in POSTGRESQL.items():
                cursor.execute("SELECT current_setting(%s)", [name])
                (value,) = cursor.fetchone()
                if value not in BETTER.get(name, {wanted}):
                    found.append(f"PostgreSQL runs with {name}={value} instead of {wanted}: {why}.")
        elif not connection.is_in_memory_db():  # type: ignore[attr-defined]
            for name, (allowed, word, why) in SQLITE.items():
                cursor.execute(f"PRAGMA {name}")
                (value,) = cursor.fetchone()
                if value not in allowed:
                    found.append(f"SQLite runs with {name}={value} instead of {word}: {why}.")
            cursor.execute("SELECT 1 FROM sqlite_master WHERE type = 'trigger' AND name LIKE %s", [f"{CLOSED}%"])
            if cursor.fetchone():
                found.append(MOVED)
    return found


def refuse() -> None:
    """For the servers: do not start. A database that is away is no reason: pages say so until it is back."""
    if settings.DEMO:
        return
    try:
        found = reasons()
    except DatabaseError:
        return
    if found:
        raise ImproperlyConfigured(" ".join(found))


@checks.register
def database_keeps_what_it_acknowledged(app_configs: Any, **kwargs: Any) -> list[checks.CheckMessage]:
    """For every command that runs the checks."""
    try:
        found = [] if settings.DEMO else reasons()
    except DatabaseError:
        return []
    return [checks.Critical(reason, id="operations.E001") for reason in found]
