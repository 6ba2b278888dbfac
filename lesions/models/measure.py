"""What was measured on a study (clinical-model 2.3): a number somebody gives, or one the register works out of points
drawn on the picture."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Self

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as __

from calcinosis_registry.accounts.models import User
from calcinosis_registry.clinics.policy import ScopedQuerySet
from calcinosis_registry.clinics.roles import Permission
from calcinosis_registry.codebook.items import Need, Privacy, choice, clinical
from lesions import calibration, planimetry
from lesions.calibration import Calibration, Point, Source
from lesions.models.columns import measure, when
from lesions.models.imaging import ImagingFile, ImagingStudy
from lesions.models.lesion import Lesion
from lesions.models.links import period_errors, same_patient
from lesions.models.second_reading import SecondReading
from patients.models import PatientRecord

SOURCE = "clinical-model 2.3"


class MeasureKind(models.TextChoices):
    LENGTH = "LENGTH", __("Lesion length")
    WIDTH = "WIDTH", __("Lesion width")
    DEPTH = "DEPTH", __("Lesion depth")
    AREA = "PLANIMETRIC_AREA", __("Planimetric area")
    VOLUME = "VOLUME", __("Volume")
    COUNT = "COUNT", __("Number of lesions")
    AGATSTON = "AGATSTON", __("Calcium score, Agatston type")
    DUROMETER = "DUROMETER", __("Firmness, durometer, mean of three")
    DISTANCE = "DISTANCE", __("Distance")
    MARK = "MARK", __("Place of a lesion")
    SCALE = "SCALE", __("Known length, for the scale")


UNITS = {
    MeasureKind.LENGTH: "mm", MeasureKind.WIDTH: "mm", MeasureKind.DEPTH: "mm", MeasureKind.AREA: "mm²",
    MeasureKind.VOLUME: "mm³", MeasureKind.COUNT: "", MeasureKind.AGATSTON: "",
    MeasureKind.DUROMETER: __("device units"), MeasureKind.DISTANCE: "mm", MeasureKind.MARK: "",
    MeasureKind.SCALE: "mm",
}  # fmt: skip
NUMBERED = tuple(str(one) for one in MeasureKind if one is not MeasureKind.MARK)
MOST_POINTS = 500
# How many points each kind is drawn with; a length with four has its axis across with it.
DRAWN = {
    MeasureKind.LENGTH: (2, 4), MeasureKind.WIDTH: (2,), MeasureKind.DEPTH: (2,), MeasureKind.DISTANCE: (2,),
    MeasureKind.SCALE: (2,), MeasureKind.MARK: (1,), MeasureKind.AREA: range(3, MOST_POINTS + 1),
}  # fmt: skip


class MeasureQuerySet(ScopedQuerySet):
    """Blind: whoever has an unfinished second reading of a study sees there only what they measured themselves. What a
    first reader outlined would guide the second."""

    def visible_to(self, user: User | AnonymousUser, permission: Permission) -> Self:
        unfinished = SecondReading.objects.unfinished().filter(study=OuterRef("study"), reader=user.pk)
        return super().visible_to(user, permission).filter(Q(measured_by=user.pk) | ~Exists(unfinished))


class ImagingMeasure(PatientRecord):
    """One number measured on a study (or, firmness, on the skin), or the place of a lesion on it.

    ``points``: x, y in pixels of ``frame`` of ``file`` it was drawn with; what is drawn is worked out of them on every
    save, by the file's own header or by ``scale``, a known length drawn on the same frame.
    """

    measured = choice(__("what"), MeasureKind, section="Measure", source=SOURCE, need=Need.ALWAYS)
    value = measure(
        __("value"), 12, 2, section="Measure", source=SOURCE, possible=(0, 9_999_999), need=Need.ALWAYS,
        only_if={"measured": NUMBERED},
        help_text=__("Lengths in mm, areas in mm², volumes in mm³ (1 mL is 1,000 mm³)."),
    )  # fmt: skip
    across_mm = measure(
        __("diameter across"), 9, 2, section="Measure", source=SOURCE, unit="mm", possible=(0, 99_999),
        only_if={"measured": "LENGTH"}, editable=False,
    )  # fmt: skip
    area_mm2 = measure(
        __("area of the two axes"), 12, 1, section="Measure", source="clinical-model 2.3, derived", unit="mm²",
        only_if={"measured": "LENGTH"}, editable=False,
    )  # fmt: skip
    calibrated_by = clinical(
        models.CharField(__("millimetres from"), max_length=16, choices=Source.choices, blank=True, editable=False),
        section="Measure", privacy=Privacy.CLINICAL, source="design decision (DP)",
    )  # fmt: skip
    measured_on = when(__("date"), section="Measure", source=SOURCE, help_text=__("If not on a study."))
    study = models.ForeignKey(
        ImagingStudy, on_delete=models.PROTECT, null=True, blank=True, related_name="measures", verbose_name=__("study")
    )
    lesion = models.ForeignKey(
        Lesion, on_delete=models.PROTECT, null=True, blank=True, related_name="measures", verbose_name=__("lesion")
    )
    file = models.ForeignKey(
        ImagingFile, on_delete=models.PROTECT, null=True, blank=True, editable=False, related_name="measures"
    )
    frame = models.PositiveIntegerField(default=0, editable=False)
    points = models.JSONField(default=list, blank=True, editable=False)
    scale = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, editable=False, related_name="scaled"
    )
    measured_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, editable=False, related_name="+"
    )
    measured_at = models.DateTimeField(null=True, editable=False)

    form_relations = ("study", "lesion")
    objects = MeasureQuerySet.as_manager()

    class Meta:
        verbose_name = __("measurement")
        verbose_name_plural = __("measurements")
        ordering = ["patient", "id"]

    def __str__(self) -> str:
        return f"{self.get_measured_display()} {self.said}".strip()

    @property
    def said(self) -> str:
        """The number with its unit: ``12.3 × 8.1 mm``."""
        if self.value is None:
            return ""
        both = f"{self.value}"
        if self.is_drawn:
            both = f"{self.value:.1f}" + (f" × {self.across_mm:.1f}" if self.across_mm is not None else "")
        return f"{both} {self.unit}".strip()

    @property
    def unit(self) -> str:
        return str(UNITS[MeasureKind(self.measured)]) if self.measured else ""

    @property
    def is_drawn(self) -> bool:
        return self.file_id is not None and bool(self.points)

    @property
    def shapes(self) -> list[str]:
        """The lines that were drawn, as SVG reads points; an outline is closed."""
        if self.measured == MeasureKind.MARK:
            return []
        ends = [f"{x},{y}" for x, y in self.points]
        if self.measured == MeasureKind.AREA:
            return [" ".join([*ends, ends[0]])]
        return [" ".join(ends[place : place + 2]) for place in range(0, len(ends), 2)]

    @property
    def spot(self) -> list[float] | None:
        """Where a mark was set."""
        return self.points[0] if self.measured == MeasureKind.MARK and self.points else None

    def clean(self) -> None:
        if self.is_drawn:
            self._forget_worked_out()
            if errors := self._drawing_errors() or self._work_out():
                raise ValidationError(errors)
        super().clean()
        if not self.is_drawn:
            self.across_mm = self.area_mm2 = None
            self.calibrated_by = ""
        errors = same_patient(self, "study", "lesion")
        if self.study is None and self.measured != MeasureKind.DUROMETER:
            errors["study"] = _("Choose the study it was measured on.")
        if self.study is None and self.measured_on is None:
            errors["measured_on"] = _("Give the date, as far as known, or “unknown”.")
        if self.file is not None and self.file.study_id != self.study_id:
            errors["study"] = _("The file belongs to another study.")
        errors |= period_errors(self.patient, self.measured_on, None, names=("measured_on", "measured_on"))
        if errors:
            raise ValidationError(errors)

    def seen_at(self) -> str:
        return self.study.get_absolute_url() if self.study is not None else super().seen_at()

    # What is drawn

    @property
    def _ends(self) -> list[Point]:
        return [(float(x), float(y)) for x, y in self.points]

    def _drawing_errors(self) -> dict[str, str]:
        """What is wrong with the points themselves; nothing is worked out of such."""
        kind, file = self.measured, self.file
        if kind not in DRAWN:
            return {"measured": _("This is not drawn on a picture.")}
        if self.frame >= max(file.frames, 1):  # type: ignore[union-attr]
            return {"frame": _("The file has %(n)s frames.") % {"n": file.frames}}  # type: ignore[union-attr]
        if len(self.points) not in DRAWN[MeasureKind(kind)]:
            return {"points": _("%(n)s points do not make this measurement.") % {"n": len(self.points)}}
        if problem := self._outside():
            return {"points": problem}
        if kind == MeasureKind.MARK and self.lesion is None:
            return {"lesion": _("Say which lesion lies here.")}
        return self._scale_errors()

    def _outside(self) -> str:
        width, height = self.file.width or 0, self.file.height or 0  # type: ignore[union-attr]
        for x, y in self._ends:
            if not (0 <= x <= width and 0 <= y <= height):
                told = {"x": f"{x:.0f}", "y": f"{y:.0f}", "width": width, "height": height}
                return _("The point %(x)s, %(y)s lies outside the picture of %(width)s × %(height)s.") % told
        return ""

    def _scale_errors(self) -> dict[str, str]:
        scale = self.scale
        if scale is not None and (
            scale.measured != MeasureKind.SCALE or scale.file_id != self.file_id or scale.frame != self.frame
        ):
            return {"scale": _("The scale was drawn on another picture.")}
        if self.measured == MeasureKind.SCALE and not self._state.adding:
            told = self.changed_fields()
            if {"value", "points", "measured"} & set(told) and self.scaled.exists():  # type: ignore[attr-defined]
                return {"value": _("Measurements rest on this scale: draw a new one.")}
        return {}

    def _forget_worked_out(self) -> None:
        """What somebody typed over a drawn number is refused; what was worked out before is worked out again."""
        told = set() if self._state.adding else set(self.changed_fields())
        if "value" in told and not told & {"points", "scale"} and self.measured not in (MeasureKind.SCALE,):
            raise ValidationError({"value": _("It is drawn on the picture: move its points there.")})
        self.across_mm = self.area_mm2 = None
        self.calibrated_by = ""

    def _work_out(self) -> dict[str, str]:
        """Set value, axis across, area and calibration from the points. Returns {field: what stands in the way}."""
        kind, points = self.measured, self._ends
        if kind == MeasureKind.MARK:
            return {}
        if kind == MeasureKind.SCALE:
            return self._as_scale(points)
        by = self._calibration(points)
        if isinstance(by, str):
            return {"points": by}
        if kind == MeasureKind.AREA:
            self.value = _rounded(planimetry.polygon_mm2(points, by))
        elif len(points) == 4:
            if problem := self._two_axes(points, by):
                return {"points": problem}
        else:
            self.value = _rounded(planimetry.distance_mm(points, by))
        self.calibrated_by = by.source
        return {} if self.value else {"points": _("The points coincide: that is no measurement.")}

    def _as_scale(self, points: Sequence[Point]) -> dict[str, str]:
        if self.value is None or self.value <= 0:
            return {"value": _("Give the known length in mm.")}
        try:
            calibration.of_known_length(points, float(self.value))
        except ValueError:
            return {"points": _("The points coincide: that is no measurement.")}
        self.calibrated_by = Source.KNOWN_LENGTH
        return {}

    def _calibration(self, points: Sequence[Point]) -> Calibration | str:
        """What holds for these points, or why nothing does."""
        if self.scale is not None:
            return calibration.of_known_length(self.scale._ends, float(self.scale.value))
        found = calibration.of_header(self.file.header)  # type: ignore[union-attr]
        if not found:
            return _("The file does not say how large a pixel is. Draw a scale over a known length first.")
        by = calibration.fitting(found, points)
        return by or _("The points do not lie in one ultrasound region: between regions there is no common scale.")

    def _two_axes(self, points: Sequence[Point], by: Calibration) -> str:
        try:
            apart = planimetry.angle(points, by)
        except ValueError:
            return _("The points coincide: that is no measurement.")
        if 90 - apart > planimetry.ACROSS:
            return _("The second axis must stand across the first.")
        length, across = planimetry.axes_mm(points, by)
        self.value, self.across_mm = _rounded(length), _rounded(across)
        if not self.value or not self.across_mm:
            return _("The points coincide: that is no measurement.")
        self.area_mm2 = planimetry.ellipse_mm2(self.value, self.across_mm)
        return ""


def _rounded(value: float) -> Decimal:
    return Decimal(f"{value:.2f}")
