"""Let the register rest: everything can be read, nothing is saved.

    manage.py read_only on "We move to the new server until 14:00."
    manage.py read_only off
    manage.py read_only status

``on`` returns when the last save that was under way has ended: from then on nothing changes.
"""

from __future__ import annotations

import argparse
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from calcinosis_registry import read_only
from calcinosis_registry.audit.models import Event


class Command(BaseCommand):
    help = "Let the register rest: everything can be read, nothing is saved."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("state", choices=["on", "off", "status"])
        parser.add_argument("why", nargs="?", default="", help="what everybody reads on every page; needed for on")

    def handle(self, *args: Any, **options: Any) -> None:
        getattr(self, f"_{options['state']}")(" ".join(options["why"].split()))

    def _on(self, why: str) -> None:
        if not why:
            raise CommandError('Say why, in a sentence everybody will read: read_only on "We move until 14:00."')
        if len(why) > read_only.LONGEST:
            raise CommandError(f"The sentence is longer than {read_only.LONGEST} letters. Nothing was changed.")
        read_only.begin(why)
        with transaction.atomic():
            Event.objects.hold()
        self.stdout.write("The register is read-only: the last save has ended. End it with: manage.py read_only off")

    def _off(self, _why: str) -> None:
        self.stdout.write("Saving works again." if read_only.end() else "It was not read-only.")

    def _status(self, _why: str) -> None:
        why = read_only.reason()
        self.stdout.write(f"Read-only: {why}" if why else "Saving works.")
