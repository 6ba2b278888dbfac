"""After a restore: erase again whoever was erased since the backup."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from calcinosis_registry.audit import witness
from calcinosis_registry.rights.services import replay_erasures


class Command(BaseCommand):
    help = "Read the list of erasures in WITNESS_DIR and erase again whom a restored backup brought back."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            done = replay_erasures()
        except (witness.Unreadable, OSError) as problem:
            raise CommandError(f"The list of erasures in WITNESS_DIR cannot be read: {problem}") from problem
        if done.erased and connection.vendor == "sqlite":
            with connection.cursor() as cursor:
                cursor.execute("VACUUM")  # what a backup had lying about in free pages
        self.stdout.write(f"{len(done.erased)} erased again, {done.files} of their files removed.")
