"""The lesion: one deposit, or cluster of deposits, with an identity that lasts for decades (clinical-model 6.1)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Self

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Max
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as __

from calcinosis_registry.audit.models import Action, Event
from calcinosis_registry.clinics.policy import ScopedQuerySet
from calcinosis_registry.codebook.fields import CodesField
from calcinosis_registry.codebook.items import Need, Privacy, choice, clinical
from calcinosis_registry.quality.findings import Finding
from lesions import scoring, sites
from lesions.models.columns import aspect_choices, mark, measure, site_choices, text, when
from patients.models import Basis, Patient, PatientRecord, on_or_before

if TYPE_CHECKING:
    from lesions.models.observation import LesionObservation

MOST_TARGETS = 5
ON_IMAGING = frozenset({"XRAY", "US", "CT", "DECT", "MRI"})  # of diagnostic_basis: nothing was seen or felt
PLACE, WHAT, FOLLOW = "Place", "What it is", "Follow-up"


class Side(models.TextChoices):
    RIGHT = sites.RIGHT, __("Right")
    LEFT = sites.LEFT, __("Left")
    MIDLINE = sites.MIDLINE, __("Midline")


class LesionKind(models.TextChoices):
    SINGLE = "SINGLE", __("Single")
    CLUSTER = "CLUSTER", __("Cluster of many small deposits")
    SHEET = "SHEET", __("Sheet")


class XrayMorphology(models.TextChoices):
    STONE = "STONE", __("Stone: dense, well-defined")
    NET = "NET", __("Net: mesh-like")
    PLATE = "PLATE", __("Plate: sheet or plaque")
    AMORPHOUS = "AMORPHOUS", __("Amorphous")
    UNCLASSIFIABLE = "UNCLASSIFIABLE", __("Unclassifiable")


class ClinicalMorphology(models.TextChoices):
    MOUSSE = "MOUSSE", __("Mousse: soft, creamy")
    STONE = "STONE", __("Stone")
    NET = "NET", __("Net")
    PLATE = "PLATE", __("Plate")
    NOT_APPLICABLE = "NA", __("Not applicable")


class Visibility(models.TextChoices):
    VISIBLE_PALPABLE = "VISIBLE_PALPABLE", __("Visible and palpable")
    PALPABLE_ONLY = "PALPABLE_ONLY", __("Palpable only")
    IMAGING_ONLY = "IMAGING_ONLY", __("Seen on imaging only")


class MyositisType(models.TextChoices):
    SUPERFICIAL = "JDM_SUPERFICIAL", __("Superficial plaques or nodules")
    TUMORAL = "JDM_TUMORAL", __("Tumoral")
    PLANAR = "JDM_PLANAR", __("Planar (fascial planes)")
    EXOSKELETON = "JDM_EXOSKELETON", __("Exoskeleton, universalis")


class Lineage(models.TextChoices):
    RECURRENCE = "RECURRENCE", __("Recurrence of")
    SPLIT = "SPLIT", __("Split from")


class LesionStatus(models.TextChoices):
    NEW = "NEW", __("New")
    LARGER = "LARGER", __("Larger")
    STABLE = "STABLE", __("Stable")
    SMALLER = "SMALLER", __("Smaller")
    RESOLVED = "RESOLVED", __("Resolved")
    EXTRUDED = "EXTRUDED_COMPLETE", __("Extruded completely")
    EXCISED = "EXCISED", __("Excised")
    RECURRED = "RECURRED", __("Recurred")
    NOT_ASSESSED = "NOT_ASSESSED", __("Not examined")
    MERGED = "MERGED", __("Merged")
    SPLIT = "SPLIT", __("Split")


class LesionQuerySet(ScopedQuerySet):
    def active(self) -> Self:
        """Still there when last assessed (product.md, "Decided")."""
        return self.filter(merged_into__isnull=True).exclude(current_status__in=scoring.CLOSED_STATUSES)

    def targets(self) -> Self:
        return self.filter(target=True)

    def next_number(self, patient: Patient) -> int:
        """The number of the patient's next lesion; that of a deleted lesion stays taken."""
        last = self.filter(patient=patient).aggregate(last=Max("number"))["last"] or 0
        deleted = Event.objects.of_patient(patient.registry_number).filter(
            model=self.model._meta.label_lower, action=Action.DELETE
        )
        return 1 + max([last, *(one.changes["number"][0] for one in deleted if one.changes.get("number"))])


class Lesion(PatientRecord):
    """``visit`` is the visit it was first recorded at. The columns of ``MAINTAINED`` follow its observations."""

    number = clinical(
        models.PositiveIntegerField(__("number"), editable=False),
        section=PLACE, privacy=Privacy.CLINICAL, source="clinical-model 6.1",
    )  # fmt: skip
    site = choice(__("site"), site_choices, section=PLACE, source="clinical-model 5.2", need=Need.ALWAYS)
    laterality = choice(__("side"), Side, section=PLACE, source="clinical-model 5.1")
    aspect = choice(__("aspect"), aspect_choices, section=PLACE, source="clinical-model 5.1")
    site_text = text(
        __("which site"), 80, section=PLACE, source="clinical-model 5.1, 5.2", only_if={"site": "OTHER"},
        help_text=__("Such as heart or spermatic cord."),
    )  # fmt: skip
    map_x = measure(__("map, from left"), 5, 4, section=PLACE, source="clinical-model 5.1", possible=(0, 1))
    map_y = measure(__("map, from top"), 5, 4, section=PLACE, source="clinical-model 5.1", possible=(0, 1))
    map_version = clinical(
        models.CharField(__("map version"), max_length=8, blank=True, editable=False),
        section=PLACE, privacy=Privacy.INTERNAL, source="clinical-model 5.1",
    )  # fmt: skip
    lesion_kind = clinical(
        models.CharField(__("kind"), max_length=32, choices=LesionKind.choices, default=LesionKind.SINGLE),
        section=WHAT, privacy=Privacy.CLINICAL, source="clinical-model 6.1", need=Need.ALWAYS,
    )  # fmt: skip
    first_noticed = when(__("first noticed"), section=WHAT, source="clinical-model 6.1")
    first_recorded = clinical(
        models.DateField(__("first recorded"), editable=False),
        section=WHAT, privacy=Privacy.DATE, source="clinical-model 6.1",
    )  # fmt: skip
    diagnostic_basis = clinical(
        CodesField(__("diagnosed by"), codes=Basis.choices),
        section=WHAT, privacy=Privacy.CLINICAL, source="clinical-model 1.2, 6.1", need=Need.COMPLETE,
    )  # fmt: skip
    visibility = choice(__("visibility"), Visibility, section=WHAT, source="clinical-model 1.4 A")
    ssc_xray_morphology = choice(
        __("pattern on radiograph (SSc)"), XrayMorphology, section=WHAT, source="clinical-model 1.4 A"
    )
    ssc_clinical_morphology = choice(
        __("clinical pattern (SSc)"), ClinicalMorphology, section=WHAT, source="clinical-model 1.4 A"
    )
    mdi_types = clinical(
        CodesField(__("type (myositis)"), codes=MyositisType.choices),
        section=WHAT, privacy=Privacy.CLINICAL, source="clinical-model 1.4 B",
    )  # fmt: skip
    lineage = choice(__("origin"), Lineage, section=FOLLOW, source="clinical-model 6.1")
    parent = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="children", verbose_name=__("from lesion")
    )
    merged_into = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="merged", verbose_name=__("merged into")
    )
    target = mark(
        __("target lesion"), section=FOLLOW, source="clinical-model 6.1", help_text=__("Always measured; at most five.")
    )
    index_treated = mark(__("index lesion of a treatment"), section=FOLLOW, source="clinical-model 6.1")
    current_status = clinical(
        models.CharField(
            __("last status"), max_length=32, choices=LesionStatus.choices, blank=True, default="", editable=False
        ),
        section=FOLLOW, privacy=Privacy.CLINICAL, source="clinical-model 6.1, derived",
    )  # fmt: skip
    ulcerated_now = mark(__("ulcerated"), section=FOLLOW, source="clinical-model 6.3, derived", editable=False)
    infected_now = mark(__("infected"), section=FOLLOW, source="clinical-model 6.3, derived", editable=False)
    last_area_mm2 = measure(
        __("last area"), 9, 1, section=FOLLOW, source="clinical-model 2.3, derived", unit="mm²", editable=False
    )
    closed_on = clinical(
        models.DateField(__("gone since"), null=True, editable=False),
        section=FOLLOW, privacy=Privacy.DATE, source="clinical-model 6.3, derived",
    )  # fmt: skip

    # A lesion is found at a visit: the visit page adds it, with its number and its first observation.
    begins_alone = False
    MAINTAINED = ("current_status", "ulcerated_now", "infected_now", "last_area_mm2", "closed_on")
    # What settle() sets; the last two are told in the history.
    FOLLOWING = (*MAINTAINED, "first_recorded", "merged_into")

    objects = LesionQuerySet.as_manager()
    form_relations = ("parent",)
    # A lesion outlives the visit it was found at; where it is does not change.
    open_after_signing = frozenset(
        {
            "target",
            "index_treated",
            "merged_into",
            "first_noticed",
            "diagnostic_basis",
            "visibility",
            "ssc_xray_morphology",
        }
        | {"ssc_clinical_morphology", "mdi_types", *MAINTAINED}
    )

    class Meta:
        verbose_name = __("lesion")
        verbose_name_plural = __("lesions")
        ordering = ["patient", "number"]
        constraints = [models.UniqueConstraint(fields=["patient", "number"], name="lesion_number_once_per_patient")]
        indexes = [models.Index(fields=["patient", "current_status"], name="lesion_patient_status")]

    def __str__(self) -> str:
        return f"{self.label} {self.where}"

    @property
    def label(self) -> str:
        return f"L{self.number}"

    @property
    def where(self) -> str:
        """Plain words: "Right thumb, pulp"; the site's own text where the list has no site."""
        return sites.describe(self.site, self.laterality, self.aspect) + (
            f": {self.site_text}" if self.site_text else ""
        )

    @property
    def is_active(self) -> bool:
        return self.merged_into_id is None and scoring.is_active(self.current_status)

    @property
    def on_imaging_only(self) -> bool:
        if self.visibility:
            return self.visibility == Visibility.IMAGING_ONLY
        return bool(self.diagnostic_basis) and set(self.diagnostic_basis) <= ON_IMAGING

    @property
    def is_single(self) -> bool:
        return self.lesion_kind == LesionKind.SINGLE

    def settle(self, observations: Sequence[LesionObservation]) -> None:
        """Set the maintained columns from all observations, oldest visit first (visits loaded). Does not save.

        The visit that found the lesion may be signed by now: write them with ``bulk_update(..., Lesion.FOLLOWING)``.
        """
        assessed = [one for one in observations if one.is_assessed]
        last = assessed[-1] if assessed else None
        there = last is not None and scoring.is_active(last.status_change)
        self.current_status = last.status_change if last else ""
        self.ulcerated_now = there and last.ulcerated == "Y"  # type: ignore[union-attr]
        self.infected_now = there and last.is_infected  # type: ignore[union-attr]
        areas = [one.area_mm2 for one in assessed if one.area_mm2 is not None]
        self.last_area_mm2 = areas[-1] if there and areas else None
        # Into which lesion, the observation says; one from before it did leaves what is known.
        if last is None or last.status_change != LesionStatus.MERGED:
            self.merged_into_id = None
        elif last.merged_into_id is not None:
            self.merged_into_id = last.merged_into_id
        # The visit that found it may have moved to another day.
        if any(one.visit_id == self.visit_id for one in observations):
            self.first_recorded = observations[0].visit.visit_date
        self.closed_on = None
        for one in reversed(assessed):
            if scoring.is_active(one.status_change):
                break
            self.closed_on = one.visit.visit_date

    def clean(self) -> None:
        super().clean()
        errors = self._place_errors() | self._lineage_errors()
        if not on_or_before(self.first_noticed, self.first_recorded):
            errors["first_noticed"] = _("First noticed is after first recorded (%(day)s).") % {
                "day": self.first_recorded
            }
        if self.target and "target" in self.changed_fields():
            others = Lesion.objects.filter(patient_id=self.patient_id).targets().exclude(pk=self.pk).count()
            if others >= MOST_TARGETS:
                errors["target"] = _("There are %(n)s target lesions already; release one first.") % {"n": others}
        if errors:
            raise ValidationError(errors)

    def _place_errors(self) -> dict[str, str]:
        errors: dict[str, str] = {}
        if self.site in sites.SITES:
            problem = sites.check_laterality(self.site, self.laterality)
            if problem:
                errors["laterality"] = str(problem)
        if self.site == "OTHER" and not self.site_text:
            errors["site_text"] = _("Say which site.")
        if (self.map_x is None) != (self.map_y is None):
            errors["map_x"] = _("A place on the map has two coordinates.")
        return errors

    def _lineage_errors(self) -> dict[str, str]:
        errors: dict[str, str] = {}
        if (self.parent_id is None) != (self.lineage == ""):
            errors["lineage"] = _("Say which lesion it came from, and how: recurrence or split.")
        for name in ("parent", "merged_into"):
            other = getattr(self, name)
            if other is not None and other.patient_id != self.patient_id:
                errors[name] = _("%(lesion)s belongs to another patient.") % {"lesion": other.label}
            elif other is not None and other.pk == self.pk:
                errors[name] = _("A lesion cannot stem from, or merge into, itself.")
        # Numbers only grow, and a merged lesion takes no other: so no lineage runs in a circle.
        if "parent" not in errors and self.parent is not None and self.number and self.parent.number >= self.number:
            errors["parent"] = _("%(lesion)s is the younger one.") % {"lesion": self.parent.label}
        if "parent" not in errors and self.lineage == Lineage.RECURRENCE and self.parent is not None:
            gone, told = self.parent.closed_on, self.changed_fields()
            if ("parent" in told or "lineage" in told) and (gone is None or gone > self.first_recorded):
                errors["parent"] = _("%(lesion)s was not gone by %(day)s: only what was gone can come back.") % {
                    "lesion": self.parent.label, "day": self.first_recorded,
                }  # fmt: skip
        if "merged_into" not in errors and self.merged_into is not None and "merged_into" in self.changed_fields():
            if self.merged_into.merged_into_id is not None:
                errors["merged_into"] = _("%(lesion)s has itself merged.") % {"lesion": self.merged_into.label}
        return errors

    def findings(self) -> Iterator[Finding]:
        yield from super().findings()
        if self.diagnostic_basis == (Basis.MRI,):
            yield Finding(
                "basis_supportive",
                _("MRI alone supports but does not prove calcinosis: was anything else found?"),
                "diagnostic_basis",
            )
