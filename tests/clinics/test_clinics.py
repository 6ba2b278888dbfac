"""Clinics, and what the frame of every page shows."""

from __future__ import annotations

from calcinosis_registry.clinics.models import Clinic
from tests.factories import UserFactory


def test_the_registers_admin_opens_a_clinic(client_of, coordinator):
    client_of(coordinator).post("/clinics/new/", {"name": "East", "code": "EAS"})
    assert Clinic.objects.get(code="EAS").name == "East"


def test_a_clinics_admin_opens_none(client_of, admin):
    assert client_of(admin).post("/clinics/new/", {"name": "East", "code": "EAS"}).status_code == 403


def test_a_code_stays_because_numbers_begin_with_it(client_of, admin, north):
    client_of(admin).post(f"/clinics/{north.public_id}/", {"name": "Far North", "code": "FAR"})
    north.refresh_from_db()
    assert (north.name, north.code) == ("Far North", "NOR")


def test_a_refused_clinic_keeps_what_was_typed(client_of, coordinator):
    answer = client_of(coordinator).post("/clinics/new/", {"name": "East", "code": "east!"})
    assert answer.status_code == 422
    assert "east!" in answer.content.decode()


def test_another_clinic_is_not_there(client_of, admin, south):
    assert client_of(admin).get(f"/clinics/{south.public_id}/").status_code == 404
    assert south.name not in client_of(admin).get("/clinics/").content.decode()


def test_an_account_without_role_is_led_nowhere(client_of, db):
    answer = client_of(UserFactory()).get("/account/second-factor/")
    assert answer.context["nav"] == []


def test_the_navigation_leads_where_the_role_may_go(client_of, admin, clinician):
    labels = [str(place[0]) for place in client_of(admin).get("/accounts/").context["nav"]]
    assert "Accounts" in labels and "Trail" in labels and "Patients" not in labels
    labels = [str(place[0]) for place in client_of(clinician).get("/account/second-factor/").context["nav"]]
    assert "Accounts" not in labels and "Trail" not in labels
