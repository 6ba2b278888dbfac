"""Every 15 minutes: is what was written since the last time as it was written? Then note where the trail ends."""

from __future__ import annotations

import os
from pathlib import Path
from smtplib import SMTPException
from typing import Any

from django.core.mail import send_mail
from django.core.management.base import BaseCommand, CommandError, CommandParser

from calcinosis_registry.audit import anchors, witness


class Command(BaseCommand):
    help = "Check the newest events and write down where the audit trail ends, here and where you say."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--append", metavar="FILE", type=Path, action="append", default=[],
            help="add the line to this file too, best on another machine's disk",
        )  # fmt: skip
        parser.add_argument(
            "--mail", metavar="ADDRESS", action="append", default=[], help="send the line to this person, too"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            anchor = anchors.take()
        except (anchors.NotWell, witness.Unreadable) as problem:
            raise CommandError(f"The audit trail is NOT as it was written: {problem}") from problem
        except OSError as problem:
            raise CommandError(f"Nothing was anchored, WITNESS_DIR cannot be used: {problem.strerror}") from problem
        if anchor is None:
            self.stdout.write("The trail is empty: nothing to anchor.")
            return
        for path in options["append"]:
            _append(path, str(anchor))
        if options["mail"]:
            try:
                send_mail("Audit trail of the calcinosis registry", f"{anchor}\n", None, options["mail"])
            except (OSError, SMTPException) as problem:
                raise CommandError(f"Anchored, but the mail was not sent: {problem}") from problem
        self.stdout.write(str(anchor))


def _append(path: Path, line: str) -> None:
    try:
        with path.open("a", encoding="ascii") as file:
            file.write(f"{line}\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError as problem:
        raise CommandError(f"Anchored, but not in {path}: {problem.strerror}") from problem
