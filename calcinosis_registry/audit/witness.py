"""What the database cannot take back: head of the chain, its anchors, and the list of erasures, in files of their own.

They stand in ``WITNESS_DIR``, beside the keys and outside every backup. The head tells a cut-off tail from a chain that
ends there; a restored backup is told whom to erase again.
"""

from __future__ import annotations

import errno
import fcntl
import hmac
import json
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings

ERASURES, ANCHORS = "erasures", "anchors"
log = logging.getLogger(__name__)

_HEAD_BYTES = 256  # one fixed-size record, written in place: the old one or the new one


@dataclass(frozen=True)
class Head:
    """The last event known to have been committed."""

    id: int
    seal: str


class Unreadable(Exception):
    """A file in WITNESS_DIR is not as we left it."""


def head() -> Head | None:
    """None when no event was ever committed here. Raises Unreadable."""
    with _opened("audit-head") as file:
        return _read_head(file)


def note(id: int, seal: str, *, even_back: bool = False) -> None:
    """The chain reaches this event. Later ones may have been noted meanwhile: it only goes back when told to."""
    with _opened("audit-head") as file:
        if not even_back:
            try:
                standing = _read_head(file)
            except Unreadable:
                return  # verify_audit says so; overwriting it here would hide that
            if standing is not None and standing.id >= id:
                return
        body = json.dumps({"id": id, "seal": seal})
        os.pwrite(file, (f"{_mac(body)} {body}".ljust(_HEAD_BYTES - 1) + "\n").encode(), 0)


def _read_head(file: int) -> Head | None:
    text = os.pread(file, _HEAD_BYTES, 0).decode("ascii", "replace").strip()
    if not text:
        return None
    mac, _space, body = text.partition(" ")
    if not hmac.compare_digest(mac, _mac(body)):
        raise Unreadable("audit-head")
    return Head(**json.loads(body))


def remember_erasure(entry: dict[str, Any]) -> None:
    """Add a line to the list of erasures, on the disk before this returns."""
    remember(ERASURES, entry)


def erasures() -> list[dict[str, Any]]:
    """Every erasure there ever was, oldest first. Raises Unreadable."""
    return remembered(ERASURES)


def remember(name: str, entry: dict[str, Any]) -> None:
    """Add a line to one of the lists, on the disk before this returns. After an OSError the list is as it was."""
    body = json.dumps(entry, sort_keys=True)
    line = f"{_mac(body)} {body}\n".encode()
    with _opened(name) as file:
        size = _whole(file, name)
        try:
            written = os.pwrite(file, line, size)
            if written != len(line):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), name)
            os.fsync(file)
        except OSError:
            os.ftruncate(file, size)
            raise


def _whole(file: int, name: str) -> int:
    """Where the next line begins. A torn one, of a machine that went down while writing, was promised to nobody: it is
    cut off, and the log says so."""
    size = os.fstat(file).st_size
    whole = os.pread(file, size, 0).rfind(b"\n") + 1
    if whole != size:
        log.warning(
            "a torn line was cut off a list in WITNESS_DIR", extra={"told": {"list": name, "kept_bytes": whole}}
        )
        os.ftruncate(file, whole)
    return whole


def remembered(name: str) -> list[dict[str, Any]]:
    """The lines of a list, oldest first; a last one that was torn is none. Raises Unreadable."""
    with _opened(name) as file:
        size = os.fstat(file).st_size
        *lines, _torn = os.pread(file, size, 0).decode("utf-8", "replace").split("\n")
    found = []
    for line in lines:
        mac, _space, body = line.partition(" ")
        if not hmac.compare_digest(mac, _mac(body)):
            raise Unreadable(name)
        found.append(json.loads(body))
    return found


def _mac(body: str) -> str:
    return hmac.digest(settings.AUDIT_KEY.encode(), f"witness {body}".encode(), "sha256").hex()


@contextmanager
def _opened(name: str) -> Iterator[int]:
    """The file, locked against the other processes."""
    folder = Path(settings.WITNESS_DIR)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = os.open(folder / name, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield file
    finally:
        os.close(file)
