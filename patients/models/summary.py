"""One row per patient for lists and counts, maintained in the saving transaction (lesions/services.py writes it)."""

from __future__ import annotations

import datetime

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as __

from patients.models.patient import DUE_WINDOW, LOST_AFTER, FollowUp, Patient, Status


class Summary(models.Model):
    """Derived, so not traced: ``manage.py rebuild_summaries`` makes it again, and a test compares the two."""

    patient = models.OneToOneField(Patient, on_delete=models.PROTECT, primary_key=True, related_name="summary")
    visit_count = models.PositiveIntegerField(default=0)
    first_visit_on = models.DateField(null=True)
    last_visit_on = models.DateField(__("last visit"), null=True)
    next_due_on = models.DateField(__("next visit due"), null=True, db_index=True)
    lesion_count = models.PositiveIntegerField(default=0)
    active_lesions = models.PositiveIntegerField(__("active lesions"), default=0)
    ulcerated_lesions = models.PositiveIntegerField(default=0)
    infected_lesions = models.PositiveIntegerField(default=0)
    ever_ulcer = models.BooleanField(default=False)
    pain_nrs = models.SmallIntegerField(null=True)
    burden_mm2 = models.DecimalField(max_digits=9, decimal_places=1, null=True)
    open_visits = models.PositiveIntegerField(default=0)
    unsigned_visits = models.PositiveIntegerField(default=0)
    completeness = models.PositiveSmallIntegerField(__("completeness"), default=0)
    # True from the moment anything of the patient was saved until cohorts/facts.py has counted it again.
    facts_stale = models.BooleanField(default=True)

    class Meta:
        indexes = [
            models.Index(fields=["patient"], condition=models.Q(facts_stale=True), name="summary_facts_stale"),
        ]
        verbose_name = __("summary")
        verbose_name_plural = __("summaries")

    def __str__(self) -> str:
        return str(self.patient_id)

    @property
    def worst_feature(self) -> str:
        """The feature a list shows: infection before ulcer before nothing."""
        if self.infected_lesions:
            return str(__("infected"))
        return str(__("ulcerated")) if self.ulcerated_lesions else ""

    @property
    def follow_up(self) -> FollowUp | None:
        """Where the patient stands today with the next visit; the lists filter by the same rule (PatientQuerySet)."""
        today, patient = timezone.localdate(), self.patient
        if patient.status == Status.LOST:
            return FollowUp.LOST
        if patient.status != Status.ALIVE:
            return None
        if self.next_due_on and abs(self.next_due_on - today) <= DUE_WINDOW:
            return FollowUp.DUE
        if self.next_due_on and self.next_due_on > today:
            return None
        seen: datetime.date = self.last_visit_on or patient.registered_on
        if seen < today - LOST_AFTER:
            return FollowUp.LOST
        return FollowUp.OVERDUE if self.next_due_on else None
