"""Move the register from SQLite to PostgreSQL.

    DATABASE_URL=postgres://… manage.py transfer_db            the SQLite file of REGISTRY_DATA into that database
    manage.py transfer_db --check                              look only: could it move? Also while people work
    manage.py transfer_db --back                               open the SQLite file again, if nobody worked since

Nobody saves meanwhile: this command is the one writer of the SQLite file until it is done.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError

from calcinosis_registry.operations.manifest import BackupRefused
from calcinosis_registry.operations.progress import Progress
from calcinosis_registry.operations.transfer import moving
from calcinosis_registry.operations.transfer.tables import TransferRefused

NEXT = (
    "The SQLite file is closed for good. Start the register with this DATABASE_URL, and make a backup now: the earlier "
    "ones are SQLite's."
)


class Command(BaseCommand):
    help = "Move the whole register from its SQLite file into the empty PostgreSQL database of DATABASE_URL."
    requires_system_checks = []  # they ask the database, which is empty yet

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--from", dest="file", type=Path, help="the SQLite file; default: that of REGISTRY_DATA")
        either = parser.add_mutually_exclusive_group()
        either.add_argument("--check", action="store_true", help="would it be taken? Writes nothing")
        either.add_argument("--back", action="store_true", help="open the SQLite file again after a move")

    def handle(self, *args: Any, **options: Any) -> None:
        """Raises CommandError with the reason; then PostgreSQL is as it was, and so is the SQLite file."""
        file, progress = (options["file"] or moving.default_file()).resolve(), Progress(self.stderr)
        try:
            if options["check"]:
                moving.check(file, progress, say=self.stdout.write)
            elif options["back"]:
                moving.go_back(file)
                self.stdout.write(f"{file} is open again. Start the register without DATABASE_URL.")
            else:
                moving.move(file, progress, say=self.stdout.write)
                self.stdout.write(NEXT)
        except (TransferRefused, BackupRefused, OSError) as error:
            raise CommandError(str(error)) from error
        except sqlite3.DatabaseError as error:
            raise CommandError(f"{file} is damaged: {error}. Nothing was kept.") from error
        except DatabaseError as error:
            raise CommandError(_without_values(error)) from error


def _without_values(error: DatabaseError) -> str:
    """What PostgreSQL says may quote the row it is about."""
    cause = error.__cause__
    if (about := getattr(cause, "diag", None)) is None or not about.sqlstate:
        return str(error)  # of the connection, or of the driver
    where = [name for name in (about.table_name, about.column_name, about.constraint_name) if name]
    told = " ".join([type(cause).__name__, about.sqlstate, *where])
    return f"PostgreSQL refused ({told}). Nothing was kept."
