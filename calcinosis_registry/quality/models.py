"""Data queries: a question about a saved value, with its age and its answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from calcinosis_registry.audit.traced import Traced
from calcinosis_registry.clinics.models import Clinic, new_public_id
from calcinosis_registry.clinics.policy import ScopedQuerySet

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


class QueryStatus(models.TextChoices):
    OPEN = "OPEN", _("Open")
    ANSWERED = "ANSWERED", _("Answered")
    CLOSED = "CLOSED", _("Closed")


class DataQueryQuerySet(ScopedQuerySet):
    def open(self) -> Self:
        return self.exclude(status=QueryStatus.CLOSED)

    def of_record(self, record: models.Model) -> Self:
        return self.filter(model=record._meta.label_lower, object_id=record.pk)

    def standing_or_settled_by_hand(self) -> Self:
        """What a rule asks at present, and what a person has closed: that is not asked again in the same words."""
        return self.exclude(rule="").filter(~Q(status=QueryStatus.CLOSED) | Q(closed_by__isnull=False))


def _person(label: StrOrPromise) -> models.ForeignKey:
    return models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+", verbose_name=label
    )


class DataQuery(Traced):
    """A question about one field of one record. ``rule`` names the check that opened it; blank when a person did."""

    public_id = models.CharField(max_length=22, unique=True, default=new_public_id, editable=False)
    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="queries")
    patient = models.CharField(_("patient"), max_length=24, db_index=True)
    model = models.CharField(_("record"), max_length=100)
    object_id = models.BigIntegerField()
    field = models.CharField(_("field"), max_length=64, blank=True)
    rule = models.CharField(_("rule"), max_length=64, blank=True)
    message = models.CharField(_("question"), max_length=400)
    answer = models.CharField(_("answer"), max_length=400, blank=True)
    status = models.CharField(_("status"), max_length=8, choices=QueryStatus.choices, default=QueryStatus.OPEN)
    opened_at = models.DateTimeField(_("opened"), default=timezone.now)
    raised_by = _person(_("asked by"))
    answered_at = models.DateTimeField(_("answered"), null=True, blank=True)
    answered_by = _person(_("answered by"))
    closed_at = models.DateTimeField(_("closed"), null=True, blank=True)
    # Nobody: a rule found nothing any more.
    closed_by = _person(_("closed by"))
    closed_because = models.CharField(_("why closed"), max_length=400, blank=True)

    objects = DataQueryQuerySet.as_manager()
    clinic_path = "clinic_id"

    class Meta:
        ordering = ["opened_at"]
        verbose_name = _("data query")
        verbose_name_plural = _("data queries")
        indexes = [models.Index(fields=["model", "object_id"], name="dataquery_record")]
        constraints = [
            # The same rule asks the same thing once while it is open.
            models.UniqueConstraint(
                fields=["model", "object_id", "field", "rule"],
                condition=~Q(status="CLOSED") & ~Q(rule=""),
                name="dataquery_open_once",
            )
        ]

    def __str__(self) -> str:
        return self.message

    @property
    def trail_patient(self) -> str:  # type: ignore[override]
        return self.patient
