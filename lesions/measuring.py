"""Measuring on pictures: what is drawn is kept with its points, and can become a lesion's size at a visit.

Keyword-only verbs; the millimetres are the register's own (lesions/models/measure.py), never the browser's.
"""

from __future__ import annotations

import datetime
import json
import math
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from calcinosis_registry.accounts.models import User
from calcinosis_registry.audit import trail
from lesions.models import (
    PRESENT,
    ImagingFile,
    ImagingMeasure,
    Lesion,
    LesionObservation,
    MeasureKind,
    SizeMethod,
)
from lesions.models.columns import MODALITIES, in_group
from lesions.models.measure import MOST_POINTS
from lesions.services import VisitEntry, save_visit
from patients.models import Patient, Visit, VisitState
from patients.services import after_save

LONGEST = 40 * MOST_POINTS  # characters of points as sent
NEAR = datetime.timedelta(days=30)  # between a study of no visit and a visit whose size it can give
METHODS = {
    **dict.fromkeys(in_group(MODALITIES, "XRAY"), SizeMethod.XRAY),
    "US": SizeMethod.US,
    "CT": SizeMethod.CT,
    "MR": SizeMethod.MRI,
    "XC": SizeMethod.PHOTO_SCALE,
}
SIZES = (MeasureKind.LENGTH, MeasureKind.DEPTH)


def read_points(text: str) -> list[list[float]]:
    """Points as a browser sends them. Raises ValidationError for anything but a list of pairs of numbers."""
    refused = ValidationError({"points": _("The points cannot be read.")})
    if len(text) > LONGEST:
        raise refused
    try:
        sent = json.loads(text)
        points = [[round(float(x), 2), round(float(y), 2)] for x, y in sent]
    except (ValueError, TypeError, RecursionError, OverflowError) as problem:
        raise refused from problem
    if not points or not all(math.isfinite(one) for point in points for one in point):
        raise refused
    return points


def draw(
    *, file: ImagingFile, kind: str, frame: int, points: list[list[float]], lesion: Lesion | None,
    scale: ImagingMeasure | None, known_mm: Decimal | None, by: User, now: datetime.datetime,
) -> ImagingMeasure:  # fmt: skip
    """Keep what was drawn. Raises ValidationError by field."""
    measure = ImagingMeasure(
        patient=file.study.patient, study=file.study, file=file, measured=kind, frame=frame, points=points,
        lesion=lesion, scale=scale, measured_by=by, measured_at=now,
        value=known_mm if kind == MeasureKind.SCALE else None,
    )  # fmt: skip
    return _save(measure, now=now)


def redraw(
    *, measure: ImagingMeasure, points: list[list[float]], reason: str, by: User, now: datetime.datetime
) -> ImagingMeasure:
    """Move the points; what follows from them follows. Raises ValidationError by field."""
    if not reason:
        raise ValidationError({"reason": _("Say why it is changed.")})
    measure.points, measure.measured_by, measure.measured_at = points, by, now
    with trail.because(reason):
        return _save(measure, now=now)


def _save(measure: ImagingMeasure, *, now: datetime.datetime) -> ImagingMeasure:
    with trail.together():
        # The patient's row is the queue, as for uploads: nobody removes the file or the scale meanwhile.
        Patient.objects.select_for_update().get(pk=measure.patient_id)
        measure.save()
        after_save(patient=measure.patient, records=[measure], now=now)
    return measure


# The size of a lesion at a visit


def size_method(measure: ImagingMeasure) -> str:
    """How a size taken from this measurement was measured; "" where it can give none."""
    usable = measure.is_drawn and measure.measured in SIZES and measure.lesion_id and measure.study
    return METHODS.get(measure.study.modality, "") if usable else ""  # type: ignore[union-attr]


def visits_of(measure: ImagingMeasure, visits: list[Visit]) -> list[Visit]:
    """Of the patient's visits those whose size it can give: the study's own, or those about its date."""
    study = measure.study
    if not size_method(measure) or study is None:
        return []
    attended = [one for one in visits if one.state != VisitState.MISSED]
    if study.visit_id is not None:
        return [one for one in attended if one.pk == study.visit_id]
    day = study.study_date and study.study_date.earliest
    latest = study.study_date and study.study_date.latest
    if not day or day != latest:  # only a year or a month is known
        return []
    return [one for one in attended if abs(one.visit_date - day) <= NEAR]


def size_words(seen: LesionObservation | None) -> str:
    """The size that stands, in one line; "" where none does. What a person saw before replacing it."""
    if seen is None or seen.length_mm is None:
        return ""
    both = f"{seen.length_mm}" + (f" × {seen.width_mm}" if seen.width_mm is not None else "")
    depth = f" × {seen.depth_mm}" if seen.depth_mm is not None else ""
    return f"{both}{depth} mm, {seen.get_size_method_display()}"


def use_as_size(
    *, measure: ImagingMeasure, visit: Visit, instead_of: str, by: User, now: datetime.datetime
) -> LesionObservation:
    """Make it the lesion's size at the visit, by the way every observation goes. Raises ValidationError.

    ``instead_of``: the size the person saw there (:func:`size_words`); another one is not replaced unseen.
    """
    method = size_method(measure)
    if not method or visit not in visits_of(measure, [visit]):
        raise ValidationError(_("This measurement gives no size at the visit of %(day)s.") % {"day": visit.visit_date})
    with trail.together(), trail.because(_("Measured on: %(study)s") % {"study": measure.study}):
        visit = Visit.objects.select_for_update().get(pk=visit.pk)
        if visit.is_locked:
            raise ValidationError(_("The visit is signed: unlock it first. Nothing was changed."))
        seen = LesionObservation.objects.filter(visit=visit, lesion=measure.lesion).select_related("lesion").first()
        if size_words(seen) != instead_of:
            raise ValidationError(_("The size there was changed meanwhile. Look again. Nothing was changed."))
        if seen is None:
            seen = LesionObservation(patient=visit.patient, lesion=measure.lesion, visit=visit)
        if seen.status_change not in PRESENT:
            told = {"lesion": seen.lesion.label, "status": seen.get_status_change_display()}
            raise ValidationError(_("%(lesion)s has no size at that visit: it is “%(status)s”.") % told)
        seen.visit = visit
        _set_size(seen, measure, method)
        save_visit(entry=VisitEntry(visit=visit, observations=[seen]), by=by, now=now)
    return seen


def _set_size(seen: LesionObservation, measure: ImagingMeasure, method: str) -> None:
    """One decimal, as sizes are recorded. A depth joins a size by the same method; else sizes replace each other."""
    value = round(measure.value, 1)  # type: ignore[call-overload]
    if measure.measured == MeasureKind.DEPTH:
        if seen.size_method != method:
            seen.length_mm = seen.width_mm = None
        seen.depth_mm = value
    else:
        seen.length_mm = value
        seen.width_mm = None if measure.across_mm is None else round(measure.across_mm, 1)
        if seen.size_method != method:
            seen.depth_mm = None
    seen.size_method = method


def facts(measure: ImagingMeasure) -> dict[str, Any]:
    """What the viewer draws."""
    return {
        "id": measure.public_id,
        "kind": measure.measured,
        "frame": measure.frame,
        "points": measure.points,
        "text": measure.said,
        "lesion": measure.lesion.label if measure.lesion else "",
        "version": measure.version,
        "known": float(measure.value) if measure.measured == MeasureKind.SCALE and measure.value else None,
    }
