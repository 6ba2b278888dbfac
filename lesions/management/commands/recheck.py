"""manage.py recheck: run every check over every record again; questions open and close as the checks find.

Written batch by batch, each in its own transaction. A run that was stopped goes on where it stood; a run over an
unchanged register changes nothing.
"""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from calcinosis_registry.audit import trail
from calcinosis_registry.quality.models import DataQuery
from calcinosis_registry.quality.services import close_gone
from calcinosis_registry.records.models import record_kinds
from lesions.models import Lesion, LesionObservation
from patients.models import Patient, PatientRecord, Visit
from patients.services import recheck_records

BATCH = 100


class Command(BaseCommand):
    help = "Run all data checks over all records; open and close data queries accordingly."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--batch", type=int, default=BATCH, help="patients per transaction")
        parser.add_argument("--from-start", action="store_true", help="do not go on where a stopped run stood")

    def handle(self, *args: Any, **options: Any) -> None:
        place = Path(settings.DATA_DIR) / "recheck.position"
        if options["batch"] < 1:
            raise CommandError("--batch is at least 1")
        last = 0 if options["from_start"] or not place.exists() else int(place.read_text() or 0)
        total, before = Patient.objects.count(), DataQuery.objects.open().count()
        done = Patient.objects.filter(pk__lte=last).count()
        if last:
            self.stdout.write(f"Going on after {done} patients.")
        patients = Patient.objects.order_by("pk").prefetch_related("consent_set")
        while batch := list(patients.filter(pk__gt=last)[: options["batch"]]):
            with trail.because("all checks run again"), trail.together():
                self._check(batch)
            last = batch[-1].pk
            done += len(batch)
            self._note(place, last)
            self.stderr.write(f"\r{done} of {total} patients", ending="")
            self.stderr.flush()
        place.unlink(missing_ok=True)
        self.stderr.write("")
        self.stdout.write(
            f"{total} patients; {before} questions were open, {DataQuery.objects.open().count()} are now."
        )

    def _check(self, batch: list[Patient]) -> None:
        now = timezone.now()
        for patient, records in records_of(batch).items():
            recheck_records(patient=patient, records=records, now=now)
            close_gone(patient=patient.registry_number, records=records, because="Record removed.", now=now)

    def _note(self, place: Path, last: int) -> None:
        fresh = place.with_suffix(".new")
        fresh.write_text(str(last))
        fresh.replace(place)


def records_of(patients: list[Patient]) -> dict[Patient, list[Any]]:
    """Every record of these patients, with what its checks look at beside it: one query per kind."""
    known = {patient.pk: patient for patient in patients}
    found: dict[Patient, list[Any]] = defaultdict(list)
    visits = {one.pk: one for one in Visit.objects.filter(patient__in=known)}
    lesions = {one.pk: one for one in Lesion.objects.filter(patient__in=known)}
    for patient in patients:
        found[patient].append(patient)
    for visit in visits.values():
        visit.patient = known[visit.patient_id]
        found[visit.patient].append(visit)
    for model in record_kinds(PatientRecord):
        rows: Any = lesions.values() if model is Lesion else model._default_manager.filter(patient__in=known)
        for row in rows:
            row.patient, row.visit = known[row.patient_id], visits.get(row.visit_id)
            if isinstance(row, LesionObservation):
                row.lesion = lesions[row.lesion_id]
            found[row.patient].append(row)
    return dict(found)
