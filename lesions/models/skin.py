"""Skin, joints and extent at a visit, beside the single lesions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as __

from calcinosis_registry.codebook.items import Need, choice, yes_no_unknown
from lesions.models.columns import text, whole
from lesions.models.lesion import Side
from patients.models import VisitRecord
from patients.scoring import MRSS_SITES, mrss_total

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

SIGNS = "product issue: skin signs"
JOINTS = "product issue: limited joints"


class SkinSigns(VisitRecord):
    thickening = yes_no_unknown(__("thickened"), section="Skin", source=SIGNS)
    stiffness = yes_no_unknown(__("stiff"), section="Skin", source=SIGNS)
    whitish_patches = yes_no_unknown(__("whitish patches"), section="Skin", source=SIGNS)
    redness = yes_no_unknown(__("red"), section="Skin", source=SIGNS)
    warmth = yes_no_unknown(__("warm"), section="Skin", source=SIGNS)

    class Meta:
        verbose_name = __("skin signs")
        verbose_name_plural = __("skin signs")
        constraints = [models.UniqueConstraint(fields=["visit"], name="skinsigns_one_per_visit")]

    def __str__(self) -> str:
        return str(__("Skin signs"))


class Distribution(models.TextChoices):
    LOCALISED = "LOCALISED", __("Localised: one extremity or joint")
    SPREAD = "SPREAD", __("Spread over several regions")
    UNIVERSALIS = "UNIVERSALIS", __("Universalis: diffuse in subcutis, muscle, tendon")


class DistributionAssessment(VisitRecord):
    distribution = choice(
        __("distribution of the calcinosis"), Distribution, section="Distribution",
        source="clinical-model 1.1 (circumscripta, universalis); product issue: spread", need=Need.ALWAYS,
    )  # fmt: skip

    class Meta:
        verbose_name = __("distribution")
        verbose_name_plural = __("distributions")
        constraints = [models.UniqueConstraint(fields=["visit"], name="distribution_one_per_visit")]

    def __str__(self) -> str:
        return str(self.get_distribution_display())


class Joint(models.TextChoices):
    FINGER_DIP = "FINGER_DIP", __("Finger, DIP")
    FINGER_PIP = "FINGER_PIP", __("Finger, PIP")
    FINGER_MCP = "FINGER_MCP", __("Finger, MCP")
    THUMB = "THUMB", __("Thumb")
    WRIST = "WRIST", __("Wrist")
    ELBOW = "ELBOW", __("Elbow")
    SHOULDER = "SHOULDER", __("Shoulder")
    HIP = "HIP", __("Hip")
    KNEE = "KNEE", __("Knee")
    ANKLE = "ANKLE", __("Ankle")
    TOE = "TOE", __("Toe")
    NECK = "NECK", __("Neck")
    OTHER = "OTHER", __("Other")


class LimitedJoint(VisitRecord):
    """One joint that does not move freely; several per visit."""

    per_visit = None

    joint = choice(__("joint"), Joint, section="Joint", source=JOINTS, need=Need.ALWAYS)
    side = choice(__("side"), Side, section="Joint", source=JOINTS)
    joint_detail = text(
        __("which joint"), 60, section="Joint", source=JOINTS,
        only_if={"joint": ("FINGER_DIP", "FINGER_PIP", "FINGER_MCP", "TOE", "OTHER")},
    )  # fmt: skip
    degrees = whole(
        __("loss of movement"), section="Joint", source=JOINTS, unit="°", possible=(0, 180),
        help_text=__("Degrees short of the full range."),
    )  # fmt: skip

    class Meta:
        verbose_name = __("limited joint")
        verbose_name_plural = __("limited joints")
        ordering = ["visit", "id"]

    def __str__(self) -> str:
        return f"{self.get_joint_display()} {self.side}".strip()

    def clean(self) -> None:
        super().clean()
        if self.joint == Joint.NECK and self.side in (Side.RIGHT, Side.LEFT):
            raise ValidationError({"side": _("The neck has no side; leave it empty or choose midline.")})
        if self.joint not in ("", Joint.NECK, Joint.OTHER) and self.side not in (Side.RIGHT, Side.LEFT):
            raise ValidationError({"side": _("Choose right or left.")})


def _thickness(label: StrOrPromise) -> models.IntegerField:
    return whole(
        label, section="mRSS", source="clinical-model 4.4", possible=(0, 3), unit="0–3",
        help_text=__("0 normal to 3 severe."),
    )  # fmt: skip


class SkinScore(VisitRecord):
    """The modified Rodnan skin score: its 17 sites, or the total alone."""

    face = _thickness(__("face"))
    anterior_chest = _thickness(__("anterior chest"))
    abdomen = _thickness(__("abdomen"))
    fingers_right = _thickness(__("right fingers"))
    fingers_left = _thickness(__("left fingers"))
    hand_dorsum_right = _thickness(__("right hand, dorsum"))
    hand_dorsum_left = _thickness(__("left hand, dorsum"))
    forearm_right = _thickness(__("right forearm"))
    forearm_left = _thickness(__("left forearm"))
    upper_arm_right = _thickness(__("right upper arm"))
    upper_arm_left = _thickness(__("left upper arm"))
    thigh_right = _thickness(__("right thigh"))
    thigh_left = _thickness(__("left thigh"))
    lower_leg_right = _thickness(__("right lower leg"))
    lower_leg_left = _thickness(__("left lower leg"))
    foot_right = _thickness(__("right foot"))
    foot_left = _thickness(__("left foot"))
    total = whole(
        __("mRSS total"), section="Total", source="clinical-model 4.4, 12.3 (17)", possible=(0, 51), unit="0–51",
        need=Need.COMPLETE, help_text=__("Summed from the 17 sites when they are given."),
    )  # fmt: skip

    class Meta:
        verbose_name = __("modified Rodnan skin score")
        verbose_name_plural = __("modified Rodnan skin scores")
        constraints = [models.UniqueConstraint(fields=["visit"], name="skinscore_one_per_visit")]

    def __str__(self) -> str:
        return f"mRSS {self.total}" if self.total is not None else "mRSS"

    def clean(self) -> None:
        super().clean()
        answers = {name: getattr(self, name) for name in MRSS_SITES}
        if any(value is not None for value in answers.values()):
            # A total typed beside some of the sites would be a second truth; with a site open there is no total.
            self.total = mrss_total(answers)


class TypePresent(models.TextChoices):
    PRESENT = "Y", __("Present")
    ABSENT = "N", __("Absent")
    NOT_ASSESSED = "NA", __("Not assessed")


def _damage(label: StrOrPromise) -> models.CharField:
    return choice(label, TypePresent, section="Calcinosis (item 12)", source="clinical-model 1.4 B, 3")


class MyositisDamage(VisitRecord):
    """Calcinosis in the IMACS Myositis Damage Index: four types and the severity."""

    superficial = _damage(__("superficial plaques or nodules"))
    tumoral = _damage(__("tumoral deposits"))
    planar = _damage(__("planar deposits along fascia"))
    exoskeleton = _damage(__("exoskeleton"))
    severity_vas = whole(
        __("severity"), section="Calcinosis (item 12)", source="clinical-model 1.4 B, 3", unit="VAS 0–100 mm",
        possible=(0, 100),
    )  # fmt: skip

    class Meta:
        verbose_name = __("myositis damage: calcinosis")
        verbose_name_plural = __("myositis damage: calcinosis")
        constraints = [models.UniqueConstraint(fields=["visit"], name="myositisdamage_one_per_visit")]

    def __str__(self) -> str:
        return str(__("Myositis damage index, calcinosis"))
