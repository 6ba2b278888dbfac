"""Add, edit, delete and the history of any clinical record of a patient: one set of pages for every kind."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import IntegrityError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from calcinosis_registry.audit import trail
from calcinosis_registry.clinics.policy import may, one_visible
from calcinosis_registry.clinics.roles import Permission
from calcinosis_registry.quality.models import DataQuery
from calcinosis_registry.records import conflict
from calcinosis_registry.records.display import history
from calcinosis_registry.records.drafts import Place
from calcinosis_registry.records.forms import RecordForm, record_form_class
from calcinosis_registry.records.keeping import Keeping, compare_page, conflict_page
from calcinosis_registry.records.models import Record
from calcinosis_registry.records.questions import place_questions
from patients.kinds import kinds
from patients.models import Patient, PatientRecord, Visit, VisitRecord
from patients.put_back import FOR, UNDELETABLE, put_back, removal
from patients.services import after_save, remove_record


def _model(kind: str) -> type[Record]:
    model = kinds().get(kind)
    if model is None:
        raise Http404
    return model


def _patient(request: HttpRequest, public_id: str, needed: Permission) -> Patient:
    rows = Patient.objects.visible_to(request.user, Permission.VIEW_RECORDS).select_related("clinic")
    return one_visible(rows, request.user, needed, public_id=public_id)


def _record(request: HttpRequest, kind: str, public_id: str, needed: Permission, *, lock: bool = False) -> Any:
    rows = _model(kind).objects.visible_to(request.user, Permission.VIEW_RECORDS)
    if lock:
        rows = rows.select_for_update(of=("self",))
    return one_visible(rows, request.user, needed, public_id=public_id)


@require_http_methods(["GET", "HEAD", "POST"])
def add(request: HttpRequest, patient_id: str, kind: str) -> HttpResponse:
    """A new record; ``?visit=`` ties it to a visit (needed for the kinds that belong to one)."""
    model = _model(kind)
    patient = _patient(request, patient_id, Permission.EDIT_RECORDS)
    visit = None
    if visit_id := request.GET.get("visit"):
        visits = Visit.objects.visible_to(request.user, Permission.VIEW_RECORDS)
        visit = one_visible(visits, request.user, Permission.EDIT_RECORDS, public_id=visit_id, patient=patient)
    if (
        model is Patient
        or not getattr(model, "begins_alone", True)
        or (issubclass(model, VisitRecord) and visit is None)
    ):
        raise Http404
    instance = model(patient=patient, visit=visit)
    if getattr(model, "single", False):
        standing = model.objects.visible_to(request.user, Permission.VIEW_RECORDS).filter(patient=patient).first()
        if standing is not None:
            return redirect("patients:record", kind=kind, public_id=standing.public_id)
    keeping = _keeping(request, instance)
    if request.method != "POST":
        return _opened(request, keeping, instance, adding=True)
    with trail.together():
        return keeping.claim() or keeping.settle(_save(request, keeping, instance, adding=True))


def _keeping(request: HttpRequest, record: Any) -> Keeping:
    patient, kind, visit = record.patient, type(record).kind(), getattr(record, "visit", None)
    if record.pk:
        address, subject = reverse("patients:record", args=[kind, record.public_id]), record.public_id
    else:
        address, subject = reverse("patients:record_add", args=[patient.public_id, kind]), "new"
        if visit is not None:
            address, subject = f"{address}?visit={visit.public_id}", f"new:{visit.public_id}"
    place = Place(kind, address, patient.clinic_id, patient.public_id, subject)
    return Keeping(request, place, creating=record.pk is None)


def _opened(request: HttpRequest, keeping: Keeping, record: Any, *, adding: bool = False) -> HttpResponse:
    """The form as saved, or with a draft in it, or the two side by side."""
    form = record_form_class(type(record))(keeping.bound, instance=record)
    if keeping.comparing:
        return compare_page(request, keeping, [(type(record).title(), form)], patient=record.patient)
    keeping.calm([form])
    return _page(request, form, keeping, record, adding=adding)


def _save(request: HttpRequest, keeping: Keeping, record: Any, *, adding: bool = False) -> HttpResponse:
    form = record_form_class(type(record))(keeping.posted, request.FILES, instance=record)
    valid = form.is_valid()
    if keeping.refused:
        keeping.refuse(form)
        return _page(request, form, keeping, record, adding=adding, status=422)
    if form.conflict:
        return conflict_page(request, [conflict.clash_of(form, type(record).title())], keeping, patient=record.patient)
    with trail.because(conflict.because_of(request.POST)):
        if not valid or not _saved(form, record.patient):
            return _page(request, form, keeping, record, adding=adding)
    messages.success(request, _("%(kind)s saved.") % {"kind": type(record).title()})
    return redirect(_back(record))


@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, kind: str, public_id: str) -> HttpResponse:
    """Read or change one record. A record saved by somebody else meanwhile answers 409 and overwrites nothing."""
    if request.method != "POST":
        record = _record(request, kind, public_id, Permission.VIEW_RECORDS)
        return _opened(request, _keeping(request, record), record)
    with trail.together():
        record = _record(request, kind, public_id, Permission.EDIT_RECORDS, lock=True)
        keeping = _keeping(request, record)
        return keeping.claim() or keeping.settle(_save(request, keeping, record))


def _saved(form: RecordForm, patient: Patient) -> bool:
    """Save form, links, queries and summary in one transaction; a rule broken on the way is shown on the form."""
    try:
        with trail.together():
            record = form.save()
            after_save(patient=patient, records=[record], now=timezone.now())
    except ValidationError as error:
        form.add_error(None, error)
        return False
    except IntegrityError:
        form.add_error(None, _("This is recorded already. Nothing was saved."))
        return False
    return True


@require_safe
def record_history(request: HttpRequest, kind: str, public_id: str) -> HttpResponse:
    """Who changed what, when and why."""
    record = _record(request, kind, public_id, Permission.VIEW_RECORDS)
    context = {"record": record, "patient": record.patient, "told": history(record), "kind": kind}
    return render(request, "records/history.html", context)


@require_POST
def delete(request: HttpRequest, kind: str, public_id: str) -> HttpResponse:
    """Remove a record entered in error; its values stay in the trail. Needs a reason; linked records refuse."""
    reason = request.POST.get("reason", "").strip()
    record = _record(request, kind, public_id, Permission.EDIT_RECORDS)
    back = _back(record)
    if kind in UNDELETABLE:
        raise Http404
    if not reason:
        messages.error(request, _("Say why it is removed. Nothing was removed."))
        return redirect("patients:record", kind=kind, public_id=public_id)
    try:
        remove_record(record=record, by=request.user, now=timezone.now(), reason=reason[:400])
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return redirect("patients:record", kind=kind, public_id=public_id)
    message = _("%(kind)s removed. Its values stay in the history, where it can be put back for %(n)s days.")
    messages.success(request, message % {"kind": type(record).title(), "n": FOR.days})
    return redirect(back)


@require_POST
def put_removed_back(request: HttpRequest, number: int) -> HttpResponse:
    """Take a removal back; ``number`` is that of its event."""
    event = removal(number)
    rows = Patient.objects.visible_to(request.user, Permission.VIEW_RECORDS).select_related("clinic")
    if event is None:
        raise Http404
    patient = one_visible(rows, request.user, Permission.EDIT_RECORDS, registry_number=event.patient)
    try:
        record = put_back(event=event, patient=patient, now=timezone.now())
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return redirect("lesions:patient_history", public_id=patient.public_id)
    messages.success(request, _("%(kind)s put back as it was.") % {"kind": type(record).title()})
    return redirect("patients:record", kind=type(record).kind(), public_id=record.public_id)


def _back(record: Any) -> str:
    return record.seen_at() if isinstance(record, PatientRecord) else record.patient.get_absolute_url()


def _page(
    request: HttpRequest, form: Any, keeping: Keeping, record: Any, *, adding: bool = False, status: int = 200
) -> HttpResponse:
    patient = record.patient
    locked = bool(getattr(record, "visit_id", None) and record.visit.is_locked)
    asked = DataQuery.objects.visible_to(request.user, Permission.VIEW_RECORDS).open()
    context = {
        "form": form,
        "keeping": keeping,
        "patient": patient,
        "record": record,
        "questions": [] if adding else place_questions(form, asked.of_record(record)),
        "may_ask": may(request.user, Permission.RAISE_QUERIES, patient.clinic_id),
        "kind": type(record).kind(),
        "title": type(record).title(),
        "adding": adding,
        "locked": locked,
        "removable": not adding and not locked and type(record).kind() not in UNDELETABLE,
        "back": _back(record),
    }
    return render(request, "records/form.html", context, status=status)
