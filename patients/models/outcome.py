"""Questionnaire totals without item texts, and the individual plan (clinical-model 3; product issue)."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as __

from calcinosis_registry.codebook import codelists
from calcinosis_registry.codebook.items import Need, Privacy, choice, clinical, yes_no_unknown
from patients.models.patient import VisitRecord

SOURCE = "clinical-model 3"
PLAN = "product issue: the individual plan"
INSTRUMENTS = Path(__file__).parent.parent / "data" / "instruments.csv"
# Asked on the visit itself or elsewhere with a column of their own.
ELSEWHERE = {"PAIN_NRS", "PAIN_VAS", "PATIENT_GLOBAL", "PHYSICIAN_GLOBAL", "GLOBAL_CHANGE", "WORST_LESION_NRS", "MRSS"}


def instruments() -> list[tuple[str, str]]:
    return [pair for pair in codelists.choices(INSTRUMENTS) if pair[0] not in ELSEWHERE]


class InstrumentScore(VisitRecord):
    """The total of a questionnaire; the item texts stay with their owners."""

    per_visit = None

    instrument = clinical(
        models.CharField(__("instrument"), max_length=32, choices=instruments),
        section="Score", privacy=Privacy.CLINICAL, source=SOURCE, need=Need.ALWAYS,
    )  # fmt: skip
    version_label = clinical(
        models.CharField(__("version"), max_length=40, blank=True),
        section="Score", privacy=Privacy.FREE_TEXT, source=SOURCE,
    )  # fmt: skip
    completion = choice(
        __("completed"),
        [("COMPLETE", __("Completely")), ("PARTIAL", __("Partly")), ("NOT_DONE", __("Not done"))],
        section="Score", source=SOURCE, need=Need.ALWAYS,
    )  # fmt: skip
    score = clinical(
        models.DecimalField(__("score"), max_digits=7, decimal_places=3, null=True, blank=True),
        section="Score", privacy=Privacy.CLINICAL, source=SOURCE, need=Need.ALWAYS,
        only_if={"completion": ("COMPLETE", "PARTIAL")},
    )  # fmt: skip
    reason_not_done = choice(
        __("why not done"),
        [
            ("HAND_DISABILITY", __("Hands")), ("REFUSED", __("Declined")), ("TIME", __("No time")),
            ("LANGUAGE", __("Language")), ("OTHER", __("Other")), ("U", __("Unknown")),
        ],
        section="Score", source=SOURCE, only_if={"completion": ("NOT_DONE", "PARTIAL")},
    )  # fmt: skip
    mode = choice(
        __("answered by"),
        [("SELF", __("The patient")), ("CLINICIAN", __("A clinician, asking")), ("PROXY", __("A proxy"))],
        section="How", source=SOURCE,
    )  # fmt: skip
    language = clinical(
        models.CharField(__("language"), max_length=12, blank=True, help_text=__("Such as en, pt-PT.")),
        section="How", privacy=Privacy.FREE_TEXT, source=SOURCE,
    )  # fmt: skip
    completed_on = clinical(
        models.DateField(__("completed on"), null=True, blank=True),
        section="How", privacy=Privacy.DATE, source=SOURCE,
    )  # fmt: skip

    class Meta:
        verbose_name = __("questionnaire score")
        ordering = ["instrument", "id"]

    def __str__(self) -> str:
        return self.get_instrument_display()

    def clean(self) -> None:
        super().clean()
        rows = {row["code"]: row for row in codelists.read(INSTRUMENTS)}
        row = rows.get(self.instrument)
        age = self.patient.age_on(self.visit.visit_date)
        if self.instrument == "HAQ_DI" and age is not None and age < 18:
            raise ValidationError({"instrument": _("Under 18 years the CHAQ is used, not the HAQ-DI.")})
        if row is None or self.score is None:
            return
        low, high = row["min"], row["max"]
        if (low and self.score < Decimal(low)) or (high and self.score > Decimal(high)):
            raise ValidationError({"score": _("Must be between %(low)s and %(high)s.") % {"low": low, "high": high}})


class Plan(VisitRecord):
    """What was agreed with this patient at this visit."""

    goals = clinical(
        models.TextField(__("goals"), max_length=600, blank=True),
        section="Plan", privacy=Privacy.FREE_TEXT, source=PLAN,
    )  # fmt: skip
    treatment_steps = clinical(
        models.TextField(__("treatment steps"), max_length=600, blank=True),
        section="Plan", privacy=Privacy.FREE_TEXT, source=PLAN,
    )  # fmt: skip
    skin_care_advice = yes_no_unknown(__("skin-care advice given"), section="Plan", source=PLAN)
    skin_care_detail = clinical(
        models.CharField(__("which skin care"), max_length=300, blank=True),
        section="Plan", privacy=Privacy.FREE_TEXT, source=PLAN, only_if={"skin_care_advice": "Y"},
    )  # fmt: skip
    exercise_advice = yes_no_unknown(__("exercise advice given"), section="Plan", source=PLAN)
    exercise_detail = clinical(
        models.CharField(__("which exercises"), max_length=300, blank=True),
        section="Plan", privacy=Privacy.FREE_TEXT, source=PLAN, only_if={"exercise_advice": "Y"},
    )  # fmt: skip

    class Meta:
        verbose_name = __("plan")
        constraints = [models.UniqueConstraint(fields=["visit"], name="plan_one_per_visit")]

    def __str__(self) -> str:
        return str(__("Plan"))


class QualityOfLife(VisitRecord):
    """Free wording of daily life, beside the instruments: yes, no or unknown (clinical-model 8: sleep, work, looks)."""

    sleep_disturbed = yes_no_unknown(__("sleep disturbed"), section="Daily life", source="clinical-model 8")
    work_disability = yes_no_unknown(__("unable to work"), section="Daily life", source="clinical-model 8")
    cosmetic_burden = yes_no_unknown(__("bothered by the looks"), section="Daily life", source="clinical-model 8")
    hand_limited = yes_no_unknown(__("hands limit daily life"), section="Daily life", source="clinical-model 3")
    overall_nrs = clinical(
        models.SmallIntegerField(__("quality of life"), null=True, blank=True, help_text=__("0 worst to 10 best.")),
        section="Daily life", privacy=Privacy.CLINICAL, source="product issue: quality of life", possible=(0, 10),
        unit="NRS 0–10",
    )  # fmt: skip

    class Meta:
        verbose_name = __("quality of life")
        constraints = [models.UniqueConstraint(fields=["visit"], name="qualityoflife_one_per_visit")]

    def __str__(self) -> str:
        return str(__("Quality of life"))
