"""Stop and start the PostgreSQL server behind a URL, as its own account."""

from __future__ import annotations

import os
import shlex
import subprocess
from pathlib import Path
from typing import Any

import psycopg

from tests.postgres_server import find_programs, server_account


def become() -> dict[str, Any]:
    """For subprocess: PostgreSQL refuses to run as root."""
    account = server_account()
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []} if os.geteuid() == 0 else {}


def run(program: str, *arguments: str | Path) -> None:
    subprocess.run(
        [find_programs() / program, *arguments], check=True, cwd="/", stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL, **become(),
    )  # fmt: skip


class PostgresControl:
    def __init__(self, url: str) -> None:
        with psycopg.connect(url) as to:
            self.data = Path(to.execute("SHOW data_directory").fetchone()[0])  # type: ignore[index]
        told = shlex.split((self.data / "postmaster.opts").read_text())[1:]
        self.options = shlex.join(told[2:] if told[0] == "-D" else told)

    def crash(self) -> None:
        """No checkpoint, no goodbye: what a kill -9 of all its processes leaves."""
        run("pg_ctl", "stop", "--pgdata", self.data, "--mode", "immediate")

    def start(self) -> None:
        log = self.data.parent / "log"
        run("pg_ctl", "start", "--pgdata", self.data, "--wait", "--log", log, "--options", self.options)
