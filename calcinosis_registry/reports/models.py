"""Who is reminded of a clinic's report, every month, with a link."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from calcinosis_registry.audit.traced import Traced
from calcinosis_registry.clinics.models import Clinic
from calcinosis_registry.clinics.policy import ScopedQuerySet

LAST_DAY = 28  # every month has it


class Reminder(Traced):
    """A person gets an e-mail with a link to the clinic's report: on ``next_on``, then every month on ``day``."""

    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="+")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    day = models.PositiveSmallIntegerField(_("day of the month"))
    next_on = models.DateField(_("next e-mail"))

    objects = ScopedQuerySet.as_manager()
    clinic_path = "clinic"

    class Meta:
        ordering = ["clinic", "user"]
        verbose_name = _("monthly report e-mail")
        verbose_name_plural = _("monthly report e-mails")
        constraints = [
            models.UniqueConstraint(fields=["clinic", "user"], name="reminder_once_a_person"),
            models.CheckConstraint(condition=Q(day__gte=1, day__lte=LAST_DAY), name="reminder_day_of_every_month"),
        ]

    def __str__(self) -> str:
        return f"{self.clinic}, {self.user}"
