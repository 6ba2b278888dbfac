"""Stored files on their way out: rendered pictures for pages, originals only as a download."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from calcinosis_registry.audit import trail
from calcinosis_registry.audit.models import Action
from calcinosis_registry.clinics.policy import one_visible
from calcinosis_registry.clinics.roles import Permission
from lesions import storage
from lesions.imaging import remove_file
from lesions.models import ImagingFile

GUARDED = {
    "Cache-Control": "private, no-store",
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def picture(png: Any) -> HttpResponseBase:
    """A rendered picture (bytes or an open file)."""
    kind = FileResponse if hasattr(png, "read") else HttpResponse
    return kind(png, content_type="image/png", headers=GUARDED)


def _file(request: HttpRequest, public_id: str, needed: Permission) -> ImagingFile:
    rows = ImagingFile.objects.visible_to(request.user, Permission.VIEW_RECORDS)
    return one_visible(
        rows.select_related("study__patient", "study__visit"), request.user, needed, public_id=public_id
    )  # fmt: skip


def _opened(file: ImagingFile, kind: str) -> Any:
    try:
        return storage.path_of(file.sha256, settings.FILES_DIR, kind).open("rb")
    except FileNotFoundError:
        raise Http404 from None


@require_safe
def preview(request: HttpRequest, public_id: str) -> HttpResponseBase:
    """At most 1600 pixels a side."""
    return picture(_opened(_file(request, public_id, Permission.VIEW_RECORDS), "preview"))


@require_safe
def thumbnail(request: HttpRequest, public_id: str) -> HttpResponseBase:
    """At most 320 pixels a side."""
    return picture(_opened(_file(request, public_id, Permission.VIEW_RECORDS), "thumbnail"))


@require_safe
def download(request: HttpRequest, public_id: str) -> HttpResponseBase:
    """The stored file. A DICOM header or a report names the person: so this is a reading of an identity, and told."""
    file = _file(request, public_id, Permission.SEE_IDENTITY)
    content, media_type = _opened(file, "original"), file.media_type
    trail.tell(Action.READ, about=file, changes={"shown": "stored file"})
    return FileResponse(content, as_attachment=True, filename=file.name, content_type=media_type, headers=GUARDED)


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
