"""Seal everything that is sealed again, under the newest key. After that the old one can go.

    manage.py reseal

Exit status 1 where something was sealed with a key that is not there any more; the rest is done.
"""

from __future__ import annotations

from typing import Any

from allauth.mfa.models import Authenticator
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from calcinosis_registry.records.kept import Draft
from calcinosis_registry.sealing import DRAFTS, FACTORS, Unopened

SECRETS = ("secret", "seed")  # of an authenticator app, of recovery codes


class Command(BaseCommand):
    help = "Seal second factors and drafts under the newest of their keys."

    def handle(self, *args: Any, **options: Any) -> None:
        factors, shut = self._each(Authenticator.objects.exclude(type=Authenticator.Type.WEBAUTHN), _factor)
        drafts, lost = self._each(Draft.objects.all(), _draft)
        self.stdout.write(f"{factors} second factors and {drafts} drafts are sealed with the newest key.")
        if shut or lost:
            raise CommandError(
                f"{shut} second factors and {lost} drafts were sealed with a key that is not here. "
                "Add that key behind the newer ones and run this again."
            )

    def _each(self, rows: Any, change: Any) -> tuple[int, int]:
        done = refused = 0
        for pk in list(rows.order_by("pk").values_list("pk", flat=True)):
            with transaction.atomic():  # one by one: nobody waits, and what somebody changes meanwhile is not undone
                row = rows.model.objects.select_for_update().filter(pk=pk).first()
                if row is None:
                    continue
                try:
                    change(row)
                    done += 1
                except Unopened:
                    refused += 1
        return done, refused


def _factor(row: Authenticator) -> None:
    data = dict(row.data)
    for name in SECRETS:
        if name in data:
            data[name] = FACTORS.reseal(data[name])
    if "migrated_codes" in data:
        data["migrated_codes"] = [FACTORS.reseal(code) for code in data["migrated_codes"]]
    # The same secret under another key is no change of the account: no event, and no session ends.
    Authenticator.objects.filter(pk=row.pk).update(data=data)


def _draft(row: Draft) -> None:
    Draft.objects.filter(pk=row.pk).update(content=DRAFTS.reseal(row.content))
