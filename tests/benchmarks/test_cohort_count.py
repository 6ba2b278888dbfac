"""A cohort count from the narrow rows beside the same count from the records, in the same run.

``BENCH_PATIENTS=1000000 make bench ARGS=tests/benchmarks/test_cohort_count.py`` asks for the target's size.
"""

from __future__ import annotations

import datetime
import os
import random
import time
from typing import Any

import pytest
from django.db import connection, models

from calcinosis_registry.codebook.partial_dates import PartialDate
from calcinosis_registry.cohorts import counts
from calcinosis_registry.cohorts.builder import parse
from calcinosis_registry.cohorts.dataset import population
from calcinosis_registry.cohorts.facts import refresh
from calcinosis_registry.cohorts.models import Facts
from calcinosis_registry.cohorts.scope import Scope
from lesions.models import Lesion, LesionObservation, TreatmentCourse
from lesions.services import summarise
from patients.models import Diagnosis, Patient, Summary, Visit
from tests.benchmarks.many_patients import copies_of_every_patient
from tests.benchmarks.measure import least_seconds, told
from tests.benchmarks.test_at_size import DISEASES, QUESTION, SIX
from tests.factories import DiagnosisFactory, PatientFactory, known_lesions

pytestmark = [pytest.mark.benchmark, pytest.mark.django_db(transaction=True)]

BASE = 250
PATIENTS = int(os.environ.get("BENCH_PATIENTS", "20000"))
TABLES = {Patient, Summary, Facts, Diagnosis, Visit, Lesion, LesionObservation, TreatmentCourse}
TARGET_MS, OF_NORMALISED = 300, 0.1  # performance.md; both at a million
EVERYONE: dict[str, Any] = {"join": "all", "conditions": []}


def entered(north: Any) -> None:
    """BASE patients with a disease, two to four lesions seen once, and a treatment."""
    chance = random.Random(11)
    for number in range(BASE):
        patient = PatientFactory(clinic=north, registry_number=f"NOR-{90_000 + number:05d}")
        disease, subset = chance.choice(DISEASES)
        DiagnosisFactory(patient=patient, primary_ctd=disease, ssc_subset=subset)
        known_lesions(patient, datetime.date(2024, 1, 10), chance.sample(SIX, chance.randint(2, 4)), targets=1)
        agent = chance.choice(("COLCHICINE", "DILTIAZEM", "MINOCYCLINE"))
        TreatmentCourse(patient=patient, agent=agent, route="ORAL", start=PartialDate(2022)).save()
    models.QuerySet(Visit).update(state="SIGNED")
    rows = list(LesionObservation.objects.all())
    for one in rows:
        one.ulcerated, one.length_mm = chance.choice("NNNY"), chance.randint(4, 20)
    models.QuerySet(LesionObservation).bulk_update(rows, ["ulcerated", "length_mm"])


def test_a_count_from_the_narrow_rows_beside_one_from_the_records(north: Any) -> None:
    entered(north)
    summarise(patients=list(Patient.objects.all()))
    refresh()
    rows = copies_of_every_patient(PATIENTS // BASE - 1, TABLES)
    assert Patient.objects.count() == PATIENTS // BASE * BASE
    group, scope = parse(QUESTION).group, Scope(frozenset({north.pk}), exact=True)

    def from_rows() -> int | None:
        return counts.count(QUESTION, scope).number

    start = time.perf_counter()
    by_records = counts.from_records(group, population(scope), counts.EXACT)["number"]
    normalised = time.perf_counter() - start
    assert from_rows() == by_records and (by_records or 0) > 0
    start = time.perf_counter()
    counts.count(QUESTION, scope)
    wall = time.perf_counter() - start
    narrow = least_seconds(from_rows, times=7)
    protected = Scope(scope.clinics, exact=False)
    hidden = least_seconds(lambda: counts.count(QUESTION, protected), times=5)
    everyone = least_seconds(lambda: counts.count(EVERYONE, scope), times=5)
    told(
        f"cohort count at {PATIENTS:,} patients ({rows:,} rows), {connection.vendor}", narrow_ms=1000 * narrow,
        narrow_wall_ms=1000 * wall, everyone_ms=1000 * everyone, protected_ms=1000 * hidden,
        records_ms=1000 * normalised,        ratio=normalised / max(wall, narrow),
    )  # fmt: skip
    if PATIENTS >= 1_000_000 and connection.vendor == "sqlite":
        assert 1000 * narrow < TARGET_MS
        assert narrow <= OF_NORMALISED * normalised
    assert max(wall, narrow) < normalised
