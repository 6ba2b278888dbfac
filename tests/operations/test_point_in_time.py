"""PostgreSQL's continuous copy, as docs/operations/backup.md has it: back to the second before a mistake."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.operations.postgres_control import run
from tests.postgres_server import SAFE, free_port, postgres_server, server_account

pytestmark = [pytest.mark.django_db, pytest.mark.postgres]


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory of the server's account."""
    found = Path(tempfile.mkdtemp(prefix="registry-wal-"))
    (found / "wal").mkdir()
    if os.geteuid() == 0:
        for path in (found, found / "wal"):
            os.chown(path, server_account().pw_uid, server_account().pw_gid)
    yield found
    shutil.rmtree(found, ignore_errors=True)


def test_back_to_the_second_before_a_mistake(place: Path):
    wal, base = place / "wal", place / "base"
    archive = f"test ! -f {wal}/%f && cp %p {wal}/.%f && sync {wal}/.%f && mv {wal}/.%f {wal}/%f"
    settings = f"{SAFE} -c archive_mode=on -c archive_timeout=60s -c archive_command='{archive}'"
    with postgres_server(settings) as url, psycopg.connect(url, autocommit=True) as to:
        to.execute("CREATE TABLE visit (name text)")
        to.execute("INSERT INTO visit SELECT 'old ' || n FROM generate_series(1, 1000) n")
        options = ["--wal-method=none", "--checkpoint=fast", "--no-password"]
        run("pg_basebackup", f"--dbname={url}", f"--pgdata={base}", *options)
        run("pg_verifybackup", "--no-parse-wal", base)
        to.execute("INSERT INTO visit SELECT 'new ' || n FROM generate_series(1, 500) n")
        moment = to.execute("SELECT clock_timestamp()::text").fetchone()[0]  # type: ignore[index]
        time.sleep(1)
        to.execute("DELETE FROM visit")  # the mistake
        segment = to.execute("SELECT pg_walfile_name(pg_switch_wal())").fetchone()[0]  # type: ignore[index]
        until = time.monotonic() + 60
        while not (wal / segment).exists():
            assert time.monotonic() < until, f"{segment} was not archived: {sorted(os.listdir(wal))}"
            time.sleep(0.1)
    assert not base.joinpath("postmaster.pid").exists(), "the server is gone, its directory too"
    with (base / "postgresql.conf").open("a") as conf:
        conf.write(f"restore_command = 'cp {wal}/%f %p'\nrecovery_target_time = '{moment}'\n")
        conf.write("recovery_target_action = promote\n")
    (base / "recovery.signal").touch()
    port = free_port()
    run("pg_ctl", "start", "--pgdata", base, "--wait", "--log", place / "log",
        "--options", f"-p {port} -c listen_addresses=127.0.0.1 -k {place}")  # fmt: skip
    try:
        with psycopg.connect(f"postgres://registry@127.0.0.1:{port}/postgres") as to:
            counted = (
                "SELECT count(*) FILTER (WHERE name LIKE 'old%'), count(*) FILTER (WHERE name LIKE 'new%') FROM visit"
            )
            assert to.execute(counted).fetchone() == (1000, 500)
    finally:
        run("pg_ctl", "stop", "--pgdata", base, "--mode", "immediate")
