"""The monthly e-mail of a clinic's report: a link, never data, to those who may read it."""

from __future__ import annotations

import datetime
import threading
from smtplib import SMTPException

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.db import connection

from calcinosis_registry.audit.models import Event
from calcinosis_registry.reports import services
from calcinosis_registry.reports.models import Reminder
from tests.cohorts.register import patients

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def an_address(settings):
    settings.REGISTRY_URL = "https://registry.example.org"


@pytest.fixture
def page(north) -> str:
    return f"/reports/clinic/{north.public_id}/e-mail/"


def on(day: str) -> time_machine.travel:
    return time_machine.travel(f"{day}T09:00:00+00:00", tick=False)


def test_it_is_set_on_the_page_sent_every_month_and_holds_a_link_and_no_data(
    client_of, clinician, monitor, north, page, mailoutbox, client
):
    patients(north, 3)
    today = datetime.date.today()
    browser = client_of(clinician)
    assert "Monthly e-mail" in browser.get(f"/reports/clinic/{north.public_id}/").content.decode()
    shown = browser.get(page).content.decode()
    assert str(clinician) in shown and str(monitor) in shown
    answer = browser.post(page, {"people": [clinician.pk, monitor.pk], "day": "5"}, follow=True)
    assert "2 people" in answer.content.decode()
    first = Reminder.objects.get(user=clinician).next_on
    assert first.day == 5 and first > today
    call_command("send_report_links")
    assert mailoutbox == []
    with on(f"{first}"):
        call_command("send_report_links")
        call_command("send_report_links")
    assert sorted(mail.to[0] for mail in mailoutbox) == sorted([clinician.email, monitor.email])
    text = mailoutbox[0].body
    assert f"https://registry.example.org/reports/clinic/{north.public_id}/" in text
    assert "NOR-" not in text and "3 patients" not in text and not mailoutbox[0].attachments
    assert client.get(f"/reports/clinic/{north.public_id}/").status_code == 302  # the link asks to sign in
    sent = Event.objects.filter(model="reports.reminder", action="change").first()
    assert "next_on" in sent.changes and "sent" in sent.reason
    with on(f"{first + datetime.timedelta(days=40)}"):  # a run that was missed is made up for, once
        call_command("send_report_links")
        call_command("send_report_links")
    assert len(mailoutbox) == 4


def test_it_ends_with_the_role_and_says_so_in_the_trail(client_of, clinician, monitor, north, page, mailoutbox):
    client_of(clinician).post(page, {"people": [monitor.pk], "day": "5"})
    role = monitor.memberships.get()
    role.valid_from, role.valid_until = datetime.date(2020, 1, 1), datetime.date.today() - datetime.timedelta(days=1)
    role.save()
    with on(f"{Reminder.objects.get().next_on}"):
        call_command("send_report_links")
    assert mailoutbox == [] and not Reminder.objects.exists()
    assert "does not read" in Event.objects.filter(model="reports.reminder", action="delete").get().reason


def test_nobody_chosen_ends_it_and_a_stranger_cannot_be_chosen(client_of, clinician, researcher, stranger, page):
    browser = client_of(clinician)
    for nobody in (researcher, stranger):
        answer = browser.post(page, {"people": [nobody.pk], "day": "5"})
        assert answer.status_code == 200 and not Reminder.objects.exists()
    browser.post(page, {"people": [clinician.pk], "day": "28"})
    assert Reminder.objects.count() == 1
    browser.post(page, {"day": "28"})
    assert not Reminder.objects.exists()


@pytest.mark.parametrize("number", [str(2**63), "-9223372036854775809", "1e0", "\x00", "x" * 4000])
def test_a_number_no_account_can_have_is_a_wrong_choice(client_of, clinician, page, number):
    answer = client_of(clinician).post(page, {"people": [clinician.pk, number], "day": "5"})
    assert answer.status_code == 200 and answer.context["form"].errors["people"] and not Reminder.objects.exists()


@pytest.mark.parametrize("day", ["0", "29", "-1", "one", "", "9" * 30])
def test_a_day_not_every_month_has_is_refused_and_the_typing_kept(client_of, clinician, page, day):
    shown = client_of(clinician).post(page, {"people": [clinician.pk], "day": day}).content.decode()
    assert not Reminder.objects.exists() and "checked" in shown and "day of the month" in shown.lower()


def test_what_the_mail_server_refuses_is_tried_again(client_of, clinician, page, mailoutbox, monkeypatch):
    client_of(clinician).post(page, {"people": [clinician.pk], "day": "5"})

    def refuses(*told):
        raise SMTPException("no")

    with on(f"{Reminder.objects.get().next_on}"):
        with monkeypatch.context() as patched, pytest.raises(CommandError, match="tries again"):
            patched.setattr("calcinosis_registry.reports.services.send_mail", refuses)
            call_command("send_report_links")
        call_command("send_report_links")
    assert len(mailoutbox) == 1


@pytest.mark.parametrize("meanwhile", ["removed", "moved", "another run"])
@pytest.mark.parametrize("refused", [False, True])
def test_what_happens_while_the_mail_goes_stands(
    clinician, monitor, north, mailoutbox, monkeypatch, meanwhile, refused
):
    send, today = services.send_mail, datetime.date.today()
    services.schedule(clinic=north, people=[monitor], day=5, today=today)
    first = Reminder.objects.get().next_on

    def slowly(*told):
        monkeypatch.setattr(services, "send_mail", send)
        if meanwhile == "another run":
            assert services.send_due(today=first) == (0, 0, 0)
        else:
            people = [clinician if meanwhile == "removed" else monitor]
            services.schedule(clinic=north, people=people, day=9, today=first)
        if refused:
            raise SMTPException("no")
        send(*told)

    monkeypatch.setattr(services, "send_mail", slowly)
    with on(f"{first}"):
        assert services.send_due(today=first) == ((0, 0, 1) if refused else (1, 0, 0))
    one = Reminder.objects.get()
    if meanwhile == "another run":
        assert (one.user, one.day, one.next_on <= first) == (monitor, 5, refused)
    else:
        told = (one.user, one.day, one.next_on)
        assert told == (clinician if meanwhile == "removed" else monitor, 9, first.replace(day=9))
    assert len(mailoutbox) == (0 if refused else 1)


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_set_twice_at_once_it_is_set_once(clinician, monitor, north):
    together, problems = threading.Barrier(2), []

    def set_it() -> None:
        try:
            together.wait()
            services.schedule(clinic=north, people=[clinician, monitor], day=5, today=datetime.date(2026, 1, 1))
        except Exception as error:
            problems.append(error)
        finally:
            connection.close()

    both = [threading.Thread(target=set_it) for _one in range(2)]
    for one in both:
        one.start()
    for one in both:
        one.join()
    assert not problems and Reminder.objects.count() == 2


def test_without_an_address_no_link_is_sent(settings):
    settings.REGISTRY_URL = ""
    with pytest.raises(CommandError, match="REGISTRY_URL"):
        call_command("send_report_links")
