"""Writers on PostgreSQL at the same time: the trail is one chain under a lock, and still nobody is turned away."""

from __future__ import annotations

import time
from pathlib import Path

import psycopg
import pytest
from django.db import connection

from tests.benchmarks.measure import told
from tests.benchmarks.test_writers import PROCESSES, SAVES, THREADS, storm
from tests.operations.register import Register
from tests.postgres_server import SAFE, postgres_server

pytestmark = [pytest.mark.benchmark, pytest.mark.django_db]
NEEDED = 7  # saves a second of 200 clinicians (trust-cases AVL-02)


def test_thirty_two_writers_on_postgresql_append_to_one_chain(tmp_path: Path):
    if connection.vendor != "postgresql":
        pytest.skip("about PostgreSQL's lock; SQLite's writers are in test_writers.py")
    with postgres_server(SAFE) as url:  # with fsync, as in production
        with psycopg.connect(url, autocommit=True) as to:
            to.execute("CREATE DATABASE writers")
        register = Register(tmp_path / "data", url.rpartition("/")[0] + "/writers")
        register.folder.mkdir()
        register.create()
        began = time.perf_counter()
        took, errors = storm(register, "queue")
        wall = time.perf_counter() - began
        assert not errors, errors[0]
        assert len(took) == PROCESSES * THREADS * SAVES
        said = register.manage("verify_audit").stdout
    rate, ordered = len(took) / wall, sorted(took)
    told(
        "32 writers on PostgreSQL", saves_per_second=rate, median_ms=1000 * ordered[len(ordered) // 2],
        p99_ms=1000 * ordered[int(0.99 * len(ordered))], needed=NEEDED,
    )  # fmt: skip
    assert "events" in said
    assert rate >= NEEDED
