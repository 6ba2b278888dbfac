"""Secrets of the second factor, and what the register does with codes and passkeys it is given."""

from __future__ import annotations

import importlib
import json
import re
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.apps import apps
from django.core.cache import cache
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpResponse
from django.test import Client

from calcinosis_registry.audit.models import Action, Event
from calcinosis_registry.sealing import FACTORS as BOX
from tests.accounts.soft_passkey import SoftPasskey
from tests.accounts.test_sign_in import code_now, sign_in, signed_in
from tests.conftest import prove

FACTORS = "/account/second-factor/"


@pytest.fixture(autouse=True)
def real_register(settings, db):
    settings.DEMO = False
    cache.clear()


def account_events(person) -> list[dict]:
    rows = Event.objects.filter(action__in=[Action.ACCOUNT, Action.REFUSED], object_id=person.pk)
    return [event.changes for event in rows.order_by("id")]


def test_no_secret_stands_in_the_database_as_it_is(person):
    secret = generate_totp_secret()
    TOTP.activate(person, secret)
    codes = RecoveryCodes.activate(person).get_unused_codes()
    kept = json.dumps(list(Authenticator.objects.values_list("data", flat=True)))
    assert secret not in kept and not any(code in kept for code in codes)
    for row in Authenticator.objects.all():
        assert BOX.open(row.data.get("secret") or row.data["seed"])


def test_a_database_without_its_key_opens_no_account(person, settings):
    totp = TOTP.activate(person, generate_totp_secret())
    settings.SECOND_FACTOR_KEY = "another key"
    with pytest.raises(ImproperlyConfigured, match="SECOND_FACTOR_KEY"):
        totp.validate_code("123456")


def test_a_secret_that_was_never_sealed_is_not_taken():
    with pytest.raises(ImproperlyConfigured):
        BOX.open("JBSWY3DPEHPK3PXP")


def test_the_migration_seals_what_stood_in_the_clear_and_only_once(person):
    secret = generate_totp_secret()
    Authenticator.objects.create(user=person, type="totp", data={"secret": secret})
    Authenticator.objects.create(user=person, type="recovery_codes", data={"migrated_codes": ["a", "b"]})
    migration = importlib.import_module("calcinosis_registry.accounts.migrations.0003_seal_second_factors")
    migration.seal(apps, None)
    once = Authenticator.objects.get(type="totp").data["secret"]
    migration.seal(apps, None)
    assert Authenticator.objects.get(type="totp").data["secret"] == once == BOX.seal(once)
    assert BOX.open(once) == secret
    assert Authenticator.objects.get(type="totp").wrap().validate_code(code_now(secret))
    assert Authenticator.objects.get(type="recovery_codes").wrap().get_unused_codes() == ["a", "b"]
    migration.unseal(apps, None)
    assert Authenticator.objects.get(type="totp").data["secret"] == secret


def test_the_same_six_digits_open_once(person):
    secret = generate_totp_secret()
    TOTP.activate(person, secret)
    code, here, there = code_now(secret), Client(), Client()
    here.post(sign_in(here, person)["Location"], {"code": code})
    there.post(sign_in(there, person)["Location"], {"code": code})
    if code == code_now(secret):  # else the thirty seconds ended between the two
        assert signed_in(here)
    assert not signed_in(there)


def test_six_digits_are_not_guessed(person):
    secret = generate_totp_secret()
    TOTP.activate(person, secret)
    client = Client()
    page = sign_in(client, person)["Location"]
    for guess in range(10):
        client.post(page, {"code": f"{guess:06}"})
    client.post(page, {"code": code_now(secret)})
    assert not signed_in(client)
    assert account_events(person).count({"totp": [None, "wrong"]}) == 10


def test_a_used_recovery_code_and_nothing_else_is_one_event(person):
    TOTP.activate(person, generate_totp_secret())
    code = RecoveryCodes.activate(person).get_unused_codes()[0]
    client = Client()
    client.post(sign_in(client, person)["Location"], {"code": code})
    told = account_events(person)
    assert told == [{"totp": [None, "set"]}, {"recovery_codes": [None, "set"]}, {"recovery_codes": [None, "used"]}]
    assert Event.objects.get(action=Action.SIGN_IN).changes == {"with": [None, "password, recovery_codes"]}


@pytest.mark.django_db(transaction=True)  # allauth goes on after the commit
def test_taking_the_authenticator_app_away_is_told_and_ends_the_other_sessions(person, client_of):
    TOTP.activate(person, generate_totp_secret())
    here, there = client_of(person), client_of(person)
    prove(here, person)
    assert signed_in(there)
    assert here.post(f"{FACTORS}totp/deactivate/").status_code == 302
    assert account_events(person)[-1] == {"totp": [None, "removed"]}
    assert there.get("/")["Location"].startswith("/account/sign-in/")
    assert here.get("/")["Location"] == f"{FACTORS}totp/activate/"


def test_a_second_factor_is_only_touched_with_a_proof(person, client_of):
    TOTP.activate(person, generate_totp_secret())
    RecoveryCodes.activate(person)
    client = client_of(person)
    for page in ("totp/deactivate/", "recovery-codes/generate/", "passkeys/add/"):
        for answer in (client.get(FACTORS + page), client.post(FACTORS + page)):
            assert answer["Location"].startswith("/account/reauthenticate/"), page
    assert client.get(f"{FACTORS}recovery-codes/")["Location"].startswith("/account/reauthenticate/")
    assert Authenticator.objects.count() == 2


def test_no_browser_is_trusted_without_the_second_factor(person, settings):
    """There is no “trust this browser”: the same browser is asked again."""
    secret = generate_totp_secret()
    TOTP.activate(person, secret)
    client = Client()
    client.post(sign_in(client, person)["Location"], {"code": code_now(secret)})
    client.post("/account/sign-out/")
    assert sign_in(client, person)["Location"].startswith(f"{FACTORS}authenticate/")
    assert client.get(f"{FACTORS}trust/").status_code == 404
    assert not settings.MFA_TRUST_ENABLED and not settings.ACCOUNT_SESSION_REMEMBER


def answer_with(**response: str) -> str:
    return json.dumps({"id": "AA", "rawId": "AA", "type": "public-key", "response": response})


GARBAGE = [
    "", "{", "null", "true", "7", "[]", '""', "{}", '{"id": 1}', '{"id": "x", "rawId": "x", "response": {}}',
    answer_with(clientDataJSON="AA", attestationObject="AA"), answer_with(clientDataJSON="e30", attestationObject="oA"),
    answer_with(clientDataJSON="e30", authenticatorData="AA", signature="AA"),
    '{"id": "ä", "rawId": ["AA"], "type": null, "response": "\\ud800"}',
    "[" * 100_000, "[" * 3_990, '"' + "A" * 20_000 + '"',
]  # fmt: skip


def challenge_on(page: HttpResponse) -> str:
    block = re.search(r'id="passkey_options"[^>]*>(.*?)</script>', page.content.decode())
    return json.loads(block[1])["publicKey"]["challenge"]


def with_passkey(client: Client, person, key: SoftPasskey, **how: Any) -> HttpResponse:
    """Add it on its page."""
    prove(client, person)
    page = f"{FACTORS}passkeys/add/"
    credential = key.created(challenge_on(client.get(page)), **how)
    return client.post(page, {"name": "Thumb", "credential": credential})


@pytest.fixture
def key(person, client_of) -> SoftPasskey:
    """The only second factor of the person."""
    key = SoftPasskey()
    assert with_passkey(client_of(person), person, key).status_code == 302
    person.refresh_from_db()  # its sessions were ended
    return key


def test_a_passkey_is_added_once_told_once_and_then_asked_for(person, key):
    assert account_events(person) == [{"webauthn": [None, "set"]}, {"recovery_codes": [None, "set"]}]
    client = Client()
    page = sign_in(client, person)["Location"]
    assert not signed_in(client)
    client.post(page, {"credential": key.used(challenge_on(client.get(page)))})
    assert signed_in(client)
    assert Event.objects.get(action=Action.SIGN_IN).changes == {"with": [None, "password, webauthn"]}


@pytest.mark.parametrize(
    "wrong",
    [{"verified": False}, {"origin": "https://evil.example"}, {"other_key": True}],
    ids=["nobody behind it", "another site", "another key"],
)
def test_a_passkey_that_does_not_fit_opens_nothing(person, key, wrong):
    client = Client()
    page = sign_in(client, person)["Location"]
    answer = client.post(page, {"credential": key.used(challenge_on(client.get(page)), **wrong)})
    assert "not accepted" in answer.content.decode()
    assert not signed_in(client)
    assert account_events(person)[-1] == {"webauthn": [None, "wrong"]}


def test_what_a_passkey_said_once_is_of_no_use_again(person, key):
    here, there = Client(), Client()
    page = sign_in(here, person)["Location"]
    said = key.used(challenge_on(here.get(page)))
    sign_in(there, person)
    there.get(page)
    there.post(page, {"credential": said})
    assert not signed_in(there)
    here.post(page, {"credential": said})
    assert signed_in(here)


@pytest.mark.parametrize("wrong", [{"verified": False}, {"origin": "https://evil.example"}])
def test_only_a_passkey_that_asks_who_is_there_is_added(person, client_of, wrong):
    answer = with_passkey(client_of(person), person, SoftPasskey(), **wrong)
    assert "could not be added" in answer.content.decode()
    assert not Authenticator.objects.exists()


def test_a_passkey_is_a_proof(person, key, client_of):
    client = client_of(person)
    page = f"{FACTORS}passkeys/reauthenticate/?next={FACTORS}recovery-codes/"
    credential = key.used(challenge_on(client.get(page)))
    answer = client.post(page, {"credential": credential, "next": f"{FACTORS}recovery-codes/"})
    assert answer["Location"] == f"{FACTORS}recovery-codes/"
    assert client.get(f"{FACTORS}recovery-codes/").status_code == 200


def test_renaming_and_removing_a_passkey_are_told(person, key, client_of):
    client = client_of(person)
    prove(client, person)
    row = Authenticator.objects.get(type="webauthn")
    assert client.post(f"{FACTORS}passkeys/{row.pk}/rename/", {"name": "x" * 61}).status_code == 200
    client.post(f"{FACTORS}passkeys/{row.pk}/rename/", {"name": "Ward <b>3</b>"})
    assert "Ward &lt;b&gt;3&lt;/b&gt;" in client.get(f"{FACTORS}passkeys/").content.decode()
    assert client.post(f"{FACTORS}passkeys/{row.pk}/remove/").status_code == 302
    assert account_events(person)[2:] == [
        {"webauthn": [None, "renamed"]}, {"webauthn": [None, "removed"]}, {"recovery_codes": [None, "removed"]},
    ]  # fmt: skip
    assert client.get("/")["Location"] == f"{FACTORS}totp/activate/"


@pytest.mark.parametrize("credential", GARBAGE, ids=range(len(GARBAGE)))
def test_what_is_no_passkey_is_refused_with_words(person, key, client_of, credential):
    signing_in, inside = Client(), client_of(person)
    prove(inside, person)
    page = sign_in(signing_in, person)["Location"]
    for client, address in (
        (signing_in, page), (inside, f"{FACTORS}passkeys/add/"), (inside, f"{FACTORS}passkeys/reauthenticate/"),
    ):  # fmt: skip
        client.get(address)  # begins the ceremony
        answer = client.post(address, {"credential": credential, "name": "mine"})
        assert answer.status_code == 200, address
        assert 'class="note is-error" role="alert"><p>' in answer.content.decode(), address
    assert not signed_in(signing_in)
    assert Authenticator.objects.filter(type="webauthn").count() == 1


def test_a_passkey_of_somebody_else_is_not_there(person, client_of, stranger):
    key = Authenticator.objects.create(user=stranger, type="webauthn", data={"name": "theirs", "credential": {}})
    TOTP.activate(person, generate_totp_secret())
    client = client_of(person)
    prove(client, person)
    for page in ("rename/", "remove/"):
        for answer in (
            client.get(f"{FACTORS}passkeys/{key.pk}/{page}"),
            client.post(f"{FACTORS}passkeys/{key.pk}/{page}", {"name": "mine"}),
        ):
            assert answer.status_code == 404
    key.refresh_from_db()
    assert key.data["name"] == "theirs"


def test_the_secret_an_app_is_about_to_get_is_sealed_in_the_session_too(person, client_of):
    client = client_of(person)
    prove(client, person)
    page = client.get(f"{FACTORS}totp/activate/").content.decode()
    kept = client.session["mfa.totp.secret"]
    secret = BOX.open(kept)
    assert secret in page and secret not in kept
    assert client.post(f"{FACTORS}totp/activate/", {"code": "000000"}).status_code == 200
    assert BOX.open(client.session["mfa.totp.secret"]) == secret, "a wrong code leaves the app as it is"
    assert client.post(f"{FACTORS}totp/activate/", {"code": code_now(secret)}).status_code == 302
    assert Authenticator.objects.get(type="totp").wrap().validate_code(code_now(secret))
