"""The first admin of a new register."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from calcinosis_registry.clinics.invitation_mail import invitation_path
from calcinosis_registry.clinics.roles import Role
from calcinosis_registry.clinics.services import invite


class Command(BaseCommand):
    help = "Invite an admin of the whole register: prints a link, good once and for seven days."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")
        parser.add_argument("name")
        parser.add_argument(
            "--address",
            default=settings.REGISTRY_URL or "http://127.0.0.1:8000",
            help="where the register answers (default: REGISTRY_URL)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            _invitation, token = invite(
                email=options["email"], name=options["name"], role=Role.ADMIN, clinic=None, by=None, now=timezone.now()
            )
        except ValidationError as error:
            raise CommandError("; ".join(error.messages)) from error
        self.stdout.write(options["address"].rstrip("/") + invitation_path(token))
