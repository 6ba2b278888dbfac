"""Write transactions stand in a queue, across threads and processes.

SQLite lets one write at a time; the others sleep and try again, longer each time, so the unlucky wait for seconds while
newcomers pass. A file lock taken before BEGIN IMMEDIATE wakes them in their order instead (performance.md, design 5).
The lock is the kernel's: it goes with the process that held it, however that ended.
"""

from __future__ import annotations

import fcntl
import os
import threading
from typing import Any

from django.db.backends.sqlite3 import base
from django.db.utils import OperationalError

WAIT_SECONDS = 20.0  # as long as SQLite's own busy timeout


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
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _wait(handle)
        except BaseException:
            os.close(handle)
            raise
        self._handle = handle

    def give_up(self) -> None:
        if self._handle is not None:
            handle, self._handle = self._handle, None
            os.close(handle)  # and with it the lock


def _wait(handle: int) -> None:
    """A blocking lock keeps the order but knows no time limit: another thread waits, this one watches the clock."""
    got, over, gone = threading.Event(), threading.Lock(), False

    def wait() -> None:
        fcntl.flock(handle, fcntl.LOCK_EX)
        with over:
            got.set()
            if gone:
                os.close(handle)  # nobody waits for it any more

    threading.Thread(target=wait, daemon=True).start()
    if got.wait(WAIT_SECONDS):
        return
    with over:
        gone = not got.is_set()
    if gone:
        raise OperationalError("database is locked: another writer was not done in time")


class DatabaseWrapper(base.DatabaseWrapper):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._turn = Turn(f"{self.settings_dict['NAME']}.queue")

    def _start_transaction_under_autocommit(self) -> None:
        if not self.is_in_memory_db():
            self._turn.take()
        try:
            super()._start_transaction_under_autocommit()
        except BaseException:
            self._turn.give_up()
            raise

    def _commit(self) -> None:
        super()._commit()  # where it fails, Django rolls back
        self._turn.give_up()

    def _rollback(self) -> None:
        try:
            super()._rollback()
        finally:
            self._turn.give_up()

    def _close(self) -> None:
        try:
            super()._close()
        finally:
            self._turn.give_up()
