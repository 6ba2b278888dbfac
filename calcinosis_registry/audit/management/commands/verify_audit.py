"""Is the trail as it was written?"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from calcinosis_registry.audit import anchors, trail
from calcinosis_registry.audit.models import Event
from calcinosis_registry.audit.verification import verify


class Command(BaseCommand):
    help = "Check every event of the audit trail, its triggers and its end. Names the first event that is wrong."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--after-restore", metavar="WHY",
            help="the database is a restored backup: say in the trail how many events are lost, and go on from here",
        )  # fmt: skip

        parser.add_argument(
            "--anchors", metavar="FILE", type=Path, action="append", default=[],
            help="compare with these anchors, too: a file that anchor_audit wrote elsewhere, or a mail it sent",
        )  # fmt: skip
        parser.add_argument(
            "--accept-restore", metavar="EVENT", type=int, action="append", default=[],
            help="this restore was one: it may explain why anchors do not fit. The number stands in the message.",
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
        told = [anchor for path in options["anchors"] for anchor in _read(path)]
        kept = anchors.compare_kept()
        compared = anchors.compare(told, accepted=options["accept_restore"])
        if broken := verdict.broken or kept.broken or compared.broken:
            where = f"event {broken.event}: " if broken.event else ""
            raise CommandError(f"The audit trail is NOT as it was written: {where}{broken.why}")
        took = time.monotonic() - started
        self.stdout.write(f"{verdict.reached.event} events, each as it was written ({took:.1f} s).")
        if kept.explained:
            self.stdout.write(f"Of the anchors in WITNESS_DIR {_said(kept)}.")
        if told:
            self._tell(compared, options["accept_restore"])

    def _tell(self, compared: anchors.Compared, accepted: list[int]) -> None:
        """Raises CommandError where a restore that nobody vouched for would excuse anchors."""
        if unknown := sorted(one.event for one in compared.explained if one.event not in accepted):
            flags = " ".join(f"--accept-restore {number}" for number in unknown)
            raise CommandError(
                f"{_said(compared)}. Who writes another trail can write such an event, too: it excuses nothing unless "
                f"you know that a backup was restored then. If you do: {flags}"
            )
        self.stdout.write(f"{_said(compared)}.")


def _said(compared: anchors.Compared) -> str:
    """12 anchors fit, 3 explained only by the restore of 2026-11-23T08:15:00+00:00 (event 21)"""
    told = [f"{compared.fit} anchors fit"]
    for one, many in sorted(compared.explained.items(), key=lambda pair: pair[0].event):
        when = one.at.isoformat(timespec="seconds")
        told.append(f"{many} explained only by the restore of {when} (event {one.event})")
    return ", ".join(told)


def _read(path: Path) -> list[anchors.Anchor]:
    try:
        found = anchors.read(path.read_text(encoding="utf-8", errors="replace"))
    except OSError as problem:
        raise CommandError(f"{path}: {problem.strerror}") from problem
    if not found:
        raise CommandError(f"{path}: no anchor in it.")
    return found
