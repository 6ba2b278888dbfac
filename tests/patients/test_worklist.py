"""Home: what is due, unfinished, unsigned or asked, and whom one saw last."""

from __future__ import annotations

import datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from calcinosis_registry.quality.models import DataQuery, QueryStatus
from patients.models import VisitState
from tests.factories import DiagnosisFactory, IdentityFactory, PatientFactory, SummaryFactory, VisitFactory


def known(clinic, family="Duarte", **summary):
    patient = PatientFactory(clinic=clinic)
    IdentityFactory(patient=patient, family_name=family, given_name="Elena")
    SummaryFactory(patient=patient, last_visit_on=days(-100), **summary)
    return patient


def days(number: int) -> datetime.date:
    return timezone.localdate() + datetime.timedelta(days=number)


def work(client):
    return client.get("/").context["work"]


def test_an_empty_register_says_what_to_do_next(client_of, clinician, monitor):
    page = client_of(clinician).get("/").content.decode()
    assert reverse("patients:register") in page
    assert reverse("patients:register") not in client_of(monitor).get("/").content.decode()


def test_the_sections_hold_what_is_due_overdue_unfinished_unsigned_and_asked(client_of, clinician, north):
    due, overdue, other = (
        known(north, "Due", next_due_on=days(3)),
        known(north, "Late", next_due_on=days(-41)),
        known(north),
    )
    draft = VisitFactory(patient=other)
    complete = VisitFactory(patient=other, state=VisitState.COMPLETE)
    VisitFactory(patient=other, state=VisitState.SIGNED)
    query = DataQuery.objects.create(
        clinic=north, patient=other.registry_number, model="patients.visit", object_id=draft.pk, message="Is it right?",
        opened_at=timezone.now() - datetime.timedelta(days=12),
    )  # fmt: skip
    client = client_of(clinician)
    found = work(client)
    assert found.due.rows == [due]
    assert found.overdue.rows == [overdue]
    assert found.to_complete.rows == [draft]
    assert found.to_sign.rows == [complete]
    assert found.queries.rows == [query]
    page = client.get("/").content.decode()
    for shown in ("Late, Elena", "41 days late", "Is it right?", "12 days", draft.get_absolute_url()):
        assert shown in page


def test_nothing_of_another_clinic_is_there(client_of, stranger, north, south):
    other = known(north, next_due_on=days(0))
    VisitFactory(patient=other)
    DataQuery.objects.create(clinic=north, patient=other.registry_number, model="patients.patient", object_id=other.pk)
    known(south, "Mine")
    found = work(client_of(stranger))
    assert found.nothing_to_do


def test_closed_queries_are_gone_and_a_query_leads_to_its_record(client_of, clinician, north):
    patient = known(north)
    diagnosis = DiagnosisFactory(patient=patient)
    about = {"clinic": north, "patient": patient.registry_number}
    DataQuery.objects.create(**about, model="patients.diagnosis", object_id=diagnosis.pk, message="Asked")
    DataQuery.objects.create(**about, model="patients.patient", object_id=patient.pk, status=QueryStatus.CLOSED)
    DataQuery.objects.create(**about, model="patients.plan", object_id=4711, message="Of a removed record")
    urls = [query.url for query in work(client_of(clinician)).queries.rows]
    assert urls == [reverse("patients:record", args=["diagnosis", diagnosis.public_id]), patient.get_absolute_url()]


def test_a_long_section_is_cut_and_leads_to_the_list(client_of, clinician, north):
    for n in range(12):
        known(north, f"F{n}", next_due_on=days(n), open_visits=0)
    client = client_of(clinician)
    section = work(client).due
    assert (len(section.rows), section.count) == (10, 12)
    assert "/patients/?work=due" in client.get("/").content.decode()
    assert len(client.get("/patients/?work=due").context["patients"]) == 12


def test_the_soonest_comes_first(client_of, clinician, north):
    later, sooner = known(north, next_due_on=days(9)), known(north, next_due_on=days(-9))
    assert work(client_of(clinician)).due.rows == [sooner, later]


def test_an_assistant_who_cannot_sign_is_not_asked_to(client_of, assistant, north):
    VisitFactory(patient=known(north), state=VisitState.COMPLETE)
    found = work(client_of(assistant))
    assert found.to_sign is None
    assert found.nothing_to_do


def test_whom_one_saw_last_stands_first_and_is_ones_own(client_of, clinician, assistant, north):
    first, second, never = known(north, "First"), known(north, "Second"), known(north, "Never")
    client = client_of(clinician)
    for patient in (first, second):
        # Reading the name on a record's page is the event.
        client.get(reverse("patients:record", args=["patient", patient.public_id]))
    assert work(client).recent == [second, first]
    assert never not in work(client).recent
    assert work(client_of(assistant)).recent == []


def test_a_patient_one_may_no_longer_see_is_not_recent(client_of, clinician, north):
    patient = known(north)
    client = client_of(clinician)
    client.get(reverse("patients:record", args=["patient", patient.public_id]))
    known(other := patient.clinic, "Stays")
    patient.clinic = type(other)(name="Elsewhere", code="ELS")
    patient.clinic.save()
    patient.save()
    assert work(client).recent == []


def test_home_asks_the_database_as_often_for_many_patients_as_for_few(client_of, clinician, north):
    client = client_of(clinician)

    def add(n):
        patient = known(north, next_due_on=days(0))
        known(north, next_due_on=days(-60))
        DiagnosisFactory(patient=patient)
        visit = VisitFactory(patient=patient)
        VisitFactory(patient=patient, state=VisitState.COMPLETE)
        DataQuery.objects.create(
            clinic=north, patient=patient.registry_number, model="patients.visit", object_id=visit.pk
        )
        client.get(reverse("patients:record", args=["patient", patient.public_id]))

    add(0)
    client.get("/")
    with CaptureQueriesContext(connection) as few:
        client.get("/")
    for n in range(8):
        add(n)
    with CaptureQueriesContext(connection) as many:
        client.get("/")
    assert len(few) == len(many)


@pytest.mark.parametrize(("who", "goes_to"), [("researcher", "cohorts:list"), ("admin", "clinics:accounts")])
def test_people_without_records_go_to_their_own_page(client_of, request, who, goes_to):
    response = client_of(request.getfixturevalue(who)).get("/")
    assert response.status_code == 302
    assert response.url == reverse(goes_to)


def test_without_any_role_the_page_says_whom_to_ask(client_of, clinician):
    for membership in clinician.memberships.all():
        membership.valid_until = days(-1)
        membership.valid_from = days(-2)
        membership.save()
    response = client_of(type(clinician).objects.get(pk=clinician.pk)).get("/")
    assert response.status_code == 200
    assert "no role in a clinic" in response.content.decode()


def test_home_asks_for_a_sign_in(client):
    assert reverse("account_login") in client.get("/").url
