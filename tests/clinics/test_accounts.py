"""Invitations, roles and the accounts page, through the front door."""

from __future__ import annotations

import datetime
import re
from io import StringIO

import pytest
import time_machine
from django.core import mail
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from calcinosis_registry.accounts.models import User
from calcinosis_registry.audit.models import Action, Event
from calcinosis_registry.clinics.models import Invitation, Membership
from calcinosis_registry.clinics.policy import may
from calcinosis_registry.clinics.roles import Permission, Role
from calcinosis_registry.clinics.services import end_role, grant
from tests.factories import PASSWORD, MembershipFactory, UserFactory

NEW = {"name": "Nora New", "password": PASSWORD, "again": PASSWORD}


def form(clinic, **other):
    chosen = clinic.pk if clinic else ""
    return {"email": "Nora@Example.org", "name": "Nora New", "clinic": chosen, "role": "clinician"} | other


def invited_link() -> str:
    return re.search(r"http://testserver(/invitation/\S+)", mail.outbox[-1].body)[1]


def test_an_invited_person_opens_an_account_and_works_in_the_clinic(proven, admin, north):
    proven(admin).post("/accounts/invite/", form(north))
    link = invited_link()
    guest = Client()
    assert "Nora New" in guest.get(link).content.decode()
    assert guest.post(link, NEW)["Location"] == "/account/sign-in/"
    nora = User.objects.get(email="nora@example.org")
    assert may(nora, Permission.SIGN, north.pk)
    assert guest.post("/account/sign-in/", {"login": nora.email, "password": PASSWORD}).status_code == 302


def test_an_invitation_is_good_once(proven, admin, north):
    proven(admin).post("/accounts/invite/", form(north))
    link = invited_link()
    Client().post(link, NEW)
    assert Client().get(link).status_code == 404
    assert Client().post(link, NEW).status_code == 404
    assert Membership.objects.filter(user__email="nora@example.org").count() == 1


def test_an_invitation_is_over_after_seven_days(proven, admin, north):
    proven(admin).post("/accounts/invite/", form(north))
    with time_machine.travel(timezone.now() + datetime.timedelta(days=7, seconds=1)):
        assert Client().post(invited_link(), NEW).status_code == 404
    assert not User.objects.filter(email="nora@example.org").exists()


def test_sending_again_kills_the_first_link(proven, admin, north):
    client = proven(admin)
    client.post("/accounts/invite/", form(north))
    first = invited_link()
    client.post("/accounts/invitation/again/", {"invitation": Invitation.objects.open().get().public_id})
    assert Client().get(first).status_code == 404
    assert Client().get(invited_link()).status_code == 200


def test_a_withdrawn_invitation_opens_nothing(proven, admin, north):
    client = proven(admin)
    client.post("/accounts/invite/", form(north))
    client.post("/accounts/invitation/withdraw/", {"invitation": Invitation.objects.open().get().public_id})
    assert Client().get(invited_link()).status_code == 404


def test_the_register_keeps_no_token(proven, admin, north):
    proven(admin).post("/accounts/invite/", form(north))
    token = invited_link().split("/")[2]
    stored = Invitation.objects.get()
    assert token not in str(vars(stored))
    assert not any(token in str(event.changes) for event in Event.objects.all())


def test_a_known_person_gets_the_role_without_a_new_password(proven, admin, north, stranger):
    proven(admin).post("/accounts/invite/", form(north, email=stranger.email))
    page = Client().get(invited_link()).content.decode()
    assert "password" not in page.lower().split("<main")[1]
    Client().post(invited_link())
    assert may(User.objects.get(pk=stranger.pk), Permission.EDIT_RECORDS, north.pk)
    assert not User.objects.get(pk=stranger.pk).has_usable_password()


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"password": "short", "again": "short"}, "too short"),
        ({"again": "something else entirely"}, "differ"),
        ({"name": ""}, "required"),
        ({"password": "nora@example.org", "again": "nora@example.org"}, "too similar"),
    ],
)
def test_a_refused_password_opens_no_account(proven, admin, north, typed, said):
    proven(admin).post("/accounts/invite/", form(north))
    answer = Client().post(invited_link(), NEW | typed)
    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert not User.objects.filter(email="nora@example.org").exists()


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"email": "nobody"}, "email"),
        ({"role": "king"}, "role"),
        ({"valid_until": "2001-01-01"}, "valid_until"),
        ({"clinic": ""}, "clinic"),
    ],
)
def test_a_refused_invitation_keeps_what_was_typed(proven, admin, north, typed, field):
    answer = proven(admin).post("/accounts/invite/", form(north) | typed)
    assert answer.status_code == 422
    assert field in answer.context["form"].errors
    assert "Nora New" in answer.content.decode()
    assert not Invitation.objects.exists()
    assert not mail.outbox


def test_an_admin_invites_into_the_own_clinic_only(proven, admin, south):
    answer = proven(admin).post("/accounts/invite/", form(south))
    assert answer.status_code == 422
    assert not Invitation.objects.exists()


def test_only_the_registers_admin_invites_a_registers_admin(proven, admin, coordinator):
    everywhere = form(None, role="admin")
    assert proven(admin).post("/accounts/invite/", everywhere).status_code == 422
    assert proven(coordinator).post("/accounts/invite/", everywhere).status_code == 302
    assert proven(coordinator).post("/accounts/invite/", form(None)).status_code == 422


def test_a_mail_server_that_refuses_keeps_the_invitation(proven, admin, north, monkeypatch):
    def refuse(**_kwargs):
        raise OSError

    monkeypatch.setattr("calcinosis_registry.clinics.views.send_invitation", refuse)
    answer = proven(admin).post("/accounts/invite/", form(north), follow=True)
    assert "could not be sent" in answer.content.decode()
    assert Invitation.objects.open().count() == 1


@pytest.mark.parametrize(
    "address",
    [
        "invite/",
        "invitation/again/",
        "invitation/withdraw/",
        "role/end/",
        "second-factor/reset/",
        "sessions/end/",
        "open-or-close/",
    ],
)
def test_who_does_not_manage_accounts_changes_none(proven, clinician, researcher, address):
    for person in (clinician, researcher):
        assert proven(person).post(f"/accounts/{address}", {"person": clinician.pk}).status_code == 403
    assert proven(clinician).get("/accounts/").status_code == 403


def test_a_change_of_roles_asks_for_the_password_again(client_of, admin, clinician):
    admin.set_password(PASSWORD)
    admin.save()
    answer = client_of(admin).post("/accounts/role/end/", {"membership": clinician.memberships.get().pk})
    assert answer["Location"].startswith("/account/reauthenticate/")
    assert clinician.memberships.in_force().exists()


def test_after_the_password_the_asked_change_is_made(client_of, admin, clinician):
    admin.set_password(PASSWORD)
    admin.save()
    client = client_of(admin)
    asked = client.post("/accounts/role/end/", {"membership": clinician.memberships.get().pk})
    client.post(asked["Location"], {"password": PASSWORD})
    assert not clinician.memberships.in_force().exists()
    assert Event.objects.filter(model="clinics.membership", action=Action.CHANGE, actor_id=admin.pk).count() == 1


def test_the_page_shows_the_people_of_the_own_clinic(client_of, admin, clinician, stranger):
    page = client_of(admin).get("/accounts/").content.decode()
    assert clinician.email in page
    assert stranger.email not in page


def test_the_page_takes_the_same_number_of_queries_for_any_number_of_people(
    client_of, admin, north, django_assert_max_num_queries
):
    for _n in range(20):
        MembershipFactory(clinic=north)
    client = client_of(admin)
    client.get("/accounts/")
    with django_assert_max_num_queries(10):
        client.get("/accounts/")


def test_an_ended_role_opens_nothing_at_the_next_request(proven, client_of, admin, clinician):
    theirs = client_of(clinician)
    assert theirs.get("/account/second-factor/").status_code == 200
    proven(admin).post("/accounts/role/end/", {"membership": clinician.memberships.get().pk})
    assert theirs.get("/account/second-factor/").status_code == 302
    assert not may(User.objects.get(pk=clinician.pk), Permission.VIEW_RECORDS)


def test_a_role_that_began_today_ends_today(clinician):
    membership = clinician.memberships.get()
    end_role(membership=membership, now=timezone.now())
    assert not Membership.objects.not_over().filter(pk=membership.pk).exists()


@pytest.mark.parametrize("address", ["second-factor/reset/", "sessions/end/", "open-or-close/"])
def test_people_of_another_clinic_are_not_there(proven, admin, stranger, address):
    client = proven(admin)
    before = User.objects.filter(pk=stranger.pk).values().get()
    assert client.post(f"/accounts/{address}", {"person": stranger.pk}).status_code == 404
    for nonsense in ("", "x", "-1", "9" * 40, "²"):
        assert client.post(f"/accounts/{address}", {"person": nonsense}).status_code == 404
    assert User.objects.filter(pk=stranger.pk).values().get() == before


@pytest.mark.parametrize("address", ["second-factor/reset/", "sessions/end/", "open-or-close/"])
def test_who_also_works_elsewhere_is_not_one_clinics_to_change(proven, admin, clinician, south, address):
    grant(user=clinician, role=Role.ASSISTANT, clinic=south)
    assert proven(admin).post(f"/accounts/{address}", {"person": clinician.pk}).status_code == 403


def test_a_clinics_admin_does_not_close_the_registers_admin(proven, admin, north):
    higher = UserFactory(name="Higher")
    grant(user=higher, role=Role.ADMIN, clinic=None)
    grant(user=higher, role=Role.CLINICIAN, clinic=north)
    assert proven(admin).post("/accounts/open-or-close/", {"person": higher.pk}).status_code == 403
    role = higher.memberships.get(clinic=None)
    assert proven(admin).post("/accounts/role/end/", {"membership": role.pk}).status_code == 404


def test_a_closed_account_can_be_opened_again(proven, admin, clinician):
    for expected in (False, True):
        proven(admin).post("/accounts/open-or-close/", {"person": clinician.pk})
        assert User.objects.get(pk=clinician.pk).is_active is expected


def test_nobody_closes_the_own_account(proven, admin):
    assert proven(admin).post("/accounts/open-or-close/", {"person": admin.pk}).status_code == 403


def test_the_last_admin_of_the_register_stays(proven, coordinator):
    role = coordinator.memberships.get()
    answer = proven(coordinator).post("/accounts/role/end/", {"membership": role.pk}, follow=True)
    assert "last admin" in answer.content.decode()
    assert coordinator.memberships.in_force().exists()


def test_the_first_admin_is_invited_from_the_command_line(db, client):
    out = StringIO()
    call_command("create_admin", "first@example.org", "Fay First", "--address", "https://registry.example", stdout=out)
    link = out.getvalue().strip()
    assert link.startswith("https://registry.example/invitation/")
    client.post(link.removeprefix("https://registry.example"), NEW)
    assert may(User.objects.get(email="first@example.org"), Permission.MANAGE_ACCOUNTS, 1)


def test_an_event_of_an_accepted_invitation_names_the_invited(proven, admin, north):
    proven(admin).post("/accounts/invite/", form(north))
    Client().post(invited_link(), NEW)
    assert Event.objects.get(action=Action.CREATE, model="clinics.membership", actor_name="Nora New")
