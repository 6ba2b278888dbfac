"""The ledger: every file that was made, by whom, why, of whom."""

from __future__ import annotations

import datetime
from typing import Any, Self

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from calcinosis_registry.accounts.models import User
from calcinosis_registry.audit.traced import Traced
from calcinosis_registry.clinics.models import new_public_id
from calcinosis_registry.clinics.policy import ScopedQuerySet, grants
from calcinosis_registry.clinics.roles import Permission
from calcinosis_registry.cohorts.models import Cohort, Freeze, ResearchProject
from calcinosis_registry.exports.writers import FORMATS

KEPT = datetime.timedelta(days=7)


class Profile(models.TextChoices):
    CODED = "coded", _("Coded: pseudonyms, shifted dates, ages")
    ANONYMOUS = "anonymous", _("Anonymous: years only, at least 11 alike, or refused")


class ExportQuerySet(ScopedQuerySet):
    def visible_to(self, user: User | AnonymousUser, permission: Permission) -> Self:
        """One's own; who approves projects sees those made in them, but not the file (exports/services.py)."""
        if not grants(user).get(permission):
            return self.none()
        if permission is Permission.APPROVE_PROJECTS:
            return self.filter(project__in=ResearchProject.objects.visible_to(user, permission).values("pk"))
        return self.filter(created_by_id=user.pk)


class Export(Traced):
    """One zip. ``sha256`` is of the zip; ``row_counts``: {table: rows}."""

    public_id = models.CharField(max_length=22, unique=True, default=new_public_id, editable=False)
    cohort = models.ForeignKey(Cohort, on_delete=models.PROTECT, related_name="exports")
    project = models.ForeignKey(ResearchProject, on_delete=models.PROTECT, related_name="exports")
    freeze = models.ForeignKey(
        Freeze, on_delete=models.PROTECT, related_name="exports", null=True, verbose_name=_("frozen as")
    )
    withdrawn = models.PositiveIntegerField(_("left out since it was frozen"), default=0)
    format = models.CharField(_("format"), max_length=16)  # a key of writers.FORMATS
    profile = models.CharField(_("profile"), max_length=12, choices=Profile.choices)
    reason = models.CharField(_("why"), max_length=400)
    include_text = models.BooleanField(_("with free text"), default=False)
    include_images = models.BooleanField(_("with pictures"), default=False)
    images = models.PositiveIntegerField(_("pictures"), default=0)
    pictured: Any = models.JSONField(default=list, editable=False)  # files with pictures, as the project calls them
    all_visits = models.BooleanField(_("with unsigned visits"), default=False)
    job = models.CharField(max_length=22, blank=True, editable=False)  # which made it, so that none makes it twice
    row_counts: Any = models.JSONField(_("rows"), default=dict)
    patients = models.PositiveIntegerField(_("patients"), default=0)
    sha256 = models.CharField(_("checksum"), max_length=64)
    size = models.BigIntegerField(_("size in bytes"))
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(_("made"), default=timezone.now)

    objects = ExportQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-id"]
        verbose_name = _("export")

    def __str__(self) -> str:
        return f"{self.cohort} {self.format} {self.created_at:%Y-%m-%d}"

    @property
    def format_label(self) -> str:
        return str(FORMATS[self.format].label) if self.format in FORMATS else self.format

    def get_absolute_url(self) -> str:
        return reverse("exports:export", args=[self.public_id])

    @property
    def expires_at(self) -> datetime.datetime:
        return self.created_at + KEPT

    @property
    def is_over(self) -> bool:
        return timezone.now() > self.expires_at

    @property
    def rows(self) -> int:
        return sum(self.row_counts.values())


class ExportedPatient(models.Model):
    """Who is in an export, by the pseudonym of its project: the key that made it answers for a person, nobody else."""

    export = models.ForeignKey(Export, on_delete=models.PROTECT, related_name="people")
    pseudonym = models.CharField(max_length=20, db_index=True)

    class Meta:
        verbose_name = _("patient in an export")
        constraints = [models.UniqueConstraint(fields=["export", "pseudonym"], name="exported_patient_once")]

    def __str__(self) -> str:
        return self.pseudonym
