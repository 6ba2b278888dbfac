"""A person's word that nothing in a picture tells who it is of: without it, only a file that says so itself leaves.

Keyword-only verbs. The word is of the bytes that were looked at; it is taken back with a reason, and both stand in the
trail with who and when.
"""

from __future__ import annotations

import datetime

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as __

from calcinosis_registry.accounts.models import User
from calcinosis_registry.audit import trail
from lesions.models import FileKind, ImagingFile

STATEMENT = __("No name, number, face or other identifying mark is visible in this picture.")


def why_not_cleared(file: ImagingFile) -> str:
    """Why nobody can say it of this file; "" where a person may look and say it."""
    if file.kind_of_file == FileKind.PDF:
        return _("A report names the person: its pages never leave.")
    if not file.has_preview:
        return _("The picture cannot be shown, so nobody can look through it.")
    if (file.header or {}).get("recognizable"):
        return _("The file says that a face or a body can be recognized in the picture: it never leaves.")
    return ""


def clear(*, file: ImagingFile, said: bool, by: User, now: datetime.datetime) -> None:
    """``said``: the person made the statement. Raises ValidationError in words."""
    if not said:
        raise ValidationError(_("Look at the whole picture and make the statement. Nothing was kept."))
    with trail.together(), trail.because(str(STATEMENT)):
        file = ImagingFile.objects.select_for_update().get(pk=file.pk)
        if why := why_not_cleared(file):
            raise ValidationError(why)
        if file.is_cleared:
            raise ValidationError(_("Somebody has said so already."))
        file.cleared_by, file.cleared_at, file.cleared_sha256 = by, now, file.sha256
        file.save()


def take_back(*, file: ImagingFile, reason: str) -> None:
    """From now on the picture stays here, also in files made and not yet taken. Raises ValidationError in words."""
    if not reason.strip():
        raise ValidationError(_("Say why it is taken back. Nothing was changed."))
    with trail.together(), trail.because(reason.strip()):
        file = ImagingFile.objects.select_for_update().get(pk=file.pk)
        if file.cleared_at is None:
            raise ValidationError(_("Nobody has said it, or it is taken back already."))
        file.cleared_by, file.cleared_at, file.cleared_sha256 = None, None, ""
        file.save()
