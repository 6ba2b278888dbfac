"""Drug courses (clinical-model 7.1, 7.2)."""

from __future__ import annotations

from collections.abc import Iterator

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as __

from calcinosis_registry.codebook.items import Need, Privacy, choice, clinical, yes_no_unknown
from calcinosis_registry.quality.findings import Finding
from lesions import doses
from lesions.models.columns import DRUGS, drug_choices, measure, row_of, text, when
from lesions.models.lesion import Lesion
from lesions.models.links import LesionLink, LinksLesions, period_errors
from patients.models import PatientRecord

SOURCE = "clinical-model 7.1"
DRUG, TIME, RESULT = "Drug", "Time", "Result"


class Intent(models.TextChoices):
    CALCINOSIS = "CALCINOSIS", __("Calcinosis")
    UNDERLYING_CTD = "UNDERLYING_CTD", __("Underlying disease")
    VASCULAR = "VASCULAR", __("Vessels")
    PAIN = "PAIN", __("Pain")
    INFECTION = "INFECTION", __("Infection")
    BONE = "BONE", __("Bone")


class Route(models.TextChoices):
    ORAL = "ORAL", __("Oral")
    IV = "IV", __("Intravenous")
    SC = "SC", __("Subcutaneous")
    IM = "IM", __("Intramuscular")
    TOPICAL = "TOPICAL", __("Topical")
    INTRALESIONAL = "INTRALESIONAL", __("Into the lesion")
    INHALED = "INHALED", __("Inhaled")


class DoseUnit(models.TextChoices):
    """UCUM codes."""

    MG = "mg", "mg"
    G = "g", "g"
    UG = "ug", "µg"
    MG_PER_KG = "mg/kg", "mg/kg"
    G_PER_KG = "g/kg", "g/kg"
    MG_PER_M2 = "mg/m2", "mg/m²"
    MG_PER_ML = "mg/mL", "mg/mL"
    ML = "mL", "mL"
    PERCENT = "%", "%"
    IU = "[iU]", __("IU")


class Frequency(models.TextChoices):
    ONCE = "ONCE", __("Once")
    DAILY = "DAILY", __("Once a day")
    BID = "BID", __("Twice a day")
    TID = "TID", __("Three times a day")
    QID = "QID", __("Four times a day")
    ALTERNATE_DAYS = "ALTERNATE_DAYS", __("Every other day")
    THREE_WEEKLY = "THREE_WEEKLY", __("Three times a week")
    TWICE_WEEKLY = "TWICE_WEEKLY", __("Twice a week")
    WEEKLY = "WEEKLY", __("Once a week")
    EVERY_2_WEEKS = "EVERY_2_WEEKS", __("Every 2 weeks")
    EVERY_4_WEEKS = "EVERY_4_WEEKS", __("Every 4 weeks, or monthly")
    EVERY_3_MONTHS = "EVERY_3_MONTHS", __("Every 3 months")
    EVERY_6_MONTHS = "EVERY_6_MONTHS", __("Every 6 months")
    YEARLY = "YEARLY", __("Once a year")
    CONTINUOUS = "CONTINUOUS", __("Continuously")
    CYCLIC = "CYCLIC", __("In cycles")
    AS_NEEDED = "AS_NEEDED", __("As needed")
    OTHER = "OTHER", __("Other")


class ReasonStopped(models.TextChoices):
    INEFFECTIVE = "INEFFECTIVE", __("Ineffective")
    ADVERSE_EVENT = "ADVERSE_EVENT", __("Adverse event")
    REMISSION = "REMISSION", __("Remission")
    COST_ACCESS = "COST_ACCESS", __("Cost or access")
    PATIENT_CHOICE = "PATIENT_CHOICE", __("Patient's choice")
    PREGNANCY = "PREGNANCY", __("Pregnancy")
    OTHER = "OTHER", __("Other")
    UNKNOWN = "U", __("Unknown")


class Response(models.TextChoices):
    COMPLETE = "COMPLETE", __("Complete")
    PARTIAL = "PARTIAL", __("Partial")
    NONE = "NONE", __("None")
    WORSE = "WORSE", __("Worse")
    TOO_EARLY = "TOO_EARLY", __("Too early to say")
    UNKNOWN = "U", __("Unknown")


class Assessor(models.TextChoices):
    CLINICIAN = "CLINICIAN", __("Clinician")
    PATIENT = "PATIENT", __("Patient")
    RECORDS = "RECORDS", __("From the records")
    UNKNOWN = "U", __("Unknown")


class TreatmentCourse(LinksLesions, PatientRecord):
    """One drug at one dose by one route over one time; a new dose is a new course."""

    agent = choice(__("drug"), drug_choices, section=DRUG, source="clinical-model 7.2", need=Need.ALWAYS)
    agent_other = text(__("which drug"), 80, section=DRUG, source=SOURCE, only_if={"agent": "OTHER"}, need=Need.ALWAYS)
    atc = clinical(
        models.CharField(__("ATC code"), max_length=8, blank=True, editable=False),
        section=DRUG, privacy=Privacy.CLINICAL, source="clinical-model 7.2, derived",
    )  # fmt: skip
    atc_version = clinical(
        models.CharField(__("ATC version"), max_length=12, blank=True, editable=False),
        section=DRUG, privacy=Privacy.CLINICAL, source="clinical-model 7.2, derived",
    )  # fmt: skip
    intent = choice(__("given for"), Intent, section=DRUG, source=SOURCE, need=Need.COMPLETE)
    route = choice(__("route"), Route, section=DRUG, source=SOURCE, need=Need.COMPLETE)
    dose = measure(__("dose"), 9, 3, section=DRUG, source=SOURCE, possible=(0, 100_000))
    dose_unit = choice(__("unit"), DoseUnit, section=DRUG, source=SOURCE)
    frequency = choice(__("how often"), Frequency, section=DRUG, source=SOURCE)
    frequency_text = text(
        __("how often, in words"), 80, section=DRUG, source=SOURCE, only_if={"frequency": ("OTHER", "CYCLIC")}
    )
    start = when(__("start"), section=TIME, source=SOURCE, need=Need.COMPLETE)
    stop = when(__("stop"), section=TIME, source=SOURCE)
    ongoing = yes_no_unknown(__("still going on"), section=TIME, source=SOURCE, need=Need.COMPLETE)
    reason_stopped = choice(
        __("why it was stopped"), ReasonStopped, section=TIME, source=SOURCE, only_if={"ongoing": "N"}
    )
    response = choice(__("response"), Response, section=RESULT, source="clinical-model 7.1 (Mayo scale)")
    assessor = choice(__("judged by"), Assessor, section=RESULT, source=SOURCE)
    lesions = models.ManyToManyField(
        Lesion, through="lesions.TreatmentLesion", blank=True, related_name="treatments", verbose_name=__("lesions")
    )

    form_relations = ("lesions",)
    open_after_signing = frozenset({"stop", "ongoing", "reason_stopped", "response", "assessor"})

    class Meta:
        verbose_name = __("treatment")
        verbose_name_plural = __("treatments")
        ordering = ["patient", "-start", "-id"]
        indexes = [models.Index(fields=["patient", "agent"], name="treatment_patient_agent")]

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        return self.agent_other or str(self.get_agent_display())

    @property
    def is_running(self) -> bool:
        return self.ongoing == "Y"

    def needs_lesion(self) -> bool:
        return self.route == Route.INTRALESIONAL

    def clean(self) -> None:
        if self.stop is not None and not self.ongoing:
            self.ongoing = "N"
        super().clean()
        drug = row_of(DRUGS, self.agent)
        if not self.atc or "agent" in self.changed_fields():
            self.atc, self.atc_version = drug.get("atc", ""), drug.get("atc_version", "")
        errors = period_errors(self.patient, self.start, self.stop, names=("start", "stop"))
        if self.ongoing == "Y" and self.stop is not None:
            errors.setdefault("stop", _("It cannot be stopped and still going on."))
        if (self.dose is None) != (self.dose_unit == ""):
            errors["dose_unit"] = _("A dose needs a number and a unit.")
        if self.dose == 0:
            errors["dose"] = _("A dose is more than 0; leave it empty where it is not known.")
        if doses.refused_daily(drug, self.frequency):
            errors["frequency"] = _("%(drug)s is taken once a week, never daily. Check the prescription.") % {
                "drug": self.name
            }
        if errors:
            raise ValidationError(errors)

    def findings(self) -> Iterator[Finding]:
        yield from super().findings()
        if self.dose is None:
            return
        drug = row_of(DRUGS, self.agent)
        too_much = doses.over_limit(
            drug, dose=self.dose, unit=self.dose_unit, frequency=self.frequency, route=self.route,
            weight_kg=self.visit.weight_kg if self.visit else None,
        )  # fmt: skip
        if too_much is not None:
            per = f"{drug['unit']}{'/kg' if drug['per_kg'] == '1' else ''}"
            shown = {
                "amount": f"{too_much.normalize():f}",
                "limit": drug["max_dose"],
                "unit": per,
                "period": drug["period"],
            }
            yield Finding(
                "dose_over_limit",
                _("%(amount)s %(unit)s per %(period)s; up to %(limit)s is plausible. Is it right?") % shown,
                "dose",
            )


class TreatmentLesion(LesionLink):
    course = models.ForeignKey(TreatmentCourse, on_delete=models.CASCADE)

    class Meta:
        verbose_name = __("lesion of a treatment")
        constraints = [models.UniqueConstraint(fields=["course", "lesion"], name="treatment_lesion_once")]
