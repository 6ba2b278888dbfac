"""The visit page: one page, one save; complete and sign follow."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import IntegrityError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from calcinosis_registry.audit import trail
from calcinosis_registry.clinics.policy import clinic_of, may, one_visible
from calcinosis_registry.clinics.roles import Permission
from calcinosis_registry.quality.models import DataQuery
from calcinosis_registry.records import conflict
from calcinosis_registry.records.drafts import Place, keep
from calcinosis_registry.records.keeping import Keeping, compare_page, conflict_page
from lesions.lineage import undo
from lesions.models import Lesion
from lesions.services import save_visit
from lesions.signing import check_visit
from lesions.views.visit_context import context, questions_at
from lesions.visit_entry import VisitPage, add_rule_error, observation_form, part_form
from lesions.visit_rows import patient_rows
from patients.kinds import kinds, visit_kinds
from patients.models import Patient, Signature, Visit, VisitState, VisitType


def _visit(request: HttpRequest, public_id: str, needed: Permission, *, lock: bool = False) -> Visit:
    rows = Visit.objects.visible_to(request.user, Permission.VIEW_RECORDS).select_related(
        "patient__clinic", "signed_by"
    )
    if lock:
        rows = rows.select_for_update(of=("self",))
    return one_visible(rows, request.user, needed, public_id=public_id)


def _keeping(request: HttpRequest, visit: Visit) -> Keeping:
    patient = visit.patient
    address = visit.get_absolute_url() if visit.pk else reverse("lesions:visit_new", args=[patient.public_id])
    subject = visit.public_id if visit.pk else "new"
    place = Place("visit", address, patient.clinic_id, patient.public_id, subject)
    return Keeping(request, place, creating=visit.pk is None)


@require_http_methods(["GET", "HEAD", "POST"])
def new_visit(request: HttpRequest, patient_id: str) -> HttpResponse:
    """An unsaved visit of today. The form carries the visit's future id, so that twenty identical submits make one."""
    patients = Patient.objects.visible_to(request.user, Permission.VIEW_RECORDS).select_related("clinic")
    patient = one_visible(patients, request.user, Permission.EDIT_RECORDS, public_id=patient_id)
    visits = Visit.objects.visible_to(request.user, Permission.VIEW_RECORDS).filter(patient=patient)
    visit = Visit(patient=patient, visit_date=timezone.localdate())
    visit.visit_type = VisitType.FOLLOW_UP if visits.attended().exists() else VisitType.BASELINE
    keeping = _keeping(request, visit)
    if request.method != "POST":
        _take_token(visit, keeping.bound["public_id"] if keeping.bound and "public_id" in keeping.bound else "")
        return _open(request, visit, keeping)
    with trail.together():
        answer = keeping.claim()
        if answer is None and keeping.refused is None:
            token = request.POST.get("public_id", "")[:22]
            answer = redirect(standing) if (standing := visits.filter(public_id=token).first()) else None
            _take_token(visit, token)
        return answer or keeping.settle(_save(request, visit, keeping))


def _take_token(visit: Visit, token: str) -> None:
    if len(token) == len(visit.public_id) and token.isalnum():
        visit.public_id = token


@require_http_methods(["GET", "HEAD", "POST"])
def visit_page(request: HttpRequest, public_id: str) -> HttpResponse:
    """Read or change one visit; a signed one can only be read."""
    if request.method != "POST":
        visit = _visit(request, public_id, Permission.VIEW_RECORDS)
        return _open(request, visit, _keeping(request, visit))
    with trail.together():
        visit = _visit(request, public_id, Permission.EDIT_RECORDS, lock=True)
        keeping = _keeping(request, visit)
        if answer := keeping.claim():
            return answer
        if visit.is_locked:
            return _locked(request, visit, keeping)
        return keeping.settle(_save(request, visit, keeping))


def _open(request: HttpRequest, visit: Visit, keeping: Keeping) -> HttpResponse:
    """The page as saved, or with a draft on it, or the two side by side."""
    page = VisitPage(visit, patient_rows(visit.patient, visit), keeping.bound)
    if keeping.comparing:
        return compare_page(request, keeping, page.titled_forms, patient=visit.patient)
    keeping.calm(form for _title, form in page.titled_forms)
    return _show(request, page, keeping)


@require_safe
def visit_part(request: HttpRequest, patient_id: str, part: str) -> HttpResponse:
    """The fields of a folded part of the visit page: ``l3`` is more about lesion 3, else a kind of record."""
    patients = Patient.objects.visible_to(request.user, Permission.VIEW_RECORDS)
    patient = one_visible(patients, request.user, Permission.VIEW_RECORDS, public_id=patient_id)
    visit = Visit(patient=patient, visit_date=timezone.localdate())
    if visit_id := request.GET.get("visit"):
        visit = _visit(request, visit_id, Permission.VIEW_RECORDS)
        if visit.patient_id != patient.pk:
            raise Http404
    for lesion, current, previous, _measured in patient_rows(patient, visit):
        if part == f"l{lesion.number}":
            form = observation_form(visit, lesion, current, previous)
            return render(request, "lesions/_lesion_more.html", {"form": form, "prefix": part})
    model = {model.kind(): model for model in visit_kinds() if model.per_visit == 1}.get(part)
    if model is None:
        raise Http404
    return render(request, "lesions/_visit_part.html", {"form": part_form(visit, model), "prefix": part})


def _locked(request: HttpRequest, visit: Visit, keeping: Keeping) -> HttpResponse:
    """Somebody signed the visit while this person was typing: the typing stays a draft."""
    messages.error(request, _("The visit is signed: unlock it first. Nothing was changed."))
    answer = keeping.release(redirect(visit))
    if request.POST.get("draft"):
        keep(page=keeping.page, data=request.POST, now=timezone.now())
    return answer


def _save(request: HttpRequest, visit: Visit, keeping: Keeping) -> HttpResponse:
    page, new = VisitPage(visit, patient_rows(visit.patient, visit), keeping.posted), visit.pk is None
    valid = page.is_valid()
    if keeping.refused:
        keeping.refuse(page.form)
        return _show(request, page, keeping, status=422)
    if page.conflict:
        both = [(title, form) for title, form in page.titled_forms if getattr(form, "conflict", False)]
        clashes = [conflict.clash_of(form, title) for title, form in both]
        return conflict_page(request, clashes, keeping, patient=visit.patient)
    if not valid:
        return _show(request, page, keeping)
    entry = page.entry()
    try:
        with trail.together(), trail.because(conflict.because_of(request.POST)):
            if visit.state in (VisitState.COMPLETE, VisitState.MISSED):
                visit.state = VisitState.OPEN
            save_visit(entry=entry, by=request.user, now=timezone.now())
    except (ValidationError, IntegrityError) as error:
        twins = Visit.objects.visible_to(request.user, Permission.VIEW_RECORDS).filter(patient=visit.patient_id)
        if new and (twin := twins.filter(public_id=visit.public_id).first()):
            return redirect(twin)  # the same form, sent again while the first was still being saved
        if isinstance(error, ValidationError):
            add_rule_error(page, error)
        else:
            page.form.add_error(None, _("This is recorded already: open the visit again. Nothing was saved."))
        return _show(request, page, keeping)
    return _next(request, visit)


def _next(request: HttpRequest, visit: Visit) -> HttpResponse:
    """After a save: complete it, go on to another record, or back to the patient."""
    then = request.POST.get("then", "")
    if then == "complete":
        return _complete(request, visit)
    if then.startswith(UNDO):
        return _undo(request, visit, then.removeprefix(UNDO))
    messages.success(request, _("Visit of %(date)s saved.") % {"date": visit.visit_date})
    if then in kinds():
        return redirect(
            reverse("patients:record_add", args=[visit.patient.public_id, then]) + f"?visit={visit.public_id}"
        )
    if then == "imaging":
        return redirect(reverse("lesions:imaging_add", args=[visit.patient.public_id]) + f"?visit={visit.public_id}")
    return redirect(visit if then == "stay" else visit.patient)


UNDO = "undo-l"


def _undo(request: HttpRequest, visit: Visit, number: str) -> HttpResponse:
    """Take back a merge, a split or a lesion entered by mistake; what was typed beside it is saved before."""
    lesions = Lesion.objects.visible_to(request.user, Permission.EDIT_RECORDS).filter(patient=visit.patient)
    lesion = lesions.filter(number=int(number)).first() if number.isdecimal() and len(number) < 8 else None
    if lesion is None:
        raise Http404  # nothing was saved either
    try:
        messages.success(request, undo(visit=visit, lesion=lesion, by=request.user, now=timezone.now()))
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    return redirect(visit)


def _complete(request: HttpRequest, visit: Visit) -> HttpResponse:
    page = VisitPage(visit, patient_rows(visit.patient, visit))
    missing = page.missing()
    if missing:
        messages.warning(request, _("Everything is saved. To complete the visit, answer what is marked below."))
        return redirect(f"{visit.get_absolute_url()}?check=1")
    visit.state = VisitState.COMPLETE
    save_visit(entry=page.entry(), by=request.user, now=timezone.now())
    messages.success(request, _("Visit of %(date)s is complete.") % {"date": visit.visit_date})
    # What comes next stands where "Complete" stood.
    return redirect(visit if may(request.user, Permission.SIGN, clinic_of(visit)) else visit.patient)


def _show(request: HttpRequest, page: VisitPage, keeping: Keeping, status: int = 200) -> HttpResponse:
    visit = page.visit
    clinic_id = page.patient.clinic_id
    queries = DataQuery.objects.visible_to(request.user, Permission.VIEW_RECORDS).open()
    others = questions_at(page, queries.filter(patient=page.patient.registry_number)) if visit.pk else []
    signatures = Signature.objects.visible_to(request.user, Permission.VIEW_RECORDS).defer("content")
    given = list(signatures.filter(visit=visit.pk)) if visit.pk else []
    details = {
        **context(page, checking=bool(request.GET.get("check"))),
        "keeping": keeping,
        "queries": others,
        "may_ask": bool(visit.pk) and may(request.user, Permission.RAISE_QUERIES, clinic_id),
        "may_edit": may(request.user, Permission.EDIT_RECORDS, clinic_id) and not visit.is_locked,
        "may_sign": may(request.user, Permission.SIGN, clinic_id),
        "checked": check_visit(visit) if visit.is_locked else None,
        "signature": next((one for one in given if one.withdrawn_at is None), None),
        "old_signatures": [one for one in given if one.withdrawn_at],
    }
    return render(request, "lesions/visit.html", details, status=status)
