"""A database that is away, a disk that is full: a clear page that keeps the text, and no restart afterwards."""

from __future__ import annotations

import os
import random
import sqlite3
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.operations.browser_form import PageForms
from tests.operations.consistency import assert_self_consistent
from tests.operations.postgres_control import PostgresControl
from tests.operations.register import Register, a_visit, copied, days, token
from tests.operations.test_kill import Ledger, under_load

pytestmark = pytest.mark.django_db


def address(register: Register, number: int = 0) -> str:
    return f"/patients/{register.known['patients'][number]}/visits/new/"


def kept(page: str, typed: dict[str, str]) -> bool:
    forms = PageForms(page).forms
    return bool(forms) and all(forms[0][1].get(name) == [value] for name, value in typed.items())


def away_for(register: Register, seconds: float) -> None:
    control, day = PostgresControl(register.database), days()
    register.start()
    assert register.post(address(register), a_visit(next(day), token())).status == 302
    typed = a_visit(next(day), token())
    control.crash()
    try:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            started = time.monotonic()
            answer = register.post(address(register), typed)
            assert answer.status == 503 and "cannot reach its database" in answer.text
            assert kept(answer.text, typed), "the text is gone"
            assert time.monotonic() - started < 5 * SLOW
            assert register.get("/health/ready", "").status == 503
            assert register.get("/health/live", "").status == 200
    finally:
        control.start()
    back = time.monotonic()
    while register.post(address(register), typed).status != 302:
        assert time.monotonic() - back < 5 * SLOW, "the register did not come back by itself"
    assert register.get("/health/ready", "").status == 200
    register.terminate()
    assert register.rows(f"SELECT COUNT(*) FROM patients_visit WHERE public_id = '{typed['public_id']}'") == [(1,)]
    assert_self_consistent(register)


SLOW = 4  # a busy machine


@pytest.mark.postgres
def test_a_database_away_for_seconds_is_told_and_comes_back(register: Register):
    away_for(register, 4)


@pytest.mark.long
@pytest.mark.postgres
def test_a_database_away_for_a_minute_is_told_and_comes_back(register: Register):
    away_for(register, 60)


def crashes(register: Register, times: int, seed: int) -> None:
    control, dice = PostgresControl(register.database), random.Random(seed)
    ledger = Ledger(register, excused=frozenset({500, 503}))
    register.start()
    for _ in range(times):
        try:
            under_load(ledger, dice, control.crash)
        finally:
            control.start()
        ledger.send_again()
        ledger.check()
    register.terminate()
    assert len(ledger.saved) > times


@pytest.mark.postgres
def test_a_crashed_database_server_loses_nothing_acknowledged(register: Register):
    crashes(register, 3, seed=4)


@pytest.mark.long
@pytest.mark.postgres
def test_a_database_server_crashed_fifty_times_loses_nothing_acknowledged(register: Register):
    crashes(register, 50, seed=5)


def test_a_save_waits_for_another_writer_of_sqlite(register: Register):
    if register.database:
        pytest.skip("PostgreSQL has many writers")
    register.start()
    other = sqlite3.connect(register.folder / "registry.sqlite3", isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    threading.Timer(3, lambda: other.execute("COMMIT")).start()
    started = time.monotonic()
    assert register.post(address(register), a_visit(next(days()), token())).status == 302
    assert time.monotonic() - started > 2.5
    register.terminate()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    place = tmp_path / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=40m", "tmpfs", str(place)]
    if os.geteuid() != 0 or subprocess.run(command, capture_output=True).returncode:
        pytest.skip("a small disk cannot be mounted here")
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


def test_a_full_disk_is_told_and_nothing_is_half_saved(template: Register, small_disk: Path):
    if template.database:
        pytest.skip("the disk of a PostgreSQL server is its own matter")
    with copied(template, small_disk / "data") as register:
        register.start()
        day, saved = days(), []
        filler = small_disk / "filler"
        with filler.open("wb") as file:
            try:
                while True:
                    os.write(file.fileno(), bytes(4096))
            except OSError:
                pass
        refused = None
        for _ in range(200):  # the write-ahead log has some pages left
            typed = a_visit(next(day), token())
            answer = register.post(address(register), typed)
            if answer.status != 302:
                refused = answer
                break
            saved.append(typed["public_id"])
        assert refused is not None and refused.status == 503 and "disk of the register is full" in refused.text
        assert kept(refused.text, typed)
        assert register.get("/health/ready", "").status == 503
        filler.unlink()
        assert register.post(address(register), typed).status == 302, "space is back, and no restart was needed"
        saved.append(typed["public_id"])
        register.terminate()
        there = {name for (name,) in register.rows("SELECT public_id FROM patients_visit")}
        assert set(saved) <= there
        assert_self_consistent(register)
