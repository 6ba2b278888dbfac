"""manage.py work: the process that runs long jobs. One is enough; several share the work."""

from __future__ import annotations

import argparse
import signal
import time
from types import FrameType
from typing import Any

from django.core.management.base import BaseCommand
from django.db import close_old_connections
from django.utils import timezone

from calcinosis_registry import read_only
from calcinosis_registry.jobs.services import reap, run_next, sweep

PAUSE = 1.0  # seconds between two looks
SWEPT = 3600.0  # seconds between two sweeps


class Command(BaseCommand):
    help = "Run jobs as they come: exports and whatever else takes longer than a page may. Ends at SIGTERM."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--once", action="store_true", help="end when no job waits")

    def handle(self, *args: Any, **options: Any) -> None:
        self._wanted = True
        signal.signal(signal.SIGTERM, self._end)
        swept = -SWEPT
        while self._wanted:
            if read_only.reason():  # jobs wait until what they make may be saved
                if options["once"]:
                    return
                time.sleep(PAUSE)
                continue
            if time.monotonic() - swept >= SWEPT:
                swept = time.monotonic()
                sweep()
            reap(now=timezone.now())
            if not run_next():
                if options["once"]:
                    return
                time.sleep(PAUSE)
                close_old_connections()  # what went away while nothing was to do

    def _end(self, _number: int, _frame: FrameType | None) -> None:
        """After the job that runs; a job that is killed instead is run again."""
        self._wanted = False
