"""What the pages of every day cost in processor time, beside ``sum(range(100_000))`` in the same run."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest
from django.db import models
from django.template.base import Template
from django.test import Client
from django.utils import timezone
from django.utils.crypto import get_random_string

from calcinosis_registry.accounts.models import User
from calcinosis_registry.codebook.partial_dates import PartialDate
from lesions.models import Complication, Lesion, LesionObservation, TreatmentCourse
from lesions.services import VisitEntry, save_visit
from lesions.views.patient_page import KEPT
from patients.listing import PAGE_SIZE
from patients.models import LaboratoryResult, Patient, Summary, Visit
from tests.benchmarks.measure import least_seconds, told, yardstick
from tests.factories import DiagnosisFactory, IdentityFactory, PatientFactory, known_lesions
from tests.operations.register import a_visit

pytestmark = [pytest.mark.benchmark, pytest.mark.django_db(transaction=True)]

SIX = [("HAND.D1.PULP", "R"), ("HAND.D2.DIP", "L"), ("ELBOW", "R"), ("KNEE", "L"), ("FOREARM", "L"), ("BUTTOCK", "R")]
# The target of the patient page is 6 yardsticks. Read again with nothing changed in between (warm) it takes 6 to 7;
# made anew (cold: the first time in a process, and after every change of the patient) 14 to 18, so there the target is
# NOT reached. Sign-in and the frame of a page alone take 2.5 to 3. On a machine that runs ten things at once a page
# suffers more than the yardstick: 7 to 10 warm and 18 to 24 cold. The limits leave room for that.
PATIENT_PAGE_TARGET, WARM_LIMIT, COLD_LIMIT = 6, 12, 28
VISIT_PAGE_LIMIT = 80  # no target is set; 158 with a template per control, 60 since
# What is asked most often, in yardsticks, at about twice of what it takes on a quiet machine.
EVERY_DAY_LIMITS = {"work list": 50, "patient list of 50": 40, "new visit": 110, "save of a visit": 80}
LAST_PAGE = 1000
LIST_LIMIT = 1.5


@pytest.fixture
def usual(north: Any, clinician: User) -> Patient:
    """Six visits, six lesions seen at each, a name, a diagnosis, treatments, a complication, laboratory results."""
    patient = PatientFactory(clinic=north)
    IdentityFactory(patient=patient)
    DiagnosisFactory(patient=patient)
    known_lesions(patient, datetime.date(2023, 1, 10), SIX, targets=2)
    lesions = list(Lesion.objects.filter(patient=patient))
    for number in range(1, 6):
        day = datetime.date(2023, 1, 10) + datetime.timedelta(days=182 * number)
        visit = Visit(
            patient=patient, visit_date=day, visit_type="FOLLOW_UP", calcinosis_present="Y", pain_nrs=number,
            patient_global=5, physician_global=3, treatments_changed="NONE", complications="NONE",
        )  # fmt: skip
        seen = [
            LesionObservation(
                patient=patient, visit=visit, lesion=one, status_change="STABLE", ulcerated="N", drainage="NONE",
                infection="NONE", flare="N", length_mm=Decimal(9), width_mm=Decimal(7), size_method="CALIPER",
            )
            for one in lesions
        ]  # fmt: skip
        save_visit(entry=VisitEntry(visit=visit, observations=seen), by=clinician, now=timezone.now())
        reported = {"value_original": Decimal("2.3"), "unit_original": "mmol/L"}
        LaboratoryResult(patient=patient, analyte="CALCIUM", collected_on=day, **reported).save()
    for agent in ("COLCHICINE", "DILTIAZEM"):
        TreatmentCourse(patient=patient, agent=agent, route="ORAL", start=PartialDate(2023)).save()
    Complication(patient=patient, code="CELLULITIS", onset=PartialDate(2024, 2), admission="N").save()
    return patient


@pytest.fixture(autouse=True)
def as_served(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests copy the context of every template they render; a server does not."""
    monkeypatch.setattr(Template, "_render", lambda template, context: template.nodelist.render(context))


def yardsticks(client: Client, url: str, *, status: int = 200) -> tuple[float, float]:
    """(milliseconds, multiples of the yardstick) of processor time of one page."""

    def get() -> None:
        assert client.get(url).status_code == status

    took = least_seconds(get)
    return 1000 * took, took / yardstick()


def test_the_patient_page_keeps_what_was_won(
    client_of: Callable[..., Client], clinician: User, usual: Patient, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, url = client_of(clinician), usual.get_absolute_url()
    ms, warm = yardsticks(client, url)
    told("patient page, warm", ms=ms, yardsticks=warm, target=PATIENT_PAGE_TARGET)
    monkeypatch.setattr(KEPT, "get", lambda _key, make: make())
    ms, cold = yardsticks(client, url)
    told("patient page, cold", ms=ms, yardsticks=cold, target=PATIENT_PAGE_TARGET)
    ms, frame = yardsticks(client, "/nothing/", status=404)
    told("a page with nothing on it", ms=ms, yardsticks=frame)
    assert warm <= WARM_LIMIT
    assert cold <= COLD_LIMIT


def test_the_visit_page_keeps_what_was_won(client_of: Callable[..., Client], clinician: User, usual: Patient) -> None:
    visit = Visit.objects.filter(patient=usual).order_by("visit_date").last()
    ms, ratio = yardsticks(client_of(clinician), visit.get_absolute_url())
    told("visit page", ms=ms, yardsticks=ratio)
    assert ratio <= VISIT_PAGE_LIMIT


def test_what_a_clinic_asks_most_often_keeps_what_was_won(
    client_of: Callable[..., Client], clinician: User, usual: Patient, north: Any
) -> None:
    for _number in range(PAGE_SIZE):
        IdentityFactory(patient=PatientFactory(clinic=north))
    client, days = client_of(clinician), days_from_now_on(usual)
    first_two = "l1", "l2"

    def save() -> None:
        form = a_visit(next(days), get_random_string(16, "abc123"))
        kept = {name: value for name, value in form.items() if not name.startswith("l")}
        rows = {name: value for name, value in form.items() if name.startswith(first_two)}
        assert client.post(f"{usual.get_absolute_url()}visits/new/", kept | rows).status_code == 302

    def get(url: str) -> Callable[[], None]:
        def ask() -> None:
            assert client.get(url).status_code == 200

        return ask

    acts = {
        "work list": get("/"), "patient list of 50": get("/patients/"),
        "new visit": get(f"{usual.get_absolute_url()}visits/new/"), "save of a visit": save,
    }  # fmt: skip
    for name, act in acts.items():
        ratio = least_seconds(act) / yardstick()
        told(name, yardsticks=ratio, limit=EVERY_DAY_LIMITS[name])
        assert ratio <= EVERY_DAY_LIMITS[name], name


def days_from_now_on(patient: Patient) -> Iterator[str]:
    """A day of its own for each further visit, after the last one."""
    last = Visit.objects.filter(patient=patient).order_by("visit_date").last()
    return (f"{last.visit_date + datetime.timedelta(days=n)}" for n in range(1, 300))


def test_page_1000_of_the_patient_list_costs_what_page_1_costs(
    client_of: Callable[..., Client], clinician: User, north: Any
) -> None:
    count = PAGE_SIZE * (LAST_PAGE + 1)
    # Straight into the tables: 50,050 histories of creation would measure the loading.
    made = [
        Patient(clinic=north, registry_number=f"NOR-{n:06d}", sex_at_birth="F", registry_consent=True)
        for n in range(count)
    ]
    models.QuerySet(Patient).bulk_create(made, batch_size=2000)
    keys = Patient.objects.order_by("registry_number").values_list("pk", "public_id")
    models.QuerySet(Summary).bulk_create([Summary(patient_id=pk) for pk, _public in keys], batch_size=2000)
    last_before = keys[PAGE_SIZE * (LAST_PAGE - 1) - 1][1]
    client = client_of(clinician)

    def page(url: str, first: int) -> Callable[[], None]:
        shown = [f">NOR-{number:06d}<".encode() for number in (first, first + PAGE_SIZE - 1)]

        def get() -> None:
            content = client.get(url).content
            assert all(number in content for number in shown)

        return get

    near = least_seconds(page("/patients/", 0))
    far = least_seconds(page(f"/patients/?after={last_before}", PAGE_SIZE * (LAST_PAGE - 1)))
    told("patient list", page_1_ms=1000 * near, page_1000_ms=1000 * far, ratio=far / near)
    assert far <= LIST_LIMIT * near
