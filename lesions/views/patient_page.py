"""The patient page: lesions, course and everything else of one patient, in the order a clinician thinks."""

from __future__ import annotations

from hashlib import sha256

from django.db.models import OuterRef
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import get_script_prefix
from django.utils import timezone
from django.utils.translation import get_language
from django.views.decorators.http import require_safe

from calcinosis_registry.clinics.policy import may, one_visible, permissions_in
from calcinosis_registry.clinics.roles import Permission
from calcinosis_registry.quality.models import DataQuery
from lesions.blinding import is_blind
from lesions.patient_file import last_change_of
from lesions.views.kept import Kept, Sections
from lesions.views.patient_sections import course_of, sections_of
from lesions.window import Asked, asked
from patients.listing import record_of
from patients.models import Patient

KEPT = Kept()


@require_safe
def patient_page(request: HttpRequest, public_id: str) -> HttpResponse:
    """A constant number of queries, however many visits, lesions and records there are."""
    rows = Patient.objects.visible_to(request.user, Permission.VIEW_RECORDS).select_related("summary")
    # The seal before the records: what changes in between is then kept under a seal nobody asks for again.
    rows = rows.annotate(seal=last_change_of(OuterRef("registry_number")), blind=is_blind(request.user))
    patient = rows.filter(public_id=public_id).first()
    if patient is None:
        if (record := record_of(rows, public_id=public_id)) is not None:
            return redirect(record)
        raise Http404
    reader = request.user.pk if patient.blind else None  # type: ignore[attr-defined]  # annotated
    may_edit = may(request.user, Permission.EDIT_RECORDS, patient.clinic_id)

    stretch = asked(request.GET, timezone.localdate())

    def make() -> Sections:
        queries = DataQuery.objects.visible_to(request.user, Permission.VIEW_RECORDS).open()
        asked_of = queries.filter(patient=patient.registry_number)
        return sections_of(patient, asked_of, may_edit=may_edit, asked=stretch, reader=reader)

    seal = patient.seal  # type: ignore[attr-defined]  # annotated
    # Kept is the page as it opens; another stretch of the course is drawn for whoever asks.
    sections = KEPT.get(_key(request, patient, seal, reader), make) if seal and stretch == Asked() else make()
    context = {
        "patient": patient,
        "summary": getattr(patient, "summary", None),
        "diagnosis": sections.disease,
        "sections": sections,
        "may_edit": may_edit and patient.registry_consent,
        "may_see_identity": may(request.user, Permission.SEE_IDENTITY, patient.clinic_id),
        "may_answer_person": may(request.user, Permission.ANSWER_PERSON, patient.clinic_id),
        "may_move_patient": may(request.user, Permission.MOVE_PATIENTS, patient.clinic_id),
        "actions": "lesions/_patient_actions.html",
    }
    return render(request, "lesions/patient.html", context)


@require_safe
def course(request: HttpRequest, public_id: str) -> HttpResponse:
    """The course of a patient over a stretch of time, for the page to put in place of what it shows."""
    patients = Patient.objects.visible_to(request.user, Permission.VIEW_RECORDS)
    patient = one_visible(patients, request.user, Permission.VIEW_RECORDS, public_id=public_id)
    return HttpResponse(course_of(patient, asked(request.GET, timezone.localdate()), reader=request.user.pk))


def _key(request: HttpRequest, patient: Patient, seal: str, reader: int | None) -> bytes:
    """A hash of everything the sections depend on. Patient and summary as they are: a repair writes no event."""
    summary = getattr(patient, "summary", None)
    told = (
        seal, reader,
        *(getattr(one, field.attname) for one in (patient, summary) if one for field in one._meta.concrete_fields),
        sorted(permissions_in(request.user, patient.clinic_id)),
        get_language(), timezone.localdate(), timezone.get_current_timezone_name(), get_script_prefix(),
    )  # fmt: skip
    return sha256(repr(told).encode()).digest()
