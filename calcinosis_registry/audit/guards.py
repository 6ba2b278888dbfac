"""Triggers that keep the trail append-only against every connection, ours included.

One change is let through: blanking values, reason and salt of an event that an event "erased" of the same patient
follows. A table rebuilt by a migration loses its triggers without a word (SQLite), so they are compared and made again
after every migrate, and no server starts without them.
"""

from __future__ import annotations

import re
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, connection, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from calcinosis_registry.audit.models import Action, Event

MESSAGE = "the audit trail is append-only"
MISSING = "The audit trail is not protected: triggers are missing or changed ({names}). Run: manage.py migrate"
TABLE = Event._meta.db_table
BLANKED = ("changes", "reason", "salt")
FUNCTION = f"{TABLE}_guard"


def missing(connection: BaseDatabaseWrapper = connection) -> list[str]:
    """Names of the triggers that are absent, changed or switched off; nothing while there is no table to guard."""
    if not _has_table(connection):
        return []
    found = _found(connection)
    return sorted(name for name, sql in _expected(connection).items() if found.get(name) != sql)


def install(connection: BaseDatabaseWrapper = connection) -> None:
    """Make what is missing."""
    if missing(connection):
        with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
            _drop(connection, cursor)
            if connection.vendor == "postgresql":
                cursor.execute(_function())
            for name, sql in _expected(connection).items():
                cursor.execute(sql)
                if connection.vendor == "postgresql":  # also where triggers are switched off for a session
                    cursor.execute(f"ALTER TABLE {TABLE} ENABLE ALWAYS TRIGGER {name}")


def lift(connection: BaseDatabaseWrapper = connection) -> None:
    """Take the triggers away: for migrations of the table itself, and between tests."""
    with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        _drop(connection, cursor)


def install_after_migrate(*, using: str, **_signal: Any) -> None:
    from django.db import connections  # the name of the module's default stands for one of these

    install(connections[using])


def refuse() -> None:
    """For the servers: do not start. Raises ImproperlyConfigured."""
    try:
        names = missing()
    except DatabaseError:  # no database yet: the readiness probe says that
        return
    if names:
        raise ImproperlyConfigured(MISSING.format(names=", ".join(names)))


def _has_table(connection: BaseDatabaseWrapper) -> bool:
    with connection.cursor() as cursor:
        if TABLE not in connection.introspection.table_names(cursor):
            return False
        columns = {column.name for column in connection.introspection.get_table_description(cursor, TABLE)}
    return columns >= {field.column for field in Event._meta.concrete_fields}


def _kept() -> list[str]:
    return [field.column for field in Event._meta.concrete_fields if field.column not in BLANKED]


_SCHEMA = re.compile(r" ON \w+\.")
_ERASED = (
    f"EXISTS (SELECT 1 FROM {TABLE} AS later WHERE later.patient = OLD.patient "  # noqa: S608  names of our own
    f"AND later.action = '{Action.ERASE}' AND later.id > OLD.id)"
)


def _expected(connection: BaseDatabaseWrapper) -> dict[str, str]:
    """{name: the statement that makes it}, as the database shows it again."""
    if connection.vendor == "postgresql":
        return {
            f"{TABLE}_rows": f"CREATE TRIGGER {TABLE}_rows BEFORE DELETE OR UPDATE ON {TABLE} "
            f"FOR EACH ROW EXECUTE FUNCTION {FUNCTION}()",
            f"{TABLE}_truncate": f"CREATE TRIGGER {TABLE}_truncate BEFORE TRUNCATE ON {TABLE} "
            f"FOR EACH STATEMENT EXECUTE FUNCTION {FUNCTION}()",
        }
    refuse = f"BEGIN SELECT RAISE(ABORT, '{MESSAGE}'); END"
    same = " AND ".join(f"NEW.{name} IS OLD.{name}" for name in _kept())
    # INSERT OR REPLACE walks past the triggers on UPDATE and DELETE.
    taken = f"EXISTS (SELECT 1 FROM {TABLE} WHERE id = NEW.id)"  # noqa: S608
    return {
        f"{TABLE}_replace": f"CREATE TRIGGER {TABLE}_replace BEFORE INSERT ON {TABLE} WHEN {taken} {refuse}",
        f"{TABLE}_delete": f"CREATE TRIGGER {TABLE}_delete BEFORE DELETE ON {TABLE} {refuse}",
        f"{TABLE}_update": f"CREATE TRIGGER {TABLE}_update BEFORE UPDATE ON {TABLE} WHEN NOT (NEW.changes = '{{}}' "
        f"AND NEW.reason = '' AND NEW.salt = '' AND OLD.patient <> '' AND {same} AND {_ERASED}) {refuse}",
    }


def _function() -> str:
    kept = "ARRAY[" + ", ".join(f"'{name}'" for name in BLANKED) + "]"
    return f"CREATE OR REPLACE FUNCTION {FUNCTION}() RETURNS trigger LANGUAGE plpgsql AS $guard${_body(kept)}$guard$"


def _body(blanked: str) -> str:
    return f"""
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF NEW.changes = '{{}}'::jsonb AND NEW.reason = '' AND NEW.salt = '' AND OLD.patient <> ''
            AND to_jsonb(NEW) - {blanked} = to_jsonb(OLD) - {blanked} AND {_ERASED} THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION '{MESSAGE}';
END
"""


def _found(connection: BaseDatabaseWrapper) -> dict[str, str]:
    """The triggers as they stand. On PostgreSQL one with another body, or switched off, is told as ""."""
    with connection.cursor() as cursor:
        if connection.vendor != "postgresql":
            cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = %s", [TABLE])
            return dict(cursor.fetchall())
        cursor.execute(
            "SELECT t.tgname, pg_get_triggerdef(t.oid), t.tgenabled, p.prosrc FROM pg_trigger t "
            "JOIN pg_proc p ON p.oid = t.tgfoid WHERE t.tgrelid = to_regclass(%s) AND NOT t.tgisinternal",
            [TABLE],
        )
        whole = _function()
        return {
            name: _SCHEMA.sub(" ON ", sql) if enabled == "A" and f"$guard${body}$guard$" in whole else ""
            for name, sql, enabled, body in cursor.fetchall()
        }


def _drop(connection: BaseDatabaseWrapper, cursor: Any) -> None:
    for name in _found(connection):
        cursor.execute(f"DROP TRIGGER {name}" + (f" ON {TABLE}" if connection.vendor == "postgresql" else ""))
