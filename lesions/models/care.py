"""Care without drugs or knife: wounds and skin, movement, prevention (clinical-model 7.3)."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as __

from calcinosis_registry.codebook.fields import CodesField
from calcinosis_registry.codebook.items import Need, Privacy, choice, clinical, yes_no_unknown
from lesions.models.columns import text, when, whole
from lesions.models.lesion import Lesion
from lesions.models.links import LesionLink, LinksLesions, period_errors
from lesions.models.treatment import Frequency, Response
from patients.models import PatientRecord, VisitRecord

SOURCE = "clinical-model 7.3"


class Debridement(models.TextChoices):
    NONE = "NONE", __("None")
    SHARP = "SHARP", __("Sharp")
    AUTOLYTIC = "AUTOLYTIC", __("Autolytic")
    ENZYMATIC = "ENZYMATIC", __("Enzymatic")
    OTHER = "OTHER", __("Other")
    UNKNOWN = "U", __("Unknown")


class WoundCare(LinksLesions, PatientRecord):
    """Dressings and topical care of a wound or of the skin."""

    dressing = text(__("dressing"), 80, section="Care", source=SOURCE)
    debridement = choice(__("debridement"), Debridement, section="Care", source=SOURCE)
    emollient = yes_no_unknown(__("emollient"), section="Care", source="clinical-model 7.2, 7.3")
    product = text(__("topical product"), 80, section="Care", source="clinical-model 7.2, 7.3")
    frequency = choice(__("how often"), Frequency, section="Care", source="clinical-model 7.1")
    start = when(__("start"), section="Time", source="clinical-model 7.1", need=Need.COMPLETE)
    stop = when(__("stop"), section="Time", source="clinical-model 7.1")
    response = choice(__("response"), Response, section="Result", source="clinical-model 7.1")
    lesions = models.ManyToManyField(
        Lesion, through="lesions.WoundCareLesion", blank=True, related_name="wound_care", verbose_name=__("lesions")
    )

    form_relations = ("lesions",)
    open_after_signing = frozenset({"stop", "response"})

    class Meta:
        verbose_name = __("wound and skin care")
        verbose_name_plural = __("wound and skin care")
        ordering = ["patient", "-start", "-id"]

    def __str__(self) -> str:
        return self.dressing or self.product or str(self._meta.verbose_name)

    def clean(self) -> None:
        super().clean()
        errors = period_errors(self.patient, self.start, self.stop, names=("start", "stop"))
        if errors:
            raise ValidationError(errors)


class WoundCareLesion(LesionLink):
    care = models.ForeignKey(WoundCare, on_delete=models.CASCADE)

    class Meta:
        verbose_name = __("lesion of wound care")
        constraints = [models.UniqueConstraint(fields=["care", "lesion"], name="woundcare_lesion_once")]


class Therapy(models.TextChoices):
    PHYSIO = "PHYSIO", __("Physiotherapy")
    OT = "OT", __("Occupational therapy")


class TherapyKind(models.TextChoices):
    SPLINT = "SPLINT", __("Splint")
    HAND_EXERCISE = "HAND_EXERCISE", __("Hand exercises")
    AIDS = "AIDS", __("Aids")


class Physiotherapy(PatientRecord):
    therapy = choice(__("therapy"), Therapy, section="Therapy", source=SOURCE, need=Need.ALWAYS)
    kinds = clinical(
        CodesField(__("what"), codes=TherapyKind.choices), section="Therapy", privacy=Privacy.CLINICAL, source=SOURCE
    )
    sessions = whole(__("sessions"), section="Therapy", source=SOURCE, possible=(0, 1000), plausible=(0, 100))
    start = when(__("start"), section="Time", source="clinical-model 7.1", need=Need.COMPLETE)
    stop = when(__("stop"), section="Time", source="clinical-model 7.1")
    response = choice(__("response"), Response, section="Result", source="clinical-model 7.1")

    open_after_signing = frozenset({"sessions", "stop", "response"})

    class Meta:
        verbose_name = __("physiotherapy or occupational therapy")
        verbose_name_plural = __("physiotherapy and occupational therapy")
        ordering = ["patient", "-start", "-id"]

    def __str__(self) -> str:
        return str(self.get_therapy_display())

    def clean(self) -> None:
        super().clean()
        errors = period_errors(self.patient, self.start, self.stop, names=("start", "stop"))
        if errors:
            raise ValidationError(errors)


class Prevention(VisitRecord):
    smoking_stop = yes_no_unknown(__("to stop smoking"), section="Advised", source=SOURCE)
    cold_avoidance = yes_no_unknown(__("to avoid cold"), section="Advised", source=SOURCE)
    trauma_avoidance = yes_no_unknown(__("to avoid injury"), section="Advised", source=SOURCE)

    class Meta:
        verbose_name = __("preventive advice")
        verbose_name_plural = __("preventive advice")
        constraints = [models.UniqueConstraint(fields=["visit"], name="prevention_one_per_visit")]

    def __str__(self) -> str:
        return str(__("Preventive advice"))
