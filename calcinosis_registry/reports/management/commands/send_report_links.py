"""manage.py send_report_links: the monthly e-mails that are due; to be run once a day."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from calcinosis_registry.reports.services import send_due


class Command(BaseCommand):
    help = "Send the monthly e-mails with a link to a clinic's report that are due; to be run once a day."

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.REGISTRY_URL:
            raise CommandError("Set REGISTRY_URL: the e-mails hold a link to where the register answers.")
        sent, ended, failed = send_due(today=timezone.localdate())
        self.stdout.write(f"{sent} sent, {ended} ended (no role any more), {failed} not sent.")
        if failed:
            raise CommandError("The mail server refused; the next run tries again.")
