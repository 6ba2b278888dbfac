"""Requests to erase a person, and the ledger of files given to persons. They name a registry number, nobody's name."""

from __future__ import annotations

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from calcinosis_registry.audit.traced import Traced
from calcinosis_registry.clinics.models import Clinic, new_public_id
from calcinosis_registry.clinics.policy import ScopedQuerySet


class Basis(models.TextChoices):
    """GDPR article 17 (1)."""

    CONSENT = "CONSENT", _("The person withdrew the consent")
    NOT_NEEDED = "NOT_NEEDED", _("The data are no longer needed")
    OBJECTION = "OBJECTION", _("The person objects")
    UNLAWFUL = "UNLAWFUL", _("The data should not have been entered")


class State(models.TextChoices):
    OPEN = "OPEN", _("Waits for a second person")
    DONE = "DONE", _("Erased")
    WITHDRAWN = "WITHDRAWN", _("Withdrawn")


class ErasureRequestQuerySet(ScopedQuerySet):
    def open(self) -> Self:
        return self.filter(state=State.OPEN)


class ErasureRequest(Traced):
    """One person asks, another confirms. ``reason`` may tell of the person, so it is blanked with the rest."""

    public_id = models.CharField(max_length=22, unique=True, default=new_public_id, editable=False)
    registry_number = models.CharField(_("registry number"), max_length=12, db_index=True)
    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="+")
    basis = models.CharField(_("ground"), max_length=12, choices=Basis.choices)
    reason = models.CharField(_("what the person said"), max_length=400, blank=True)
    state = models.CharField(_("state"), max_length=12, choices=State.choices, default=State.OPEN)
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    requested_at = models.DateTimeField(_("asked for"), default=timezone.now)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(_("decided"), null=True)

    objects = ErasureRequestQuerySet.as_manager()
    clinic_path = "clinic_id"

    class Meta:
        ordering = ["-requested_at", "-id"]
        verbose_name = _("request for erasure")
        verbose_name_plural = _("requests for erasure")
        constraints = [
            models.UniqueConstraint(
                fields=["registry_number"], condition=Q(state="OPEN"), name="erasure_asked_once",
                violation_error_message=_("Erasing this person has been asked for already."),
            )
        ]  # fmt: skip

    def __str__(self) -> str:
        return self.registry_number

    @property
    def trail_patient(self) -> str:  # type: ignore[override]
        return self.registry_number


class PersonalFile(Traced):
    """The ledger of subject access: a file with everything about a person was made. The file itself is not kept."""

    public_id = models.CharField(max_length=22, unique=True, default=new_public_id, editable=False)
    registry_number = models.CharField(_("registry number"), max_length=12, db_index=True)
    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(_("why"), max_length=400, blank=True)
    sha256 = models.CharField(_("checksum"), max_length=64)
    size = models.BigIntegerField(_("size in bytes"))
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(_("made"), default=timezone.now)

    objects = ScopedQuerySet.as_manager()
    clinic_path = "clinic_id"

    class Meta:
        ordering = ["-created_at", "-id"]
        verbose_name = _("file for a person")
        verbose_name_plural = _("files for persons")

    def __str__(self) -> str:
        return f"{self.registry_number} {self.created_at:%Y-%m-%d}"

    @property
    def trail_patient(self) -> str:  # type: ignore[override]
        return self.registry_number
