"""Sign-in, second factor and the end of a session, through the front door."""

from __future__ import annotations

import time

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import (
    SECRET_SESSION_KEY,
    TOTP,
    format_hotp_value,
    generate_totp_secret,
    hotp_value,
    yield_hotp_counters_from_time,
)
from django.db.migrations.executor import MigrationExecutor
from django.test import Client

from calcinosis_registry.accounts.middleware import IDLE_SECONDS, LONGEST_SECONDS
from calcinosis_registry.accounts.services import end_sessions, reset_second_factor, set_active
from calcinosis_registry.audit.models import Action, Event
from calcinosis_registry.operations import safe_database
from calcinosis_registry.sealing import FACTORS
from tests.factories import PASSWORD

SIGN_IN = "/account/sign-in/"
ACTIVATE = "/account/second-factor/totp/activate/"


def code_now(secret: str) -> str:
    return format_hotp_value(hotp_value(secret, next(iter(yield_hotp_counters_from_time()))))


@pytest.fixture
def real_register(settings):
    """Not a demo: the second factor is asked."""
    settings.DEMO = False


def sign_in(client: Client, person, password: str = PASSWORD):
    return client.post(SIGN_IN, {"login": person.email, "password": password})


def signed_in(client: Client) -> bool:
    return client.get("/account/second-factor/", follow=False).status_code == 200


def test_the_right_password_signs_in_and_leaves_one_event(client, person):
    answer = sign_in(client, person)
    assert answer.status_code == 302
    event = Event.objects.get(action=Action.SIGN_IN)
    assert (event.actor_id, event.actor_role, event.source) == (person.pk, "clinician NOR", "web 127.0.0.1")


def test_the_wrong_password_signs_nobody_in(client, person):
    assert sign_in(client, person, "wrong").status_code == 200
    assert not signed_in(client)
    assert not Event.objects.filter(action=Action.SIGN_IN).exists()


def test_the_eleventh_wrong_password_is_not_even_looked_at(client, person):
    for _attempt in range(10):
        sign_in(client, person, "wrong")
    assert "Too many failed login attempts" in sign_in(client, person).content.decode()
    assert not signed_in(client)


def test_signing_out_leaves_one_event(client_of, clinician):
    client = client_of(clinician)
    client.post("/account/sign-out/")
    assert Event.objects.get(action=Action.SIGN_OUT).actor_id == clinician.pk
    assert not signed_in(client)


@pytest.mark.parametrize(
    "address", ["/account/signup/", "/account/email/", "/account/login/code/", "/account/password/set/"]
)
def test_allauth_pages_nobody_wants_are_not_there(client_of, clinician, address):
    assert client_of(clinician).get(address).status_code == 404


def test_without_second_factor_every_page_leads_to_its_activation(real_register, client_of, clinician):
    client = client_of(clinician)
    for address in ("/accounts/", "/trail/", "/admin/", "/account/second-factor/", "/account/password/change/"):
        assert client.get(address)["Location"] == ACTIVATE, address


def test_without_second_factor_one_can_still_leave(real_register, client_of, clinician):
    assert client_of(clinician).post("/account/sign-out/")["Location"] == SIGN_IN


@pytest.mark.django_db(transaction=True)  # allauth goes on after the commit
def test_a_person_sets_a_second_factor_and_goes_on(real_register, client, person):
    sign_in(client, person)
    asked = client.get(ACTIVATE, follow=True)
    assert asked.redirect_chain[-1][0].startswith("/account/reauthenticate/")
    client.post(asked.redirect_chain[-1][0], {"password": PASSWORD})
    client.get(ACTIVATE)
    code = code_now(FACTORS.open(client.session[SECRET_SESSION_KEY]))
    assert client.post(ACTIVATE, {"code": code}).status_code == 302
    assert signed_in(client)
    assert client.get("/account/second-factor/").status_code == 200
    assert Event.objects.filter(action=Action.ACCOUNT, changes__totp=[None, "set"]).count() == 1


def test_the_password_alone_does_not_open_an_account_with_second_factor(real_register, client, person):
    secret = generate_totp_secret()
    TOTP.activate(person, secret)
    answer = sign_in(client, person)
    assert answer["Location"].startswith("/account/second-factor/authenticate/")
    assert not signed_in(client)
    client.post(answer["Location"], {"code": code_now(secret)})
    assert signed_in(client)


def test_a_recovery_code_opens_once(real_register, client, person):
    TOTP.activate(person, generate_totp_secret())
    code = RecoveryCodes.activate(person).get_unused_codes()[0]
    answer = sign_in(client, person)
    client.post(answer["Location"], {"code": code})
    assert signed_in(client)
    again = Client()
    answer = sign_in(again, person)
    again.post(answer["Location"], {"code": code})
    assert not signed_in(again)


def _make_older(client: Client, key: str, seconds: float) -> None:
    session = client.session
    session[key] = time.time() - seconds
    session.save()


@pytest.mark.parametrize(("key", "seconds"), [("session_seen", IDLE_SECONDS), ("session_started", LONGEST_SECONDS)])
def test_a_session_ends(client_of, clinician, key, seconds):
    client = client_of(clinician)
    assert signed_in(client)
    _make_older(client, key, seconds - 60)
    assert signed_in(client)
    _make_older(client, key, seconds + 1)
    answer = client.get("/trail/")
    assert answer["Location"] == f"{SIGN_IN}?next=/trail/"
    assert Event.objects.get(action=Action.SIGN_OUT).actor_id == clinician.pk


@pytest.mark.parametrize("key", ["session_seen", "session_started"])
def test_a_clock_set_back_makes_no_session_longer(client_of, clinician, key):
    client = client_of(clinician)
    assert signed_in(client)
    _make_older(client, key, -50)  # clocks are set right now and then
    assert signed_in(client)
    _make_older(client, key, -86_400)
    assert not signed_in(client)


def test_a_request_keeps_a_session_alive(client_of, clinician):
    client = client_of(clinician)
    signed_in(client)
    _make_older(client, "session_seen", IDLE_SECONDS - 60)
    signed_in(client)
    assert time.time() - client.session["session_seen"] < 60


@pytest.mark.parametrize(
    "change",
    [
        lambda person: end_sessions(user=person),
        lambda person: reset_second_factor(user=person),
        lambda person: set_active(user=person, active=False),
        lambda person: (person.set_password("another sentence entirely"), person.save()),
    ],
    ids=["sessions ended", "second factor reset", "closed", "new password"],
)
def test_every_session_of_an_account_is_over_after(client_of, clinician, change):
    here, there = client_of(clinician), client_of(clinician)
    assert signed_in(here) and signed_in(there)
    change(clinician)
    assert not signed_in(here) and not signed_in(there)


def test_a_closed_account_cannot_sign_in(client, person):
    set_active(user=person, active=False)
    assert sign_in(client, person)["Location"] == "/account/inactive/"
    assert not signed_in(client)


def test_a_reset_takes_authenticator_and_recovery_codes_away(person):
    TOTP.activate(person, generate_totp_secret())
    RecoveryCodes.activate(person)
    reset_second_factor(user=person)
    assert not Authenticator.objects.filter(user=person).exists()


def test_no_event_holds_a_password_hash(person):
    assert not Event.objects.filter(changes__password__1__startswith="argon2").exists()
    assert Event.objects.filter(action=Action.CHANGE, changes__password=["…", "…"]).count() == 1


@pytest.mark.parametrize("address", ["/health/live", "/health/ready"])
def test_health_answers_without_sign_in(real_register, client, db, address, monkeypatch):
    monkeypatch.setattr(safe_database, "reasons", list)  # the tests' PostgreSQL does not wait for the disk
    assert client.get(address).json()["status"] == "ok"


def test_readiness_says_when_migrations_are_missing(client, db, monkeypatch):
    monkeypatch.setattr(MigrationExecutor, "migration_plan", lambda self, targets: [("one", False)])
    answer = client.get("/health/ready")
    assert answer.status_code == 503
    well = {"database": True, "trail": True, "storage": True, "disk": True}
    assert answer.json()["checks"] == well | {"migrations": False}


@pytest.mark.django_db(transaction=True)
def test_setting_a_second_factor_ends_the_other_sessions(real_register, client_of, client, person):
    other = client_of(person)
    test_a_person_sets_a_second_factor_and_goes_on(real_register, client, person)
    assert other.get("/trail/")["Location"].startswith(SIGN_IN)
