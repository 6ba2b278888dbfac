"""Saving a visit with six observations: what rules, history, queries and summary cost beside validation alone."""

from __future__ import annotations

import datetime
import itertools
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.http import QueryDict
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from calcinosis_registry.accounts.models import User
from calcinosis_registry.audit import trail
from calcinosis_registry.audit.models import Event
from lesions.models import Lesion, LesionObservation
from lesions.services import VisitEntry, save_visit
from lesions.visit_entry import VisitPage
from lesions.visit_rows import patient_rows
from patients.models import Visit
from tests.benchmarks.measure import least_in_turn, median_seconds, told
from tests.factories import PatientFactory, known_lesions

pytestmark = [pytest.mark.benchmark, pytest.mark.django_db(transaction=True)]

SIX = [("HAND.D1.PULP", "R"), ("HAND.D2.DIP", "L"), ("ELBOW", "R"), ("KNEE", "L"), ("FOREARM", "L"), ("BUTTOCK", "R")]
MOST_STATEMENTS = 10
AUDIT_TARGET = 0.25
TIMES_VALIDATION = {"sqlite": 2.5, "postgresql": 4.0}


def entry(patient: Any, lesions: list[Lesion], day: datetime.date) -> VisitEntry:
    visit = Visit(
        patient=patient, visit_date=day, visit_type="FOLLOW_UP", calcinosis_present="Y", pain_nrs=4, patient_global=5,
        physician_global=3, treatments_changed="NONE", complications="NONE",
    )  # fmt: skip
    seen = [
        LesionObservation(
            patient=patient, visit=visit, lesion=lesion, status_change="STABLE", ulcerated="N", drainage="NONE",
            infection="NONE", flare="N", length_mm=Decimal(9), width_mm=Decimal(7), size_method="CALIPER",
        )
        for lesion in lesions
    ]  # fmt: skip
    return VisitEntry(visit=visit, observations=seen)


@pytest.fixture
def days() -> Iterator[datetime.date]:
    return (datetime.date(2020, 1, 1) + datetime.timedelta(days=n) for n in itertools.count())


def test_saving_a_visit_with_six_observations_takes_ten_statements(clinician: User, north: Any, days: Any) -> None:
    patient = PatientFactory(clinic=north)
    known_lesions(patient, datetime.date(2019, 1, 1), SIX)
    lesions = list(Lesion.objects.filter(patient=patient))
    save_visit(entry=entry(patient, lesions, next(days)), by=clinician, now=timezone.now())
    with CaptureQueriesContext(connection) as captured:
        save_visit(entry=entry(patient, lesions, next(days)), by=clinician, now=timezone.now())
    statements = [one["sql"] for one in captured if not one["sql"].startswith(("BEGIN", "COMMIT"))]
    assert len(statements) <= MOST_STATEMENTS, "\n".join(statements)


def test_saving_costs_little_beside_validating_the_forms(clinician: User, north: Any, days: Any) -> None:
    patient = PatientFactory(clinic=north)
    known_lesions(patient, datetime.date(2019, 1, 1), SIX)

    def page() -> VisitPage:
        visit = Visit(patient=patient, visit_date=datetime.date(2021, 1, 1), visit_type="FOLLOW_UP")
        return VisitPage(visit, patient_rows(patient, visit), posted(next(days)))

    def validate() -> None:
        assert page().is_valid()

    def save() -> None:
        typed = page()
        assert typed.is_valid()
        save_visit(entry=typed.entry(), by=clinician, now=timezone.now())

    validated, saved = median_seconds(validate), median_seconds(save)
    told("save visit + 6", validation_ms=1000 * validated, save_ms=1000 * saved, ratio=saved / validated)
    assert saved <= TIMES_VALIDATION[connection.vendor] * validated


def test_the_trail_is_a_small_part_of_a_save(clinician: User, north: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same save with its events, and with nothing told: neither made, sealed, written, nor noted outside."""
    turns, day = 20, datetime.date(2021, 1, 1)
    patients = [PatientFactory(clinic=north) for _save in range(2 * (turns + 1))]
    for patient in patients:
        known_lesions(patient, datetime.date(2019, 1, 1), SIX)
    lesions = {one: list(Lesion.objects.filter(patient=one)) for one in patients}
    waiting, saved = iter([entry(one, lesions[one], day) for one in patients]), []

    def save() -> None:
        """Rules, writing, recheck and summary; not the form, which would make the share look smaller."""
        typed = next(waiting)
        save_visit(entry=typed, by=clinician, now=timezone.now())
        saved.append(typed)

    def untold() -> None:
        with monkeypatch.context() as silenced:
            silenced.setattr(trail, "write", lambda _events: None)
            save()

    events = Event.objects.filter(model="patients.visit", actor_id=None)
    before = events.count()
    with_trail, without = least_in_turn(save, untold, times=turns)
    assert len(saved) == len(patients)
    assert events.count() - before == len(patients) / 2, "half of the saves, and no more, told the trail"
    share = 1 - without / with_trail
    told("audit of a save", with_ms=1000 * with_trail, without_ms=1000 * without, share=share, target=AUDIT_TARGET)
    assert share <= AUDIT_TARGET


def posted(day: datetime.date) -> QueryDict:
    """What the browser sends for a visit and six answered lesions."""
    data = QueryDict(mutable=True)
    data.update(
        {
            "version": "0", "visit_date": str(day), "visit_type": "FOLLOW_UP", "calcinosis_present": "Y",
            "pain_nrs": "4", "patient_global": "5", "physician_global": "3", "treatments_changed": "NONE",
            "complications": "NONE",
        }
    )  # fmt: skip
    for number in range(1, 7):
        answers = {
            "version": "0", "status_change": "STABLE", "none_of_these": "on", "length_mm": "9", "width_mm": "7",
            "size_method": "CALIPER",
        }  # fmt: skip
        data.update({f"l{number}-{name}": value for name, value in answers.items()})
    return data
