"""Clinics, and what the frame of every page shows."""

from __future__ import annotations

from django.utils import timezone

from calcinosis_registry.audit.models import Event
from calcinosis_registry.clinics.models import Clinic
from calcinosis_registry.clinics.services import invite, set_open
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


def test_of_two_who_rename_a_clinic_the_second_sees_the_first_ones_name_and_keeps_what_they_typed(
    client_of, admin, coordinator, north
):
    page = f"/clinics/{north.public_id}/"
    opened = {"was": "North", "code": "NOR"}
    client_of(coordinator).post(page, opened | {"name": "High North"})
    answer = client_of(admin).post(page, opened | {"name": "Far North"})
    told = answer.content.decode()
    assert answer.status_code == 422 and "meanwhile to “High North”" in told and 'value="Far North"' in told
    assert Clinic.objects.get(pk=north.pk).name == "High North"
    again = {"was": answer.context["form"]["was"].value(), "code": "NOR", "name": "Far North"}
    assert client_of(admin).post(page, again).status_code == 302
    assert Clinic.objects.get(pk=north.pk).name == "Far North"


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


def test_in_a_closed_clinic_nobody_works_and_opened_again_they_do(client_of, proven, coordinator, clinician, north):
    there, page = client_of(clinician), f"/clinics/{north.public_id}/open-or-close/"
    assert there.get("/patients/").status_code == 200
    boss = proven(coordinator)
    boss.post(page, {"open": "no"})
    assert "Closed since" in boss.get(f"/clinics/{north.public_id}/").content.decode()
    assert there.get("/patients/")["Location"].startswith("/account/sign-in/")  # at the very next request
    clinician.refresh_from_db()
    assert client_of(clinician).get("/patients/").status_code == 403
    boss.post(page, {"open": "yes"})
    clinician.refresh_from_db()
    assert client_of(clinician).get("/patients/").status_code == 200
    told = Event.objects.of_record(Clinic, north.pk).filter(changes__has_key="closed_at")
    assert told.count() == 2


def test_into_a_closed_clinic_nobody_is_invited_and_no_invitation_is_accepted(client, proven, coordinator, north):
    invitation = {"email": "n@example.org", "name": "N", "clinic": north, "role": "monitor"}
    _row, token = invite(**invitation, by=coordinator, now=timezone.now())
    set_open(clinic=north, is_open=False, now=timezone.now())
    assert client.get(f"/invitation/{token}/").status_code == 404
    answer = proven(coordinator).post("/accounts/invite/", {**invitation, "clinic": north.pk, "valid_until": ""})
    assert answer.status_code == 422


def test_a_clinics_own_admin_does_not_close_it(proven, admin, north):
    assert proven(admin).post(f"/clinics/{north.public_id}/open-or-close/", {"open": "no"}).status_code == 403
    north.refresh_from_db()
    assert north.closed_at is None


def test_closing_a_clinic_asks_for_a_proof(client_of, coordinator, north):
    coordinator.password = "unknown$"  # some hash: without any, there is no way to prove anything
    coordinator.save()
    answer = client_of(coordinator).post(f"/clinics/{north.public_id}/open-or-close/", {"open": "no"})
    assert answer["Location"].startswith("/account/reauthenticate/")
