"""One lesion on all its pictures, and two studies of a patient side by side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from calcinosis_registry.clinics.policy import may, one_visible
from calcinosis_registry.clinics.roles import Permission
from lesions.models import ImagingFile, ImagingMeasure, ImagingStudy, Lesion
from lesions.pictures import sights
from patients.models import Patient

SIDES = ("left", "right")


@require_safe
def lesion_pictures(request: HttpRequest, public_id: str) -> HttpResponse:
    """By date, each cut out around the lesion and, where the scale is known, all in the same millimetres."""
    user = request.user
    lesions = Lesion.objects.visible_to(user, Permission.VIEW_RECORDS).select_related("patient__clinic")
    lesion = one_visible(lesions, user, Permission.VIEW_RECORDS, public_id=public_id)
    measures = list(_measures(user).filter(lesion=lesion))
    studies = ImagingStudy.objects.visible_to(user, Permission.VIEW_RECORDS).filter(
        Q(lesions=lesion) | Q(pk__in={one.study_id for one in measures}), patient=lesion.patient_id
    )
    found = list(studies.distinct())
    files = ImagingFile.objects.visible_to(user, Permission.VIEW_RECORDS).filter(study__in=found, has_preview=True)
    context = {
        "lesion": lesion,
        "patient": lesion.patient,
        "sights": sights(found, files.order_by("pk"), measures),
    }
    return render(request, "lesions/lesion_pictures.html", context)


def _measures(user: Any) -> Any:
    rows = ImagingMeasure.objects.visible_to(user, Permission.VIEW_RECORDS)
    return rows.select_related("file__study", "scale", "study", "lesion").order_by("pk")


@dataclass(frozen=True)
class Pair:
    """A lesion drawn on either picture, and what was measured of it there."""

    lesion: Lesion
    left: list[ImagingMeasure]
    right: list[ImagingMeasure]


@require_safe
def compare(request: HttpRequest, patient_id: str) -> HttpResponse:
    """Two pictures of a patient beside each other; without a choice the two newest studies."""
    user = request.user
    patients = Patient.objects.visible_to(user, Permission.VIEW_RECORDS).select_related("clinic")
    patient = one_visible(patients, user, Permission.VIEW_RECORDS, public_id=patient_id)
    rows = ImagingFile.objects.visible_to(user, Permission.VIEW_RECORDS).filter(
        study__patient=patient, has_preview=True
    )
    files = sorted(rows.select_related("study"), key=lambda one: (str(one.study.study_date or ""), one.pk))
    left, right = _chosen(request, files)
    lesions = Lesion.objects.visible_to(user, Permission.VIEW_RECORDS).filter(patient=patient)
    context = {
        "patient": patient,
        "files": files,
        "sides": [(side, file) for side, file in zip(SIDES, (left, right), strict=True) if file is not None],
        "chosen": {"left": left, "right": right},
        "pairs": _pairs(user, left, right),
        "drawable": lesions.order_by("number"),
        "may_edit": may(user, Permission.EDIT_RECORDS, patient.clinic_id),
    }
    return render(request, "lesions/compare.html", context)


def _chosen(request: HttpRequest, files: list[ImagingFile]) -> tuple[ImagingFile | None, ImagingFile | None]:
    """What the address asks for (404 for what is not the patient's), else the newest picture and the one before it, of
    another study."""
    by_id = {one.public_id: one for one in files}
    asked = [request.GET.get(side, "") for side in SIDES]
    if any(one and one not in by_id for one in asked):
        raise Http404
    right = by_id.get(asked[1]) or (files[-1] if files and asked[0] != files[-1].public_id else None)
    if right is None and files:
        right = next((one for one in reversed(files) if one.public_id != asked[0]), None)
    before = [one for one in files if right and one.study_id != right.study_id]
    left = by_id.get(asked[0]) or (before[-1] if before else None)
    return left, right


def _pairs(user: Any, left: ImagingFile | None, right: ImagingFile | None) -> list[Pair]:
    """The lesions drawn on one of the two, by number."""
    shown = [one for one in (left, right) if one is not None]
    pairs: dict[int, Pair] = {}
    for one in _measures(user).filter(file__in=shown, lesion__isnull=False).order_by("lesion__number", "pk"):
        pair = pairs.setdefault(one.lesion_id, Pair(one.lesion, [], []))
        (pair.left if left and one.file_id == left.pk else pair.right).append(one)
    return list(pairs.values())
