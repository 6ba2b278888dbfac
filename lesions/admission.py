"""Before an uploaded file is read: the room of its clinic, the day's number of its account, the scanner, its turn."""

from __future__ import annotations

import datetime
import fcntl
import logging
import os
import shlex
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.db.models import Sum

from calcinosis_registry.accounts.models import User
from calcinosis_registry.audit.models import Action, Event
from lesions.models import ImagingFile
from lesions.refusal import Refused, gettext_noop
from patients.models import Patient

TOO_LARGE, TRY_AGAIN = 413, 503
GB = 10**9
SCAN_SECONDS = 60
TURN_SECONDS = 20
LOOK_AGAIN_SECONDS = 0.05
DAY = datetime.timedelta(days=1)
LOOK_BACK = 100_000  # more files than the whole register gets in a day

log = logging.getLogger(__name__)


def admit(path: Path, *, patient: Patient) -> None:
    """Raises Refused, with the status of the answer, where the file is not even to be read."""
    _check_room(path.stat().st_size, patient)
    _check_viruses(path)


def _check_room(size: int, patient: Patient) -> None:
    """What one clinic may keep; 0 sets no limit. The others are not affected."""
    if not (most := settings.CLINIC_STORAGE_GB):
        return
    kept = ImagingFile.objects.filter(study__patient__clinic=patient.clinic_id)
    if (kept.aggregate(held=Sum("size"))["held"] or 0) + size > most * GB:
        text = gettext_noop("The clinic's files would exceed %(limit)s GB. Nothing was kept; ask for more room.")
        raise Refused(text, limit=most).answered(TOO_LARGE)


def added_today(*, by: User, now: datetime.datetime) -> int:
    """How many files the account added in the last 24 hours, as the trail tells."""
    newest = ImagingFile.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    told = Event.objects.filter(
        model=ImagingFile._meta.label_lower, action=Action.CREATE, actor_id=by.pk, at__gt=now - DAY,
        object_id__gt=newest - LOOK_BACK,  # the index of the trail is by record, not by time
    )  # fmt: skip
    return told.count()


def check_day(added: int) -> None:
    """Raises Refused where one more file is one too many for the account; others are not affected."""
    if settings.FILES_A_DAY and added >= settings.FILES_A_DAY:
        text = gettext_noop("More than %(limit)s files in 24 hours. This one was not kept; go on tomorrow.")
        raise Refused(text, limit=settings.FILES_A_DAY).answered(TOO_LARGE)


def _check_viruses(path: Path) -> None:
    """Whatever VIRUS_SCANNER names reads the file: 0 is clean, 1 is not, anything else is no answer."""
    if not settings.VIRUS_SCANNER:
        return
    command = [*shlex.split(settings.VIRUS_SCANNER), str(path.resolve())]
    try:
        code: int | str = subprocess.run(  # noqa: S603  the command is a setting of whoever runs the register
            command, timeout=SCAN_SECONDS, check=False, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ).returncode  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as problem:
        code = type(problem).__name__
    if code == 1:
        log.warning("the virus scanner refused an upload")
        raise Refused(gettext_noop("The virus scanner refused it. Nothing was kept."))
    if code != 0:
        log.error("the virus scanner gave no answer", extra={"told": {"code": str(code)}})
        text = gettext_noop("It could not be checked for viruses. Nothing was kept; try again in some minutes.")
        raise Refused(text).answered(TRY_AGAIN)


@contextmanager
def turn() -> Iterator[None]:
    """At most PARSERS files are read at a time, whatever process or thread asks. Raises Refused after a while."""
    room = settings.DATA_DIR / "turns"
    room.mkdir(mode=0o700, parents=True, exist_ok=True)
    until = time.monotonic() + TURN_SECONDS
    while (held := _free(room)) is None:
        if time.monotonic() > until:
            text = gettext_noop("Many files are being read just now. Nothing was kept; try again in a minute.")
            raise Refused(text).answered(TRY_AGAIN)
        time.sleep(LOOK_AGAIN_SECONDS)
    try:
        yield
    finally:
        os.close(held)  # and with it the lock; the end of the process does the same


def _free(room: Path) -> int | None:
    for number in range(max(settings.PARSERS, 1)):
        handle = os.open(room / str(number), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            continue
        return handle
    return None
