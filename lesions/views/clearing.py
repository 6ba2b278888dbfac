"""A clinician's word that a picture shows nobody, given below the picture, and taken back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from calcinosis_registry.clinics.policy import may
from calcinosis_registry.clinics.roles import Permission
from lesions.clearing import STATEMENT, clear, take_back, why_not_cleared
from lesions.models import FileKind, ImagingFile
from lesions.views.viewer import visible_file


@dataclass(frozen=True)
class Clearing:
    """What stands below a picture: ``warning`` about its pixels, and the act where this account may do it."""

    file: ImagingFile
    warning: str
    never: str
    may_say: bool
    consents: bool
    statement: str = ""


def clearing_of(file: ImagingFile | None, user: Any) -> Clearing | None:
    """None where there is nothing to say: no picture, or a file that says itself that no name is written in it."""
    if file is None or file.kind_of_file == FileKind.PDF:
        return None
    header, patient = file.header or {}, file.study.patient
    if file.clears_itself and not file.is_cleared:
        return None
    warning = ""
    if header.get("burned_in"):
        warning = _("The file says that names are written in the picture. It is not de-identified.")
    elif header and header.get("burned_in") is None:
        warning = _("The file does not say whether names are written in the picture: do not take it for de-identified.")
    never, allowed = why_not_cleared(file), may(user, Permission.SIGN, patient.clinic_id)
    return Clearing(file, warning, never, allowed and not never, patient.images_consent is True, str(STATEMENT))


@require_POST
def say(request: HttpRequest, public_id: str) -> HttpResponse:
    """Nothing in the picture tells who it is of: said by whoever looked at it."""
    file = visible_file(request, public_id, Permission.SIGN)
    try:
        clear(file=file, said=request.POST.get("said") == "on", by=request.user, now=timezone.now())  # type: ignore[arg-type]
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, _("The picture may go into coded exports of projects that have pictures."))
    return _back(file)


@require_POST
def unsay(request: HttpRequest, public_id: str) -> HttpResponse:
    """Taken back, with a reason."""
    file = visible_file(request, public_id, Permission.SIGN)
    try:
        take_back(file=file, reason=request.POST.get("reason", "")[:400])
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, _("Taken back: the picture stays here."))
    return _back(file)


def _back(file: ImagingFile) -> HttpResponse:
    return redirect(f"{file.study.get_absolute_url()}?file={file.public_id}#clearing")
