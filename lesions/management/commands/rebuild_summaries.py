"""manage.py rebuild_summaries [--check]: make the derived summary rows again, or compare them."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from lesions.services import summarise
from patients.models import Patient, Summary

BATCH = 500


class Command(BaseCommand):
    help = "Rebuild the summary row of every patient; with --check, only say which rows differ."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true", help="change nothing; exit 1 when live and rebuilt differ")

    def handle(self, *args: Any, **options: Any) -> None:
        columns = [one.attname for one in Summary._meta.concrete_fields if one.name != "facts_stale"]
        differing: list[str] = []
        last, done, total = 0, 0, Patient.objects.count()
        while batch := list(Patient.objects.filter(pk__gt=last).order_by("pk")[:BATCH]):
            last = batch[-1].pk
            ids = [patient.pk for patient in batch]
            rows = Summary.objects.filter(patient__in=ids)
            with transaction.atomic():
                before = {row.pk: [getattr(row, name) for name in columns] for row in rows.all()}
                summarise(patients=batch)
                after = {row.pk: [getattr(row, name) for name in columns] for row in rows.all()}
                transaction.set_rollback(options["check"])
            differing += [one.registry_number for one in batch if before.get(one.pk) != after.get(one.pk)]
            done += len(batch)
            self.stderr.write(f"\r{done} of {total}", ending="")
        self.stderr.write("")
        if options["check"] and differing:
            raise CommandError(f"{len(differing)} summaries differ: {', '.join(differing[:20])}")
        self.stdout.write(f"{total} summaries, {len(differing)} of them {'differ' if options['check'] else 'changed'}.")
