"""Is the trail as it was written?"""

from __future__ import annotations

import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from calcinosis_registry.audit import trail
from calcinosis_registry.audit.models import Event
from calcinosis_registry.audit.verification import verify


class Command(BaseCommand):
    help = "Check every event of the audit trail, its triggers and its end. Names the first event that is wrong."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--after-restore", metavar="WHY",
            help="the database is a restored backup: say in the trail how many events are lost, and go on from here",
        )  # fmt: skip

    def handle(self, *args: Any, **options: Any) -> None:
        if options["after_restore"]:
            lost = trail.continue_after_restore(reason=options["after_restore"])
            self.stdout.write(f"The trail goes on from here; {lost} events after the backup are lost.")
        started, wanted = time.monotonic(), Event.objects.count()

        def progress(done: int) -> None:
            if self.stderr.isatty():
                self.stderr.write(f"\r{done} of {wanted} events", ending="" if done < wanted else "\n")
                self.stderr.flush()

        verdict = verify(progress)
        if verdict.broken is not None:
            where = f"event {verdict.broken.event}: " if verdict.broken.event else ""
            raise CommandError(f"The audit trail is NOT as it was written: {where}{verdict.broken.why}")
        took = time.monotonic() - started
        self.stdout.write(f"{verdict.reached.event} events, each as it was written ({took:.1f} s).")
