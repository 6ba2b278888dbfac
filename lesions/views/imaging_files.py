"""Stored files on their way out: rendered pictures for pages, originals only as a download."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from calcinosis_registry.audit import trail
from calcinosis_registry.audit.models import Action
from calcinosis_registry.clinics.policy import one_visible
from calcinosis_registry.clinics.roles import Permission
from calcinosis_registry.records.sending import SentFile
from lesions import storage
from lesions.imaging import remove_file
from lesions.models import ImagingFile

GUARDED = {
    "Cache-Control": "private, no-store",
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def picture(png: bytes) -> HttpResponse:
    """A rendered picture."""
    return HttpResponse(png, content_type="image/png", headers=GUARDED)


def _file(request: HttpRequest, public_id: str, needed: Permission) -> ImagingFile:
    rows = ImagingFile.objects.visible_to(request.user, Permission.VIEW_RECORDS)
    return one_visible(
        rows.select_related("study__patient", "study__visit"), request.user, needed, public_id=public_id
    )  # fmt: skip


def _sent(file: ImagingFile, kind: str, content_type: str = "image/png", name: str = "") -> HttpResponseBase:
    path = storage.path_of(file.sha256, settings.FILES_DIR, kind)
    try:
        return SentFile(path, content_type=content_type, name=name, headers=GUARDED)
    except FileNotFoundError:
        raise Http404 from None


@require_safe
def preview(request: HttpRequest, public_id: str) -> HttpResponseBase:
    """At most 1600 pixels a side."""
    return _sent(_file(request, public_id, Permission.VIEW_RECORDS), "preview")


@require_safe
def thumbnail(request: HttpRequest, public_id: str) -> HttpResponseBase:
    """At most 320 pixels a side."""
    return _sent(_file(request, public_id, Permission.VIEW_RECORDS), "thumbnail")


@require_safe
def download(request: HttpRequest, public_id: str) -> HttpResponseBase:
    """The stored file. A DICOM header or a report names the person: so this is a reading of an identity, and told."""
    file = _file(request, public_id, Permission.SEE_IDENTITY)
    answer = _sent(file, "original", file.media_type, file.name)
    trail.tell(Action.READ, about=file, changes={"shown": "stored file"})
    return answer


@require_POST
def remove(request: HttpRequest, public_id: str) -> HttpResponse:
    """Take away a file uploaded in error, with a reason."""
    file = _file(request, public_id, Permission.EDIT_RECORDS)
    study = file.study
    reason = request.POST.get("reason", "").strip()[:400]
    if not reason:
        messages.error(request, _("Say why it is removed. Nothing was removed."))
        return redirect(study)
    try:
        remove_file(file=file, now=timezone.now(), reason=reason)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, _("The file is removed. What was known of it stays in the history."))
    return redirect(study)
