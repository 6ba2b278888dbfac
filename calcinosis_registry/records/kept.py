"""What is kept of forms beside the records themselves: drafts not saved yet, and which form made which record.

Neither is a record: no event, no page of its own in the admin, no way into a dataset.
"""

from __future__ import annotations

import datetime
from typing import Self

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.db.models import Q
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from calcinosis_registry.accounts.models import User
from calcinosis_registry.clinics.models import Clinic, new_public_id
from calcinosis_registry.clinics.policy import grants
from calcinosis_registry.clinics.roles import Permission
from calcinosis_registry.sealing import DRAFTS, Unopened

KEPT = datetime.timedelta(days=14)


class DraftQuerySet(models.QuerySet):
    def visible_to(self, user: User | AnonymousUser, permission: Permission) -> Self:
        """A person's own, where the permission still holds; nobody ever sees another's."""
        held = grants(user).get(permission, set())
        own = self.filter(owner=user.pk) if held else self.none()
        return own if None in held else own.filter(Q(clinic__in=held) | Q(clinic=None))

    def fresh(self, now: datetime.datetime) -> Self:
        return self.filter(updated_at__gt=now - KEPT)


class Draft(models.Model):
    """One page's form as it was last typed. ``token`` is that page: two tabs on one record are two drafts."""

    public_id = models.CharField(max_length=22, unique=True, default=new_public_id, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    # None: a registration whose clinic is not chosen yet.
    clinic = models.ForeignKey(Clinic, on_delete=models.CASCADE, related_name="+", null=True)
    token = models.CharField(max_length=22)
    form = models.CharField(max_length=40)
    patient = models.CharField(max_length=22, blank=True, db_index=True)
    subject = models.CharField(max_length=40)
    address = models.CharField(max_length=200)
    content = models.TextField()
    # The browser's clock: of two drafts of one page the later one stands, in whatever order they arrive.
    typed_at = models.BigIntegerField(default=0)
    updated_at = models.DateTimeField(db_index=True)

    objects = DraftQuerySet.as_manager()

    class Meta:
        app_label = "records"
        ordering = ["-updated_at"]
        verbose_name = _("draft")
        constraints = [models.UniqueConstraint(fields=["owner", "token"], name="draft_one_per_page")]
        indexes = [models.Index(fields=["owner", "form", "patient", "subject"], name="draft_place")]

    def __str__(self) -> str:
        return f"{self.form} {self.updated_at:%Y-%m-%d %H:%M}"

    def data(self) -> QueryDict | None:
        """The form as it was typed, or None where the key to it is gone."""
        try:
            return QueryDict(DRAFTS.open(self.content))
        except Unopened:
            return None

    @property
    def restore_url(self) -> str:
        return f"{self.address}{'&' if '?' in self.address else '?'}draft={self.public_id}"

    @property
    def compare_url(self) -> str:
        return f"{self.restore_url}&compare=1"


class Submission(models.Model):
    """A form that was sent and saved: sent again it makes nothing new, and leads to ``result``."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=22)
    patient = models.CharField(max_length=22, blank=True, db_index=True)
    body = models.CharField(max_length=64)
    result = models.CharField(max_length=300, blank=True)
    saved_at = models.DateTimeField(db_index=True)

    class Meta:
        app_label = "records"
        verbose_name = _("form sent")
        constraints = [models.UniqueConstraint(fields=["owner", "key"], name="submission_once")]

    def __str__(self) -> str:
        return f"{self.key} {self.saved_at:%Y-%m-%d %H:%M}"
