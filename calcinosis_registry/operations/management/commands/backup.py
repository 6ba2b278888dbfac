"""A backup of the register while it is in use."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from calcinosis_registry.operations.backup import make_backup
from calcinosis_registry.operations.manifest import BackupRefused
from calcinosis_registry.operations.progress import Progress

NOT_IN_IT = (
    "The keys are NOT in it (REGISTRY_DATA/keys, or those of the environment): without them it cannot be taken back. "
    "Keep a copy of them elsewhere, never beside the backups."
)


class Command(BaseCommand):
    help = "Copy database and files of the register, in use or not, into a new directory; keys are not copied."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("directory", type=Path, help="does not exist yet; its parent does")

    def handle(self, *args: Any, **options: Any) -> None:
        """Raises CommandError with the reason when no backup was made, or the register has lost files."""
        try:
            made = make_backup(options["directory"], Progress(self.stderr))
        except (BackupRefused, OSError) as error:
            raise CommandError(f"No backup was made. {error}") from error
        self.stdout.write(
            f"{made.folder}: {made.bytes / 2**20:.1f} MB, {made.files} files, finished {made.finished_at}."
        )
        self.stdout.write(NOT_IN_IT)
        if made.problems:
            told = "\n  ".join(made.problems)
            raise CommandError(f"The backup is whole, but the register is not:\n  {told}")
