"""Write transactions stand in a queue, across threads and processes.

SQLite lets one write at a time; the others sleep and try again, longer each time, so the unlucky wait for seconds while
newcomers pass. Here each takes a number before BEGIN IMMEDIATE and waits until all before it are done (performance.md,
design 5). A plain file lock is no queue: whoever is awake takes it first, and some waited for 20 seconds.

A number is a byte of a file beside the database, locked by whoever drew it; its turn has come when no byte before it is
locked. The locks are the kernel's: they go with the process that held them, however that ended.
"""

from __future__ import annotations

import fcntl
import os
import struct
import time
from typing import Any

from django.db.backends.sqlite3 import base
from django.db.utils import OperationalError

from calcinosis_registry.operations.sqlite_queue.strict import CHECKS, StrictOperations

WAIT_SECONDS = 20.0  # as long as SQLite's own busy timeout
POLL_SECONDS = 0.002
_COUNTER, _FIRST = struct.Struct("=q"), 64  # the last number drawn stands at the beginning; the numbers' bytes after it


def _lock(handle: int, kind: int, start: int, length: int, *, wait: bool = False) -> bool:
    """One open-file-description lock; False when somebody else has it."""
    told = struct.pack("hhqqi", kind, os.SEEK_SET, start, length, 0)
    try:
        fcntl.fcntl(handle, fcntl.F_OFD_SETLKW if wait else fcntl.F_OFD_SETLK, told)
    except BlockingIOError:
        return False
    return True


class Turn:
    """One connection's place in the queue."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._handle: int | None = None

    def take(self) -> None:
        """Wait for the turn. Raises OperationalError after WAIT_SECONDS."""
        if self._handle is not None:
            return
        handle = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            number = _draw(handle)
            until = time.monotonic() + WAIT_SECONDS
            while number and not _lock(handle, fcntl.F_RDLCK, _FIRST, number):
                if time.monotonic() > until:
                    raise OperationalError("database is locked: other writers were not done in time")
                time.sleep(POLL_SECONDS)
        except BaseException:
            os.close(handle)
            raise
        self._handle = handle

    def give_up(self) -> None:
        if self._handle is not None:
            handle, self._handle = self._handle, None
            os.close(handle)  # and with it the locks


def _draw(handle: int) -> int:
    """The next number, its byte locked before anybody can draw the one after it."""
    _lock(handle, fcntl.F_WRLCK, 0, _COUNTER.size, wait=True)
    try:
        drawn = os.pread(handle, _COUNTER.size, 0)
        number = _COUNTER.unpack(drawn)[0] + 1 if len(drawn) == _COUNTER.size else 0
        _lock(handle, fcntl.F_WRLCK, _FIRST + number, 1, wait=True)
        os.pwrite(handle, _COUNTER.pack(number), 0)
    finally:
        _lock(handle, fcntl.F_UNLCK, 0, _COUNTER.size)
    return number


class DatabaseWrapper(base.DatabaseWrapper):
    ops_class = StrictOperations
    data_type_check_constraints = base.DatabaseWrapper.data_type_check_constraints | CHECKS

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._turn = Turn(f"{self.settings_dict['NAME']}.queue")

    def _start_transaction_under_autocommit(self) -> None:
        if not self.is_in_memory_db():
            self._turn.take()
        try:
            super()._start_transaction_under_autocommit()  # type: ignore[misc]
        except BaseException:
            self._turn.give_up()
            raise

    def _commit(self) -> None:  # where it fails, Django rolls back
        super()._commit()  # type: ignore[misc]
        self._turn.give_up()

    def _rollback(self) -> None:
        try:
            super()._rollback()  # type: ignore[misc]
        finally:
            self._turn.give_up()

    def _close(self) -> None:
        try:
            super()._close()  # type: ignore[misc]
        finally:
            self._turn.give_up()
