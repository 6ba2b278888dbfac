"""One person was registered twice: which registration became part of which record, and what came with it."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as __

from calcinosis_registry.audit.traced import Traced
from calcinosis_registry.clinics.models import new_public_id
from calcinosis_registry.clinics.policy import ScopedQuerySet
from patients.models.patient import Patient


class Merger(Traced):
    """``moved``: {kind: keys of the rows that came with the double}, ``numbers``: {lesion: its number before},
    ``swapped``: {kind: fields whose answers the two exchanged}. With these it is taken back."""

    public_id = models.CharField(max_length=22, unique=True, default=new_public_id, editable=False)
    record = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="+")
    double = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(__("why"), max_length=400)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(__("when"), default=timezone.now)
    taken_back_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    taken_back_at = models.DateTimeField(__("taken back"), null=True)
    moved: Any = models.JSONField(default=dict, editable=False)
    numbers: Any = models.JSONField(default=dict, editable=False)
    swapped: Any = models.JSONField(default=dict, editable=False)

    # Each row and each answer that changed hands has an event of its own.
    MAINTAINED = ("moved", "numbers", "swapped")

    objects = ScopedQuerySet.as_manager()
    clinic_path = "record__clinic_id"

    class Meta:
        ordering = ["-at", "-id"]
        verbose_name = __("registration merged")
        verbose_name_plural = __("registrations merged")

    def __str__(self) -> str:
        return f"{self.double} → {self.record}"

    @property
    def patient(self) -> Patient:
        return self.record

    @property
    def trail_patient(self) -> str:  # type: ignore[override]
        return self.record.registry_number
