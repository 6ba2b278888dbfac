"""Records that concern lesions: the traced link rows between them, and the dates both must respect."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as __

from calcinosis_registry.audit.traced import Traced
from calcinosis_registry.clinics.policy import ScopedQuerySet
from calcinosis_registry.codebook.partial_dates import PartialDate
from lesions.models.lesion import Lesion
from patients.models import Patient, on_or_before


class LesionLink(Traced):
    """One lesion of a record. Subclasses add the key of the record; ``lesions.set()`` then leaves its history."""

    lesion = models.ForeignKey(Lesion, on_delete=models.PROTECT, verbose_name=__("lesion"))

    objects = ScopedQuerySet.as_manager()
    clinic_path = "lesion__patient__clinic_id"

    class Meta:
        abstract = True

    @property
    def trail_patient(self) -> str:  # type: ignore[override]
        return self.lesion.patient.registry_number

    def __str__(self) -> str:
        return self.lesion.label


class LinksLesions:
    """Mixed into a record with a ``lesions`` relation."""

    pk: Any
    patient_id: int
    is_locked: bool
    lesions: Any

    def needs_lesion(self) -> bool:
        """Is a linked lesion required?"""
        return False

    def check_links(self, lesions: Iterable[Lesion]) -> None:
        """The rules about the linked lesions, which are saved after the row. Raises ValidationError by field."""
        lesions = list(lesions)
        if self.is_locked and self.pk and {one.pk for one in lesions} != set(self.lesions.values_list("pk", flat=True)):
            raise ValidationError({"lesions": _("The visit is signed: unlock it to change the lesions.")})
        if any(one.patient_id != self.patient_id for one in lesions):
            raise ValidationError({"lesions": _("A lesion belongs to another patient.")})
        if self.needs_lesion() and not lesions:
            raise ValidationError({"lesions": _("Choose the lesion or lesions this was aimed at.")})

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        with transaction.atomic():
            # A cascade would take the links without a trace. (Those of a signed visit come back with the refusal.)
            self.lesions.clear()
            return super().delete(*args, **kwargs)  # type: ignore[misc]


def period_errors(
    patient: Patient, start: PartialDate | None, stop: PartialDate | None, *, names: tuple[str, str]
) -> dict[str, str]:
    """{field: what is wrong} of a period in a life: not after death, not reversed (PatientRecord sees to the rest).

    ``names`` are the fields of start and stop.
    """
    errors = {}
    for name, day in zip(names, (start, stop), strict=True):
        if not on_or_before(day, patient.death_date):
            errors[name] = _("The date is after death (%(died)s).") % {"died": patient.death_date}
    if not errors and not on_or_before(start, stop):
        errors[names[1]] = _("The end is before the start (%(start)s).") % {"start": start}
    return errors


def after_visit(record: Any, name: str) -> dict[str, str]:
    """{field: what is wrong} where what is told at a visit happened after it (clinical-model 12.3 (14))."""
    visit = record.visit
    if visit is None or on_or_before(getattr(record, name), visit.visit_date):
        return {}
    return {name: _("That is after the visit it is told at (%(day)s).") % {"day": visit.visit_date}}


def same_patient(record: Any, *relations: str) -> dict[str, str]:
    """{relation: what is wrong} where a record points at a record of another patient."""
    return {
        name: _("It belongs to another patient.")
        for name in relations
        if (other := getattr(record, name)) is not None and other.patient_id != record.patient_id
    }
