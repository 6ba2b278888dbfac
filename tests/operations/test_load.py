"""A clinic's day: clinicians read, search and save while others sign in. Nothing acknowledged is lost, nothing fails.

How long, how many and how large are parameters of the environment; the figures of trust.md ("Under load") are

    LOAD_SECONDS=1800 LOAD_PATIENTS=100000 LOAD_LOGINS=200 python tests/postgres_server.py -- \
        pytest -n0 -s -m long tests/operations/test_load.py

Answer times are printed beside their targets and not asserted: the clients here take their part of the same cores.
"""

from __future__ import annotations

import http.client
import json
import os
import random
import secrets
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import psycopg
import pytest
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time

from tests.benchmarks.measure import told
from tests.operations.register import CSRF, Register, a_visit, days, token

SECONDS = int(os.environ.get("LOAD_SECONDS", "60"))
CLINICIANS = int(os.environ.get("LOAD_CLINICIANS", "200"))
PATIENTS = int(os.environ.get("LOAD_PATIENTS", "2000"))
LOGINS = int(os.environ.get("LOAD_LOGINS", "40"))
CODES = 4  # tries of a person whose code ran out before it arrived
THINK = (5.0, 10.0)  # seconds between two acts of one person
TARGETS = {"page": 0.4, "save": 0.8, "search": 0.4, "sign-in": 3.0}

pytestmark = [pytest.mark.long, pytest.mark.django_db]


class Figures:
    """What all people saw: seconds by kind of act, answers that were none, visits that were acknowledged."""

    def __init__(self) -> None:
        self.took: dict[str, list[float]] = defaultdict(list)
        self.wrong: list[str] = []
        self.saved: set[str] = set()

    def tell(self, wall: float) -> None:
        acts = sum(len(one) for one in self.took.values())
        told(f"{CLINICIANS} clinicians, {PATIENTS} patients, {wall:.0f} s", answers_per_second=acts / wall)
        for kind, took in sorted(self.took.items()):
            ordered = sorted(took)
            told(
                f"  {kind}", n=len(ordered), median_ms=1000 * ordered[len(ordered) // 2],
                p95_ms=1000 * ordered[int(0.95 * len(ordered))], p99_ms=1000 * ordered[int(0.99 * len(ordered))],
                target_p95_ms=1000 * TARGETS[kind],
            )  # fmt: skip


class Browser:
    """One person's: cookies, and a clock."""

    def __init__(self, register: Register, figures: Figures, session: str = "") -> None:
        self.register, self.figures = register, figures
        self.cookies = {"csrftoken": CSRF} | ({"sessionid": session} if session else {})

    def ask(
        self, kind: str, path: str, values: dict[str, str] | None = None, *, wanted: int = 200, or_else: int = 0
    ) -> str:
        """The body, or for a redirect where it leads. What is not as ``wanted`` is "", and noted unless ``or_else``."""
        body = None if values is None else urlencode({"csrfmiddlewaretoken": self.cookies["csrftoken"], **values})
        headers = {
            "Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items()),
            "Content-Type": "application/x-www-form-urlencoded",
        }
        to = http.client.HTTPConnection("127.0.0.1", self.register.port, timeout=60)
        began = time.perf_counter()
        try:
            to.request("GET" if body is None else "POST", path, body=body, headers=headers)
            answer = to.getresponse()
            text = answer.read().decode(errors="replace")
        except (OSError, http.client.HTTPException) as problem:
            self.figures.wrong.append(f"{kind} {path}: {type(problem).__name__} {problem}")
            return ""
        finally:
            to.close()
        self.figures.took[kind].append(time.perf_counter() - began)
        if answer.status not in (wanted, or_else):
            self.figures.wrong.append(f"{kind} {path}: {answer.status} {text[:1000]}")
            return ""
        for line in answer.headers.get_all("Set-Cookie") or ():
            self.cookies |= {name: morsel.value for name, morsel in SimpleCookie(line).items()}
        if answer.status != wanted:
            return ""
        return answer.headers["Location"] if wanted == 302 else text


class Clinician:
    """Reads seven times of ten, saves twice, searches once; every visit is of a day of its own."""

    def __init__(self, browser: Browser, patients: list[str], dice: random.Random) -> None:
        self.browser, self.patients, self.dice = browser, patients, dice
        self.days: dict[str, Iterator[str]] = {one: days() for one in patients}

    def work(self, until: float) -> None:
        time.sleep(self.dice.uniform(0, THINK[1]))
        while time.monotonic() < until:
            self.dice.choices([self.read, self.save, self.search], [7, 2, 1])[0]()
            time.sleep(self.dice.uniform(*THINK))

    def read(self) -> None:
        path = self.dice.choice(["/", "/patients/", *[f"/patients/{self.dice.choice(self.patients)}/"] * 3])
        self.browser.ask("page", path)

    def search(self) -> None:
        self.browser.ask("search", "/patients/search/", {"q": f"family{self.dice.randrange(2):02}"})

    def save(self) -> None:
        patient = self.dice.choice(self.patients)
        path, name = f"/patients/{patient}/visits/new/", token()
        self.browser.ask("page", path)
        if self.browser.ask("save", path, a_visit(next(self.days[patient]), name), wanted=302):
            self.browser.figures.saved.add(name)


def sign_in(browser: Browser, email: str, secret: str, password: str) -> None:
    """Password, then the code of the authenticator app, then the first page."""
    browser.ask("sign-in", "/account/sign-in/")
    code_page = browser.ask("sign-in", "/account/sign-in/", {"login": email, "password": password}, wanted=302)
    for attempt in range(CODES) if code_page else ():
        code = format_hotp_value(hotp_value(secret, next(iter(yield_hotp_counters_from_time()))))
        late = 200 if attempt + 1 < CODES else 302  # the thirty seconds of a code may end on the way
        if browser.ask("sign-in", code_page, {"code": code}, wanted=302, or_else=late):
            browser.ask("page", "/")
            return


def storm(register: Register, figures: Figures, until: float) -> list[threading.Thread]:
    """Everybody arrives at eight: the sign-ins begin at once and are spread over half of the time."""
    people = list(register.known["secrets"].items())[:LOGINS]
    spread = (until - time.monotonic()) / 2 / max(len(people), 1)

    def arrive(number: int, email: str, secret: str) -> None:
        time.sleep(number * spread)
        sign_in(Browser(register, figures), email, secret, register.known["password"])

    return [threading.Thread(target=arrive, args=(n, *person)) for n, person in enumerate(people)]


@pytest.fixture
def clinic(server_url: str, tmp_path: Path) -> Iterator[Register]:
    database = ""
    if server_url:
        with psycopg.connect(server_url, autocommit=True) as to:
            to.execute(f"CREATE DATABASE {(name := f'load_{secrets.token_hex(4)}')}")
        database = f"{server_url.rpartition('/')[0]}/{name}"
    register = Register(tmp_path / "data", database)
    register.folder.mkdir()
    register.manage("migrate", "-v0")
    register.manage("collectstatic", "--noinput", "-v0")
    register.known = json.loads(register.run("tests/operations/load_seed.py", str(CLINICIANS), str(PATIENTS)).stdout)
    register.start()
    yield register
    if register.server and register.server.poll() is None:
        register.kill()


def processes(register: Register) -> Iterator[Path]:
    assert register.server
    group = os.getpgid(register.server.pid)
    for one in Path("/proc").glob("[0-9]*"):
        try:
            if os.getpgid(int(one.name)) == group:
                yield one
        except ProcessLookupError:
            continue


def memory(register: Register) -> int:
    """Bytes the server's processes hold, each page once."""
    lines = [line for one in processes(register) for line in (one / "smaps_rollup").read_text().splitlines()]
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))


def processor(register: Register) -> float:
    """Seconds the server's processes have computed: neighbours do not change it much."""
    return sum(_seconds(one) for one in processes(register))


def of_database(register: Register) -> float:
    """The same of PostgreSQL's processes, the ones that have gone included; SQLite computes in the server's own."""
    if not register.database:
        return 0.0
    ((folder,),) = register.rows("SHOW data_directory")
    parent = int((Path(folder) / "postmaster.pid").read_text().split()[0])
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    return _seconds(Path(f"/proc/{parent}"), gone=True) + sum(_seconds(Path(f"/proc/{one}")) for one in children)


def _seconds(process: Path, *, gone: bool = False) -> float:
    """Computed by a process; ``gone``: and by its children that have ended."""
    try:
        ticks = (process / "stat").read_text().rpartition(")")[2].split()[11 : 15 if gone else 13]
    except FileNotFoundError:
        return 0.0
    return sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")


def in_threads(acts: list[Callable[[], Any]]) -> list[threading.Thread]:
    return [threading.Thread(target=act) for act in acts]


def own_of(patients: list[list[str]], number: int) -> list[str]:
    """Twenty patients of the clinic of a clinician, nobody else's."""
    clinic = patients[number % len(patients)]
    place, others = number // len(patients), -(-CLINICIANS // len(patients))
    return clinic[place::others][:20]


def test_a_clinic_at_work_loses_no_save_and_sees_no_error(clinic: Register):
    figures, began = Figures(), time.monotonic()
    until = began + SECONDS
    patients = clinic.known["patients"]
    people = [
        Clinician(Browser(clinic, figures, session), own_of(patients, n), random.Random(n))
        for n, session in enumerate(clinic.known["sessions"])
    ]
    before, computed, asking, database = memory(clinic), processor(clinic), time.process_time(), of_database(clinic)
    running = in_threads([lambda one=one: one.work(until) for one in people]) + storm(clinic, figures, until)  # type: ignore[misc]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    wall, after, computed = time.monotonic() - began, memory(clinic), processor(clinic) - computed
    asking, database = time.process_time() - asking, of_database(clinic) - database
    assert clinic.terminate() == 0
    figures.tell(wall)
    told("  memory of the server", before_mb=before / 2**20, after_mb=after / 2**20)
    answers = sum(map(len, figures.took.values()))
    told(
        "  processor", server_ms_per_answer=1000 * computed / answers, database_ms_per_answer=1000 * database / answers,
        clients_ms_per_answer=1000 * asking / answers, cores_busy=(computed + database + asking) / wall,
    )  # fmt: skip
    assert not figures.wrong, f"{len(figures.wrong)} answers were wrong: {figures.wrong[0]}"
    assert figures.saved, "nobody saved anything"
    check_saved(clinic, figures.saved)


def check_saved(clinic: Register, saved: set[str]) -> None:
    """Each acknowledged visit is there once, with both observations and the one event of each; the chain is whole."""
    rows = clinic.rows(
        "SELECT v.public_id, COUNT(DISTINCT o.id), COUNT(e.id) FROM patients_visit v "
        "JOIN lesions_lesionobservation o ON o.visit_id = v.id "
        "JOIN audit_event e ON e.action = 'create' AND e.model = 'lesions.lesionobservation' AND e.object_id = o.id "
        "WHERE v.visit_date > '2019-01-31' GROUP BY v.public_id"
    )
    assert {name for name, _seen, _events in rows} == saved
    assert {(seen, events) for _name, seen, events in rows} == {(2, 2)}
    told_of = clinic.rows(
        "SELECT COUNT(*), COUNT(DISTINCT v.id) FROM patients_visit v "
        "JOIN audit_event e ON e.action = 'create' AND e.model = 'patients.visit' AND e.object_id = v.id "
        "WHERE v.visit_date > '2019-01-31'"
    )
    assert told_of == [(len(saved), len(saved))]
    assert "each as it was written" in clinic.manage("verify_audit").stdout


def test_the_check_itself_would_miss_nothing(clinic: Register):
    name = token()
    browser = Browser(clinic, Figures(), clinic.known["sessions"][0])
    path = f"/patients/{clinic.known['patients'][0][0]}/visits/new/"
    assert browser.ask("save", path, a_visit(next(days()), name), wanted=302), browser.figures.wrong
    clinic.terminate()
    check_saved(clinic, {name})
    with pytest.raises(AssertionError):
        check_saved(clinic, {name, "never kept"})
    clinic.without_event(name)
    with pytest.raises(AssertionError):
        check_saved(clinic, {name})
