"""Uploads on their way in: cut off when they grow too large, and told when the disk has no room, before any view runs.

Django's own handler lets a full disk end in a server error, writes any number of gigabytes, and writes for anybody.
What went wrong stands in ``request.upload_problem`` as (status, sentence); the view answers with it.
"""

from __future__ import annotations

import contextlib
import logging
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import SkipFile, StopUpload, TemporaryFileUploadHandler
from django.utils.translation import gettext as _

from lesions.archive import MAX_ARCHIVE_BYTES

MAX_REQUEST_BYTES = 2 * MAX_ARCHIVE_BYTES
INSUFFICIENT_STORAGE, TOO_LARGE = 507, 413

log = logging.getLogger(__name__)


def not_stored() -> str:
    """What a person reads when there was no room."""
    return _("It could not be stored: the disk may be full. Nothing was kept.")


class CarefulUploadHandler(TemporaryFileUploadHandler):
    """The handler behind Django's for small files, which stay in memory."""

    received = 0

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        if not self.request.user.is_authenticated:  # type: ignore[union-attr]
            raise SkipFile  # nothing is written for somebody who is not signed in
        try:
            super().new_file(*args, **kwargs)
        except OSError as problem:
            self._no_room(problem)

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        self.received += len(raw_data)
        if start + len(raw_data) > MAX_ARCHIVE_BYTES or self.received > MAX_REQUEST_BYTES:
            limit = {"limit": MAX_ARCHIVE_BYTES // 10**6}
            self._stop(TOO_LARGE, _("The file is larger than %(limit)s MB.") % limit, reset=True)
        try:
            super().receive_data_chunk(raw_data, start)
            self.file.flush()  # else a full disk shows when nobody listens any more
        except OSError as problem:
            self._no_room(problem)

    def file_complete(self, file_size: int) -> UploadedFile | None:
        try:
            return super().file_complete(file_size)
        except OSError as problem:
            self._no_room(problem)
            return None

    def _no_room(self, problem: OSError) -> None:
        log.error("An upload could not be received: %s", problem)
        self._stop(INSUFFICIENT_STORAGE, not_stored(), reset=False)

    def _stop(self, status: int, text: str, *, reset: bool) -> None:
        self.request.upload_problem = (self.file_name or "", status, text)  # type: ignore[union-attr, attr-defined]
        if hasattr(self, "file"):
            with contextlib.suppress(OSError):  # what is still to be written finds no room either
                self.file.close()
        raise StopUpload(connection_reset=reset)
