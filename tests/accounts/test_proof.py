"""Proving again who one is, through the pages that ask for it."""

from __future__ import annotations

import time
from contextlib import ExitStack

import pytest
from allauth.core.context import request_context
from django.http import HttpResponse
from django.test import RequestFactory

from calcinosis_registry.accounts.proof import proof_required, prove_by_password, proven
from calcinosis_registry.audit.models import Event
from calcinosis_registry.clinics.models import Invitation
from tests.conftest import prove
from tests.factories import PASSWORD, MembershipFactory

REAUTHENTICATE = "/account/reauthenticate/"
INVITE = "/accounts/invite/"


@pytest.fixture
def boss(admin):
    admin.set_password(PASSWORD)
    admin.save()
    return admin


def invitation(clinic) -> dict[str, object]:
    return {"email": "new@example.org", "name": "New", "clinic": clinic.pk, "role": "monitor", "valid_until": ""}


def asked(answer: HttpResponse) -> bool:
    return answer.status_code == 302 and answer["Location"].startswith(REAUTHENTICATE)


def test_a_sign_in_alone_is_no_proof_and_the_request_goes_on_after_one(client, boss, north):
    client.post("/account/sign-in/", {"login": boss.email, "password": PASSWORD})
    answer = client.post(INVITE, invitation(north))
    assert asked(answer) and not Invitation.objects.exists()
    assert client.post(answer["Location"], {"password": PASSWORD})["Location"] == "/accounts/"
    assert Invitation.objects.get().email == "new@example.org"


@pytest.mark.parametrize(("age", "stands"), [(290, True), (301, False)])
def test_a_proof_lasts_five_minutes(client_of, boss, north, age, stands):
    client = client_of(boss)
    prove(client, boss, lasting=-age)
    answer = client.post(INVITE, invitation(north))
    assert asked(answer) is not stands
    assert Invitation.objects.exists() is stands


def test_somebody_elses_proof_in_the_session_counts_for_nothing(client_of, boss, north, clinician):
    client = client_of(boss)
    prove(client, clinician)
    assert asked(client.post(INVITE, invitation(north)))


def test_who_may_not_is_told_so_before_any_proof(client_of, clinician, north):
    assert client_of(clinician).post(INVITE, invitation(north)).status_code == 403


@pytest.mark.parametrize("page", ["role/end/", "second-factor/reset/", "sessions/end/", "open-or-close/"])
def test_changes_of_roles_and_accounts_ask_for_a_proof(client_of, boss, north, page):
    row = MembershipFactory(clinic=north)
    before = Event.objects.count()
    assert asked(client_of(boss).post(f"/accounts/{page}", {"membership": row.pk, "person": row.user_id}))
    row.refresh_from_db()
    assert row.valid_until is None and Event.objects.count() == before


@pytest.fixture
def request_of(client_of):
    with ExitStack() as standing:

        def made(user, method: str = "POST"):
            request = RequestFactory().generic(method, "/")
            request.user, request.session = user, client_of(user).session
            standing.enter_context(request_context(request))  # what the library's middleware does
            return request

        yield made


def test_the_password_in_a_form_is_a_proof(request_of, boss):
    request = request_of(boss)
    assert not prove_by_password(request, "wrong") and not proven(request)
    assert prove_by_password(request, PASSWORD) and proven(request)


def test_guessing_the_password_at_an_open_workstation_ends(request_of, boss):
    request = request_of(boss)
    for _guess in range(10):
        prove_by_password(request, "wrong")
    assert not prove_by_password(request, PASSWORD)


def test_where_reading_is_free_only_changing_asks(request_of, boss):
    view = proof_required(allow_get=True)(lambda request: HttpResponse("read"))
    assert view(request_of(boss, "GET")).content == b"read"
    with pytest.raises(Exception) as refused:
        view(request_of(boss, "PUT"))
    assert type(refused.value).__name__ == "ReauthenticationRequired"


def test_a_proof_is_seconds_not_a_promise(request_of, boss, monkeypatch):
    request = request_of(boss)
    assert prove_by_password(request, PASSWORD)
    later = time.time() + 301
    monkeypatch.setattr("calcinosis_registry.accounts.proof.time.time", lambda: later)
    assert not proven(request)
