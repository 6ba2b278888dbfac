"""Logs a stranger may read: what people type never shows up there, and one event is one line that can be parsed."""

from __future__ import annotations

import io
import json
import logging
import logging.config
import sys
import threading
from collections.abc import Iterator

import pytest
from django.core import mail
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.urls import path

from calcinosis_registry import urls
from calcinosis_registry.operations.logs import JsonFormatter, config, tell_faults_without_values
from tests.factories import IdentityFactory, PatientFactory

CANARY = "Zquxanne-Krzywicka"
NASTY = f'{CANARY}\r\n{{"level": "INFO"}}\x1b[31m\u2028\x00'


class Lines(logging.Handler):
    """Everything logged anywhere, as production writes it."""

    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(JsonFormatter())
        self.out: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.out.append(self.format(record))

    def events(self) -> list[dict]:
        assert all("\n" not in line and "\x1b" not in line and line.isascii() for line in self.out)
        return [json.loads(line) for line in self.out]


@pytest.fixture
def lines() -> Iterator[Lines]:
    handler, root = Lines(), logging.getLogger()
    names = ("", "django", "django.request", "django.security", "calcinosis_registry.request")
    before = {name: logging.getLogger(name).level for name in names}
    for name in names:
        logging.getLogger(name).setLevel(logging.DEBUG)
    root.addHandler(handler)
    yield handler
    root.removeHandler(handler)
    for name, level in before.items():
        logging.getLogger(name).setLevel(level)


def breaking(request):
    """A view that fails with what was typed in its message, as a database does."""
    name = request.POST.get("family_name") or request.GET.get("q") or CANARY
    local = {"family_name": name}
    raise IntegrityError(f"Key (family_name)=({name}) already exists. {local}")


def doubling(request):
    """A view that writes the same row twice: what PostgreSQL says of it holds the values."""
    identity = IdentityFactory(registry_number=CANARY[:12])
    columns = ", ".join(one.column for one in identity._meta.concrete_fields if not one.primary_key)
    with connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO identity_identity ({columns}) SELECT {columns} FROM identity_identity")


class WithABreakingPage:
    handler400, handler500 = urls.handler400, urls.handler500
    urlpatterns = [*urls.urlpatterns, path("breaks/", breaking), path("doubles/", doubling)]


@pytest.fixture
def client(clinician, client_of, settings) -> Client:
    settings.ROOT_URLCONF = WithABreakingPage
    client = client_of(clinician)
    client.raise_request_exception = False
    return client


@pytest.mark.django_db
def test_identifiers_in_forms_and_addresses_never_show_up(client: Client, lines: Lines, north):
    patient = PatientFactory(clinic=north)
    IdentityFactory(patient=patient, family_name=CANARY)
    client.post("/patients/search/", {"q": CANARY})
    client.post("/patients/register/", {"family_name": CANARY, "given_name": CANARY, "birth_date": CANARY})
    client.post(f"/patients/{patient.public_id}/visits/new/", {"comment": CANARY, "public_id": CANARY})
    client.get(f"/patients/?q={CANARY}")
    client.get(f"/patients/{CANARY}/")
    client.get(f"/no/such/page/{CANARY}?name={CANARY}")
    client.get("/", headers={"host": f"{CANARY}.example.org", "user-agent": CANARY, "referer": CANARY})
    client.post("/breaks/", {"family_name": CANARY})
    client.get(f"/breaks/?q={CANARY}")
    client.generic(CANARY, "/")
    anonymous = Client(raise_request_exception=False)
    anonymous.post("/account/sign-in/", {"login": f"{CANARY}@example.org", "password": CANARY})
    Client(enforce_csrf_checks=True).post("/account/sign-in/", {"login": CANARY, "password": CANARY})
    events = lines.events()
    assert len(events) >= 12
    assert not [line for line in lines.out if CANARY.lower() in line.lower() or patient.public_id in line]
    assert not [line for line in lines.out if patient.registry_number in line]


@pytest.mark.django_db
def test_one_line_tells_of_one_request(client: Client, lines: Lines, clinician):
    client.get("/patients/")
    (event,) = [one for one in lines.events() if one["logger"] == "calcinosis_registry.request"]
    assert event | {"at": "", "request": "", "ms": 0} == {
        "at": "", "level": "INFO", "logger": "calcinosis_registry.request", "event": "request", "request": "",
        "method": "GET", "route": "patients:list", "status": 200, "ms": 0, "actor": clinician.pk,
    }  # fmt: skip


@pytest.mark.django_db
def test_a_fault_tells_where_it_broke_and_not_with_what(client: Client, lines: Lines):
    answer = client.post("/breaks/", {"family_name": CANARY})
    assert answer.status_code == 500
    (fault,) = [one for one in lines.events() if "error" in one]
    assert fault["error"] == ["django.db.utils.IntegrityError"]
    assert any(frame.startswith("tests/operations/test_logs.py:") and "breaking" in frame for frame in fault["where"])
    (told,) = [one for one in lines.events() if one["logger"] == "calcinosis_registry.request"]
    assert told["request"] == fault["request"]


@pytest.mark.django_db
def test_what_the_database_says_of_a_refused_row_is_nowhere(client: Client, lines: Lines):
    """PostgreSQL tells the values: "DETAIL: Key (…)=(…) already exists". Neither log nor page nor mail does."""
    said = ""
    try:
        with transaction.atomic():
            doubling(None)
    except IntegrityError as error:
        said = str(error)
    assert connection.vendor != "postgresql" or CANARY[:12] in said, "there is something to hide"
    with transaction.atomic():
        answer = client.post("/doubles/", {"q": "x"})
        transaction.set_rollback(True)
    assert answer.status_code == 500
    assert CANARY[:12] not in answer.content.decode()
    assert any("error" in one for one in lines.events())
    assert not [line for line in lines.out if CANARY[:12] in line]
    assert not mail.outbox


@pytest.mark.parametrize("thread", [False, True], ids=["a command", "a thread"])
def test_a_fault_that_ends_a_command_or_a_thread_tells_no_value(lines: Lines, capsys, monkeypatch, thread: bool):
    """The standard error of a nightly job is mailed to whoever runs the machine."""
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
    tell_faults_without_values()

    def broken() -> None:
        raise IntegrityError(f"Key (family_name)=({CANARY}) already exists.")

    if thread:
        (running := threading.Thread(target=broken)).start()
        running.join()
    else:
        try:
            broken()
        except IntegrityError:
            sys.excepthook(*sys.exc_info())
    (fault,) = lines.events()
    assert fault["event"] == "fault" and fault["error"] == ["django.db.utils.IntegrityError"]
    assert "broken" in fault["where"][-1]
    assert CANARY not in lines.out[0] + "".join(capsys.readouterr())


@pytest.mark.django_db
def test_the_trail_keeps_the_id_of_the_request(client: Client, lines: Lines, north):
    patient = PatientFactory(clinic=north)
    day = {"version": "0", "visit_date": "2026-01-05", "visit_type": "BASELINE", "calcinosis_present": "N"}
    assert client.post(f"/patients/{patient.public_id}/visits/new/", day).status_code == 302
    from calcinosis_registry.audit.models import Event

    (told,) = [one for one in lines.events() if one["logger"] == "calcinosis_registry.request"]
    assert set(Event.objects.filter(model="patients.visit").values_list("request_id", flat=True)) == {told["request"]}


@pytest.mark.parametrize("where", ["msg", "args", "told", "name", "exception"])
def test_a_nasty_value_stays_on_its_line(where: str, lines: Lines):
    """CR, LF, ANSI and U+2028 in every place a value can come in."""
    log = logging.getLogger("django.request" if where != "name" else f"django.{NASTY}")
    match where:
        case "args":
            log.error("%s: %s", "Not Found", NASTY)
        case "told":
            log.error("constant", extra={"told": {"value": NASTY}})
        case "exception":
            try:
                raise ValueError(NASTY)
            except ValueError:
                log.exception("broke")
        case _:
            log.error(NASTY)
    (event,) = lines.events()
    assert event["level"] == "ERROR"
    assert where in ("told", "name") or CANARY not in lines.out[0]


def test_nothing_is_mailed_and_nothing_else_writes_a_log():
    handlers = [one for name in ("", *logging.root.manager.loggerDict) for one in logging.getLogger(name).handlers]
    assert not [one for one in handlers if type(one).__name__ == "AdminEmailHandler"]
    told = config(production=True)
    assert told["handlers"]["console"]["formatter"] == "json"
    assert {name for one in [*told["loggers"].values(), told["root"]] for name in one.get("handlers", [])} == {
        "console"
    }


def test_the_servers_own_words_tell_no_address():
    out = io.StringIO()
    told = config(production=True)
    told["handlers"]["console"]["stream"] = out
    names = ("gunicorn.error", "gunicorn.access")
    before = {name: (logging.getLogger(name).handlers[:], logging.getLogger(name).level) for name in names}
    kept = {key: told[key] for key in ("version", "disable_existing_loggers", "formatters", "handlers")}
    logging.config.dictConfig(kept | {"loggers": {name: told["loggers"][name] for name in names}})
    try:
        logging.getLogger("gunicorn.error").error("Error handling request %s", f"/patients/{CANARY}/")
        logging.getLogger("gunicorn.access").info("%(r)s", {"r": f"GET /patients/{CANARY}/"})
    finally:
        for name, (handlers, level) in before.items():
            logging.getLogger(name).handlers, logging.getLogger(name).level = handlers, level
    (line,) = out.getvalue().splitlines()
    assert json.loads(line)["event"] == "Error handling request %s"
