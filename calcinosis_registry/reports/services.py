"""The monthly e-mail: who gets one is set by a clinician of the clinic; it holds a link, and no data."""

from __future__ import annotations

import datetime
import logging
from collections.abc import Iterable

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
        Clinic.objects.select_for_update(no_key=True).get(pk=clinic.pk)  # sent twice at once: one after the other
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


def send_due(*, today: datetime.date) -> tuple[int, int, int]:
    """Send what is due: (sent, ended, failed). Who may not read the report any more gets nothing and is left out from
    now on; what the mail server refuses is tried again at the next run."""
    done = {"sent": 0, "ended": 0, "failed": 0, "": 0}
    for pk in list(Reminder.objects.filter(next_on__lte=today).order_by("pk").values_list("pk", flat=True)):
        done[_send(pk, today)] += 1
    return done["sent"], done["ended"], done["failed"]


def _send(pk: int, today: datetime.date) -> str:
    """Its next day is written before the mail goes: what somebody does meanwhile stands, no other run sends it too."""
    with trail.together():
        due = Reminder.objects.select_for_update(of=("self",)).filter(pk=pk, next_on__lte=today)
        one = due.select_related("clinic", "user").first()
        if one is None:
            return ""  # removed, moved or sent since it was looked for
        if one.clinic.closed_at or not may(one.user, Permission.CLINIC_REPORTS, one.clinic_id):
            with trail.because(_("the person does not read this clinic's reports any more")):
                one.delete()
            return "ended"
        before, one.next_on = one.next_on, next_day(one.day, today)
        with trail.because(_("the e-mail is sent")):
            one.save(force_update=True, update_fields=["next_on"])
    try:
        _mail(one)
    except Exception:  # whatever one of them is refused for: the others go, and this one is tried again
        log.exception("report e-mail %s", one.pk)
        _put_back(one, before)
        return "failed"
    return "sent"


def _put_back(sent: Reminder, day: datetime.date) -> None:
    """Unless somebody removed or moved it meanwhile."""
    with trail.because(_("the e-mail could not be sent")), trail.together():
        one = Reminder.objects.select_for_update(of=("self",)).filter(pk=sent.pk, next_on=sent.next_on).first()
        if one is not None:
            one.next_on = day
            one.save(force_update=True, update_fields=["next_on"])


def _mail(one: Reminder) -> None:
    url = settings.REGISTRY_URL + reverse("reports:clinic", args=[one.clinic.public_id])
    text = render_to_string("reports/reminder_email.txt", {"reminder": one, "url": url})
    send_mail(_("Your clinic's monthly report"), text, None, [one.user.email])
