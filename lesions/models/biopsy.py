"""Biopsy and pathology (clinical-model 2.4): rarely needed, and slow to heal in systemic sclerosis."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as __

from calcinosis_registry.codebook.fields import CodesField
from calcinosis_registry.codebook.items import Need, Privacy, choice, clinical, yes_no_unknown
from lesions.models.columns import Grade, text, when
from lesions.models.lesion import Lesion
from lesions.models.links import period_errors, same_patient
from patients.models import PatientRecord

SOURCE = "clinical-model 2.4"


class BiopsyMethod(models.TextChoices):
    PUNCH = "PUNCH", __("Punch")
    INCISIONAL = "INCISIONAL", __("Incisional")
    EXCISIONAL = "EXCISIONAL", __("Excisional")
    NEEDLE = "NEEDLE", __("Needle")
    SPECIMEN = "SURGICAL_SPECIMEN", __("Surgical specimen")


class BiopsyLevel(models.TextChoices):
    DERMIS = "DERMIS", __("Dermis")
    SUBCUTIS = "SUBCUTIS", __("Subcutis")
    DEEPER = "DEEPER", __("Deeper")


class Stain(models.TextChoices):
    HE = "HE", __("H&E")
    VON_KOSSA = "VON_KOSSA", __("von Kossa")
    ALIZARIN_RED = "ALIZARIN_RED", __("Alizarin red")


class Biopsy(PatientRecord):
    taken_on = when(__("taken on"), section="Biopsy", source=SOURCE, need=Need.ALWAYS)
    lesion = models.ForeignKey(
        Lesion, on_delete=models.PROTECT, null=True, blank=True, related_name="biopsies", verbose_name=__("lesion")
    )
    method = choice(__("method"), BiopsyMethod, section="Biopsy", source=SOURCE)
    level = choice(__("level"), BiopsyLevel, section="Biopsy", source=SOURCE)
    stains = clinical(
        CodesField(__("stains"), codes=Stain.choices), section="Biopsy", privacy=Privacy.CLINICAL, source=SOURCE
    )
    calcium_confirmed = yes_no_unknown(
        __("calcium confirmed"), section="Result", source="clinical-model 1.2, 2.4", need=Need.COMPLETE
    )
    inflammation = choice(__("inflammation"), Grade, section="Result", source=SOURCE)
    foreign_body_reaction = yes_no_unknown(__("foreign-body reaction"), section="Result", source=SOURCE)
    ossification = yes_no_unknown(__("ossification"), section="Result", source=SOURCE)
    other_diagnosis = text(__("other diagnosis found"), 200, section="Result", source=SOURCE)
    wound_healed = when(__("wound healed"), section="Healing", source=SOURCE)
    healing_complication = yes_no_unknown(__("complication of healing"), section="Healing", source=SOURCE)

    form_relations = ("lesion",)
    open_after_signing = frozenset(
        {"stains", "calcium_confirmed", "inflammation", "foreign_body_reaction", "ossification", "other_diagnosis"}
        | {"wound_healed", "healing_complication"}
    )

    class Meta:
        verbose_name = __("biopsy")
        verbose_name_plural = __("biopsies")
        ordering = ["patient", "-taken_on", "-id"]

    def __str__(self) -> str:
        return f"{self._meta.verbose_name} {self.taken_on}"

    def clean(self) -> None:
        super().clean()
        errors = same_patient(self, "lesion")
        errors |= period_errors(self.patient, self.taken_on, self.wound_healed, names=("taken_on", "wound_healed"))
        if errors:
            raise ValidationError(errors)
