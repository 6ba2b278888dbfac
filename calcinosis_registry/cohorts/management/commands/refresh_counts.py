"""manage.py refresh_counts [--all]: make the rows again that cohorts are counted from."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from calcinosis_registry.cohorts.facts import outdated, refresh
from patients.models import Summary


class Command(BaseCommand):
    help = "Make the counted facts again of every patient of whom something was saved; to be run every few minutes."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--all", action="store_true", help="of every patient")

    def handle(self, *args: Any, **options: Any) -> None:
        rows = Summary.objects.all() if options["all"] else Summary.objects.filter(pk__in=outdated().values("pk"))
        rows.update(facts_stale=True)
        self.stdout.write(f"Counted facts of {refresh()} patients made again.")
