"""What calcinosis did to the patient, dated and linked to lesions where possible (clinical-model 8)."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as __

from calcinosis_registry.codebook.items import Need, choice, yes_no_unknown
from lesions.models.columns import complication_choices, text, when, whole
from lesions.models.lesion import Lesion, Side
from lesions.models.links import LesionLink, LinksLesions, after_visit, period_errors, same_patient
from lesions.models.skin import Joint
from patients.models import PatientRecord

SOURCE = "clinical-model 8"
INFECTIONS = ("CELLULITIS", "ABSCESS", "OSTEOMYELITIS", "SEPTIC_ARTHRITIS")
ON_IMAGING = ("OSTEOMYELITIS", "SEPTIC_ARTHRITIS", "BONE_DESTRUCTION")


class Nerve(models.TextChoices):
    MEDIAN = "MEDIAN", __("Median (carpal tunnel)")
    ULNAR = "ULNAR", __("Ulnar")
    DIGITAL = "DIGITAL", __("Digital")
    SPINAL = "RADICULAR_SPINAL", __("Radicular or spinal cord")
    UNKNOWN = "U", __("Unknown")


class NerveConduction(models.TextChoices):
    NORMAL = "NORMAL", __("Normal")
    ABNORMAL = "ABNORMAL", __("Abnormal")
    NOT_DONE = "NOT_DONE", __("Not done")
    UNKNOWN = "U", __("Unknown")


class AmputationKind(models.TextChoices):
    SURGICAL = "SURGICAL", __("Surgical")
    AUTO = "AUTO", __("Autoamputation")
    UNKNOWN = "U", __("Unknown")


class Complication(LinksLesions, PatientRecord):
    code = choice(__("complication"), complication_choices, section="Complication", source=SOURCE, need=Need.ALWAYS)
    onset = when(__("start"), section="Complication", source=SOURCE, need=Need.COMPLETE)
    ended = when(__("end, or healed"), section="Complication", source=SOURCE)
    admission = yes_no_unknown(
        __("admitted to hospital"), section="Complication", source="clinical-model 8, 12.3 (14)", need=Need.COMPLETE
    )
    nrs = whole(
        __("intensity"), section="Details", source=SOURCE, unit="NRS 0–10", possible=(0, 10),
        only_if={"code": ("TENDERNESS", "PAIN")}, help_text=__("0 none to 10 worst."),
    )  # fmt: skip
    organism = text(__("organism"), 80, section="Details", source=SOURCE, only_if={"code": INFECTIONS})
    antibiotics = yes_no_unknown(__("antibiotics"), section="Details", source=SOURCE, only_if={"code": INFECTIONS})
    antibiotic = models.ForeignKey(
        "lesions.TreatmentCourse", on_delete=models.SET_NULL, null=True, blank=True, related_name="+",
        verbose_name=__("antibiotic course"),
    )  # fmt: skip
    imaging_proof = yes_no_unknown(
        __("proven on imaging"), section="Details", source=SOURCE, only_if={"code": ON_IMAGING}
    )
    nerve = choice(__("nerve"), Nerve, section="Details", source=SOURCE, only_if={"code": "NERVE_COMPRESSION"})
    nerve_conduction = choice(
        __("nerve conduction study"), NerveConduction, section="Details", source=SOURCE,
        only_if={"code": "NERVE_COMPRESSION"},
    )  # fmt: skip
    joint = choice(__("joint"), Joint, section="Details", source=SOURCE, only_if={"code": "CONTRACTURE"})
    joint_side = choice(__("side"), Side, section="Details", source=SOURCE, only_if={"code": "CONTRACTURE"})
    degrees = whole(
        __("contracture"),
        section="Details",
        source=SOURCE,
        unit="°",
        possible=(0, 180),
        only_if={"code": "CONTRACTURE"},
    )
    level = text(
        __("level"), 80, section="Details", source=SOURCE, only_if={"code": ("GANGRENE", "AMPUTATION")},
        help_text=__("Such as distal phalanx of the left index finger."),
    )  # fmt: skip
    amputation_kind = choice(
        __("surgical or by itself"), AmputationKind, section="Details", source=SOURCE, only_if={"code": "AMPUTATION"}
    )
    lesions = models.ManyToManyField(
        Lesion,
        through="lesions.ComplicationLesion",
        blank=True,
        related_name="complications",
        verbose_name=__("lesions"),
    )

    form_relations = ("lesions", "antibiotic")
    open_after_signing = frozenset({"ended", "organism", "antibiotic", "imaging_proof", "nerve_conduction"})

    class Meta:
        verbose_name = __("complication")
        verbose_name_plural = __("complications")
        ordering = ["patient", "-onset", "-id"]

    def __str__(self) -> str:
        return str(self.get_code_display())

    def clean(self) -> None:
        super().clean()
        errors = same_patient(self, "antibiotic")
        errors |= period_errors(self.patient, self.onset, self.ended, names=("onset", "ended"))
        errors = after_visit(self, "onset") | errors
        if errors:
            raise ValidationError(errors)


class ComplicationLesion(LesionLink):
    complication = models.ForeignKey(Complication, on_delete=models.CASCADE)

    class Meta:
        verbose_name = __("lesion of a complication")
        constraints = [models.UniqueConstraint(fields=["complication", "lesion"], name="complication_lesion_once")]
