"""Upload: several files at once, what became of each, and the question where a file names another person."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from calcinosis_registry.clinics.policy import one_visible
from calcinosis_registry.clinics.roles import Permission
from calcinosis_registry.identity.services import read_identity
from lesions import staging
from lesions.header_match import differences
from lesions.imaging import Intake, Outcome, State, add_files, add_waiting
from lesions.ingest import shown_name
from lesions.models import ImagingStudy
from lesions.views.imaging_files import picture
from patients.models import Patient, Visit


def _patient(request: HttpRequest, public_id: str) -> Patient:
    rows = Patient.objects.visible_to(request.user, Permission.VIEW_RECORDS).select_related("clinic")
    return one_visible(rows, request.user, Permission.EDIT_RECORDS, public_id=public_id)


def _studies(request: HttpRequest, patient: Patient) -> Any:
    return ImagingStudy.objects.visible_to(request.user, Permission.VIEW_RECORDS).filter(patient=patient)


def _intake(request: HttpRequest, patient: Patient, *, visit: str, study: str, joined: str = "") -> Intake:
    """Where the files go. An unknown or foreign visit or study is a 404."""
    intake = Intake(patient=patient, by=request.user, now=timezone.now())  # type: ignore[arg-type]
    studies = _studies(request, patient).select_related("visit")
    if visit:
        visits = Visit.objects.visible_to(request.user, Permission.VIEW_RECORDS).filter(patient=patient)
        intake.visit = one_visible(visits, request.user, Permission.EDIT_RECORDS, public_id=visit)
    if study:
        intake.study = one_visible(studies, request.user, Permission.EDIT_RECORDS, public_id=study)
    if joined:
        intake.photographs = one_visible(studies, request.user, Permission.EDIT_RECORDS, public_id=joined)
    return intake


@require_http_methods(["GET", "HEAD", "POST"])
def add(request: HttpRequest, patient_id: str) -> HttpResponse:
    """Choose files; ``?visit=`` and ``?study=`` say what they belong to. The script sends one file a request."""
    patient = _patient(request, patient_id)
    given = request.POST if request.method == "POST" else request.GET
    intake = _intake(
        request,
        patient,
        visit=given.get("visit", ""),
        study=given.get("study", ""),
        joined=request.POST.get("joined", ""),
    )
    if request.method != "POST":
        return _page(request, intake)
    if intake.visit is not None and intake.visit.is_locked:
        messages.error(request, _("The visit is signed: unlock it first. Nothing was uploaded."))
        return redirect(intake.visit)
    if problem := getattr(request, "upload_problem", None):  # lesions.receiving
        name, status, text = problem
        return _answer(request, intake, [Outcome(shown_name(name), State.REFUSED, text, status=status)])
    uploads = request.FILES.getlist("files")
    if not uploads:
        return _page(request, intake, problem=_("Choose at least one file."))
    return _answer(request, intake, add_files(intake=intake, uploads=uploads))


@require_POST
def confirm(request: HttpRequest, patient_id: str) -> HttpResponse:
    """Take or discard the files that name another person. Taking asks for a reason."""
    patient = _patient(request, patient_id)
    found = [_waiting_file(request, patient, token) for token in request.POST.getlist("staged")[:2000]]
    intake = _intake(request, patient, visit=found[0].visit if found else "", study=found[0].study if found else "")
    if "discard" in request.POST:
        for one in found:
            staging.discard(one)
        count = len(found)
        messages.success(
            request, ngettext("One file discarded.", "%(count)s files discarded.", count) % {"count": count}
        )
        return _page(request, intake)
    reason = request.POST.get("reason", "").strip()[:400]
    if not reason:
        return _page(request, intake, reason_missing=True)
    return _answer(request, intake, add_waiting(intake=intake, staged=found, reason=reason))


@require_safe
def waiting_picture(request: HttpRequest, patient_id: str, token: str) -> HttpResponseBase:
    """The picture of a file that waits for an answer."""
    staged = _waiting_file(request, _patient(request, patient_id), token)
    if not staged.ingested.preview:
        raise Http404
    return picture(staged.ingested.preview)


def _waiting_file(request: HttpRequest, patient: Patient, token: str) -> staging.Staged:
    root = settings.FILES_DIR
    staged = staging.find(token, patient_id=patient.pk, user_id=request.user.pk or 0, root=root)
    if staged is None:
        raise Http404
    return staged


def _answer(request: HttpRequest, intake: Intake, outcomes: list[Outcome]) -> HttpResponse:
    """All well and one study: go there. Otherwise say what became of each file. The script gets the same as parts."""
    studies = {one.file.study for one in outcomes if one.file}
    well = all(one.state is State.ADDED and not one.notes for one in outcomes)
    target = studies.pop().get_absolute_url() if well and len(studies) == 1 else ""
    status = max((one.status for one in outcomes), default=200)
    if request.headers.get("X-Requested-With") != "XMLHttpRequest":
        return redirect(target) if target else _page(request, intake, outcomes=outcomes, status=status)
    parts = {"patient": intake.patient, "outcomes": outcomes, "groups": _waiting(request, intake.patient)[1]}
    return JsonResponse(
        {
            "outcomes": render_to_string("lesions/_upload_outcomes.html", parts, request),
            "waiting": render_to_string("lesions/_upload_waiting.html", parts, request),
            "study": target,
            "joined": intake.photographs.public_id if intake.photographs else "",
        },
        status=status,
    )


def _waiting(request: HttpRequest, patient: Patient) -> tuple[Any, list[dict[str, Any]]]:
    """(identity, groups): waiting files of one study that say the same about the person are one question."""
    staged = staging.waiting(patient_id=patient.pk, user_id=request.user.pk or 0, root=settings.FILES_DIR)
    if not staged:
        return None, []
    identity = read_identity(user=request.user, registry_number=patient.registry_number)  # type: ignore[arg-type]
    named = [(one, differences(one.ingested.header, identity, patient)) for one in staged if one.ingested.header]

    def question(pair: Any) -> str:
        return str((pair[0].ingested.header.study_instance_uid, pair[0].visit, pair[0].study, pair[1]))

    questions = [list(group) for _key, group in groupby(sorted(named, key=question), key=question)]
    found: list[dict[str, Any]] = [
        {"files": [one for one, _why in group], "differences": group[0][1]} for group in questions
    ]
    sent = set(request.POST.getlist("staged"))  # what was just tried and could not be stored keeps its reason
    for group in found:
        typed = bool(sent & {one.token for one in group["files"]})
        group["reason"] = request.POST.get("reason", "")[:400] if typed else ""
    return identity, found


def _page(
    request: HttpRequest, intake: Intake, *, outcomes: list[Outcome] | None = None, problem: str = "",
    status: int = 200, **more: Any,
) -> HttpResponse:  # fmt: skip
    identity, groups = _waiting(request, intake.patient)
    context = {
        "patient": intake.patient,
        "visit": intake.visit,
        "study": intake.study,
        "studies": _studies(request, intake.patient),
        "outcomes": outcomes or [],
        "groups": groups,
        "problem": problem,
        **({"identity": identity} if identity else {}),
        **more,
    }
    return render(request, "lesions/imaging_add.html", context, status=status)
