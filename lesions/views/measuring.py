"""Measurements drawn on a picture: listed, kept, moved, and taken as a lesion's size at a visit."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from calcinosis_registry.audit import trail
from calcinosis_registry.clinics.policy import may, one_visible
from calcinosis_registry.clinics.roles import Permission
from calcinosis_registry.records.conflict import last_told
from lesions import calibration, measuring
from lesions.models import PRESENT, ImagingFile, ImagingMeasure, ImagingStudy, Lesion, LesionObservation, MeasureKind
from lesions.views.imaging_files import GUARDED
from lesions.views.viewer import visible_file
from patients.models import Visit


@dataclass(frozen=True)
class Use:
    """A visit whose size of the lesion a measurement can give. ``standing``: the size there; ``same``: it is this."""

    visit: Visit
    standing: str
    same: bool
    why_not: str


@dataclass(frozen=True)
class Row:
    """A measurement beside the picture: what its millimetres rest on, and where it can be used."""

    measure: ImagingMeasure
    rests_on: str
    uses: list[Use] = field(default_factory=list)


def rows_of(user: Any, study: ImagingStudy) -> list[Row]:
    """The measurements of a study; three queries however many there are."""
    measures = list(
        ImagingMeasure.objects.visible_to(user, Permission.VIEW_RECORDS)
        .filter(study=study)
        .select_related("study__patient", "file__study", "lesion__patient", "measured_by", "scale")
        .order_by("lesion__number", "pk")
    )
    if not any(measuring.size_method(one) for one in measures):
        return [Row(one, _rests_on(one)) for one in measures]
    visits = list(
        Visit.objects.visible_to(user, Permission.VIEW_RECORDS).filter(patient=study.patient_id).order_by("visit_date")
    )
    near = {visit.pk for one in measures for visit in measuring.visits_of(one, visits)}
    observations = LesionObservation.objects.visible_to(user, Permission.VIEW_RECORDS).filter(
        visit__in=near, lesion__in={one.lesion_id for one in measures}
    )
    seen = {(one.lesion_id, one.visit_id): one for one in observations}
    return [Row(one, _rests_on(one), _uses(one, visits, seen)) for one in measures]


def _rests_on(measure: ImagingMeasure) -> str:
    if not measure.is_drawn or measure.measured in (MeasureKind.MARK, MeasureKind.SCALE):
        return ""
    if measure.scale is not None:
        return _("By a known length of %(mm)s mm") % {"mm": measure.scale.value}
    found = calibration.of_header(measure.file.header)  # type: ignore[union-attr]
    by = calibration.fitting(found, [(float(x), float(y)) for x, y in measure.points])
    return by.words if by else measure.get_calibrated_by_display()


def _uses(
    measure: ImagingMeasure, visits: list[Visit], seen: dict[tuple[int | None, int], LesionObservation]
) -> list[Use]:
    found = []
    for visit in measuring.visits_of(measure, visits):
        there = seen.get((measure.lesion_id, visit.pk))
        why_not = ""
        if visit.is_locked:
            why_not = _("The visit of %(day)s is signed.") % {"day": visit.visit_date}
        elif there is not None and there.status_change not in PRESENT:
            why_not = _("At the visit of %(day)s: %(status)s.") % {
                "day": visit.visit_date, "status": there.get_status_change_display()
            }  # fmt: skip
        found.append(Use(visit, measuring.size_words(there), _is_there(measure, there), why_not))
    return found


def _is_there(measure: ImagingMeasure, there: LesionObservation | None) -> bool:
    if there is None or there.size_method != measuring.size_method(measure):
        return False
    if measure.measured == MeasureKind.DEPTH:
        return there.depth_mm == round(measure.value, 1)  # type: ignore[call-overload, no-any-return]
    across = None if measure.across_mm is None else round(measure.across_mm, 1)
    return (there.length_mm, there.width_mm) == (round(measure.value, 1), across)  # type: ignore[call-overload]


@require_http_methods(["GET", "HEAD", "POST"])
def measures(request: HttpRequest, public_id: str) -> HttpResponse:
    """What is drawn on a picture; POST keeps one more."""
    if request.method != "POST":
        return _list(request, visible_file(request, public_id, Permission.VIEW_RECORDS))
    file = visible_file(request, public_id, Permission.EDIT_RECORDS)
    sent = request.POST
    try:
        made = measuring.draw(
            file=file, kind=sent.get("kind", ""), frame=_frame(sent.get("frame", "")),
            points=measuring.read_points(sent.get("points", "")), lesion=_lesion(request, file, sent.get("lesion", "")),
            scale=_scale(request, file, sent.get("scale", "")), known_mm=_millimetres(sent.get("known", "")),
            by=request.user, now=timezone.now(),  # type: ignore[arg-type]
        )  # fmt: skip
    except ValidationError as error:
        return _problem(error)
    return _list(request, file, said=_("Kept: %(measure)s") % {"measure": made}, status=201)


@require_POST
def redraw(request: HttpRequest, public_id: str) -> HttpResponse:
    """Move the points of a measurement, with a reason; one changed by somebody else meanwhile answers 409."""
    with trail.together():
        measure = _measure(request, public_id, Permission.EDIT_RECORDS, lock=True)
        if not measure.is_drawn:
            raise Http404
        if request.POST.get("version", "") != str(measure.version):
            last = last_told(measure)
            told = {"who": last.actor_name if last else _("Somebody else"), "now": measure.said}
            text = (
                _(
                    "%(who)s changed it meanwhile: it is %(now)s now. Nothing was overwritten. What you drew stays "
                    "on the picture until you load the page again."
                )
                % told
            )
            return JsonResponse({"problem": text}, status=409, headers=GUARDED)
        try:
            measuring.redraw(
                measure=measure, points=measuring.read_points(request.POST.get("points", "")),
                reason=request.POST.get("reason", "").strip()[:400], by=request.user, now=timezone.now(),  # type: ignore[arg-type]
            )  # fmt: skip
        except ValidationError as error:
            return _problem(error)
    return _list(request, measure.file, said=_("Kept: %(measure)s") % {"measure": measure})  # type: ignore[arg-type]


@require_POST
def use(request: HttpRequest, public_id: str) -> HttpResponse:
    """Make it the lesion's size at a visit."""
    measure = _measure(request, public_id, Permission.EDIT_RECORDS)
    visits = Visit.objects.visible_to(request.user, Permission.VIEW_RECORDS).filter(patient=measure.patient_id)
    visit = one_visible(visits, request.user, Permission.EDIT_RECORDS, public_id=request.POST.get("visit", ""))
    try:
        measuring.use_as_size(
            measure=measure, visit=visit, instead_of=request.POST.get("instead_of", ""), by=request.user,  # type: ignore[arg-type]
            now=timezone.now(),
        )  # fmt: skip
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        told = {"lesion": measure.lesion.label, "size": measure.said, "day": visit.visit_date}  # type: ignore[union-attr]
        messages.success(request, _("%(lesion)s is %(size)s at the visit of %(day)s.") % told)
    return redirect(measure.study)  # type: ignore[arg-type]


def _measure(request: HttpRequest, public_id: str, needed: Permission, *, lock: bool = False) -> ImagingMeasure:
    rows = ImagingMeasure.objects.visible_to(request.user, Permission.VIEW_RECORDS)
    if lock:
        rows = rows.select_for_update(of=("self",))
    return one_visible(rows, request.user, needed, public_id=public_id)


def _lesion(request: HttpRequest, file: ImagingFile, public_id: str) -> Lesion | None:
    """A lesion of the same patient; another is a 404, as if there were none such."""
    if not public_id:
        return None
    rows = Lesion.objects.visible_to(request.user, Permission.VIEW_RECORDS).filter(patient=file.study.patient_id)
    return one_visible(rows, request.user, Permission.EDIT_RECORDS, public_id=public_id)


def _scale(request: HttpRequest, file: ImagingFile, public_id: str) -> ImagingMeasure | None:
    if not public_id:
        return None
    rows = ImagingMeasure.objects.visible_to(request.user, Permission.VIEW_RECORDS).filter(file=file)
    return one_visible(rows, request.user, Permission.EDIT_RECORDS, public_id=public_id)


def _frame(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 7):
        raise ValidationError({"frame": _("Which frame?")})
    return int(text)


def _millimetres(text: str) -> Decimal | None:
    """Decimal comma and point both understood."""
    if not text.strip():
        return None
    try:
        value = Decimal(text.strip().replace(",", "."))
    except InvalidOperation as problem:
        raise ValidationError({"value": _("Give the known length in mm, such as 23.25.")}) from problem
    if not value.is_finite() or not 0 < value < 1000:
        raise ValidationError({"value": _("A known length lies between 0 and 1000 mm.")})
    return round(value, 2)


def _problem(error: ValidationError) -> JsonResponse:
    """422: what is wrong, by field; ``problem`` in one sentence."""
    fields = error.message_dict if hasattr(error, "error_dict") else {"": error.messages}
    problem = " ".join(_sentences(fields.values()))
    return JsonResponse({"problem": problem, "errors": fields}, status=422, headers=GUARDED)


def _sentences(lists: Iterable[list[str]]) -> list[str]:
    return [text for texts in lists for text in texts]


def _list(request: HttpRequest, file: ImagingFile, *, said: str = "", status: int = 200) -> JsonResponse:
    rows = rows_of(request.user, file.study)
    drawn = [one.measure for one in rows if one.measure.file_id == file.pk and one.measure.is_drawn]
    edits = may(request.user, Permission.EDIT_RECORDS, file.study.patient.clinic_id)
    words = render_to_string("lesions/_measures.html", {"rows": rows, "may_edit": edits, "open": file}, request)
    told = {"measures": [measuring.facts(one) for one in drawn], "list": words, "said": said}
    return JsonResponse(told, status=status, headers=GUARDED)
