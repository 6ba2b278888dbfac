"""manage.py snapshot: the register as Parquet files, for datasets, reports and exports."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from calcinosis_registry.cohorts.snapshot import building
from calcinosis_registry.room import NoRoom


class Command(BaseCommand):
    help = "Bring the snapshot up to date: the changed patients' rows, or the whole register."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--whole", action="store_true", help="read every patient, not only the changed ones")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            made = building.build(whole=options["whole"], tell=self._tell)
        except NoRoom as error:
            raise CommandError(f"No snapshot was made, the one before, if any, stays. {error}") from error
        delta = f", {made.changed:,} of them read anew" if made.changed else ""
        print(f"{made.patients:,} patients{delta}, in {made.seconds:g} s: {made.folder}")

    @staticmethod
    def _tell(what: str, done: int, of: int) -> None:
        if sys.stderr.isatty():
            print(f"\r{100 * done // of:3d} %  {what:<30}", end="", file=sys.stderr, flush=True)
