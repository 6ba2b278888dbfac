"""Bring the demo register up to date and serve it on this machine: what ``make run`` runs, in one start of Python."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

WELCOME = """
Calcinosis registry, invented patients only:  http://127.0.0.1:{port}/

  clinician.a@example.org   clinician of one clinic
  clinician.b@example.org   clinician of another clinic
  researcher@example.org    cohorts, exports, reports
  admin@example.org         accounts, clinics, audit trail
  password of each:         calcinosis-demo

Stop with Ctrl-C.
"""


def unapplied() -> bool:
    """Whether a migration waits; asking costs a tenth of a migrate that has nothing to do."""
    executor = MigrationExecutor(connection)
    return bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))


class Command(BaseCommand):
    help = "Migrate, load the demo register when empty, and serve it on 127.0.0.1."
    requires_system_checks = []  # runserver makes them

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=int, default=8000)

    def handle(self, *args: Any, **options: Any) -> None:
        """Serve until interrupted. Raises CommandError where REGISTRY_DEMO is not set."""
        if not settings.DEMO:
            raise CommandError("run_demo serves invented patients only: set REGISTRY_DEMO=1")
        if unapplied():
            call_command("migrate", verbosity=0)
        call_command("load_demo", if_empty=True)
        self.stdout.write(WELCOME.format(port=options["port"]))
        worker = subprocess.Popen([sys.executable, sys.argv[0], "work"])  # noqa: S603  ourselves
        try:
            call_command("runserver", f"127.0.0.1:{options['port']}", use_reloader=False)
        finally:
            worker.terminate()
            worker.wait()
