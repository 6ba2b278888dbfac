"""manage.py verify_files [--purge] [--remove-orphans]: are all stored files there, and what they were?"""

from __future__ import annotations

import time
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from lesions import staging
from lesions.verification import remove_orphans, verify


class Command(BaseCommand):
    help = (
        "Re-hash every stored file. Lists what is missing, corrupt, or named by no record; exit 1 when there is any. "
        "Changes nothing unless asked."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--purge", action="store_true", help="first remove what interrupted uploads left more than 24 hours ago"
        )
        parser.add_argument(
            "--remove-orphans",
            action="store_true",
            help="remove files that no record names and that are older than 24 hours; not after a restore of the "
            "database alone, when their records may be what is missing",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        root, began = settings.FILES_DIR, time.perf_counter()
        if options["purge"]:
            self.stdout.write(f"{staging.sweep(root)} unfinished uploads removed.")
        report = verify(root, progress=self._progress)
        self.stderr.write("")
        if options["remove_orphans"]:
            gone = set(remove_orphans(root, report.orphans))
            self.stdout.write(f"{len(gone)} files without a record removed.")
            report.orphans = [name for name in report.orphans if name not in gone]
        for what in ("missing", "corrupt", "orphans"):
            for name in getattr(report, what):
                self.stdout.write(f"{what.removesuffix('s')}: {name}")
        seconds = time.perf_counter() - began
        told = (
            f"{report.checked} files read ({report.bytes / 1e6:.1f} MB in {seconds:.1f} s): {len(report.missing)} "
            f"missing, {len(report.corrupt)} corrupt, {len(report.orphans)} without a record."
        )
        if not report.well:
            raise CommandError(told)
        self.stdout.write(told)

    def _progress(self, done: int, total: int) -> None:
        if done % 100 == 0 or done == total:
            self.stderr.write(f"\r{done} of {total}", ending="")
