"""A second reading of a hand radiograph, asked for and read blind; and what was decided where the two differ."""

from __future__ import annotations

from typing import Self

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as __

from calcinosis_registry.clinics.policy import ScopedQuerySet
from calcinosis_registry.records.addresses import address
from calcinosis_registry.records.models import Record
from lesions.models.imaging import ImagingStudy
from patients.models import Patient

READING = "lesions.HandScore"


class SecondReadingQuerySet(ScopedQuerySet):
    def to_do(self) -> Self:
        """Neither read to the end nor given up; with a reader or still without one."""
        return self.filter(ended_at=None)

    def unfinished(self) -> Self:
        """Somebody has it: from here to the end the reader sees nobody else's reading of the study."""
        return self.to_do().filter(reader__isnull=False)

    def read(self) -> Self:
        """Both readings are there, and open to everybody who may see the study."""
        return self.filter(ended_at__isnull=False, reading__isnull=False)


class SecondReading(Record):
    """``reader`` None: any clinician of the clinic may take it. ``first`` is the reading it stands beside; ``reading``
    the second reader's own, set when finished; ``adjudication`` what was decided where the two differ.

    ``shown_before``: when the reader last opened something that showed the first reading, before the second was theirs.
    """

    study = models.ForeignKey(
        ImagingStudy, on_delete=models.PROTECT, related_name="second_readings", verbose_name=__("study")
    )
    first = models.ForeignKey(READING, on_delete=models.PROTECT, related_name="+", verbose_name=__("first reading"))
    reader = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+", verbose_name=__("reader")
    )
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+", verbose_name=__("asked by")
    )
    asked_at = models.DateTimeField(__("asked"))
    taken_at = models.DateTimeField(__("taken"), null=True, blank=True)
    shown_before = models.DateTimeField(__("first reading shown before"), null=True, blank=True)
    ended_at = models.DateTimeField(__("ended"), null=True, blank=True)
    given_up_why = models.CharField(__("why given up"), max_length=200, blank=True)
    reading = models.ForeignKey(
        READING, on_delete=models.PROTECT, null=True, related_name="+", verbose_name=__("second reading")
    )
    adjudication = models.ForeignKey(
        READING, on_delete=models.PROTECT, null=True, related_name="+", verbose_name=__("adjudication")
    )

    objects = SecondReadingQuerySet.as_manager()
    clinic_path = "study__patient__clinic_id"
    # Whoever signs a visit says nothing about who reads its radiograph again, and when.
    joins_after_signing = True
    open_after_signing = frozenset(
        {"reader", "taken_at", "shown_before", "ended_at", "given_up_why", "reading", "adjudication"}
    )

    class Meta:
        verbose_name = __("second reading")
        verbose_name_plural = __("second readings")
        ordering = ["asked_at", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["study", "reader"], condition=Q(ended_at=None), name="secondreading_one_unfinished",
                violation_error_message=__("This reader has a second reading of the study already."),
            ),
            models.CheckConstraint(
                name="secondreading_read_is_ended", condition=Q(reading=None) | Q(ended_at__isnull=False)
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return str(self._meta.verbose_name)

    def get_absolute_url(self) -> str:
        return address("lesions:reading_pair", ..., of=self.public_id)

    @property
    def patient(self) -> Patient:
        return self.study.patient

    @property
    def trail_patient(self) -> str:  # type: ignore[override]
        return self.patient.registry_number

    @property
    def is_read(self) -> bool:
        return self.reading_id is not None

    def clean(self) -> None:
        super().clean()
        for one in (self.first, self.reading, self.adjudication):
            if one is not None and one.study_id != self.study_id:
                raise ValidationError(_("A reading belongs to another study."))
        if self.reader_id is not None and self.reader_id == self.first.rater_id:
            raise ValidationError(_("The second reader is somebody else than the first."))
        if self.reading is not None and self.reading.rater_id != self.reader_id:
            raise ValidationError(_("The reading is not the second reader's own."))
