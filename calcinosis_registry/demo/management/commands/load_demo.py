"""An invented register to look at and to test with."""

from __future__ import annotations

import datetime
import time
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from calcinosis_registry.demo import guard, loader
from calcinosis_registry.demo.staff import PASSWORD


class Command(BaseCommand):
    help = "Fill an empty register with invented patients. The same seed and day give the same register."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--patients", type=int, default=60)
        parser.add_argument("--clinics", type=int, default=2, help="at least 2; patients are spread over them")
        parser.add_argument("--seed", type=int, default=1)
        parser.add_argument(
            "--until", type=datetime.date.fromisoformat, help="the day it is told up to (default: today)"
        )
        parser.add_argument(
            "--if-empty", action="store_true", help="say nothing and do nothing when it is loaded already"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEMO:
            raise CommandError("Invented patients belong in a demo register only: set REGISTRY_DEMO=1.")
        if guard.is_demo():
            if options["if_empty"]:
                return
            raise CommandError(
                "This register holds a demo already. Point REGISTRY_DATA at an empty directory for another."
            )
        if guard.has_patients():
            raise CommandError("This register holds patients that are not invented: nothing was loaded.")
        if options["patients"] < 1 or options["clinics"] < 2:
            raise CommandError("At least one patient and two clinics.")
        self._load(options)

    def _load(self, options: dict[str, Any]) -> None:
        started, wanted = time.monotonic(), options["patients"]

        def progress(done: int) -> None:
            self.stderr.write(f"\r{done} of {wanted} invented patients", ending="" if done < wanted else "\n")
            self.stderr.flush()

        loader.load(
            patients=wanted, clinics=options["clinics"], seed=options["seed"], until=options["until"] or loader.today(),
            progress=progress,
        )  # fmt: skip
        took = time.monotonic() - started
        self.stderr.write(f"{took:.1f} s. Sign in as clinician.a@example.org, password {PASSWORD}.")
