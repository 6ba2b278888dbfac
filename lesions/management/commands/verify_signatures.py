"""manage.py verify_signatures: does every signed visit still say what was signed?"""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from lesions.signing import Checked, check_visits
from patients.models import Signature, Visit

BATCH = 500


class Command(BaseCommand):
    help = "Compare every signed visit with its signature; name each that differs, and exit with 1 if one does."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--batch", type=int, default=BATCH, help="visits read at a time")

    def handle(self, *args: Any, **options: Any) -> None:
        last, done, signed, bad, unsealed = 0, 0, 0, 0, 0
        total = Visit.objects.count()
        visits = Visit.objects.select_related("patient").order_by("pk")
        while batch := list(visits.filter(pk__gt=last)[: options["batch"]]):
            last = batch[-1].pk
            for one in check_visits(batch):
                signed += 1
                unsealed += one.holds and not (one.signature and one.signature.digest)
                if not one.holds:
                    bad += 1
                    self._name(one)
            bad += self._altered(batch)
            done += len(batch)
            self.stderr.write(f"\r{done} of {total} visits", ending="")
        self.stderr.write("")
        if unsealed:
            self.stdout.write(
                f"{unsealed} visits were signed before their content was sealed: only the signer is checked."
            )
        if bad:
            raise CommandError(f"{bad} of {signed} signed visits do not match their signature.")
        self.stdout.write(f"{signed} signed visits match their signatures.")

    def _name(self, one: Checked) -> None:
        """Registry number, day and fields; never a value, which may say more than a log should hold."""
        lines = [one.problem] if one.problem else [f"{d.record} {d.field}".strip() for d in one.differences]
        for line in lines:
            self.stdout.write(f"{one.visit.patient.registry_number} {one.visit.visit_date}: {line}")

    def _altered(self, batch: list[Visit]) -> int:
        """Withdrawn signatures are history, and history is not rewritten either."""
        known = {visit.pk: visit for visit in batch}
        found = 0
        for signature in Signature.objects.filter(visit__in=batch, withdrawn_at__isnull=False):
            signature.visit = known[signature.visit_id]
            if not signature.is_genuine:
                found += 1
                where = f"{signature.visit.patient.registry_number} {signature.visit.visit_date}"
                self.stdout.write(f"{where}: a withdrawn signature of {signature.signed_at:%Y-%m-%d} was altered")
        return found
