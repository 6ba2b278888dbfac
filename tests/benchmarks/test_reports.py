"""Every chapter of a report over everybody: time, memory, and the same curve in SQL of the live tables.

``BENCH_REPORT_PATIENTS=100000 make bench ARGS=tests/benchmarks/test_reports.py`` asks for another size.
"""

from __future__ import annotations

import os
import resource
import time

import pytest
from django.core.management import call_command
from django.db import connection

from calcinosis_registry.cohorts.scope import Scope
from calcinosis_registry.reports.building import CHAPTERS, CHARACTERISTICS, TITLES, _chapter, subject_of
from calcinosis_registry.reports.histories import of_lesions
from calcinosis_registry.reports.statistics.survival import kaplan_meier
from patients.models import Patient
from tests.benchmarks.many_patients import copies_of_every_patient
from tests.benchmarks.measure import told

pytestmark = [pytest.mark.benchmark, pytest.mark.django_db(transaction=True)]

BASE = 200
PATIENTS = int(os.environ.get("BENCH_REPORT_PATIENTS", "2000"))
MOST_SECONDS, MOST_GIGABYTES = 60, 3  # a chapter at 100,000 patients, and the process, snapshot and all
TARGET = 5  # performance.md: a report on the snapshot is at least so much faster than SQLite's SQL

# Days from first recording to the first ulcer seen, or to the last look, of every lesion without one at the start.
FIRST_ULCER = """
    WITH seen AS (
        SELECT o.lesion_id AS lesion, v.visit_date AS day, o.ulcerated = 'Y' AS hit
        FROM lesions_lesionobservation o JOIN patients_visit v ON v.id = o.visit_id
        WHERE v.state = 'SIGNED' AND o.status_change NOT IN ('', 'NOT_ASSESSED')
    ), ends AS (
        SELECT lesion, MIN(day) AS first, MAX(day) AS last, MIN(CASE WHEN hit THEN day END) AS event
        FROM seen GROUP BY lesion
    ), spans AS (
        SELECT julianday(COALESCE(event, last)) - julianday(first) AS days, event IS NOT NULL AS died
        FROM ends WHERE event IS NULL OR event > first
    ), steps AS (SELECT days, SUM(died) AS d, COUNT(*) AS n FROM spans WHERE days > 0 GROUP BY days)
    SELECT days, d, SUM(n) OVER (ORDER BY days DESC) AS at_risk FROM steps ORDER BY days
"""


def taken(work) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def test_every_chapter_of_everybody(settings):
    call_command("load_demo", patients=BASE, clinics=4, seed=1, verbosity=0)
    copies_of_every_patient(PATIENTS // BASE - 1)
    scope = Scope(None, exact=True)
    first = taken(lambda: subject_of(definition={}, scope=scope))  # with the snapshot
    reading = taken(lambda: subject_of(definition={}, scope=scope))
    subject = subject_of(definition={}, scope=scope)
    told("reading", patients=subject.n, all=Patient.objects.count(), with_snapshot_s=first, again_s=reading)
    for key in TITLES:
        assert key in CHAPTERS or key == CHARACTERISTICS
        seconds = taken(lambda key=key: _chapter(key, subject))
        told(key, seconds=seconds)
        assert seconds < MOST_SECONDS * max(PATIENTS / 100_000, 0.2)
    gigabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    told("memory", gigabytes=gigabytes)
    assert gigabytes < MOST_GIGABYTES

    def ours() -> None:
        times = of_lesions(subject.data, (), feature="ulcer")
        kaplan_meier(times.years, times.events)

    def in_sql() -> None:
        with connection.cursor() as cursor:
            cursor.execute(FIRST_ULCER)
            cursor.fetchall()

    if connection.vendor == "sqlite":
        mine, theirs = min(taken(ours) for _turn in range(3)), min(taken(in_sql) for _turn in range(3))
        told("Kaplan–Meier of lesions", ours_s=mine, sqlite_s=theirs, ratio=theirs / mine)
