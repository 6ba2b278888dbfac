"""Take a backup back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError

from calcinosis_registry.operations.manifest import BackupRefused
from calcinosis_registry.operations.progress import Progress
from calcinosis_registry.operations.restore import check_backup, restore


class Command(BaseCommand):
    help = "Take a backup back into an empty register, and verify it. With --check: look only, write nothing."
    requires_system_checks = []  # they ask the database, which is not there yet

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("directory", type=Path, help="what manage.py backup made")
        parser.add_argument("--check", action="store_true", help="is it whole, and could it be taken back here?")

    def handle(self, *args: Any, **options: Any) -> None:
        """Raises CommandError with the reason; before the database is written, the place is as it was."""
        progress = Progress(self.stderr)
        try:
            if options["check"]:
                content = check_backup(options["directory"], progress)
                self.stdout.write(f"The backup of {content['finished_at']} is whole.")
                return
            restore(options["directory"], progress, say=self.stdout.write)
        except (BackupRefused, OSError, DatabaseError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write("Restored. Everybody signs in again.")
