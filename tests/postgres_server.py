"""Run a command against a PostgreSQL server of its own: ``python tests/postgres_server.py -- make test``.

The server lives in a temporary directory on a free port of 127.0.0.1, trusts everybody on this machine and does not
wait for the disk: for tests only. The command finds it in ``DATABASE_URL``; the exit status is the command's.
"""

from __future__ import annotations

import glob
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

FAST_AND_UNSAFE = "-c fsync=off -c synchronous_commit=off -c full_page_writes=off -c max_connections=200"
SAFE = "-c max_connections=100"


class PostgresMissing(Exception):
    """No PostgreSQL server programs on this machine."""


def find_programs() -> Path:
    """Return the directory of initdb and pg_ctl: Debian's newest version, else what is on the path."""
    debian = sorted(glob.glob("/usr/lib/postgresql/*/bin/pg_ctl"), key=lambda path: float(path.split("/")[4]))
    found = debian[-1] if debian else shutil.which("pg_ctl")
    if not found:
        raise PostgresMissing("PostgreSQL is not installed (Debian: apt-get install postgresql)")
    return Path(found).resolve().parent


def server_account() -> pwd.struct_passwd:
    """PostgreSQL refuses to run as root; then the account Debian made for it, else nobody, runs it."""
    if os.geteuid() != 0:
        return pwd.getpwuid(os.geteuid())
    try:
        return pwd.getpwnam("postgres")
    except KeyError:
        return pwd.getpwnam("nobody")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def postgres_server(settings: str = FAST_AND_UNSAFE) -> Iterator[str]:
    """Start a server, yield its DATABASE_URL, stop it and remove its directory. Its data directory can be asked of it.

    Raises PostgresMissing without the programs, subprocess.CalledProcessError when the server does not start.
    """
    programs, account = find_programs(), server_account()
    home = Path(tempfile.mkdtemp(prefix="registry-postgres-"))
    data, log, port = home / "data", home / "log", free_port()
    become: dict[str, Any] = {}
    if os.geteuid() == 0:
        os.chown(home, account.pw_uid, account.pw_gid)
        become = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}

    def run(*command: str | Path) -> None:
        subprocess.run(command, check=True, cwd=home, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, **become)

    initdb = (programs / "initdb", "--pgdata", data, "--username", "registry", "--auth", "trust", "--no-sync")
    options = f"-p {port} -c listen_addresses=127.0.0.1 -k {home} {settings}"
    try:
        run(*initdb, "--encoding", "UTF8", "--locale", "C.UTF-8")
        try:
            run(programs / "pg_ctl", "start", "--pgdata", data, "--wait", "--log", log, "--options", options)
        except subprocess.CalledProcessError:
            print(log.read_text(), file=sys.stderr)
            raise
        try:
            yield f"postgres://registry@127.0.0.1:{port}/postgres"
        finally:
            run(programs / "pg_ctl", "stop", "--pgdata", data, "--mode", "immediate")
    finally:
        shutil.rmtree(home, ignore_errors=True)


def main(arguments: list[str]) -> int:
    """Run ``arguments`` (after an optional ``--``) against a fresh server and return the exit status."""
    command = arguments[1:] if arguments[:1] == ["--"] else arguments
    if not command:
        print("usage: python tests/postgres_server.py -- command [argument ...]", file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))  # so that the server stops, too
    try:
        with postgres_server() as url:
            return subprocess.run(command, env={**os.environ, "DATABASE_URL": url}).returncode
    except PostgresMissing as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
