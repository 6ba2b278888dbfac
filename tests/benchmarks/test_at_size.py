"""What grows with the register: the pages of every day, a save and a count at 250 patients and at 100,000 in one run.

``BENCH_PATIENTS=1000000 make bench ARGS=tests/benchmarks/test_at_size.py`` asks for another size.
"""

from __future__ import annotations

import datetime
import itertools
import os
import random
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, models
from django.template.base import Template
from django.test import Client
from django.utils import timezone

from calcinosis_registry.accounts.models import User
from calcinosis_registry.codebook.partial_dates import PartialDate
from calcinosis_registry.cohorts.counts import MOST_STALE, count
from calcinosis_registry.cohorts.facts import refresh, unknown_to_facts
from calcinosis_registry.cohorts.scope import scope_of
from lesions.models import Lesion, LesionObservation, TreatmentCourse
from lesions.services import VisitEntry, save_visit
from lesions.views.patient_page import KEPT
from patients.listing import PAGE_SIZE
from patients.models import Patient, Visit
from tests.benchmarks.many_patients import copies_of_every_patient
from tests.benchmarks.measure import least_seconds, told
from tests.factories import DiagnosisFactory, IdentityFactory, PatientFactory, known_lesions

pytestmark = [pytest.mark.benchmark, pytest.mark.django_db(transaction=True)]

BASE = 250
PATIENTS = int(os.environ.get("BENCH_PATIENTS", "100000"))
LAST_PAGE = 1000
SIX = [("HAND.D1.PULP", "R"), ("HAND.D2.DIP", "L"), ("ELBOW", "R"), ("KNEE", "L"), ("FOREARM", "L"), ("BUTTOCK", "R")]
DISEASES = (("SSC", "LCSSC"), ("SSC", "DCSSC"), ("JDM", ""), ("SLE", ""))
QUESTION = {
    "join": "all",
    "conditions": [
        {"item": "diagnosis.primary_ctd", "operator": "is", "value": "SSC"},
        {"item": "treatmentcourse.agent", "operator": "is", "value": "COLCHICINE"},
        {"item": "lesion.site", "operator": "is", "value": "KNEE"},
        {"item": "lesionobservation.ulcerated", "operator": "is", "value": "Y"},
        {"item": "lesionobservation.length_mm", "operator": "at least", "value": "12"},
    ],
}
# How often what a thing costs at 250 patients it may cost at 100,000 (400 times as many). Measured: the patient page
# 1.3, a save 1.4, page 1000 of the list 1.3, its first page 2.7, by last visit 2.5, a search that finds half of all 4.0
# and one that finds nobody 2.5. The work list 18: it looks at every patient who may be seen. A count looks at one
# narrow row (Facts) of each: 3.0; what it may cost in milliseconds is asked by test_cohort_count.py.
MOST = {
    "patient page": 2.0, "save of a visit": 2.5, "list page 1000": 2.0, "list page 1": 4.0, "list by last visit": 4.0,
    "search, half of all found": 7.0, "search, nobody found": 5.0, "work list": 35.0, "cohort count": 8.0,
}  # fmt: skip
LIST_LIMIT = 1.5  # page 1000 beside page 1


@pytest.fixture(autouse=True)
def as_served(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests copy the context of every template they render; a server does not."""
    monkeypatch.setattr(Template, "_render", lambda template, context: template.nodelist.render(context))


def entered(north: Any, by: User) -> list[Patient]:
    """BASE patients as people enter them: a name, a disease, two to six lesions, three visits, a treatment."""
    chance = random.Random(7)
    found = []
    for number in range(BASE):
        patient = PatientFactory(clinic=north, registry_number=f"NOR-{90_000 + number:05d}")
        IdentityFactory(patient=patient, family_name=f"{chance.choice('AB')}uthor{number:03d}")
        disease, subset = chance.choice(DISEASES)
        DiagnosisFactory(patient=patient, primary_ctd=disease, ssc_subset=subset)
        first = datetime.date(2021, 1, 10) + datetime.timedelta(days=chance.randrange(900))
        known_lesions(patient, first, chance.sample(SIX, chance.randint(2, 6)), targets=1)
        for visit in range(1, 3):
            day = first + datetime.timedelta(days=180 * visit)
            save_visit(entry=seen(patient, day, chance), by=by, now=timezone.now())
        agent = chance.choice(("COLCHICINE", "DILTIAZEM", "MINOCYCLINE"))
        TreatmentCourse(patient=patient, agent=agent, route="ORAL", start=PartialDate(2022)).save()
        found.append(patient)
    # Counts take signed visits only; the ceremony of signing is not what is measured here.
    models.QuerySet(Visit).update(state="SIGNED")
    refresh()  # as the worker does
    return found


def seen(patient: Patient, day: datetime.date, chance: random.Random) -> VisitEntry:
    visit = Visit(
        patient=patient, visit_date=day, visit_type="FOLLOW_UP", calcinosis_present="Y", pain_nrs=chance.randrange(11),
        patient_global=5, physician_global=3, treatments_changed="NONE", complications="NONE",
        next_visit_due=day + datetime.timedelta(days=400 + chance.randrange(1500)),
    )  # fmt: skip
    observations = [
        LesionObservation(
            patient=patient, visit=visit, lesion=lesion, status_change="STABLE", ulcerated=chance.choice("NNNY"),
            ulcer_size_mm=Decimal(3), drainage="NONE", infection="NONE", flare="N", size_method="CALIPER",
            length_mm=Decimal(chance.randint(4, 20)), width_mm=Decimal(4),
        )
        for lesion in Lesion.objects.filter(patient=patient)
    ]  # fmt: skip
    return VisitEntry(visit=visit, observations=observations)


def test_the_register_stays_quick_as_it_grows(
    client_of: Callable[..., Client], clinician: User, north: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Everything in one clinic, which is harder than the same patients in hundreds of clinics."""
    monkeypatch.setattr(KEPT, "get", lambda _key, make: make())
    patients = entered(north, clinician)
    client, chance = client_of(clinician), random.Random(8)
    days = (datetime.date(2025, 1, 1) + datetime.timedelta(days=n) for n in itertools.count())

    def works() -> dict[str, Callable[[], None]]:
        def page(url: str, **data: str) -> Callable[[], None]:
            def ask() -> None:
                assert (client.post(url, data) if data else client.get(url)).status_code == 200

            return ask

        last = Patient.objects.order_by("registry_number").values_list("public_id", flat=True)
        far = min(PAGE_SIZE * (LAST_PAGE - 1), len(last) - PAGE_SIZE - 1)
        return {
            "list page 1": page("/patients/"),
            "list page 1000": page(f"/patients/?after={last[far - 1]}"),
            "list by last visit": page("/patients/?sort=last"),
            "search, half of all found": page("/patients/search/", q="Author"),
            "search, nobody found": page("/patients/search/", q="Nemo"),
            "patient page": page(patients[3].get_absolute_url()),
            "work list": page("/"),
            "save of a visit": lambda: save(patients[5]),
            "cohort count": lambda: told_count.append(count(QUESTION, scope_of(clinician)).number),
        }

    def save(patient: Patient) -> None:
        save_visit(entry=seen(patient, next(days), chance), by=clinician, now=timezone.now())

    told_count: list[int | None] = []
    small = {name: least_seconds(work, times=7) for name, work in works().items()}
    rows = copies_of_every_patient(PATIENTS // BASE - 1)
    many = Patient.objects.count()
    large = {name: least_seconds(work, times=7) for name, work in works().items()}
    told(f"at {many:,} patients, {rows:,} rows copied", vendor_is_postgresql=connection.vendor == "postgresql")
    for name in small:
        told(f"  {name}", ms=1000 * large[name], ms_at_250=1000 * small[name], ratio=large[name] / small[name])
    assert many == PATIENTS // BASE * BASE
    assert unknown_to_facts(most=MOST_STALE) is not None, "counts were asked of the records"
    assert told_count[-1] == told_count[0] * (PATIENTS // BASE) > 0, "the copies are not like what was copied"
    scale = max(PATIENTS / 100_000, 1.0)
    slow = {
        name: round(large[name] / small[name], 1) for name in MOST if large[name] > MOST[name] * scale * small[name]
    }
    assert not slow
    assert large["list page 1000"] <= LIST_LIMIT * large["list page 1"]
