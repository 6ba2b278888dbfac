"""Guessing, finding out who has an account, forgotten passwords, and what a session survives."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from calcinosis_registry.accounts import notices
from calcinosis_registry.accounts.known_devices import COOKIE
from calcinosis_registry.accounts.services import set_active
from calcinosis_registry.audit.models import Action, Event
from calcinosis_registry.clinics.services import end_role, grant
from tests.accounts.test_sign_in import sign_in, signed_in
from tests.factories import PASSWORD

RESET = "/account/password/reset/"


@pytest.fixture
def posted(mailoutbox):
    """``posted()``: the e-mails, after the post office has sent what it has."""

    def all_of_them():
        for _thread in range(2):
            notices.POST_OFFICE.submit(time.sleep, 0.01).result()
        return mailoutbox

    return all_of_them


def refused() -> list[dict]:
    return list(Event.objects.filter(action=Action.REFUSED).order_by("id").values_list("changes", flat=True))


def test_a_wrong_password_is_one_event_about_the_account_by_nobody(client, person):
    sign_in(client, person, "wrong, and perhaps the right one elsewhere")
    event = Event.objects.get(action=Action.REFUSED)
    assert (event.model, event.object_id, event.actor_id) == ("accounts.user", person.pk, None)
    assert (event.changes, event.source) == ({"password": [None, "wrong"]}, "web 127.0.0.1")
    assert not Event.objects.filter(action=Action.SIGN_IN).exists()


def test_what_was_typed_for_an_unknown_account_is_not_kept(client):
    client.post("/account/sign-in/", {"login": "my-secret@example.org", "password": "my-secret"})
    event = Event.objects.get(action=Action.REFUSED)
    assert (event.object_id, event.actor_name) == (None, "anonymous")
    assert "my-secret" not in str(list(Event.objects.values()))


def test_the_clinics_admin_sees_who_was_guessed_at(client_of, admin, person, stranger):
    sign_in(Client(), person, "wrong")
    sign_in(Client(), stranger, "wrong")
    rows = client_of(admin).get("/trail/?action=refused").content.decode().partition("<tbody")[2]
    assert rows.count("<tr>") == 1 and f'"sub">account {person.pk}<' in rows
    assert Event.objects.filter(action=Action.REFUSED).count() == 2


def test_many_guesses_do_not_flood_the_trail(client, person):
    for _guess in range(25):
        sign_in(client, person, "wrong")
    assert refused() == [{"password": [None, "wrong"]}] * 10 + [{"password": [None, "too many attempts"]}]


def test_guesses_elsewhere_lock_nobody_out_of_a_known_device(person):
    ward, elsewhere = Client(), Client(REMOTE_ADDR="192.0.2.7")
    sign_in(ward, person)
    ward.post("/account/sign-out/")
    for _guess in range(30):
        sign_in(elsewhere, person, "wrong")
    assert "Too many failed" in sign_in(elsewhere, person).content.decode()
    assert sign_in(ward, person).status_code == 302 and signed_in(ward)


def test_a_neighbour_behind_the_same_address_locks_nobody_out_either(person):
    ward, neighbour = Client(), Client()
    sign_in(ward, person)
    ward.post("/account/sign-out/")
    for guess in range(110):
        neighbour.post("/account/sign-in/", {"login": f"{guess}@example.org", "password": "x"})
    assert "Too many failed" in sign_in(neighbour, person).content.decode()
    assert sign_in(ward, person).status_code == 302


def test_a_known_device_may_not_guess_without_end(person):
    ward = Client()
    sign_in(ward, person)
    ward.post("/account/sign-out/")
    for _guess in range(10):
        sign_in(ward, person, "wrong")
    assert "Too many failed" in sign_in(ward, person).content.decode()


@pytest.mark.parametrize("forged", ["", ".", "a.b", "x" * 22 + "." + "0" * 32, "\x00.\x00", "." * 4000])
def test_a_made_up_device_is_no_known_one(person, forged):
    guesser = Client()
    guesser.cookies[COOKIE] = forged
    for _guess in range(10):
        sign_in(guesser, person, "wrong")
    assert "Too many failed" in sign_in(guesser, person).content.decode()


def test_the_device_of_one_account_is_not_known_for_another_and_names_neither(person, stranger):
    ward, owner = Client(), Client()
    sign_in(ward, person)
    cookie = ward.cookies[COOKIE]
    assert cookie["httponly"] and cookie["samesite"] == "Lax" and cookie["max-age"] == 180 * 86_400
    assert person.email not in cookie.value and str(person.pk) not in cookie.value.split(".")
    owner.cookies[COOKIE] = cookie.value
    for _guess in range(10):
        sign_in(Client(REMOTE_ADDR="192.0.2.7"), stranger, "wrong")
    assert "Too many failed" in sign_in(owner, stranger).content.decode()


def test_twelve_people_share_a_wards_computer(person):
    ward = Client()
    for _time in range(3):
        sign_in(ward, person)
        ward.post("/account/sign-out/")
    assert len(ward.cookies[COOKIE].value.split(".")) == 2


def test_an_unknown_and_a_known_account_are_refused_alike(client, person):
    def answer(email: str) -> str:
        page = client.post("/account/sign-in/", {"login": email, "password": "wrong"}).content.decode()
        return page.replace(email, "…").split("csrfmiddlewaretoken")[0] + page.partition("</form>")[2]

    assert answer(person.email) == answer("nobody@example.org")


def test_a_forgotten_password_is_set_anew_by_the_mailed_link_once(client, person, posted):
    other = Client()
    sign_in(other, person)
    client.post(RESET, {"email": person.email})
    link = next(word for word in posted()[0].body.split() if "/password/reset/key/" in word)
    before = Event.objects.count()
    new = "quite another sentence"
    form = client.get(link, follow=True)
    client.post(form.redirect_chain[-1][0], {"password1": new, "password2": new})
    changed = Event.objects.order_by("id")[before:]
    assert [(one.action, one.changes) for one in changed] == [(Action.CHANGE, {"password": ["…", "…"]})]
    assert not signed_in(other)
    assert sign_in(Client(), person, new).status_code == 302
    again = Client().get(link, follow=True)
    assert "password1" not in again.content.decode()


def test_a_reset_link_lasts_an_hour(client, person, posted):
    client.post(RESET, {"email": person.email})
    link = next(word for word in posted()[0].body.split() if "/password/reset/key/" in word)
    with time_machine.travel(timezone.now() + timedelta(minutes=61), tick=False):
        assert "password1" not in Client().get(link, follow=True).content.decode()


def test_a_forgotten_password_of_nobody_gets_the_same_answer_and_no_mail(client, person, posted):
    nobody, somebody = (client.post(RESET, {"email": email}) for email in ("nobody@example.org", person.email))
    assert (nobody.status_code, nobody["Location"]) == (somebody.status_code, somebody["Location"])
    assert [mail.to for mail in posted()] == [[person.email]]


def test_a_mail_server_that_is_down_does_not_tell_who_has_an_account(client, person, monkeypatch, caplog):
    def down(*args, **kwargs):
        raise ConnectionRefusedError(person.email)

    monkeypatch.setattr("django.core.mail.EmailMessage.send", down)
    assert client.post(RESET, {"email": person.email}).status_code == 302
    for _thread in range(2):
        notices.POST_OFFICE.submit(time.sleep, 0.01).result()
    assert "could not be sent" in caplog.text and person.email not in caplog.text


def test_a_reset_link_leads_to_the_registers_own_host(client, person, posted, settings):
    settings.REGISTRY_URL = "https://registry.example.org"
    settings.ALLOWED_HOSTS = ["*"]
    client.post(RESET, {"email": person.email}, headers={"host": "evil.example", "x-forwarded-host": "evil.example"})
    body = posted()[0].body
    assert "https://registry.example.org/account/password/reset/key/" in body
    assert "evil" not in body


def test_an_invitation_leads_to_the_registers_own_host(proven, admin, north, mailoutbox, settings):
    settings.REGISTRY_URL = "https://registry.example.org"
    settings.ALLOWED_HOSTS = ["*"]
    details = {"email": "new@example.org", "name": "New", "clinic": north.pk, "role": "monitor", "valid_until": ""}
    proven(admin).post("/accounts/invite/", details, headers={"host": "evil.example"})
    assert "https://registry.example.org/invitation/" in mailoutbox[0].body
    assert "evil" not in mailoutbox[0].body


def test_a_session_known_before_the_sign_in_is_another_one_after(client, person):
    client.get("/account/sign-in/?next=/")
    session = client.session
    session["planted"] = True
    session.save()
    client.cookies["sessionid"] = before = session.session_key
    sign_in(client, person)
    assert client.cookies["sessionid"].value != before
    thief = Client()
    thief.cookies["sessionid"] = before
    assert not signed_in(thief)


def test_a_stolen_session_is_over_after_its_owner_left(client, person):
    sign_in(client, person)
    thief = Client()
    thief.cookies["sessionid"] = client.cookies["sessionid"].value
    assert signed_in(thief)
    client.post("/account/sign-out/")
    assert not signed_in(thief)


@pytest.mark.parametrize(
    "change",
    [
        lambda person, south: grant(user=person, role="monitor", clinic=south),
        lambda person, south: end_role(membership=person.memberships.get(), now=timezone.now()),
        lambda person, south: set_active(user=person, active=False),
    ],
    ids=["another clinic", "no role any more", "closed"],
)
def test_every_session_is_over_at_the_request_after_a_change_of(client_of, clinician, south, change):
    here = client_of(clinician)
    assert here.get("/").status_code == 200
    change(clinician, south)
    assert here.get("/")["Location"].startswith("/account/sign-in/")


def test_changing_ones_password_ends_the_other_sessions_and_is_one_event(person):
    here, there = Client(), Client()
    sign_in(here, person)
    sign_in(there, person)
    before = Event.objects.count()
    new = "quite another sentence"
    here.post("/account/password/change/", {"oldpassword": PASSWORD, "password1": new, "password2": new})
    told = Event.objects.order_by("id")[before:]
    assert [one.changes for one in told if one.action == Action.CHANGE] == [{"password": ["…", "…"]}]
    assert not signed_in(there)


def test_passwords_are_hashed_with_argon2(person):
    assert person.password.startswith("argon2$argon2id$")


@pytest.mark.parametrize("address", ["/", "/patients/", "/account/sign-in/", "/codebook/", "/trail/", "/nothing-here/"])
def test_no_page_is_kept_by_a_browser_or_a_proxy(client_of, clinician, address):
    answer = client_of(clinician).get(address)
    assert "no-store" in answer["Cache-Control"] and "private" in answer["Cache-Control"]
    assert "Cookie" in answer["Vary"]
