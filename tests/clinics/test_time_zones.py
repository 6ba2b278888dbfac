"""Today is the day it is in the clinic; dates are plain and nobody's clock shifts them."""

from __future__ import annotations

import datetime
import random

import pytest
import time_machine
from django.db.models import QuerySet
from django.urls import reverse

from calcinosis_registry.clinics.roles import Role
from calcinosis_registry.codebook.partial_dates import PartialDate
from patients.models import Visit
from tests.factories import ClinicFactory, IdentityFactory, MembershipFactory, PatientFactory, TreatmentCourseFactory
from tests.sent_forms import sent_by

pytestmark = pytest.mark.django_db
NOON = datetime.datetime(2026, 11, 23, 12, 30, tzinfo=datetime.UTC)
# +14:00, where it is the next day already, and -11:00.
EAST, WEST = "Pacific/Kiritimati", "Pacific/Pago_Pago"


@pytest.fixture
def clinic():
    return ClinicFactory(name="Islands", code="ISL")


@pytest.fixture
def person(clinic):
    return MembershipFactory(clinic=clinic, role=Role.CLINICIAN).user


def in_zone(clinic, name: str) -> None:
    clinic.time_zone = name
    clinic.save()


def visit_on(client, patient, day: str):
    address = reverse("lesions:visit_new", args=[patient.public_id])
    form = sent_by(client.get(address)) | {"visit_date": day, "visit_type": "BASELINE", "calcinosis_present": "N"}
    return client.post(address, form)


@pytest.mark.parametrize(
    ("zone", "at", "today", "tomorrow"),
    [
        (EAST, NOON, "2026-11-24", "2026-11-25"),
        (WEST, NOON.replace(hour=3), "2026-11-22", "2026-11-23"),
        ("", NOON, "2026-11-23", "2026-11-24"),
    ],
)
def test_a_visit_of_today_is_never_in_the_future(client_of, clinic, person, zone, at, today, tomorrow):
    in_zone(clinic, zone)
    patient = PatientFactory(clinic=clinic)
    IdentityFactory(patient=patient)
    with time_machine.travel(at, tick=False):
        client = client_of(person)
        assert f'value="{today}"' in client.get(reverse("lesions:visit_new", args=[patient.public_id])).content.decode()
        assert "in the future" in visit_on(client, patient, tomorrow).content.decode()
        assert not Visit.objects.exists()
        assert visit_on(client, patient, today).status_code == 302
    assert str(Visit.objects.get().visit_date) == today


def test_who_works_in_two_zones_lives_in_the_one_where_the_day_begins_first(client_of, clinic, person):
    in_zone(clinic, EAST)
    MembershipFactory(user=person, clinic=ClinicFactory(time_zone=WEST), role=Role.CLINICIAN)
    patient = PatientFactory(clinic=clinic)
    with time_machine.travel(NOON, tick=False):
        assert visit_on(client_of(person), patient, "2026-11-24").status_code == 302


def test_the_times_of_a_page_are_the_clinics_and_a_kept_page_is_not_another_zones(client_of, clinic, person):
    patient = PatientFactory(clinic=clinic)
    with time_machine.travel(NOON, tick=False):
        history = reverse("lesions:patient_history", args=[patient.public_id])
        client = client_of(person)
        TreatmentCourseFactory(patient=patient)
        assert "2026-11-23 12:30" in client.get(history).content.decode()
        in_zone(clinic, EAST)
        assert "2026-11-24 02:30" in client.get(history).content.decode()


@pytest.mark.parametrize("times", [12, pytest.param(1000, marks=pytest.mark.long)])
def test_dates_come_back_as_they_were_typed_in_every_zone_at_every_hour(client_of, clinic, person, times):
    dice = random.Random(times)
    zones = [EAST, WEST, "", "Asia/Kathmandu", "America/St_Johns", "Australia/Lord_Howe", "Europe/Zurich"]
    for _turn in range(times):
        in_zone(clinic, dice.choice(zones))
        day = datetime.date(2012, 1, 1) + datetime.timedelta(days=dice.randrange(4_900))
        patient = PatientFactory(clinic=clinic, birth_date=PartialDate(1968, 4))
        with time_machine.travel(NOON + datetime.timedelta(hours=dice.randrange(24 * 365)), tick=False):
            client = client_of(person)
            assert visit_on(client, patient, day.isoformat()).status_code == 302, (clinic.time_zone, day)
            visit = Visit.objects.get(patient=patient)
            assert visit.visit_date == day
            assert f'value="{day}"' in client.get(visit.get_absolute_url()).content.decode()
            assert str(day) in client.get(patient.get_absolute_url()).content.decode()


def test_the_zone_is_chosen_from_the_list_and_an_unknown_one_is_refused(client_of, coordinator, clinic):
    client, address = client_of(coordinator), reverse("clinics:clinic", args=[clinic.public_id])
    page = client.get(address)
    assert f'<option value="{EAST}">' in page.content.decode()
    form = {"name": clinic.name, "unlock_by_two": "on"}
    refused = client.post(address, form | {"time_zone": "Europe/Nowhere"})
    assert "No time zone of this name is known" in refused.content.decode()
    assert client.post(address, form | {"time_zone": EAST}).status_code == 302
    clinic.refresh_from_db()
    assert clinic.time_zone == EAST


def test_a_zone_that_is_in_no_list_any_more_keeps_nobody_out(client_of, clinic, person):
    QuerySet(type(clinic)).filter(pk=clinic.pk).update(time_zone="Europe/Nowhere")
    patient = PatientFactory(clinic=clinic)
    assert client_of(person).get(patient.get_absolute_url()).status_code == 200
