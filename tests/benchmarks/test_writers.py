"""32 writers on SQLite: nobody is turned away, and the slowest waits at most three times as long as the usual one."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from pathlib import Path

import pytest
from django.db import connection

from tests.benchmarks.measure import told
from tests.operations.register import ROOT, Register, copied

pytestmark = [pytest.mark.benchmark, pytest.mark.django_db]
PROCESSES, THREADS, SAVES = 4, 8, 8


def storm(register: Register, queue: str) -> tuple[list[float], list[str]]:
    command = [sys.executable, "tests/operations/writers.py"]
    running = [
        subprocess.Popen(
            [*command, str(n), str(THREADS), str(SAVES), queue], cwd=ROOT, env=register.env, stdout=subprocess.PIPE
        )
        for n in range(PROCESSES)
    ]
    answers = [json.loads(one.communicate()[0]) for one in running]
    return [t for one in answers for t in one["took"]], [e for one in answers for e in one["errors"]]


def test_thirty_two_writers_on_sqlite_wait_their_turn(tmp_path: Path):
    if connection.vendor != "sqlite":
        pytest.skip("about SQLite's one writer")
    template = Register(tmp_path / "template")
    template.folder.mkdir()
    template.create()
    figures = {}
    for queue in ("queue", "alone"):
        with copied(template, tmp_path / queue) as register:
            took, errors = storm(register, queue)
        if queue == "queue":
            assert not errors, errors[0]
        ordered = sorted(took)
        figures[queue] = statistics.median(took), ordered[int(0.99 * len(ordered))]
    told(
        "32 writers on SQLite", median_ms=1000 * figures["queue"][0], p99_ms=1000 * figures["queue"][1],
        without_queue_median_ms=1000 * figures["alone"][0], without_queue_p99_ms=1000 * figures["alone"][1],
    )  # fmt: skip
    assert figures["queue"][1] <= 3 * figures["queue"][0]
