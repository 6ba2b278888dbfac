"""Delete drafts nobody finished within fourteen days: ``manage.py purge_drafts``, once a day."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from calcinosis_registry.records.drafts import purge


class Command(BaseCommand):
    help = "Delete drafts that were not finished within fourteen days."

    def handle(self, *args: Any, **options: Any) -> None:
        count = purge(now=timezone.now())
        self.stdout.write(f"{count} drafts deleted")
