"""Snapshot and exports against the ORM's iterator in the same run; the ledger at 10,000 exports.

REGISTRY_BENCHMARK_PATIENTS sets the size (default 2,000).
"""

from __future__ import annotations

import csv
import os
import resource
import time
from pathlib import Path

import pytest
from django.core.management import call_command
from django.utils import timezone

from calcinosis_registry.accounts.models import User
from calcinosis_registry.cohorts.dataset import build
from calcinosis_registry.cohorts.models import Cohort
from calcinosis_registry.cohorts.pseudonyms import Cipher
from calcinosis_registry.cohorts.scope import Scope
from calcinosis_registry.cohorts.snapshot import building
from calcinosis_registry.exports.models import Export, ExportedPatient
from calcinosis_registry.exports.services import exports_of
from calcinosis_registry.exports.writers import csv as csv_files
from calcinosis_registry.exports.writers import parquet
from lesions.models import LesionObservation
from patients.models import Patient
from tests.benchmarks.many_patients import copies_of_every_patient
from tests.benchmarks.measure import told
from tests.cohorts.register import EVERYONE

pytestmark = [pytest.mark.benchmark, pytest.mark.django_db(transaction=True)]
ENTERED = 40


def seconds(work) -> tuple[float, object]:
    start = time.process_time()
    found = work()
    return time.process_time() - start, found


def by_orm(path: Path) -> int:
    """What an export through the models would do for one table, before linking, shifting and labels."""
    count = 0
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        names = [field.attname for field in LesionObservation._meta.concrete_fields]
        for one in LesionObservation.objects.iterator(chunk_size=2000):
            writer.writerow([getattr(one, name) for name in names])
            count += 1
    return count


def test_exports_are_five_times_as_fast_as_the_models(tmp_path, settings):
    size = int(os.environ.get("REGISTRY_BENCHMARK_PATIENTS", "2000"))
    call_command("load_demo", patients=ENTERED, clinics=2, seed=1)
    copies_of_every_patient(max(size // ENTERED - 1, 1))
    snapshot_s, made = seconds(lambda: building.build(whole=True))
    dataset = build(definition=EVERYONE, scope=Scope(None, exact=True))
    for table in dataset.tables.values():  # compiled once per process
        next(iter(table.rows()), None)
    orm_s, orm_rows = seconds(lambda: by_orm(tmp_path / "orm.csv"))
    csv_s, counts = seconds(lambda: csv_files.write(tmp_path, dataset, {}))
    parquet_s, _counts = seconds(lambda: parquet.write(tmp_path, dataset, {}))
    rows = sum(counts.values())
    told(
        "Dataset", patients=made.patients, rows=rows, snapshot_s=snapshot_s, orm_rows_s=orm_rows / orm_s,
        csv_rows_s=rows / csv_s, parquet_rows_s=rows / parquet_s,
        peak_mb=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    )  # fmt: skip
    assert rows / csv_s >= 5 * orm_rows / orm_s


def test_which_exports_hold_a_patient_is_told_within_a_second_at_ten_thousand_exports(settings):
    call_command("load_demo", patients=20, clinics=2, seed=1)
    cohort = Cohort.objects.select_related("project").get(name="everyone")
    project, researcher, patient = (
        cohort.project,
        User.objects.get(email="researcher@example.org"),
        Patient.objects.first(),
    )
    name = Cipher(settings.PSEUDONYM_KEY, project.public_id).patient(patient.public_id)
    exports = Export.objects.bulk_create(
        Export(
            cohort=cohort, project=project, format="csv", profile="coded", reason="x", sha256="0", size=1,
            created_by=researcher, created_at=timezone.now(),
        )
        for _one in range(10_000)
    )  # fmt: skip
    people = (
        ExportedPatient(export=one, pseudonym=name if n == 0 else f"P{n:016X}") for one in exports for n in range(20)
    )
    ExportedPatient.objects.bulk_create(people, batch_size=2000)
    start = time.perf_counter()
    found = exports_of(patient).count()
    taken = time.perf_counter() - start
    told("Ledger", exports=len(exports), seconds=taken)
    assert found == 10_000 and taken <= 1
