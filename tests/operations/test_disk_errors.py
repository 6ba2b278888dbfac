"""A disk that fails now and then (libfiu makes one call in a hundred fail): what was acknowledged is kept all the same.

Needs Debian's fiu-utils; DISK_ERROR_SECONDS says how long (trust-cases: 600).
"""

from __future__ import annotations

import http.client
import os
import shutil
import subprocess
import threading
import time
from pathlib import Path

import pytest

from tests.operations.register import Register, token
from tests.operations.test_kill import Ledger

SECONDS = int(os.environ.get("DISK_ERROR_SECONDS", "20"))
PRELOADED = [Path("/usr/lib/fiu/fiu_run_preload.so"), Path("/usr/lib/fiu/fiu_posix_preload.so")]
FAILING = "name=posix/io/rw/*,probability=0.01", "name=posix/io/sync/*,probability=0.01"

pytestmark = [pytest.mark.long, pytest.mark.django_db]


class Disk:
    """The calls of the server's processes to the disk, from now on failing or not."""

    def __init__(self, register: Register, folder: Path) -> None:
        self.register, self.prefix = register, folder / "fiu"
        register.more |= {"LD_PRELOAD": " ".join(map(str, PRELOADED)), "FIU_CTRL_FIFO": str(self.prefix)}

    def tell(self, *commands: str) -> None:
        assert self.register.server
        group = os.getpgid(self.register.server.pid)
        for fifo in self.prefix.parent.glob(f"{self.prefix.name}-*.in"):
            pid = int(fifo.stem.rpartition("-")[2])
            try:
                ours = os.getpgid(pid) == group
            except ProcessLookupError:
                continue
            if ours:
                chosen = [part for one in commands for part in ("-c", one)]
                subprocess.run(["fiu-ctrl", "-f", self.prefix, *chosen, str(pid)], check=True, timeout=30)


@pytest.fixture
def disk(register: Register, tmp_path: Path) -> Disk:
    if register.database:
        pytest.skip("the disk of a PostgreSQL server is its own matter")
    if shutil.which("fiu-ctrl") is None or not all(one.exists() for one in PRELOADED):
        pytest.skip("fiu-utils is not installed (Debian: apt-get install fiu-utils)")
    return Disk(register, tmp_path)


def test_a_disk_that_fails_now_and_then_loses_nothing_acknowledged(register: Register, disk: Disk):
    register.start()
    ledger, until = Ledger(register, excused=frozenset({500, 503, 507})), time.monotonic() + SECONDS
    disk.tell(*[f"enable_random {one}" for one in FAILING])
    failed: list[str] = []

    def write(patient: str) -> None:
        while time.monotonic() < until:
            ledger.sent[name := token()] = (patient, next(ledger.days[patient]))
            try:
                ledger.send(name)
            except (OSError, http.client.HTTPException) as problem:
                failed.append(type(problem).__name__)

    clients = [threading.Thread(target=write, args=(one,)) for one in list(ledger.days)[:4]]
    for one in clients:
        one.start()
    for one in clients:
        one.join()
    disk.tell("disable name=posix/io/rw/*", "disable name=posix/io/sync/*")
    acknowledged = len(ledger.saved)
    print(
        f"\n{acknowledged} of {len(ledger.sent)} saves acknowledged while the disk failed, {len(failed)} not answered"
    )
    assert 0 < acknowledged < len(ledger.sent), "nothing failed: the harness proves nothing"
    ledger.send_again()
    register.terminate()
    ledger.check()
    assert ledger.saved == set(ledger.sent), "and when the disk works again, the rest is saved without a restart"
