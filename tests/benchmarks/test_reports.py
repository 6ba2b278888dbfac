"""Every chapter of a report over everybody: time, memory, and one question of each in SQL of the live tables.

``BENCH_PATIENTS=100000 BENCH_DATABASE=/tmp/many.sqlite3 make bench ARGS=tests/benchmarks/test_reports.py`` asks for
another size; from 20,000 on only the tables that reports read are copied.
"""

from __future__ import annotations

import os
import resource
import time

import pytest
from django.core.management import call_command
from django.db import connection

from calcinosis_registry.cohorts.scope import Scope
from calcinosis_registry.reports import making
from calcinosis_registry.reports.outline import TITLES
from lesions.models import (
    AdverseEvent,
    HandScore,
    ImagingStudy,
    Lesion,
    LesionObservation,
    Procedure,
    TreatmentCourse,
)
from patients.models import Consent, Diagnosis, Patient, Visit
from tests.benchmarks.many_patients import copies_of_every_patient
from tests.benchmarks.measure import told

pytestmark = [pytest.mark.benchmark, pytest.mark.django_db(transaction=True)]

BASE = 100
PATIENTS = int(os.environ.get("BENCH_PATIENTS", "2000"))
MOST_SECONDS = 30  # a chapter at 100,000 patients
MOST_GIGABYTES = 3  # the process at 100,000 patients, snapshot and all
LEAN_FROM = 20_000
READ = (Patient, Consent, Diagnosis, Visit, Lesion, LesionObservation, TreatmentCourse, TreatmentCourse.lesions.through,
        Procedure, AdverseEvent, ImagingStudy, HandScore)  # fmt: skip

# Of each chapter one question of the many it answers, as SQL asks it of the live tables.
IN_SQL = {
    "characteristics": """
        SELECT d.ssc_subset, p.sex_at_birth, COUNT(*), COUNT(DISTINCT l.patient_id),
               COUNT(DISTINCT CASE WHEN l.site LIKE 'HAND%' THEN l.patient_id END)
        FROM patients_patient p JOIN patients_diagnosis d ON d.patient_id = p.id
        LEFT JOIN lesions_lesion l ON l.patient_id = p.id GROUP BY 1, 2
    """,
    "lesions": """
        SELECT site, laterality, COUNT(*), COUNT(DISTINCT patient_id) FROM lesions_lesion GROUP BY 1, 2
    """,
    "events": """
        WITH seen AS (
            SELECT v.patient_id AS patient, v.visit_date AS day, o.ulcerated = 'Y' AS hit
            FROM lesions_lesionobservation o JOIN patients_visit v ON v.id = o.visit_id WHERE v.state = 'SIGNED'
        ), ends AS (
            SELECT patient, MIN(day) AS first, MAX(day) AS last, MIN(CASE WHEN hit THEN day END) AS event
            FROM seen GROUP BY patient
        )
        SELECT COUNT(event), SUM(julianday(COALESCE(event, last)) - julianday(first)) / 365.25 FROM ends
        WHERE event IS NULL OR event > first
    """,
    "treatments": """
        SELECT agent, response, COUNT(*), COUNT(DISTINCT patient_id) FROM lesions_treatmentcourse
        WHERE intent = 'CALCINOSIS' GROUP BY 1, 2
    """,
    "outcomes": """
        SELECT window, COUNT(*), AVG(pain_nrs) FROM (
            SELECT v.pain_nrs,
                   6 * ROUND((julianday(v.visit_date) - julianday(p.registered_on)) / 30.4375 / 6) AS window,
                   ROW_NUMBER() OVER (PARTITION BY v.patient_id,
                       ROUND((julianday(v.visit_date) - julianday(p.registered_on)) / 30.4375 / 6)
                       ORDER BY v.visit_date) AS place
            FROM patients_visit v JOIN patients_patient p ON p.id = v.patient_id
            WHERE v.state = 'SIGNED' AND v.pain_nrs IS NOT NULL
        ) WHERE place = 1 AND window <= 60 GROUP BY 1
    """,
}


# The chapter of times to an event whole: each of its questions as steps of a Kaplan–Meier curve, without the bands.
ENDS = {
    "the patient's first ulcer": """
        SELECT p.id, p.registered_on AS start, MIN(v.visit_date) AS first, MAX(v.visit_date) AS last,
               MIN(CASE WHEN o.ulcerated = 'Y' THEN v.visit_date END) AS event
        FROM patients_patient p JOIN patients_visit v ON v.patient_id = p.id AND v.state = 'SIGNED'
        LEFT JOIN lesions_lesionobservation o ON o.visit_id = v.id GROUP BY p.id
    """,
    "the patient's first new lesion": """
        SELECT p.id, p.registered_on AS start, MIN(v.visit_date) AS first, MAX(v.visit_date) AS last,
               (SELECT MIN(l.first_recorded) FROM lesions_lesion l
                WHERE l.patient_id = p.id AND l.first_recorded > p.registered_on) AS event
        FROM patients_patient p JOIN patients_visit v ON v.patient_id = p.id AND v.state = 'SIGNED' GROUP BY p.id
    """,
    "a lesion's ulceration": """
        SELECT o.lesion_id, MIN(v.visit_date) AS start, MIN(v.visit_date) AS first, MAX(v.visit_date) AS last,
               MIN(CASE WHEN o.ulcerated = 'Y' THEN v.visit_date END) AS event
        FROM lesions_lesionobservation o JOIN patients_visit v ON v.id = o.visit_id
        WHERE v.state = 'SIGNED' AND o.status_change NOT IN ('', 'NOT_ASSESSED') GROUP BY o.lesion_id
    """,
    "a lesion's resolution": """
        SELECT o.lesion_id, MIN(v.visit_date) AS start, MIN(v.visit_date) AS first, MAX(v.visit_date) AS last,
               MIN(CASE WHEN o.status_change IN ('RESOLVED', 'EXTRUDED_COMPLETE') THEN v.visit_date END) AS event
        FROM lesions_lesionobservation o JOIN patients_visit v ON v.id = o.visit_id
        WHERE v.state = 'SIGNED' AND o.status_change NOT IN ('', 'NOT_ASSESSED') GROUP BY o.lesion_id
    """,
    "recurrence after excision": """
        SELECT l.id, l.closed_on AS start, l.closed_on AS first,
               (SELECT MAX(v.visit_date) FROM patients_visit v WHERE v.patient_id = l.patient_id) AS last,
               (SELECT MIN(r.first_recorded) FROM lesions_lesion r
                WHERE r.parent_id = l.id AND r.lineage = 'RECURRENCE') AS event
        FROM lesions_lesion l WHERE l.current_status = 'EXCISED'
    """,
}
STEPS = """
    WITH ends AS ({ends}), spans AS (
        SELECT julianday(COALESCE(event, last)) - julianday(start) AS days, event IS NOT NULL AS died
        FROM ends WHERE event IS NULL OR event > first
    ), steps AS (SELECT days, SUM(died) AS d, COUNT(*) AS n FROM spans WHERE days > 0 GROUP BY days)
    SELECT days, d, SUM(n) OVER (ORDER BY days DESC) AS at_risk FROM steps ORDER BY days
"""
TIMES_FASTER = 5  # than the same in SQL, where the size is one that matters


def taken(work) -> float:
    """Processor seconds: neighbours add to the others."""
    start = time.process_time()
    work()
    return time.process_time() - start


def in_sql(question: str) -> float:
    with connection.cursor() as cursor:
        return taken(lambda: cursor.execute(question).fetchall())


def gigabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2


def test_every_chapter_of_everybody():
    call_command("load_demo", patients=BASE, clinics=4, seed=1, verbosity=0)
    copies_of_every_patient(max(PATIENTS // BASE - 1, 1), READ if PATIENTS >= LEAN_FROM else ())
    scope = Scope(None, exact=True)
    with_snapshot = taken(lambda: making.subject_of(definition={}, scope=scope))
    told("snapshot and reading", seconds=with_snapshot, gigabytes=gigabytes())
    allowed = max(PATIENTS / 100_000, 0.2)
    subject = making.subject_of(definition={}, scope=scope)
    for key in TITLES:
        seconds = taken(lambda key=key: making.chapter(key, subject))
        figures = {"seconds": seconds, "gigabytes": gigabytes()}
        if connection.vendor == "sqlite" and key in IN_SQL:
            figures["sqlite_one_question_s"] = in_sql(IN_SQL[key])
        if connection.vendor == "sqlite" and key == "course":
            figures["sqlite_same_questions_s"] = sum(in_sql(STEPS.format(ends=one)) for one in ENDS.values())
            figures["times_faster"] = figures["sqlite_same_questions_s"] / seconds
            assert PATIENTS < LEAN_FROM or figures["times_faster"] >= TIMES_FASTER
        told(f"{key} of {PATIENTS} patients", **figures)
        assert seconds < MOST_SECONDS * allowed
    assert gigabytes() < MOST_GIGABYTES * max(allowed, 1)
