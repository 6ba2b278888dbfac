"""A register of its own, as in production: a directory, a database, a server process group that can be killed."""

from __future__ import annotations

import datetime
import http.client
import json
import os
import secrets
import shutil
import signal
import socket
import sqlite3
import string
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import psycopg

from tests import tables

ROOT = Path(__file__).resolve().parents[2]
ALPHABET = string.ascii_letters + string.digits
CSRF = "c" * 32
# Everything of the outer run that would change what the register is.
FOREIGN = ("REGISTRY_", "DATABASE_URL", "DJANGO_", "ALLOWED_HOSTS", "EMAIL_URL", "PYTEST_")


@dataclass
class Answer:
    status: int
    headers: Mapping[str, str]
    text: str


@dataclass
class Register:
    """``database``: a DATABASE_URL, or "" for SQLite in ``folder``; ``known``: what seed.py printed."""

    folder: Path
    database: str = ""
    known: dict[str, Any] = field(default_factory=dict)
    more: dict[str, str] = field(default_factory=dict)
    port: int = 0
    server: subprocess.Popen[bytes] | None = None

    @property
    def env(self) -> dict[str, str]:
        env = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(FOREIGN) and not name.endswith("_KEY")
        }
        env |= {"REGISTRY_DATA": str(self.folder), "REGISTRY_INSECURE_HTTP": "1"}
        env |= {"DJANGO_SETTINGS_MODULE": "calcinosis_registry.settings", "EMAIL_URL": "dummymail://"}
        return env | ({"DATABASE_URL": self.database} if self.database else {}) | self.more

    def manage(self, *arguments: str | Path, check: bool = True) -> subprocess.CompletedProcess[str]:
        return self.run("manage.py", *arguments, check=check)

    def run(self, *arguments: str | Path, check: bool = True) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=ROOT,
            env=self.env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )
        assert not check or done.returncode == 0, done.stdout + done.stderr
        return done

    def create(self) -> None:
        """Tables, static files, people and patients."""
        self.manage("collectstatic", "--noinput", "-v0")  # first: a database without its keys is refused
        if not self.database:
            tables.lay(self.folder / "registry.sqlite3")
        self.manage("migrate", "-v0")
        self.known = json.loads(self.run("tests/operations/seed.py").stdout)

    def start(self, *, ready: bool = True) -> None:
        """Start the server, and wait until it answers."""
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        command = [sys.executable, "-m", "gunicorn", "--config", "python:calcinosis_registry.operations.gunicorn_conf",
                   "--bind", f"127.0.0.1:{self.port}", "calcinosis_registry.wsgi"]  # fmt: skip
        with (self.folder / "server.log").open("ab") as log:
            self.server = subprocess.Popen(
                command,
                cwd=ROOT,
                env=self.env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        until = time.monotonic() + 60
        while ready:
            try:
                if self.get("/health/live", "").status == 200:
                    return
            except OSError:
                pass
            assert self.server.poll() is None and time.monotonic() < until, self.log()
            time.sleep(0.05)

    def log(self) -> str:
        return (self.folder / "server.log").read_text()

    def kill(self) -> None:
        """kill -9 of the whole process group: no chance to say goodbye."""
        assert self.server
        os.killpg(self.server.pid, signal.SIGKILL)
        self.server.wait()

    def terminate(self) -> int:
        assert self.server
        self.server.send_signal(signal.SIGTERM)
        return self.server.wait(timeout=45)

    def get(self, path: str, person: str = "clinician0") -> Answer:
        return self.ask("GET", path, person)

    def post(self, path: str, values: Mapping[str, str], person: str = "clinician0") -> Answer:
        return self.ask("POST", path, person, urlencode({"csrfmiddlewaretoken": CSRF, **values}))

    def ask(self, method: str, path: str, person: str, body: str = "", timeout: float = 40) -> Answer:
        """Raises OSError or http.client.HTTPException when there is no whole answer."""
        cookies = f"csrftoken={CSRF}"
        if person:
            cookies += f"; sessionid={self.known['sessions'][person]}"
        headers = {"Cookie": cookies, "Content-Type": "application/x-www-form-urlencoded"}
        to = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            to.request(method, path, body=body.encode() or None, headers=headers)
            answer = to.getresponse()
            return Answer(answer.status, dict(answer.headers), answer.read().decode(errors="replace"))
        finally:
            to.close()

    def rows(self, question: str) -> list[tuple[Any, ...]]:
        """The answer of the database itself, past the product."""
        if self.database:
            with psycopg.connect(self.database) as to:
                return to.execute(question).fetchall()
        with sqlite3.connect(self.folder / "registry.sqlite3", timeout=20) as lite:
            return lite.execute(question).fetchall()

    def without_event(self, public_id: str) -> None:
        """Take the events of a visit away, past everything."""
        change = (
            "DELETE FROM audit_event WHERE model = 'patients.visit' AND object_id = "
            f"(SELECT id FROM patients_visit WHERE public_id = '{public_id}')"
        )
        if self.database:
            with psycopg.connect(self.database) as to:
                # The triggers hold against a replica's session too: only the owner of the table gets past them.
                to.execute("ALTER TABLE audit_event DISABLE TRIGGER ALL")
                to.execute(change)
            return
        with sqlite3.connect(self.folder / "registry.sqlite3") as lite:
            for (name,) in lite.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
                lite.execute(f'DROP TRIGGER "{name}"')
            lite.execute(change)


def days() -> Iterator[str]:
    """Days after the visit at which the lesions were found, one for each further visit of a patient."""
    return (str(datetime.date(2019, 2, 1) + datetime.timedelta(days=n)) for n in range(2800))


def token() -> str:
    """The future id of a visit, as the form carries it."""
    return "".join(secrets.choice(ALPHABET) for _ in range(16))


def a_visit(day: str, public_id: str) -> dict[str, str]:
    """What the browser sends for a visit at which both known lesions were seen."""
    answers = {"version": "0", "status_change": "STABLE", "none_of_these": "on", "length_mm": "9", "width_mm": "7",
               "size_method": "CALIPER"}  # fmt: skip
    return {
        "public_id": public_id, "version": "0", "visit_date": day, "visit_type": "FOLLOW_UP", "calcinosis_present": "Y",
        "pain_nrs": "4", "patient_global": "5", "physician_global": "3", "treatments_changed": "NONE",
        "complications": "NONE",
    } | {f"l{number}-{name}": value for number in (1, 2) for name, value in answers.items()}  # fmt: skip


@contextmanager
def copied(template: Register, folder: Path) -> Iterator[Register]:
    """A register of its own that begins as ``template``, which nobody uses."""
    shutil.copytree(template.folder, folder, ignore=shutil.ignore_patterns("static"))
    (folder / "static").symlink_to(template.folder / "static")
    database = ""
    if template.database:
        name = f"r{secrets.token_hex(6)}"
        with psycopg.connect(template.database.rpartition("/")[0] + "/postgres", autocommit=True) as to:
            to.execute(f"CREATE DATABASE {name} TEMPLATE {urlsplit(template.database).path[1:]}")
            # A copied sequence believes its next 32 numbers logged, as they were for the template: a crash before the
            # next checkpoint would give them out again.
            to.execute("CHECKPOINT")
        database = template.database.rpartition("/")[0] + f"/{name}"
    register = Register(folder, database, template.known)
    try:
        yield register
    finally:
        if register.server and register.server.poll() is None:
            register.kill()
