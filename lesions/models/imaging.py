"""Imaging: the study, its files, what was measured on it (clinical-model 2.3, 2.4)."""

from __future__ import annotations

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as __

from calcinosis_registry.codebook.items import F, Need, Privacy, choice, clinical, yes_no_unknown
from calcinosis_registry.records.addresses import address
from calcinosis_registry.records.models import Record
from lesions.models.columns import (
    MODALITIES,
    Grade,
    in_group,
    mark,
    modality_choices,
    site_choices,
    text,
    when,
)
from lesions.models.lesion import Lesion
from lesions.models.links import LesionLink, LinksLesions, period_errors
from patients.models import Patient, PatientRecord

SOURCE = "clinical-model 2.4"
STUDY, SEEN = "Study", "What it shows"
XRAY, ULTRASOUND = in_group(MODALITIES, "XRAY"), in_group(MODALITIES, "US")
INSIDE = frozenset(in_group(MODALITIES, "XRAY", "US", "CT", "MRI"))  # pictures of what no passer-by would recognize


class ImageSide(models.TextChoices):
    RIGHT = "R", __("Right")
    LEFT = "L", __("Left")
    BOTH = "B", __("Both")
    NEITHER = "M", __("Midline")


class Projection(models.TextChoices):
    FRONTAL = "PA_AP", __("PA or AP")
    LATERAL = "LATERAL", __("Lateral")
    OBLIQUE = "OBLIQUE", __("Oblique")


class Presence(models.TextChoices):
    YES = "Y", __("Yes")
    NO = "N", __("No")
    INDETERMINATE = "I", __("Indeterminate")


class Quality(models.TextChoices):
    DIAGNOSTIC = "DIAGNOSTIC", __("Diagnostic")
    LIMITED = "LIMITED", __("Limited")
    NON_DIAGNOSTIC = "NON_DIAGNOSTIC", __("Not diagnostic")


class StudyStatus(models.TextChoices):
    NOTED = "NOTED", __("Noted, no files")
    AVAILABLE = "AVAILABLE", __("Files available")


class ImagingStudy(LinksLesions, PatientRecord):
    modality = choice(__("modality"), modality_choices, section=STUDY, source=SOURCE, need=Need.ALWAYS)
    dual_energy = mark(__("dual energy (DECT)"), section=STUDY, source=SOURCE, only_if={"modality": "CT"})
    study_date = when(__("study date"), section=STUDY, source=SOURCE, need=Need.COMPLETE)
    body_region = choice(__("body region"), site_choices, section=STUDY, source=SOURCE, need=Need.COMPLETE)
    laterality = choice(__("side"), ImageSide, section=STUDY, source=SOURCE)
    view = choice(__("view"), Projection, section=STUDY, source=SOURCE)
    indication = text(__("indication"), 200, section=STUDY, source=SOURCE)
    quality = choice(__("quality"), Quality, section=STUDY, source=SOURCE)
    status = clinical(
        models.CharField(
            __("status"), max_length=32, choices=StudyStatus.choices, default=StudyStatus.NOTED, editable=False
        ),
        section=STUDY, privacy=Privacy.INTERNAL, source="design decision (DP)",
    )  # fmt: skip
    study_uid = clinical(
        models.CharField(__("study instance UID"), max_length=64, blank=True, editable=False),
        section=STUDY, privacy=Privacy.IDENTITY, source=SOURCE,
    )  # fmt: skip
    calcinosis_present = choice(__("calcinosis present"), Presence, section=SEEN, source=SOURCE)
    simple_severity = choice(
        __("simple severity"), Grade, section=SEEN, source="clinical-model 2.1, 2.3", only_if={"modality": XRAY},
        help_text=__("For screening only: readers agree poorly."),
    )  # fmt: skip
    acro_osteolysis = yes_no_unknown(__("acro-osteolysis"), section=SEEN, source=SOURCE)
    erosion = yes_no_unknown(__("erosion"), section=SEEN, source=SOURCE)
    osteopenia = yes_no_unknown(__("osteopenia"), section=SEEN, source=SOURCE)
    doppler = choice(
        __("Doppler signal"), Grade, section=SEEN, source="clinical-model 2.3", only_if={"modality": ULTRASOUND}
    )
    ulnar_occlusion = yes_no_unknown(
        __("ulnar artery occluded"), section=SEEN, source="clinical-model 2.3", only_if={"modality": ULTRASOUND}
    )
    pattern = text(__("pattern"), 120, section=SEEN, source="clinical-model 2.3", only_if={"modality": "CT"})
    report_text = clinical(
        models.TextField(__("report"), max_length=8000, blank=True),
        section=SEEN, privacy=Privacy.FREE_TEXT, source=SOURCE,
    )  # fmt: skip
    lesions = models.ManyToManyField(
        Lesion, through="lesions.ImagingLesion", blank=True, related_name="studies", verbose_name=__("lesions")
    )

    form_relations = ("lesions",)
    # Reports and readings come later than the visit.
    open_after_signing = frozenset(
        {"status", "study_uid", "quality", "calcinosis_present", "simple_severity", "acro_osteolysis", "erosion"}
        | {"osteopenia", "doppler", "ulnar_occlusion", "pattern", "report_text"}
    )

    class Meta:
        verbose_name = __("imaging study")
        verbose_name_plural = __("imaging studies")
        ordering = ["patient", "-study_date", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["patient", "study_uid"], condition=~Q(study_uid=""), name="imagingstudy_uid_once_per_patient"
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_modality_display()} {self.study_date or _('undated')}"

    def get_absolute_url(self) -> str:
        return address("lesions:imaging_study", ..., of=self.public_id)

    def clean(self) -> None:
        super().clean()
        errors = period_errors(self.patient, self.study_date, None, names=("study_date", "study_date"))
        if errors:
            raise ValidationError(errors)


class ImagingLesion(LesionLink):
    study = models.ForeignKey(ImagingStudy, on_delete=models.CASCADE)

    class Meta:
        verbose_name = __("lesion on a study")
        constraints = [models.UniqueConstraint(fields=["study", "lesion"], name="imaging_lesion_once")]


class FileKind(models.TextChoices):
    DICOM = "DICOM", __("DICOM")
    PHOTO = "PHOTO", __("Photograph")
    PDF = "PDF", __("PDF report")


def _internal(field: F) -> F:
    return clinical(field, section="File", privacy=Privacy.INTERNAL, source="design decision (DP)")


class ImagingFile(Record):
    """A stored file of a study; its bytes are stored under ``sha256``; ``header`` is what it says of itself.

    ``original_sha256`` is of the bytes as they came, before metadata or a preamble was taken out of them.
    ``cleared_…``: who said that nothing in the picture tells who it is of, when, and of which bytes
    (lesions/clearing.py).
    """

    study = models.ForeignKey(ImagingStudy, on_delete=models.PROTECT, related_name="files", verbose_name=__("study"))
    name = clinical(
        models.CharField(__("name as uploaded"), max_length=200, editable=False),
        section="File", privacy=Privacy.IDENTITY, source="design decision (DP)",
    )  # fmt: skip
    kind_of_file = _internal(models.CharField(__("kind"), max_length=8, choices=FileKind.choices, editable=False))
    media_type = _internal(models.CharField(__("media type"), max_length=60, editable=False))
    sha256 = _internal(models.CharField(__("checksum"), max_length=64, editable=False))
    original_sha256 = _internal(
        models.CharField(__("checksum as uploaded"), max_length=64, blank=True, default="", editable=False)
    )
    size = _internal(models.BigIntegerField(__("size in bytes"), editable=False))
    width = _internal(models.PositiveIntegerField(__("width in pixels"), null=True, editable=False))
    height = _internal(models.PositiveIntegerField(__("height in pixels"), null=True, editable=False))
    frames = _internal(models.PositiveIntegerField(__("frames"), default=1, editable=False))
    header = _internal(models.JSONField(__("header"), default=dict, blank=True, editable=False))
    has_preview = _internal(models.BooleanField(__("has a preview"), default=False, editable=False))
    cleared_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, editable=False, related_name="+",
        verbose_name=__("looked through for research by"),
    )  # fmt: skip
    cleared_at = _internal(models.DateTimeField(__("looked through for research"), null=True, editable=False))
    cleared_sha256 = _internal(
        models.CharField(
            __("checksum of what was looked through"), max_length=64, blank=True, default="", editable=False
        )
    )

    clinic_path = "study__patient__clinic_id"
    form_relations = ("study",)
    # A file may come after the visit was signed. One that was there is bound by its checksum; these follow from it.
    joins_after_signing = True
    open_after_signing = frozenset({"header", "has_preview", "cleared_by", "cleared_at", "cleared_sha256"})

    class Meta:
        verbose_name = __("imaging file")
        verbose_name_plural = __("imaging files")
        ordering = ["study", "id"]
        constraints = [models.UniqueConstraint(fields=["study", "sha256"], name="imagingfile_once_per_study")]

    def __str__(self) -> str:
        return self.name

    @property
    def patient(self) -> Patient:
        return self.study.patient

    @property
    def trail_patient(self) -> str:  # type: ignore[override]
        return self.patient.registry_number

    @property
    def is_cleared(self) -> bool:
        """Did somebody look through these very bytes?"""
        return self.cleared_at is not None and self.cleared_sha256 == self.sha256

    @property
    def clears_itself(self) -> bool:
        """Does the file say that no name is written in it, and look into the body, where nobody is recognized?"""
        header = self.header or {}
        inside = {header.get("modality"), self.study.modality} <= INSIDE and not header.get("recognizable")
        return self.kind_of_file == FileKind.DICOM and inside and header.get("burned_in") is False

    def clean(self) -> None:
        super().clean()
        if not self._state.adding and not set(self.changed_fields()) <= self.open_after_signing:
            before = ImagingStudy.objects.filter(pk__in={self.study_id, self._stored["study_id"]})
            if any(one.is_locked for one in before.select_related("visit")):
                raise ValidationError(_("The visit is signed: unlock it first."))
