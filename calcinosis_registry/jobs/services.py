"""Asking for work, running it, cancelling it, and finding again what a killed worker left behind."""

from __future__ import annotations

import datetime
import logging
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from django.core.exceptions import PermissionDenied
from django.core.validators import ProhibitNullCharactersValidator
from django.db import DatabaseError, connection
from django.utils import timezone
from django.utils.translation import gettext as _

from calcinosis_registry.accounts.models import User
from calcinosis_registry.audit import trail
from calcinosis_registry.clinics.policy import roles_text
from calcinosis_registry.jobs.models import Job, State
from calcinosis_registry.room import NoRoom, said_of

log = logging.getLogger(__name__)

Tell = Callable[[str, int, int], None]  # what is being done, how much of it, of how much
# {kind: does the work and gives the address of what came of it}; the rooms above add theirs in AppConfig.ready().
KINDS: dict[str, Callable[[Job, Tell], str]] = {}
# Removes what is too old; the rooms above add theirs in AppConfig.ready().
SWEEPS: list[Callable[[], object]] = []
BEAT = 5.0  # seconds between signs of life
LOST = datetime.timedelta(seconds=30)  # without one the worker is gone
MOST_ATTEMPTS = 3
KEPT = datetime.timedelta(days=30)


class JobRefused(Exception):
    """Why it cannot be done, in a sentence for who asked."""


class Cancelled(Exception):
    """Somebody does not want it any more."""


def ask(*, kind: str, title: str, arguments: dict[str, Any], by: User) -> Job:
    """Put work before the worker."""
    return Job.objects.create(kind=kind, title=title[:200], arguments=arguments, owner=by)


def cancel(*, job: Job, by: User) -> None:
    """A waiting job is over at once, a running one at its next step. Raises PermissionDenied."""
    if job.owner_id != by.pk:
        raise PermissionDenied
    now = timezone.now()
    over = {"state": State.CANCELLED, "finished_at": now}
    if not Job.objects.filter(pk=job.pk, state=State.WAITING).update(**over):
        Job.objects.filter(pk=job.pk, state=State.RUNNING).update(cancel_asked=True)


def reap(*, now: datetime.datetime) -> int:
    """Jobs whose worker gave no sign of life wait again, or have failed too often. Old ones go. Returns how many."""
    lost = Job.objects.filter(state=State.RUNNING, heartbeat_at__lt=now - LOST)
    found = lost.filter(cancel_asked=True).update(state=State.CANCELLED, finished_at=now)
    gone = _("The worker ended while it ran, %(n)s times.") % {"n": MOST_ATTEMPTS}
    found += lost.filter(attempts__gte=MOST_ATTEMPTS).update(state=State.FAILED, finished_at=now, problem=gone)
    found += lost.update(state=State.WAITING, doing="", done=0, of=0)
    Job.objects.filter(finished_at__lt=now - KEPT).delete()
    return found


def sweep() -> None:
    """What is kept no longer goes, also while nobody makes anything new."""
    for one in SWEEPS:
        try:
            one()
        except Exception:
            log.exception("sweep")


def run_next() -> bool:
    """Run the oldest waiting job; False when none waits."""
    while True:
        job = Job.objects.filter(state=State.WAITING).order_by("pk").first()
        if job is None:
            return False
        taken = {"state": State.RUNNING, "attempts": job.attempts + 1, "heartbeat_at": timezone.now()}
        if Job.objects.filter(pk=job.pk, state=State.WAITING).update(**taken):  # another worker may have been quicker
            job.refresh_from_db()
            run(job)
            return True


def run(job: Job) -> None:
    """Do it, in the name of who asked, and write down what came of it."""
    owner = job.owner
    told: dict[str, Any]
    over = threading.Event()
    beats = threading.Thread(target=_beat, args=(job.pk, over), daemon=True)
    beats.start()
    try:
        actor = trail.Actor(id=owner.pk, name=str(owner), role=roles_text(owner), source="worker")
        with trail.acting(actor):
            if not owner.is_active:
                raise JobRefused(_("The account is closed."))
            told = {"state": State.DONE, "result": _address(KINDS[job.kind](job, _teller(job)))}
    except Cancelled:
        told = {"state": State.CANCELLED}
    except (JobRefused, NoRoom) as error:
        told = {"state": State.FAILED, "problem": str(error)}
    except OSError as error:
        log.exception("job %s", job.public_id)
        told = {"state": State.FAILED, "problem": said_of(error)}
    except Exception:
        log.exception("job %s", job.public_id)
        told = {"state": State.FAILED, "problem": _("Something went wrong; the log says what. Nothing was made.")}
    finally:
        over.set()
        beats.join()
    # Only while it is still ours: a worker that was taken for dead does not overwrite what another made of it.
    ours = Job.objects.filter(pk=job.pk, state=State.RUNNING, attempts=job.attempts)
    ours.update(**told, finished_at=timezone.now())


def _address(found: str) -> str:
    """As the table can hold it. What it cannot is a mistake that fails its job and not the worker."""
    Job._meta.get_field("result").run_validators(found)
    ProhibitNullCharactersValidator()(found)
    return found


def _teller(job: Job) -> Tell:
    def tell(doing: str, done: int, of: int) -> None:
        """Raises Cancelled when that was asked for."""
        Job.objects.filter(pk=job.pk).update(doing=doing[:80], done=done, of=of, heartbeat_at=timezone.now())
        if Job.objects.filter(pk=job.pk, cancel_asked=True).exists():
            raise Cancelled

    return tell


def _beat(pk: int, over: threading.Event) -> None:
    """Signs of life between two steps, however long one takes."""
    try:
        while not over.wait(BEAT):
            # Away or busy for a moment: the next beat counts.
            with suppress(DatabaseError):
                Job.objects.filter(pk=pk).update(heartbeat_at=timezone.now())
    finally:
        connection.close()
