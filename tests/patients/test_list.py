"""The patient list and the search, through the front door."""

from __future__ import annotations

import datetime
import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from calcinosis_registry.audit.models import Action, Event
from calcinosis_registry.clinics.models import Membership
from calcinosis_registry.quality.models import DataQuery
from patients.listing import ORDERS, PAGE_SIZE, page_of
from patients.models import FollowUp, Patient, Summary
from tests.factories import DiagnosisFactory, IdentityFactory, PatientFactory, SummaryFactory

URL = "/patients/"


def known(clinic, family="Duarte", given="Elena", **more):
    patient = PatientFactory(clinic=clinic, **{k: more.pop(k) for k in ("status", "registered_on") if k in more})
    IdentityFactory(patient=patient, family_name=family, given_name=given, hospital_number=more.pop("hospital", ""))
    DiagnosisFactory(patient=patient)
    SummaryFactory(patient=patient, **more)
    return patient


def days(number: int) -> datetime.date:
    return timezone.localdate() + datetime.timedelta(days=number)


def numbers(response) -> list[str]:
    return [patient.registry_number for patient in response.context["patients"]]


def test_a_row_says_who_what_and_when(client_of, clinician, north):
    patient = known(
        north, active_lesions=4, ulcerated_lesions=1, last_visit_on=days(-40), visit_count=2, completeness=83
    )
    page = client_of(clinician).get(URL).content.decode()
    for text in ("Duarte, Elena", patient.registry_number, "lcSSc", "ulcerated", str(days(-40)), "83 %", "Female"):
        assert text in page


def test_the_names_of_a_page_are_one_event(client_of, clinician, north):
    shown = [known(north, family=f"F{n}").registry_number for n in range(3)]
    client_of(clinician).get(URL)
    (event,) = Event.objects.filter(action=Action.READ)
    assert event.changes["patients"] == sorted(shown)
    assert event.actor_id == clinician.pk


def test_a_monitor_sees_numbers_and_no_names(client_of, monitor, north):
    patient = known(north)
    page = client_of(monitor).get(URL).content.decode()
    assert patient.registry_number in page
    assert "Duarte" not in page
    assert not Event.objects.filter(action=Action.READ).exists()


def test_another_clinic_sees_nobody(client_of, stranger, north):
    patient = known(north)
    response = client_of(stranger).get(URL)
    assert numbers(response) == []
    assert patient.registry_number not in response.content.decode()


@pytest.mark.parametrize("who", ["researcher", "admin"])
def test_without_records_there_is_no_list(client_of, request, who):
    client = client_of(request.getfixturevalue(who))
    assert client.get(URL).status_code == 403
    assert client.post(reverse("patients:search"), {"q": "Duarte"}).status_code == 403


def test_the_list_asks_the_database_as_often_for_60_patients_as_for_10(client_of, clinician, north):
    client = client_of(clinician)
    for n in range(10):
        known(north, family=f"F{n}")
    client.get(URL)
    with CaptureQueriesContext(connection) as few:
        client.get(URL)
    for n in range(50):
        known(north, family=f"G{n}")
    with CaptureQueriesContext(connection) as many:
        assert len(numbers(client.get(URL))) == PAGE_SIZE
    assert len(few) == len(many)
    assert not any("OFFSET" in query["sql"] for query in many)


@pytest.mark.parametrize("order", ORDERS)
def test_the_pages_of_every_order_hold_everybody_once_and_lead_back(north, order):
    for n in range(11):
        patient = PatientFactory(clinic=north)
        if n % 3:  # every third has no summary yet, others share values
            day = days(-n // 2)
            SummaryFactory(
                patient=patient, active_lesions=n // 4, last_visit_on=day, next_due_on=day if n % 2 else None
            )
    rows = Patient.objects.all()
    pages, page = [], page_of(rows, rows, order=order, size=4)
    while True:
        pages.append([one.pk for one in page.rows])
        if not page.after:
            break
        page = page_of(rows, rows, order=order, after=page.after, size=4)
    assert [len(one) for one in pages] == [4, 4, 3]
    assert sorted(pk for one in pages for pk in one) == sorted(rows.values_list("pk", flat=True))
    back = page_of(rows, rows, order=order, before=page.before, size=4)
    assert [one.pk for one in back.rows] == pages[1]
    first = page_of(rows, rows, order=order, before=back.before, size=4)
    assert [one.pk for one in first.rows] == pages[0]
    assert first.before == ""


def test_no_identifier_stands_in_a_link_of_the_list(client_of, clinician, north):
    for n in range(PAGE_SIZE + 1):
        known(north, family="Duarte", hospital=f"H{n}")
    page = client_of(clinician).get(URL).content.decode()
    links = re.findall(r'href="([^"]+)"', page)
    assert any("after=" in link for link in links)
    assert not any(re.search(r"NOR-|Duarte|Elena|H\d", link) for link in links)


def test_a_foreign_or_invented_place_starts_at_the_first_page(client_of, clinician, north, south):
    mine = [known(north, family=f"F{n}").registry_number for n in range(3)]
    foreign = known(south)
    client = client_of(clinician)
    for place in (foreign.public_id, "x" * 16, "' OR 1=1", ""):
        assert numbers(client.get(URL, {"after": place})) == mine


FOLLOW_UPS = [
    ({"next_due_on": 0, "last_visit_on": -180}, FollowUp.DUE),
    ({"next_due_on": -30, "last_visit_on": -180}, FollowUp.DUE),
    ({"next_due_on": 30, "last_visit_on": -180}, FollowUp.DUE),
    ({"next_due_on": 30, "last_visit_on": -900}, FollowUp.DUE),
    ({"next_due_on": 31, "last_visit_on": -180}, None),
    ({"next_due_on": 31, "last_visit_on": -900}, None),
    ({"next_due_on": -31, "last_visit_on": -180}, FollowUp.OVERDUE),
    ({"next_due_on": -31, "last_visit_on": -548}, FollowUp.OVERDUE),
    ({"next_due_on": -31, "last_visit_on": -549}, FollowUp.LOST),
    ({"last_visit_on": -549}, FollowUp.LOST),
    ({"last_visit_on": -548}, None),
    ({"registered_on": -549}, FollowUp.LOST),
    ({"registered_on": -10}, None),
    ({"next_due_on": -40, "registered_on": -100}, FollowUp.OVERDUE),
    ({"status": "LOST", "next_due_on": 0, "last_visit_on": -10}, FollowUp.LOST),
    ({"status": "OPTED_OUT", "next_due_on": -40, "last_visit_on": -600}, None),
]


@pytest.mark.parametrize(("facts", "expected"), FOLLOW_UPS)
def test_due_overdue_and_lost_are_the_same_in_the_filter_and_in_the_row(client_of, clinician, north, facts, expected):
    patient = known(north, **{name: days(value) if isinstance(value, int) else value for name, value in facts.items()})
    assert Summary.objects.get(patient=patient).follow_up == expected
    client = client_of(clinician)
    fits = [state for state in FollowUp.values if numbers(client.get(URL, {"work": state}))]
    assert fits == ([expected] if expected else [])


def test_the_filters_narrow_the_list(client_of, clinician, north):
    client = client_of(clinician)
    plain = known(north, family="Plain")
    ulcerated = known(north, family="Ulcerated", ulcerated_lesions=1, active_lesions=2, open_visits=1)
    dead = known(north, family="Gone", unsigned_visits=1)
    dead.status, dead.death_date = "DEAD", dead.birth_date
    dead.save()
    myositis = known(north, family="Myositis")
    diagnosis = myositis.diagnosis_set.get()
    diagnosis.primary_ctd, diagnosis.ssc_subset = "DM_ADULT", ""
    diagnosis.save()
    DataQuery.objects.create(clinic=north, patient=plain.registry_number, model="patients.patient", object_id=plain.pk)
    for asked, expected in [
        ({"ulcer": "on"}, [ulcerated]),
        ({"status": "DEAD"}, [dead]),
        ({"disease": "DM_ADULT"}, [myositis]),
        ({"subset": "LCSSC", "status": "ALIVE"}, [plain, ulcerated]),
        ({"work": "complete"}, [ulcerated]),
        ({"work": "sign"}, [dead]),
        ({"work": "asked"}, [plain]),
        ({"disease": "DM_ADULT", "ulcer": "on"}, []),
    ]:
        assert numbers(client.get(URL, asked)) == [one.registry_number for one in expected], asked


def test_an_answer_that_makes_no_sense_is_shown_beside_its_field_and_left_out(client_of, clinician, north):
    patient = known(north)
    response = client_of(clinician).get(URL, {"work": "nonsense", "sort": "name", "disease": "\x00"})
    assert numbers(response) == [patient.registry_number]
    assert "nonsense is not one of the available choices" in response.content.decode()


def test_a_clinic_can_be_chosen_only_by_who_works_in_several(client_of, clinician, north, south):
    here, there = known(north, family="Here"), known(south, family="There")
    assert "clinic" not in client_of(clinician).get(URL).context["form"].fields
    Membership.objects.create(user=clinician, clinic=south, role="clinician")
    client = client_of(type(clinician).objects.get(pk=clinician.pk))
    assert numbers(client.get(URL)) == [here.registry_number, there.registry_number]
    assert numbers(client.get(URL, {"clinic": south.public_id})) == [there.registry_number]


@pytest.mark.parametrize(
    "text", ["dua", "DUARTE", "Élena", "elena duarte", "Duarte, Elena", "duarte e", "K-77", "nor-9"]
)
def test_a_search_finds_by_the_beginning_of_name_hospital_number_or_registry_number(client_of, clinician, north, text):
    patient = known(north, family="Duarte", given="Elena", hospital="K-7701")
    IdentityFactory(
        patient=PatientFactory(clinic=north, registry_number="NOR-00001"), family_name="Other", given_name="Name"
    )
    assert numbers(client_of(clinician).post(reverse("patients:search"), {"q": text})) == [patient.registry_number]


@pytest.mark.parametrize("text", ["van der Berg", "Anna van der Berg", "van der berg anna", "van der"])
def test_a_family_name_of_several_words_is_found(client_of, clinician, north, text):
    patient = known(north, family="van der Berg", given="Anna")
    assert numbers(client_of(clinician).post(reverse("patients:search"), {"q": text})) == [patient.registry_number]


def test_the_whole_registry_number_goes_straight_to_the_patient(client_of, clinician, north):
    patient = known(north)
    response = client_of(clinician).post(reverse("patients:search"), {"q": f" {patient.registry_number.lower()} "})
    assert response.status_code == 302
    assert response.url == patient.get_absolute_url()
    assert patient.registry_number not in response.url


def test_a_search_never_stands_in_a_url(client_of, clinician):
    client = client_of(clinician)
    assert client.get(reverse("patients:search"), {"q": "Duarte"}).status_code == 405
    home = client.get("/").content.decode()
    form = re.search(r'<form class="search".*?</form>', home, re.DOTALL).group()
    assert 'method="post"' in form
    assert "csrfmiddlewaretoken" in form


def test_a_search_finds_nobody_of_another_clinic(client_of, stranger, monitor, north):
    patient = known(north, hospital="K-7701")
    for text in ("Duarte", "K-77", "NOR", patient.registry_number):
        assert numbers(client_of(stranger).post(reverse("patients:search"), {"q": text})) == []
    # A monitor of the clinic sees the record and not the name: the name finds nobody.
    assert numbers(client_of(monitor).post(reverse("patients:search"), {"q": "Duarte"})) == []
    assert numbers(client_of(monitor).post(reverse("patients:search"), {"q": "NOR"})) == [patient.registry_number]


@pytest.mark.parametrize("text", ["", "   ", "%", "_", "\x00", "'; DROP TABLE", "🦴", "x" * 5000])
def test_strange_searches_find_nobody_and_break_nothing(client_of, clinician, north, text):
    known(north)
    response = client_of(clinician).post(reverse("patients:search"), {"q": text})
    assert response.status_code in (200, 302)
    if response.status_code == 200:
        assert numbers(response) == []
