"""What this installation is made of.

manage.py materials > sbom.json         the bill of materials, CycloneDX 1.6 (make sbom)
manage.py materials --lock REPORT       the lock file of pip's report (make lock)
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from calcinosis_registry.operations.materials import bill, lock, project_root


class Command(BaseCommand):
    help = "Write the bill of materials as CycloneDX JSON, or (--lock) requirements with hashes from pip's report."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--lock", type=Path, metavar="REPORT", help="what `pip install --dry-run --report` wrote")

    def handle(self, *args: Any, **options: Any) -> None:
        if report := options["lock"]:
            try:
                self.stdout.write(lock(json.loads(report.read_text("utf-8"))), ending="")
            except (OSError, ValueError, KeyError) as error:
                raise CommandError(f"{report}: {error}") from error
            return
        self.stdout.write(json.dumps(bill(root=project_root(), at=timezone.now().isoformat()), indent=1))
