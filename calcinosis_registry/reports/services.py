"""The monthly e-mail: who gets one is set by a clinician of the clinic; it holds a link, and no data."""

from __future__ import annotations

import datetime
import logging
from collections.abc import Collection, Iterable
from smtplib import SMTPException

from django.conf import settings
from django.core.mail import send_mail
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext as _

from calcinosis_registry.accounts.models import User
from calcinosis_registry.audit import trail
from calcinosis_registry.clinics.models import Clinic, Membership
from calcinosis_registry.clinics.policy import may
from calcinosis_registry.clinics.roles import ROLES, Permission
from calcinosis_registry.reports.models import Reminder

log = logging.getLogger(__name__)
READING = frozenset(role for role, permissions in ROLES.items() if Permission.CLINIC_REPORTS in permissions)


def readers_of(clinic: Clinic) -> list[User]:
    """Who may read the clinic's report today, by name."""
    held = Membership.objects.in_force().filter(clinic=clinic, role__in=READING, user__is_active=True)
    people = {one.user_id: one.user for one in held.select_related("user")}
    return sorted(people.values(), key=str)


def schedule(*, clinic: Clinic, people: Iterable[User], day: int, today: datetime.date) -> None:
    """These people get the e-mail every month on this day, nobody else of the clinic does."""
    wanted = {person.pk: person for person in people}
    with trail.together():
        there = {one.user_id: one for one in Reminder.objects.filter(clinic=clinic).select_for_update()}
        for user_id in there.keys() - wanted.keys():
            there[user_id].delete()
        for user_id, person in wanted.items():
            one = there.get(user_id) or Reminder(clinic=clinic, user=person)
            if one.day != day:
                one.day, one.next_on = day, next_day(day, today)
                one.save()


def next_day(day: int, today: datetime.date) -> datetime.date:
    """The first such day after today."""
    if today.day < day:
        return today.replace(day=day)
    return (today.replace(day=1) + datetime.timedelta(days=31)).replace(day=day)


def send_due(*, today: datetime.date, only: Collection[int] | None = None) -> tuple[int, int, int]:
    """Send what is due: (sent, ended, failed). Who may not read the report any more gets nothing and is left out from
    now on; what the mail server refuses is tried again at the next run."""
    sent = ended = failed = 0
    due = Reminder.objects.filter(next_on__lte=today).select_related("clinic", "user").order_by("pk")
    for one in due:
        if one.clinic.closed_at or not may(one.user, Permission.CLINIC_REPORTS, one.clinic_id):
            with trail.because(_("the person does not read this clinic's reports any more")), trail.together():
                one.delete()
            ended += 1
            continue
        try:
            _mail(one)
        except (OSError, SMTPException):
            log.exception("report e-mail %s", one.pk)
            failed += 1
            continue
        one.next_on = next_day(one.day, today)
        with trail.because(_("the e-mail was sent")), trail.together():
            one.save()
        sent += 1
    return sent, ended, failed


def _mail(one: Reminder) -> None:
    url = settings.REGISTRY_URL + reverse("reports:clinic", args=[one.clinic.public_id])
    text = render_to_string("reports/reminder_email.txt", {"reminder": one, "url": url})
    send_mail(_("Your clinic's monthly report"), text, None, [one.user.email])
