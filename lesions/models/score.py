"""One reading of a hand radiograph by one reader, site by site (clinical-model 2.2). Unverified: not the SCTC score."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Self

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as __

from calcinosis_registry.accounts.models import User
from calcinosis_registry.audit.traced import Traced
from calcinosis_registry.clinics.policy import ScopedQuerySet
from calcinosis_registry.clinics.roles import Permission
from calcinosis_registry.codebook.items import Need, Privacy, choice, clinical
from calcinosis_registry.records.models import RecordMeta
from lesions import hand_score
from lesions.models.columns import Grade, mark, measure, whole
from lesions.models.imaging import XRAY, ImagingStudy
from lesions.models.links import same_patient
from lesions.models.second_reading import SecondReading
from patients.models import PatientRecord

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

SOURCE = "clinical-model 2.2, unverified v0"
DECIDED = "design decision (DP)"
READING, TOTALS = "Reading", "Totals"


class RaterRole(models.TextChoices):
    RADIOLOGIST = "RADIOLOGIST", __("Radiologist")
    RHEUMATOLOGIST = "RHEUMATOLOGIST", __("Rheumatologist")
    DERMATOLOGIST = "DERMATOLOGIST", __("Dermatologist")
    OTHER = "OTHER", __("Other")


class ReadingKind(models.TextChoices):
    FIRST = "FIRST", __("First reading")
    SECOND = "SECOND", __("Second reading")
    FURTHER = "FURTHER", __("Further reading")
    ADJUDICATION = "ADJUDICATION", __("Adjudication")


class OfRecord(models.TextChoices):
    ONLY = "ONLY", __("By itself")
    MEAN = "MEAN", __("In the mean of the readers")
    ADJUDICATED = "ADJUDICATED", __("As adjudicated")


class Adjudicated(models.TextChoices):
    CONSENSUS = "CONSENSUS", __("Both readers agreed")
    THIRD_READER = "THIRD_READER", __("A third reader decided")


class ReadingQuerySet(ScopedQuerySet):
    """Blind: whoever has an unfinished second reading of a study sees nobody else's reading of it, and nobody else
    sees that reading before it is finished. ``reading``: the way from a row to its reading."""

    reading = ""

    def visible_to(self, user: User | AnonymousUser, permission: Permission) -> Self:
        study, rater = OuterRef(f"{self.reading}study"), OuterRef(f"{self.reading}rater")
        unfinished = SecondReading.objects.unfinished().filter(study=study)
        blind, not_yet = Exists(unfinished.filter(reader=user.pk)), Exists(unfinished.filter(reader=rater))
        own = Q(**{f"{self.reading}rater": user.pk})
        return super().visible_to(user, permission).filter(own | (~blind & ~not_yet))


class RatedSiteQuerySet(ReadingQuerySet):
    reading = "score__"


def _told(label: StrOrPromise, choices: type[models.TextChoices], **meaning: Any) -> models.CharField:
    """A code the software sets."""
    return clinical(
        models.CharField(label, max_length=16, choices=choices.choices, blank=True, editable=False),
        section=READING, privacy=Privacy.CLINICAL, source=DECIDED, **meaning,
    )  # fmt: skip


def _total(label: StrOrPromise, most: int) -> models.DecimalField:
    return measure(label, 9, 2, section=TOTALS, source=SOURCE, possible=(0, most), verified=False, editable=False)


class HandScore(PatientRecord):
    """Totals are maintained from the rated sites. With the 22-site template the ceiling is 6,600 a hand (2.2)."""

    study = models.ForeignKey(ImagingStudy, on_delete=models.PROTECT, related_name="scores", verbose_name=__("study"))
    instrument = clinical(
        models.CharField(__("instrument"), max_length=32, default="HAND_RADIOGRAPH", editable=False),
        section=READING, privacy=Privacy.CLINICAL, source=SOURCE, verified=False,
    )  # fmt: skip
    instrument_version = clinical(
        models.CharField(__("version of the instrument"), max_length=8, default="0", editable=False),
        section=READING, privacy=Privacy.CLINICAL, source=SOURCE, verified=False,
    )  # fmt: skip
    rater = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, editable=False, related_name="+"
    )
    rater_role = choice(__("reader"), RaterRole, section=READING, source="clinical-model 2.1, 2.2", need=Need.COMPLETE)
    blinded = mark(
        __("read blind"), section=READING, source="clinical-model 2.2", help_text=__("Without seeing other readings.")
    )
    read_number = whole(
        __("reading number"), section=READING, source="clinical-model 2.2", possible=(1, 99), editable=False
    )
    read_at = clinical(
        models.DateTimeField(__("read at"), default=timezone.now, editable=False),
        section=READING, privacy=Privacy.DATE, source="clinical-model 2.2",
    )  # fmt: skip
    simple_severity = choice(
        __("simple severity"), Grade, section=READING, source="clinical-model 2.1, 2.3",
        help_text=__("For screening only: readers agree poorly."),
    )  # fmt: skip
    reading_kind = _told(__("which reading"), ReadingKind)
    of_record = _told(__("in the score of record"), OfRecord)
    adjudicated_by = _told(__("how it was adjudicated"), Adjudicated, only_if={"reading_kind": "ADJUDICATION"})
    adjudication_reason = clinical(
        models.CharField(__("why it was adjudicated so"), max_length=400, blank=True, editable=False),
        section=READING, privacy=Privacy.FREE_TEXT, source=DECIDED, only_if={"reading_kind": "ADJUDICATION"},
    )  # fmt: skip
    right_total = _total(__("right hand (unverified score)"), 100_000)
    left_total = _total(__("left hand (unverified score)"), 100_000)
    total = _total(__("both hands (unverified score)"), 200_000)
    n_sites = whole(__("sites with calcinosis"), section=TOTALS, source=SOURCE, verified=False, editable=False)
    max_density = whole(__("highest density"), section=TOTALS, source=SOURCE, verified=False, editable=False)
    complete = mark(
        __("every site rated"), section=TOTALS, source=SOURCE, verified=False, editable=False,
        help_text=__("Or called not scorable."),
    )  # fmt: skip

    form_relations = ("study",)
    objects = ReadingQuerySet.as_manager()
    # They follow from all readings of the study.
    MAINTAINED = ("reading_kind", "of_record")

    class Meta:
        verbose_name = __("hand radiograph score")
        verbose_name_plural = __("hand radiograph scores")
        ordering = ["study", "read_number", "id"]
        constraints = [models.UniqueConstraint(fields=["study", "rater", "read_number"], name="handscore_reading_once")]

    def __str__(self) -> str:
        return f"{self.tool.title}: {self.total if self.total is not None else '–'}"

    @property
    def tool(self) -> hand_score.HandInstrument:
        return hand_score.instrument(self.instrument_version)

    @property
    def is_closed(self) -> bool:
        """Stands beside another reading that both readers have seen: neither is changed any more."""
        if self.pk is None:
            return False
        beside = Q(first=self.pk) | Q(reading=self.pk) | Q(adjudication=self.pk)
        return SecondReading.objects.read().filter(beside).exists()

    def clean(self) -> None:
        if self.study_id is None:
            raise ValidationError({"study": _("Choose the radiograph.")})
        if set(self.changed_fields()) - set(self.MAINTAINED) and self.is_closed:
            raise ValidationError(_("Both readings were opened: neither is changed any more. Read once more instead."))
        super().clean()
        errors = same_patient(self, "study")
        if self.study.modality not in XRAY:
            errors["study"] = _("The hand score is read on a radiograph.")
        if errors:
            raise ValidationError(errors)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        with transaction.atomic():
            # A cascade would take the ratings without a trace.
            self.ratings.all().delete()
            return super().delete(*args, **kwargs)

    def tally(self, ratings: Iterable[HandScoreSite]) -> None:
        """Set the maintained totals. Does not save. Raises ValueError for a rating the instrument does not have."""
        result = hand_score.score((one.rating for one in ratings), self.tool)
        self.right_total, self.left_total = result.by_hand["R"], result.by_hand["L"]
        self.total, self.n_sites = result.total, result.n_sites
        self.max_density, self.complete = result.max_density, result.complete

    def reading(self, ratings: Iterable[HandScoreSite]) -> hand_score.Reading:
        """For :func:`lesions.hand_score.compare`."""
        return hand_score.Reading(
            version=self.instrument_version,
            rater=str(self.rater_id or ""),
            blinded=self.blinded,
            ratings=tuple(one.rating for one in ratings),
        )


class HandScoreSite(Traced, metaclass=RecordMeta):
    """One site of one hand. ``site`` is a code of the instrument, not of the body map."""

    score = models.ForeignKey(HandScore, on_delete=models.CASCADE, related_name="ratings")
    laterality = clinical(
        models.CharField(__("hand"), max_length=1, choices=[("R", __("Right")), ("L", __("Left"))]),
        section="Site", privacy=Privacy.CLINICAL, source=SOURCE, need=Need.ALWAYS, verified=False,
    )  # fmt: skip
    site = clinical(
        models.CharField(__("site of the hand"), max_length=16),
        section="Site", privacy=Privacy.CLINICAL, source=SOURCE, need=Need.ALWAYS, verified=False,
    )  # fmt: skip
    coverage_pct = whole(
        __("coverage"),
        section="Site",
        source=SOURCE,
        unit="%",
        possible=(0, 100),
        only_if={"scorable": True},
        verified=False,
    )
    density = whole(
        __("density"),
        section="Site",
        source=SOURCE,
        unit="0–3",
        possible=(0, 3),
        only_if={"scorable": True},
        verified=False,
    )
    scorable = clinical(
        models.BooleanField(
            __("scorable"), default=True, help_text=__("Not when amputated, off the film or hidden by metal.")
        ),
        section="Site", privacy=Privacy.CLINICAL, source=SOURCE, verified=False,
    )  # fmt: skip

    objects = RatedSiteQuerySet.as_manager()
    clinic_path = "score__patient__clinic_id"

    class Meta:
        verbose_name = __("rated site of a hand")
        verbose_name_plural = __("rated sites of a hand")
        ordering = ["score", "id"]
        constraints = [
            models.UniqueConstraint(fields=["score", "laterality", "site"], name="handscoresite_once"),
            models.CheckConstraint(
                name="handscoresite_coverage_with_density",
                condition=Q(scorable=False, coverage_pct__isnull=True, density__isnull=True)
                | Q(scorable=True, coverage_pct=0, density=0)
                | Q(scorable=True, coverage_pct__gt=0, density__gt=0),
                violation_error_message=__("Coverage and density are both 0 or both above 0."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.laterality} {self.site}"

    @property
    def trail_patient(self) -> str:  # type: ignore[override]
        return self.score.patient.registry_number

    @property
    def rating(self) -> hand_score.SiteRating:
        return hand_score.SiteRating(
            hand=self.laterality,
            site=self.site,
            coverage_pct=self.coverage_pct or 0,
            density=self.density or 0,
            scorable=self.scorable,
        )

    def clean(self) -> None:
        super().clean()
        if not self.scorable:
            self.coverage_pct = self.density = None
        elif self.coverage_pct is None or self.density is None:
            raise ValidationError({"coverage_pct": _("Give coverage and density, or say that it cannot be scored.")})
        try:
            hand_score.site_score(self.rating, self.score.tool)
        except ValueError as error:
            raise ValidationError({"coverage_pct": str(error)}) from error
