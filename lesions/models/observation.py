"""What was seen of one lesion at one visit (clinical-model 6.2, 6.3, 12.4)."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as __

from calcinosis_registry.codebook.fields import CodesField
from calcinosis_registry.codebook.items import Need, Privacy, choice, clinical, yes_no_unknown
from calcinosis_registry.quality.findings import Finding
from lesions import agreement, scoring
from lesions.models.columns import Grade, mark, measure, text, whole
from lesions.models.lesion import Lesion, LesionKind, LesionStatus, Lineage
from lesions.models.links import same_patient
from patients.models import VisitRecord, VisitType

SEVERE_PAIN = 7  # clinical-model 6.2: highlighted from here on
CHANGE, SIZE, LOOK, SKIN, EFFECT = "Change", "Size", "Appearance", "Skin, infection", "Pain and function"
GONE = frozenset({LesionStatus.RESOLVED, LesionStatus.EXTRUDED, LesionStatus.EXCISED, LesionStatus.MERGED})
# What is asked only of a lesion that is there; "" is "not answered yet", so that nothing typed is lost.
PRESENT = ("", "NEW", "LARGER", "STABLE", "SMALLER", "RECURRED", "SPLIT")
IF_PRESENT = {"status_change": PRESENT}
BY_DEPTH = ("US", "CT", "MRI")  # the methods that can see depth


class Observed(models.TextChoices):
    EXAMINED = "EXAMINED", __("Examined")
    NOT_EXAMINED = "NOT_EXAMINED", __("Not examined")
    IMAGING_ONLY = "IMAGING_ONLY", __("On imaging only")
    PATIENT_REPORTED = "PATIENT_REPORTED", __("Reported by the patient")


class SizeMethod(models.TextChoices):
    RULER = "RULER", __("Ruler")
    CALIPER = "CALIPER", __("Calliper")
    US = "US", __("Ultrasound")
    XRAY = "XRAY", __("Radiograph")
    CT = "CT", __("CT")
    MRI = "MRI", __("MRI")
    PHOTO_SCALE = "PHOTO_SCALE", __("Photograph with scale")


class Count(models.TextChoices):
    ONE = "1", __("1")
    FEW = "2-5", __("2–5")
    SOME = "6-10", __("6–10")
    MANY = "11-50", __("11–50")
    VERY_MANY = ">50", __("More than 50")


class Consistency(models.TextChoices):
    ROCK_HARD = "ROCK_HARD", __("Rock hard")
    FIRM = "FIRM", __("Firm")
    RUBBERY = "RUBBERY", __("Rubbery")
    SOFT_CREAMY = "SOFT_CREAMY", __("Soft, creamy (mousse)")
    LIQUID_MILKY = "LIQUID_MILKY", __("Liquid, milky")
    MIXED = "MIXED", __("Mixed")


class TissueDepth(models.TextChoices):
    INTRADERMAL = "INTRADERMAL", __("In the dermis")
    SUBCUTANEOUS = "SUBCUTANEOUS", __("Subcutaneous")
    FASCIAL = "FASCIAL", __("Fascia")
    MUSCLE = "MUSCLE", __("Muscle")
    TENDON = "TENDON_PERITENDON", __("Tendon or around it")
    PERIARTICULAR = "PERIARTICULAR", __("Around a joint")
    BURSA = "BURSA", __("Bursa")
    UNKNOWN = "UNKNOWN", __("Unknown")


class OverlyingSkin(models.TextChoices):
    NORMAL = "NORMAL", __("Normal")
    ERYTHEMA = "ERYTHEMA", __("Red")
    SHINY_ATROPHIC = "SHINY_ATROPHIC", __("Shiny, atrophic")
    SCLEROTIC = "SCLEROTIC", __("Sclerotic")
    SHOWING = "WHITE_YELLOW_SHOWING", __("White or yellow showing through")
    HYPERKERATOTIC = "HYPERKERATOTIC", __("Hyperkeratotic")
    MACERATED = "MACERATED", __("Macerated")
    SCAR = "SCAR", __("Scar")


class UlcerBase(models.TextChoices):
    DRY_NECROTIC = "DRY_NECROTIC", __("Dry, necrotic")
    SLOUGH = "SLOUGH", __("Slough")
    GRANULATING = "GRANULATING", __("Granulating")
    EPITHELIALISING = "EPITHELIALISING", __("Epithelialising")
    EXPOSED_CALCIUM = "EXPOSED_CALCIUM", __("Exposed calcium")
    EXPOSED_BONE = "EXPOSED_BONE_TENDON", __("Exposed bone or tendon")


class Drainage(models.TextChoices):
    NONE = "NONE", __("None")
    CHALKY = "CHALKY", __("Chalky")
    MILKY = "MILKY", __("Milky")
    PURULENT = "PURULENT", __("Purulent")
    SEROUS = "SEROUS", __("Serous")
    MIXED = "MIXED", __("Mixed")
    UNKNOWN = "U", __("Unknown")


class Infection(models.TextChoices):
    NONE = "NONE", __("None")
    SUSPECTED = "SUSPECTED", __("Suspected")
    CONFIRMED = "CONFIRMED_CULTURE", __("Confirmed by culture")
    UNKNOWN = "U", __("Unknown")


INFECTED = (Infection.SUSPECTED.value, Infection.CONFIRMED.value)


class FunctionLimit(models.TextChoices):
    NONE = "0", __("None")
    MILD = "1", __("Mild")
    MODERATE = "2", __("Moderate")
    CANNOT_USE = "3", __("Cannot use the part")


class Certainty(models.TextChoices):
    CERTAIN = "CERTAIN", __("Certain")
    PROBABLE = "PROBABLE", __("Probable")


class ResolutionKind(models.TextChoices):
    SPONTANEOUS = "SPONTANEOUS", __("By itself")
    AFTER_TREATMENT = "AFTER_TREATMENT", __("After treatment")
    UNKNOWN = "U", __("Unknown")


class LesionObservation(VisitRecord):
    """One lesion at one visit. Comparisons with the previous observation stand in ``lesions/checks.py``."""

    per_visit = None

    lesion = models.ForeignKey(Lesion, on_delete=models.PROTECT, related_name="observations", verbose_name=__("lesion"))
    status_change = choice(
        __("change since last time"), LesionStatus, section=CHANGE, source="clinical-model 6.3", need=Need.COMPLETE
    )
    observed = choice(__("how seen"), Observed, section=CHANGE, source="clinical-model 6.2")
    merged_into = models.ForeignKey(
        Lesion, on_delete=models.PROTECT, null=True, blank=True, related_name="merging", verbose_name=__("merged into")
    )
    resolution_kind = choice(
        __("how it went"), ResolutionKind, section=CHANGE, source="product issue: spontaneous resolution",
        only_if={"status_change": ("RESOLVED", "EXTRUDED_COMPLETE")},
    )  # fmt: skip
    certainty = choice(__("how certain"), Certainty, section=CHANGE, source="clinical-model 6.2", only_if=IF_PRESENT)
    ulcerated = yes_no_unknown(
        __("ulcer"), section=SKIN, source="clinical-model 6.2", need=Need.COMPLETE, only_if=IF_PRESENT
    )
    ulcer_size_mm = measure(
        __("ulcer size"), 4, 1, section=SKIN, source="clinical-model 6.2", unit="mm", possible=(Decimal("0.5"), 300),
        only_if={**IF_PRESENT, "ulcerated": "Y"},
    )  # fmt: skip
    ulcer_not_measured = mark(
        __("ulcer not measured"), section=SKIN, source="clinical-model 12.4 (6)",
        only_if={**IF_PRESENT, "ulcerated": "Y"},
    )  # fmt: skip
    ulcer_base = choice(
        __("ulcer base"), UlcerBase, section=SKIN, source="clinical-model 6.2",
        only_if={**IF_PRESENT, "ulcerated": "Y"},
    )  # fmt: skip
    drainage = choice(
        __("drainage"), Drainage, section=SKIN, source="clinical-model 6.2", need=Need.COMPLETE, only_if=IF_PRESENT
    )
    infection = choice(
        __("infection"), Infection, section=SKIN, source="clinical-model 6.2", need=Need.COMPLETE, only_if=IF_PRESENT
    )
    fever = yes_no_unknown(
        __("fever"), section=SKIN, source="clinical-model 12.3 (5)", only_if={**IF_PRESENT, "infection": INFECTED}
    )
    organism = text(
        __("organism"), 80, section=SKIN, source="clinical-model 6.2", only_if={**IF_PRESENT, "infection": INFECTED}
    )
    antibiotic = models.ForeignKey(
        "lesions.TreatmentCourse", on_delete=models.SET_NULL, null=True, blank=True, related_name="+",
        verbose_name=__("antibiotic"),
    )  # fmt: skip
    flare = yes_no_unknown(
        __("flare"), section=SKIN, source="clinical-model 6.2", need=Need.COMPLETE, only_if=IF_PRESENT,
        help_text=__("Redness, warmth, swelling without infection."),
    )  # fmt: skip
    length_mm = measure(
        __("longest diameter"), 5, 1, section=SIZE, source="clinical-model 6.2", unit="mm",
        possible=(Decimal("0.5"), 400), plausible=(Decimal("0.5"), 100), only_if=IF_PRESENT,
    )  # fmt: skip
    width_mm = measure(
        __("diameter across"), 5, 1, section=SIZE, source="clinical-model 6.2", unit="mm",
        possible=(Decimal("0.5"), 400), only_if=IF_PRESENT,
    )  # fmt: skip
    depth_mm = measure(
        __("depth"), 5, 1, section=SIZE, source="clinical-model 6.2", unit="mm", possible=(Decimal("0.5"), 200),
        only_if=IF_PRESENT, help_text=__("By ultrasound, CT or MRI."),
    )  # fmt: skip
    size_method = choice(__("measured by"), SizeMethod, section=SIZE, source="clinical-model 6.2", only_if=IF_PRESENT)
    area_mm2 = measure(
        __("area"), 9, 1, section=SIZE, source="clinical-model 2.3, derived", unit="mm²", only_if=IF_PRESENT,
        editable=False,
    )  # fmt: skip
    count_estimate = choice(
        __("number of deposits"), Count, section=SIZE, source="clinical-model 6.1, 6.2", only_if=IF_PRESENT
    )
    consistency = choice(__("consistency"), Consistency, section=LOOK, source="clinical-model 6.2", only_if=IF_PRESENT)
    tissue_depth = choice(__("tissue"), TissueDepth, section=LOOK, source="clinical-model 6.2", only_if=IF_PRESENT)
    overlying_skin = clinical(
        CodesField(__("skin over it"), codes=OverlyingSkin.choices),
        section=LOOK, privacy=Privacy.CLINICAL, source="clinical-model 6.2", only_if=IF_PRESENT,
    )  # fmt: skip
    mobile = yes_no_unknown(__("mobile"), section=LOOK, source="clinical-model 6.2", only_if=IF_PRESENT)
    tenderness = choice(__("tenderness"), Grade, section=EFFECT, source="clinical-model 6.2", only_if=IF_PRESENT)
    lesion_pain_nrs = whole(
        __("pain of this lesion"), section=EFFECT, source="clinical-model 6.2", unit="NRS 0–10", possible=(0, 10),
        only_if=IF_PRESENT, help_text=__("0 none to 10 worst."),
    )  # fmt: skip
    functional_limit = choice(
        __("limits function"), FunctionLimit, section=EFFECT, source="clinical-model 6.2", only_if=IF_PRESENT
    )
    nerve_compression = yes_no_unknown(
        __("presses on a nerve"), section=EFFECT, source="clinical-model 6.2", only_if=IF_PRESENT
    )
    contracture = yes_no_unknown(__("contracture"), section=EFFECT, source="clinical-model 6.2", only_if=IF_PRESENT)
    bone_erosion = yes_no_unknown(__("bone erosion"), section=EFFECT, source="clinical-model 6.2", only_if=IF_PRESENT)

    form_relations = ("lesion", "merged_into", "antibiotic")

    class Meta:
        verbose_name = __("lesion observation")
        verbose_name_plural = __("lesion observations")
        ordering = ["visit", "lesion"]
        constraints = [models.UniqueConstraint(fields=["lesion", "visit"], name="observation_once_per_visit")]

    def __str__(self) -> str:
        return f"{self.lesion.label} {self.get_status_change_display()}"

    @property
    def is_assessed(self) -> bool:
        return self.status_change not in scoring.UNASSESSED_STATUSES

    @property
    def is_infected(self) -> bool:
        return self.infection in INFECTED

    @property
    def has_severe_pain(self) -> bool:
        return self.lesion_pain_nrs is not None and self.lesion_pain_nrs >= SEVERE_PAIN

    @property
    def measurement(self) -> scoring.Measurement:
        return scoring.Measurement(self.length_mm, self.width_mm, self.size_method)

    def clean(self) -> None:
        # Found at this visit, a lesion is saved together with its first observation: it has no key yet.
        if getattr(self, "lesion", None) is None:
            raise ValidationError({"lesion": _("Choose the lesion.")})
        if self.status_change == LesionStatus.NEW and self.lesion.lineage == Lineage.RECURRENCE:
            self.status_change = LesionStatus.RECURRED  # found as the recurrence of another
        self._say_how_seen()
        super().clean()
        if self.lesion.lesion_kind != LesionKind.CLUSTER:
            self.count_estimate = ""
        errors = same_patient(self, "lesion", "merged_into", "antibiotic") | self._merge_errors()
        errors |= self._time_errors() | self._size_errors()
        if not self.visit.saved_whole:
            errors = self._beside_errors() | errors
        if self.ulcerated == "Y" and self.ulcer_size_mm is None and not self.ulcer_not_measured:
            errors["ulcer_size_mm"] = _("Give the size of the ulcer, or say that it was not measured.")
        elif self.ulcer_size_mm is not None and self.ulcer_not_measured:
            errors["ulcer_size_mm"] = _("Either a size or “not measured”.")
        if errors:
            raise ValidationError(errors)
        self.area_mm2 = None
        if self.lesion.is_single and self.length_mm is not None and self.width_mm is not None:
            self.area_mm2 = round(scoring.area_mm2(Decimal(self.length_mm), Decimal(self.width_mm)), 1)

    def _say_how_seen(self) -> None:
        """An answered change says how the lesion was seen, unless somebody said otherwise."""
        if self.status_change == LesionStatus.NOT_ASSESSED:
            self.observed = Observed.NOT_EXAMINED
        elif self.status_change and self.observed in ("", Observed.NOT_EXAMINED):
            if self.visit.visit_type == VisitType.TELE:
                self.observed = Observed.PATIENT_REPORTED
            elif self.lesion.on_imaging_only:
                self.observed = Observed.IMAGING_ONLY
            else:
                self.observed = Observed.EXAMINED

    def _merge_errors(self) -> dict[str, str]:
        """Merged, into which lesion? Said here, at the visit, so that the signature covers it; the lesion follows."""
        if self.status_change != LesionStatus.MERGED:
            self.merged_into = None
            return {}
        if self.merged_into_id is None:
            self.merged_into_id = self.lesion.merged_into_id  # recorded before the observation said it
        if self.merged_into_id is None:
            return {"merged_into": _("Into which lesion did it merge?")}
        if self.merged_into_id == self.lesion_id:
            return {"merged_into": _("A lesion cannot merge into itself.")}
        return {}

    def _time_errors(self) -> dict[str, str]:
        lesion, day, status = self.lesion, self.visit.visit_date, self.status_change
        if day < lesion.first_recorded:
            return {
                "lesion": _("The visit is before the lesion was recorded (%(day)s).") % {"day": lesion.first_recorded}
            }
        if status == LesionStatus.NEW and day > lesion.first_recorded:
            return {"status_change": _("Not new: it was recorded on %(day)s.") % {"day": lesion.first_recorded}}
        if status == LesionStatus.RECURRED and lesion.lineage != Lineage.RECURRENCE:
            return {"status_change": _("A recurrence is a new lesion that stems from the old one.")}
        if lesion.closed_on and day > lesion.closed_on and self.is_assessed and status not in GONE:
            gone = {"lesion": lesion.label, "day": lesion.closed_on}
            return {"status_change": _("%(lesion)s is gone since %(day)s: record a recurrence as a new lesion.") % gone}
        return {}

    def _beside_errors(self) -> dict[str, str]:
        """What the visit's own answers and the lesion's other observations and procedures rule out."""
        if agreement.contradicts(self.visit.calcinosis_present, self.status_change):
            return {"status_change": _("The visit says that no calcinosis is present. One of the two is wrong.")}
        if self.status_change == LesionStatus.EXCISED:
            if not agreement.removed_by(self.lesion.procedures.all(), self.visit.visit_date):  # type: ignore[attr-defined]
                return {"status_change": excised_without_procedure(self)}
        others = LesionObservation.objects.filter(lesion=self.lesion_id).exclude(pk=self.pk).select_related("visit")
        if self.is_assessed and (back := agreement.back_again(agreement.in_order([*others, self]))):
            return {"status_change": there_again(*back)}
        return {}

    def _size_errors(self) -> dict[str, str]:
        errors: dict[str, str] = {}
        sizes = (self.length_mm, self.width_mm, self.depth_mm)
        if all(size is None for size in sizes):
            self.size_method = ""
            return errors
        if self.width_mm is not None and self.length_mm is None:
            errors["length_mm"] = _("Give the longest diameter too.")
        elif self.width_mm is not None and self.width_mm > self.length_mm:
            errors["width_mm"] = _("Must not exceed the longest diameter (%(mm)s mm).") % {"mm": self.length_mm}
        if not self.size_method:
            errors["size_method"] = _("Say how it was measured.")
        elif self.depth_mm is not None and self.size_method not in BY_DEPTH:
            errors["depth_mm"] = _("Depth needs ultrasound, CT or MRI.")
        return errors

    def missing(self) -> list[models.Field]:
        """Targets are always measured, single ones in two axes; clusters are always counted."""
        also = []
        if self.lesion.target:
            also += ["length_mm", "width_mm"] if self.lesion.is_single else ["length_mm"]
        if self.lesion.lesion_kind == LesionKind.CLUSTER:
            also.append("count_estimate")
        if self.status_change not in PRESENT:
            also = []
        unanswered = [name for name in also if getattr(self, name) in (None, "")]
        return super().missing() + [self._meta.get_field(name) for name in unanswered]  # type: ignore[misc]

    def findings(self) -> Iterator[Finding]:
        yield from super().findings()
        if self.drainage == Drainage.PURULENT and self.infection in (Infection.NONE, Infection.UNKNOWN):
            yield Finding(
                "purulent_without_infection",
                _("Purulent drainage, but no infection recorded: is that right?"),
                "infection",
            )


def excised_without_procedure(seen: LesionObservation) -> str:
    message = _("Excised, but no procedure that removed %(lesion)s is recorded up to %(day)s: record it first.")
    return message % {"lesion": seen.lesion.label, "day": seen.visit.visit_date}


def there_again(gone: LesionObservation, again: LesionObservation) -> str:
    message = _("%(lesion)s is gone since %(gone)s and there again on %(again)s: record a recurrence as a new lesion.")
    values = {"lesion": gone.lesion.label, "gone": gone.visit.visit_date, "again": again.visit.visit_date}
    return message % values
