"""Chapters and PDFs that were made, kept beside the snapshots for every process to find; an erasure takes them along.

A file holds what was made, the end of the trail it was read at, and a seal: what this register did not write is not
read.
"""

from __future__ import annotations

import datetime
import hmac
import logging
import os
import pickle
import secrets
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from django.db.models import Q
from django.utils.crypto import salted_hmac

from calcinosis_registry import __version__, cohorts
from calcinosis_registry.audit.models import Action, Event
from calcinosis_registry.cohorts.snapshot import building, changes
from patients.models import Patient
from patients.models.patient import Status

log = logging.getLogger(__name__)
LONGEST, MOST = 7 * 86_400, 500_000_000  # seconds one is kept; bytes of all
SEAL = sha256().digest_size


@dataclass(frozen=True)
class Head:
    """The end of the trail that something was read at, and when."""

    event: int
    seal: str
    at: float

    @classmethod
    def now(cls) -> Head:
        event, seal = Event.objects.order_by("-pk").values_list("pk", "seal").first() or (0, "")
        return cls(event, seal, time.time())

    @property
    def when(self) -> datetime.datetime:
        return datetime.datetime.fromtimestamp(self.at, datetime.UTC)

    @property
    def is_current(self) -> bool:
        """Nothing that a report is made of was written since."""
        return not changes.since(self.event, self.seal)

    @property
    def somebody_left(self) -> bool:
        """Consent withdrawn, opted out or erased since: what tells of that person is not shown any more."""
        if self.event and not Event.objects.filter(pk=self.event, seal=self.seal).exists():
            return True
        later = Event.objects.filter(pk__gt=self.event)
        withdrawn = Q(changes__research_consent__1=False) | Q(changes__status__1=Status.OPTED_OUT)
        left = Q(withdrawn, action=Action.CHANGE, model=Patient._meta.label_lower) | Q(action=Action.ERASE)
        return later.filter(left).exists()


def name_of(*told: Any) -> str:
    """What is kept under the same name was asked in the same way of the same program."""
    return sha256(repr((_program(), *told)).encode()).hexdigest()


@cache
def _program() -> str:
    """Another version counts or draws otherwise: what an older one made is forgotten. Whom it counts and how exactly is
    told by the cohorts' rules."""
    rooms = (Path(__file__).parent, Path(cohorts.__file__).parent)
    here = sorted(path for room in rooms for path in room.rglob("*.py"))
    return sha256(b"".join([__version__.encode(), *(path.read_bytes() for path in here)])).hexdigest()


def folder() -> Path:
    return building.root() / "reports"


def get(name: str) -> tuple[Head, Any] | None:
    path = folder() / name
    try:
        if time.time() - path.stat().st_mtime > LONGEST:
            return None
        content = path.read_bytes()
    except OSError:
        return None
    seal, told = content[:SEAL], content[SEAL:]
    if not hmac.compare_digest(seal, _seal(told)):
        return None
    head, made = pickle.loads(told)  # noqa: S301  sealed by this register
    return head, made


def put(name: str, head: Head, made: Any) -> None:
    """A disk that is full or read-only keeps nothing: what was made is shown, and made anew at the next look."""
    told = pickle.dumps((head, made))
    whole, half = folder() / name, folder() / f".{name}-{secrets.token_hex(4)}"
    try:
        folder().mkdir(parents=True, exist_ok=True, mode=0o700)
        with os.fdopen(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(_seal(told) + told)
        half.replace(whole)
    except OSError:
        log.exception("a report is not kept")
        with suppress(OSError):
            half.unlink()
        return
    if head.somebody_left:  # while it was made: what took the others along did not find this one
        with suppress(OSError):
            whole.unlink()
    sweep()


def _seal(told: bytes) -> bytes:
    return salted_hmac("calcinosis_registry.reports.kept", told, algorithm="sha256").digest()


def sweep() -> None:
    """What is too old goes, and of the rest the oldest until all have room."""
    room = MOST
    for at, size, path in sorted(_files(), reverse=True):
        room -= size
        if room < 0 or time.time() - at > LONGEST:
            with suppress(OSError):
                path.unlink()


def _files() -> Iterator[tuple[float, int, Path]]:
    try:
        there = list(folder().iterdir())
    except OSError:  # nothing was kept yet, or an erasure has just taken all along
        return
    for path in there:
        with suppress(OSError):
            told = path.stat()
            yield told.st_mtime, told.st_size, path
