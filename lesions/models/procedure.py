"""Surgery, laser and other procedures (clinical-model 7.3)."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as __

from calcinosis_registry.codebook.fields import CodesField
from calcinosis_registry.codebook.items import Need, Privacy, choice, clinical
from lesions import agreement
from lesions.models.biopsy import Biopsy
from lesions.models.columns import PROCEDURES, in_group, measure, procedure_choices, row_of, text, when, whole
from lesions.models.lesion import Lesion, LesionStatus
from lesions.models.links import LesionLink, LinksLesions, period_errors, same_patient
from lesions.models.treatment import Assessor, Response
from patients.models import PatientRecord

SOURCE = "clinical-model 7.3"
SURGERY = in_group(PROCEDURES, "SURGERY")
REMOVING = frozenset({"EXCISION", "DEBULKING", "CURETTAGE", "BURR", "CO2_LASER", "AMPUTATION"})


class Anaesthesia(models.TextChoices):
    NONE = "NONE", __("None")
    LOCAL = "LOCAL", __("Local")
    REGIONAL = "REGIONAL", __("Regional")
    GENERAL = "GENERAL", __("General")
    UNKNOWN = "U", __("Unknown")


class Closure(models.TextChoices):
    PRIMARY = "PRIMARY", __("Sutured")
    SECONDARY = "SECONDARY", __("Left open to heal")
    GRAFT_FLAP = "GRAFT_FLAP", __("Graft or flap")
    UNKNOWN = "U", __("Unknown")


class SurgicalComplication(models.TextChoices):
    RECURRENCE = "RECURRENCE", __("Recurrence")
    DELAYED_HEALING = "DELAYED_HEALING", __("Delayed healing")
    INFECTION = "INFECTION", __("Infection")


class Procedure(LinksLesions, PatientRecord):
    code = choice(__("procedure"), procedure_choices, section="Procedure", source=SOURCE, need=Need.ALWAYS)
    performed_on = when(__("date"), section="Procedure", source=SOURCE, need=Need.ALWAYS)
    anaesthesia = choice(__("anaesthesia"), Anaesthesia, section="Procedure", source=SOURCE, only_if={"code": SURGERY})
    closure = choice(__("wound"), Closure, section="Procedure", source=SOURCE, only_if={"code": SURGERY})
    level = text(
        __("level"), 80, section="Procedure", source=SOURCE, only_if={"code": "AMPUTATION"},
        help_text=__("Such as distal phalanx of the left index finger."),
    )  # fmt: skip
    passes = whole(__("passes"), section="Procedure", source=SOURCE, possible=(1, 1000), only_if={"code": "CO2_LASER"})
    fluence = measure(
        __("fluence"), 7, 2, section="Procedure", source=SOURCE, unit="J/cm²", possible=(0, 10_000),
        only_if={"code": "CO2_LASER"},
    )  # fmt: skip
    sessions = whole(
        __("sessions"), section="Procedure", source=SOURCE, possible=(1, 100), plausible=(1, 10),
        only_if={"code": "ESWL"},
        help_text=__("Three to five every 7 to 10 days in the studies."),
    )  # fmt: skip
    energy = measure(
        __("energy"), 6, 3, section="Procedure", source=SOURCE, unit="mJ/mm²", possible=(Decimal(0), 100),
        only_if={"code": "ESWL"},
    )  # fmt: skip
    histology = models.ForeignKey(
        Biopsy,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="procedures",
        verbose_name=__("histology"),
    )
    response = choice(__("response"), Response, section="Result", source=SOURCE)
    assessor = choice(__("judged by"), Assessor, section="Result", source="clinical-model 7.1")
    healed = when(__("healed"), section="Result", source=SOURCE)
    complications = clinical(
        CodesField(__("complications"), codes=SurgicalComplication.choices),
        section="Result", privacy=Privacy.CLINICAL, source=SOURCE,
    )  # fmt: skip
    lesions = models.ManyToManyField(
        Lesion, through="lesions.ProcedureLesion", blank=True, related_name="procedures", verbose_name=__("lesions")
    )

    form_relations = ("lesions", "histology")
    open_after_signing = frozenset({"response", "assessor", "healed", "complications", "histology"})

    class Meta:
        verbose_name = __("procedure")
        verbose_name_plural = __("procedures")
        ordering = ["patient", "-performed_on", "-id"]

    def __str__(self) -> str:
        return str(self.get_code_display())

    @property
    def removes(self) -> bool:
        """Can it have removed a lesion?"""
        return self.code in REMOVING

    def needs_lesion(self) -> bool:
        return row_of(PROCEDURES, self.code).get("needs_lesion") == "1"

    def clean(self) -> None:
        super().clean()
        errors = same_patient(self, "histology")
        errors |= period_errors(self.patient, self.performed_on, self.healed, names=("performed_on", "healed"))
        changed = (
            [] if self._state.adding else [one for one in ("performed_on", "code") if one in self.changed_fields()]
        )
        if changed and (needed := self._needed_by(self.lesions.all(), kept=True)):
            errors.setdefault(changed[0], needed)
        if errors:
            raise ValidationError(errors)

    def check_links(self, lesions: Iterable[Lesion]) -> None:
        lesions = list(lesions)
        super().check_links(lesions)
        left = set() if self._state.adding else {*self.lesions.all()} - set(lesions)
        if needed := self._needed_by(left, kept=False):
            raise ValidationError({"lesions": needed})

    def why_it_stays(self) -> str:
        return self._needed_by(self.lesions.all(), kept=False)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        if reason := self.why_it_stays():
            raise ValidationError(reason)
        return super().delete(*args, **kwargs)

    def _needed_by(self, lesions: Iterable[Lesion], *, kept: bool) -> str:
        """Which lesion is excised by this procedure and, without it or (``kept``) as it now is, by none."""
        for lesion in lesions:
            others = [one for one in lesion.procedures.all() if one.pk != self.pk]  # type: ignore[attr-defined]
            for seen in lesion.observations.filter(status_change=LesionStatus.EXCISED).select_related("visit"):  # type: ignore[attr-defined]
                if not agreement.removed_by([*others, *([self] if kept else [])], seen.visit.visit_date):
                    message = _("%(lesion)s was recorded as excised on %(day)s, by this procedure: change that first.")
                    return message % {"lesion": lesion.label, "day": seen.visit.visit_date}
        return ""


class ProcedureLesion(LesionLink):
    procedure = models.ForeignKey(Procedure, on_delete=models.CASCADE)

    class Meta:
        verbose_name = __("lesion of a procedure")
        constraints = [models.UniqueConstraint(fields=["procedure", "lesion"], name="procedure_lesion_once")]
