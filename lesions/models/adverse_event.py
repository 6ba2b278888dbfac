"""Adverse events (clinical-model 7.4): the grade says how severe, seriousness what it led to; two things."""

from __future__ import annotations

from collections.abc import Iterator

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as __

from calcinosis_registry.codebook.fields import CodesField
from calcinosis_registry.codebook.items import Need, Privacy, choice, clinical, yes_no_unknown
from calcinosis_registry.quality.findings import Finding
from lesions.models.columns import text, when
from lesions.models.links import after_visit, period_errors, same_patient
from lesions.models.procedure import Procedure
from lesions.models.treatment import TreatmentCourse
from patients.models import PatientRecord

SOURCE = "clinical-model 7.4"
EVENT, CAUSE = "Event", "Cause and outcome"


class CtcaeGrade(models.TextChoices):
    MILD = "1", __("1 mild")
    MODERATE = "2", __("2 moderate")
    SEVERE = "3", __("3 severe")
    LIFE_THREATENING = "4", __("4 life-threatening")
    DEATH = "5", __("5 death")


class Seriousness(models.TextChoices):
    DEATH = "DEATH", __("Death")
    LIFE_THREATENING = "LIFE_THREATENING", __("Life-threatening")
    HOSPITALISATION = "HOSPITALISATION", __("Hospitalisation")
    DISABILITY = "DISABILITY", __("Disability")
    CONGENITAL = "CONGENITAL", __("Congenital anomaly")
    IMPORTANT = "IMPORTANT", __("Otherwise medically important")


class Relatedness(models.TextChoices):
    UNRELATED = "UNRELATED", __("Unrelated")
    POSSIBLE = "POSSIBLE", __("Possible")
    PROBABLE = "PROBABLE", __("Probable")
    DEFINITE = "DEFINITE", __("Definite")
    UNKNOWN = "U", __("Unknown")


class ActionTaken(models.TextChoices):
    NONE = "NONE", __("None")
    REDUCED = "DOSE_REDUCED", __("Dose reduced")
    INTERRUPTED = "INTERRUPTED", __("Interrupted")
    STOPPED = "STOPPED", __("Stopped")
    NOT_APPLICABLE = "NA", __("Not applicable")
    UNKNOWN = "U", __("Unknown")


class EventOutcome(models.TextChoices):
    RECOVERED = "RECOVERED", __("Recovered")
    RECOVERING = "RECOVERING", __("Recovering")
    SEQUELAE = "SEQUELAE", __("Recovered with sequelae")
    NOT_RECOVERED = "NOT_RECOVERED", __("Not recovered")
    FATAL = "FATAL", __("Fatal")
    UNKNOWN = "U", __("Unknown")


class AdverseEvent(PatientRecord):
    term = text(__("event, in the words used"), 200, section=EVENT, source=SOURCE, need=Need.ALWAYS)
    ctcae_term = text(
        __("CTCAE term"), 120, section=EVENT, source="clinical-model 7.4 (CTCAE v5.0)",
        help_text=__("As your site's licensed list words it."),
    )  # fmt: skip
    grade = choice(
        __("grade"), CtcaeGrade, section=EVENT, source="clinical-model 7.4 (CTCAE v5.0)", need=Need.COMPLETE,
        help_text=__(
            "1: no intervention. 2: local or non-invasive intervention. 3: hospitalisation or limits self-care. "
            "4: urgent intervention. 5: death."
        ),
    )  # fmt: skip
    onset = when(__("start"), section=EVENT, source=SOURCE, need=Need.COMPLETE)
    ended = when(__("end"), section=EVENT, source=SOURCE)
    serious = yes_no_unknown(__("serious"), section=EVENT, source="clinical-model 7.4 (ICH)", need=Need.COMPLETE)
    seriousness = clinical(
        CodesField(__("serious because of"), codes=Seriousness.choices),
        section=EVENT, privacy=Privacy.CLINICAL, source="clinical-model 7.4 (ICH)", only_if={"serious": "Y"},
        need=Need.COMPLETE,
    )  # fmt: skip
    course = models.ForeignKey(
        TreatmentCourse, on_delete=models.PROTECT, null=True, blank=True, related_name="adverse_events",
        verbose_name=__("treatment"),
    )  # fmt: skip
    procedure = models.ForeignKey(
        Procedure, on_delete=models.PROTECT, null=True, blank=True, related_name="adverse_events",
        verbose_name=__("procedure"),
    )  # fmt: skip
    relatedness = choice(__("caused by the treatment"), Relatedness, section=CAUSE, source=SOURCE)
    action_taken = choice(__("action taken"), ActionTaken, section=CAUSE, source=SOURCE)
    outcome = choice(__("outcome"), EventOutcome, section=CAUSE, source=SOURCE)

    form_relations = ("course", "procedure")
    open_after_signing = frozenset({"ended", "outcome", "relatedness", "action_taken"})

    class Meta:
        verbose_name = __("adverse event")
        verbose_name_plural = __("adverse events")
        ordering = ["patient", "-onset", "-id"]

    def __str__(self) -> str:
        return self.term

    def clean(self) -> None:
        super().clean()
        errors = same_patient(self, "course", "procedure")
        errors |= period_errors(self.patient, self.onset, self.ended, names=("onset", "ended"))
        errors = after_visit(self, "onset") | errors
        if self.relatedness and self.course is None and self.procedure is None:
            errors["relatedness"] = _("Caused by which treatment or procedure?")
        if errors:
            raise ValidationError(errors)

    def findings(self) -> Iterator[Finding]:
        yield from super().findings()
        if (self.grade == CtcaeGrade.DEATH) != (Seriousness.DEATH in self.seriousness):
            yield Finding(
                "death_grade", _("Grade 5 and the seriousness “death” belong together: which is right?"), "grade"
            )
