"""Whose account it is hears by e-mail of what others may have done to it; what is kept never waits for the mail."""

from __future__ import annotations

import time
from smtplib import SMTPException

import pytest
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.core.mail import EmailMessage
from django.test import Client
from django.utils import timezone

from calcinosis_registry.accounts import notices
from calcinosis_registry.clinics.models import Membership
from lesions.unlocking import unlock_visit
from tests.accounts.test_sign_in import sign_in, signed_in
from tests.factories import PASSWORD, MembershipFactory
from tests.lesions.signed_visits import complete_visit, sign


@pytest.fixture
def hears(mailoutbox, django_capture_on_commit_callbacks):
    """``hears(act)``: the subjects of the e-mails that doing it sends, and to whom."""

    def hears(act):
        before = len(mailoutbox)
        with django_capture_on_commit_callbacks(execute=True):
            act()
        for _thread in range(2):
            notices.POST_OFFICE.submit(time.sleep, 0.01).result()
        return [(one.to, one.subject) for one in mailoutbox[before:]]

    return hears


def test_the_first_sign_in_with_a_browser_is_told_and_the_next_is_not(hears, person, mailoutbox):
    client = Client()
    told = [([person.email], "Your account was signed in with a browser it had not used before")]
    assert hears(lambda: sign_in(client, person)) == told
    assert "web 127.0.0.1" in mailoutbox[0].body and "By:" not in mailoutbox[0].body
    client.post("/account/sign-out/")
    assert hears(lambda: sign_in(client, person)) == []


def test_too_many_wrong_passwords_are_told_once_an_hour(hears, person):
    def guess():
        for _guess in range(13):
            sign_in(Client(), person, "wrong")

    assert hears(guess) == [
        ([person.email], "Sign-in to your account is held back: too many wrong passwords were tried")
    ]


def test_a_used_recovery_code_is_told(hears, person, settings):
    settings.DEMO = False
    TOTP.activate(person, generate_totp_secret())
    code = RecoveryCodes.activate(person).get_unused_codes()[0]
    client = Client()
    page = sign_in(client, person)["Location"]
    told = hears(lambda: client.post(page, {"code": code}))
    assert ([person.email], "A recovery code of your account was used") in told


@pytest.mark.parametrize(
    ("page", "said"),
    [
        ("second-factor/reset/", "The second factor of your account was reset"),
        ("sessions/end/", "All sessions of your account were ended"),
        ("open-or-close/", "Your account was closed"),
        ("role/end/", "A role of your account was ended"),
    ],
)
def test_what_an_administrator_does_to_an_account_is_told_with_their_name(
    hears, proven, admin, person, mailoutbox, page, said
):
    role = Membership.objects.get(user=person)
    sent = {"person": person.pk, "membership": role.pk}
    assert hears(lambda: proven(admin).post(f"/accounts/{page}", sent)) == [([person.email], said)]
    assert "By: Ada Admin" in mailoutbox[-1].body


def test_an_account_opened_again_is_told(hears, proven, admin, person):
    proven(admin).post("/accounts/open-or-close/", {"person": person.pk})
    told = hears(lambda: proven(admin).post("/accounts/open-or-close/", {"person": person.pk}))
    assert told == [([person.email], "Your account was opened again")]


@pytest.fixture
def signed(proven, clinician, north):
    visit = complete_visit(north)
    assert sign(proven(clinician), visit).status_code == 302
    visit.refresh_from_db()
    return visit


def test_who_signed_hears_that_a_colleague_unlocked_the_visit_and_nothing_about_the_patient(
    hears, signed, clinician, north, mailoutbox
):
    north.unlock_by_two = False
    north.save()
    signed = type(signed).objects.get(pk=signed.pk)
    colleague = MembershipFactory(clinic=north, role="clinician").user
    told = hears(lambda: unlock_visit(visit=signed, by=colleague, now=timezone.now(), reason="wrong leg was measured"))
    assert told == [([clinician.email], "A visit that you signed was unlocked: your signature is withdrawn")]
    body = mailoutbox[-1].body
    assert signed.patient.registry_number not in body and "wrong leg" not in body and str(signed.visit_date) not in body


def test_who_unlocks_what_they_signed_themselves_is_told_nothing(hears, signed, clinician):
    assert hears(lambda: unlock_visit(visit=signed, by=clinician, now=timezone.now(), reason="a typing error")) == []


@pytest.mark.parametrize("error", [SMTPException, UnicodeEncodeError("ascii", "ü", 0, 1, "an address")])
def test_a_mail_server_that_refuses_undoes_nothing(hears, proven, admin, person, monkeypatch, caplog, error):
    def refused(_message):
        raise error

    monkeypatch.setattr(EmailMessage, "send", refused)
    assert hears(lambda: proven(admin).post("/accounts/open-or-close/", {"person": person.pk})) == []
    person.refresh_from_db()
    assert not person.is_active
    assert "could not be sent" in caplog.text and person.email not in caplog.text


def test_five_wrong_passwords_where_a_proof_is_asked_end_the_session_and_are_told(hears, person):
    client = Client()
    sign_in(client, person)

    def guess():
        for _guess in range(5):
            assert signed_in(client)
            client.post("/account/reauthenticate/", {"password": "wrong"})

    told = hears(guess)
    assert told == [([person.email], "A session of your account was ended: its password was typed wrong five times")]
    assert not signed_in(client)


def test_a_right_password_in_between_begins_the_count_anew(person):
    client = Client()
    sign_in(client, person)
    for password in ("wrong", "wrong", "wrong", "wrong", PASSWORD, "wrong"):
        client.post("/account/reauthenticate/", {"password": password})
    assert signed_in(client)
