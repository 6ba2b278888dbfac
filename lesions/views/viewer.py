"""What the viewer in the page asks for: what is known of a picture, and its tiles."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from calcinosis_registry.clinics.policy import one_visible
from calcinosis_registry.clinics.roles import Permission
from lesions import preparing
from lesions.calibration import of_header
from lesions.models import ImagingFile
from lesions.raster import Raster
from lesions.receiving import INSUFFICIENT_STORAGE, not_stored
from lesions.refusal import Refused
from lesions.views.imaging_files import GUARDED


def visible_file(request: HttpRequest, public_id: str, needed: Permission) -> ImagingFile:
    """The file, 404 where it is not the person's."""
    rows = ImagingFile.objects.visible_to(request.user, Permission.VIEW_RECORDS)
    rows = rows.select_related("study__patient__clinic", "study__visit")
    return one_visible(rows, request.user, needed, public_id=public_id)


@require_http_methods(["GET", "HEAD", "POST"])
def raster(request: HttpRequest, public_id: str) -> HttpResponse:
    """What the viewer needs to know. GET never makes anything: without tiles it says so; POST has them made."""
    file = visible_file(request, public_id, Permission.VIEW_RECORDS)
    if not preparing.has_picture(file):
        raise Http404
    if request.method != "POST":
        return JsonResponse(_told(file, preparing.raster_of(file)), headers=GUARDED)
    try:
        made = preparing.prepare(file=file)
    except preparing.Busy:
        return JsonResponse({"busy": True}, status=202, headers=GUARDED)
    except Refused as refused:
        return JsonResponse({"refused": refused.localised()}, status=422, headers=GUARDED)
    except FileNotFoundError:
        raise Http404 from None
    except OSError:
        return JsonResponse({"refused": not_stored()}, status=INSUFFICIENT_STORAGE, headers=GUARDED)
    return JsonResponse(_told(file, made), headers=GUARDED)


def _told(file: ImagingFile, made: Raster | None) -> dict[str, Any]:
    return {
        "raster": made and made.about,
        "tiles": reverse("lesions:imaging_raster", args=[file.public_id]) + "tiles/",
        "calibrations": [one.as_json() for one in of_header(file.header)],
    }


@require_safe
def tile(request: HttpRequest, public_id: str, frame: int, level: int, column: int, row: int) -> HttpResponse:
    """The bytes of one tile, as they are stored."""
    file = visible_file(request, public_id, Permission.VIEW_RECORDS)
    made = preparing.raster_of(file)
    content = made and made.tile(frame, level, column, row)
    if content is None:
        raise Http404
    return HttpResponse(content, content_type="application/octet-stream", headers=GUARDED)
