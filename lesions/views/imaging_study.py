"""One imaging study: its pictures, what the files say, what people say, lesions, measurements, scores."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from calcinosis_registry.audit import trail
from calcinosis_registry.clinics.policy import may, one_visible
from calcinosis_registry.clinics.roles import Permission
from calcinosis_registry.records import conflict
from calcinosis_registry.records.drafts import Place
from calcinosis_registry.records.forms import RecordForm, record_form_class
from calcinosis_registry.records.keeping import Keeping, compare_page, conflict_page
from lesions.hand_reading import CHANGES, change_since
from lesions.hand_record import record_total
from lesions.imaging import not_in_the_files
from lesions.models import HandScore, ImagingFile, ImagingStudy, Lesion, SecondReading
from lesions.models.imaging import XRAY
from lesions.second_reading import first_reading, may_read, readers
from lesions.series import series_of
from lesions.views.clearing import clearing_of
from lesions.views.measuring import rows_of
from patients.services import after_save


def visible_study(request: HttpRequest, public_id: str, needed: Permission, *, lock: bool = False) -> ImagingStudy:
    """The study, 404 where it is not the person's."""
    rows = ImagingStudy.objects.visible_to(request.user, Permission.VIEW_RECORDS).select_related(
        "patient__clinic", "visit"
    )
    if lock:
        rows = rows.select_for_update(of=("self",))
    return one_visible(rows, request.user, needed, public_id=public_id)


@require_http_methods(["GET", "HEAD", "POST"])
def study_page(request: HttpRequest, public_id: str) -> HttpResponse:
    """Read or change a study. One saved by somebody else meanwhile answers 409 and overwrites nothing."""
    if request.method != "POST":
        study = visible_study(request, public_id, Permission.VIEW_RECORDS)
        keeping = _keeping(request, study)
        form = record_form_class(ImagingStudy)(keeping.bound, instance=study)
        if keeping.comparing:
            return compare_page(request, keeping, [(ImagingStudy.title(), form)], patient=study.patient)
        keeping.calm([form])
        return _page(request, study, form, keeping)
    with trail.together():
        study = visible_study(request, public_id, Permission.EDIT_RECORDS, lock=True)
        keeping = _keeping(request, study)
        return keeping.claim() or keeping.settle(_save(request, study, keeping))


def _keeping(request: HttpRequest, study: ImagingStudy) -> Keeping:
    patient = study.patient
    place = Place("study", study.get_absolute_url(), patient.clinic_id, patient.public_id, study.public_id)
    return Keeping(request, place, creating=False)


def _save(request: HttpRequest, study: ImagingStudy, keeping: Keeping) -> HttpResponse:
    form = record_form_class(ImagingStudy)(keeping.posted, instance=study)
    valid = form.is_valid()
    if form.conflict:
        clashes = [conflict.clash_of(form, ImagingStudy.title())]
        return conflict_page(request, clashes, keeping, patient=study.patient)
    with trail.because(conflict.because_of(request.POST)):
        if not valid or not _saved(form):
            return _page(request, study, form, keeping)
    messages.success(request, _("Imaging study saved."))
    return redirect(study)


def _saved(form: RecordForm) -> bool:
    try:
        with trail.together():
            study = form.save()
            after_save(patient=study.patient, records=[study], now=timezone.now())
    except ValidationError as error:
        form.add_error(None, error)
        return False
    return True


def _page(request: HttpRequest, study: ImagingStudy, form: RecordForm, keeping: Keeping) -> HttpResponse:
    clinic_id, user = study.patient.clinic_id, request.user
    files = list(
        ImagingFile.objects.visible_to(user, Permission.VIEW_RECORDS)
        .filter(study=study)
        .select_related("study__patient", "cleared_by")
    )
    stored = ImagingStudy.objects.visible_to(user, Permission.VIEW_RECORDS).get(pk=study.pk)
    missing = not_in_the_files(stored) if files else []
    for name in missing:
        form.fields[name].help_text = " ".join([_("Not in the file."), str(form.fields[name].help_text)]).strip()
    lesions = Lesion.objects.visible_to(user, Permission.VIEW_RECORDS).filter(patient=study.patient_id)
    shown = opened(files, request.GET.get("file", ""))
    context = {
        "study": stored,
        "patient": study.patient,
        "form": form,
        "keeping": keeping,
        "files": files,
        "series": series_of(files),
        "open": shown,
        "clearing": clearing_of(shown, user),
        "facts": _facts(files),
        "named_otherwise": any(file.header.get("named_otherwise") for file in files),
        "missing": [form[name] for name in missing],
        "rows": rows_of(user, stored),
        "drawable": lesions.order_by("number"),
        **(_readings(stored, user) if stored.modality in XRAY else {}),
        "is_radiograph": stored.modality in XRAY,
        "may_edit": may(user, Permission.EDIT_RECORDS, clinic_id),
        "may_see_names": may(user, Permission.SEE_IDENTITY, clinic_id),
    }
    return render(request, "lesions/imaging_study.html", context)


def opened(files: list[ImagingFile], wanted: str) -> ImagingFile | None:
    """The picture in the viewer: the one asked for, or the first."""
    shown = [file for file in files if file.has_preview]
    return next((file for file in shown if file.public_id == wanted), shown[0] if shown else None)


def _readings(study: ImagingStudy, user: Any) -> dict[str, Any]:
    """The readings this account may see, what they make together, and the second readings."""
    rows = HandScore.objects.visible_to(user, Permission.VIEW_RECORDS).filter(study=study)
    scores = list(rows.select_related("rater").prefetch_related("ratings"))
    for one in scores:
        one.since = change_since(one, user=user)  # type: ignore[attr-defined]
        one.scorable = sum(site.scorable for site in one.ratings.all())  # type: ignore[attr-defined]
    seconds = SecondReading.objects.visible_to(user, Permission.VIEW_RECORDS).filter(study=study)
    asked = list(seconds.select_related("reader", "asked_by", "first"))
    blind = next((one for one in asked if one.ended_at is None and one.reader_id == user.pk), None)
    standing = [one for one in scores if one.of_record]
    return {
        "scores": scores,
        "record": record_total([one.total for one in standing if one.total is not None]),
        "record_how": standing[0].get_of_record_display() if standing else "",
        "second_readings": asked,
        "blind": blind,
        "changes": CHANGES,
        "readers": readers(study) if blind is None and may_read(user, study) and first_reading(study) else None,
    }


def _facts(files: list[ImagingFile]) -> list[tuple[str, str]]:
    """(term, words) of what the first DICOM header says; a dash where it says nothing."""
    header = next((file.header for file in files if file.header), None)
    if not header:
        return []
    spacing = header["pixel_spacing"]
    where = {
        "PixelSpacing": _("in the patient"),
        "ImagerPixelSpacing": _("at the detector, so magnified"),
        "SequenceOfUltrasoundRegions": _("ultrasound region"),
    }.get(header["pixel_spacing_from"], "")
    body_part = header["body_part"]
    if body_part and not header["region"]:
        body_part = _("%(term)s (no single region: choose one)") % {"term": body_part}
    return [
        (_("Modality"), header["modality"]),
        (_("Study date"), header["study_date"] or ""),
        (_("Body part"), body_part),
        (_("Side"), {"R": _("right"), "L": _("left")}.get(header["laterality"], "")),
        (_("View"), header["view"]),
        (_("Device"), header["device"]),
        (_("Pixel spacing"), f"{spacing[0]:g} × {spacing[1]:g} mm, {where}" if spacing else ""),
        (_("Names in the picture"), {True: _("yes"), False: _("no")}.get(header["burned_in"], _("not said"))),
    ]
