"""Logs a stranger may read: one JSON object per line, and never a word of what people typed.

A log record's arguments are dropped: Django puts addresses, hosts and form values there. Of an exception only its type
and the lines of code are told, because its message may hold a value ("Key (name)=(…) already exists"). JSON escapes
line ends and control characters, so a value cannot begin a line of its own.
"""

from __future__ import annotations

import datetime
import json
import logging
import sys
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.crypto import get_random_string

log = logging.getLogger("calcinosis_registry.request")
ROOT = str(Path(__file__).resolve().parents[2])
FRAMES = 12
# The text of others' records may be a value; these write theirs in the code.
OWN_WORDS = ("calcinosis_registry", "patients", "lesions", "gunicorn")


class JsonFormatter(logging.Formatter):
    """When, how bad, who logs, the constant words, what the caller ``told`` on purpose, and where it broke."""

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.datetime.fromtimestamp(record.created, datetime.UTC).isoformat(timespec="milliseconds")
        line: dict[str, Any] = {"at": at, "level": record.levelname, "logger": record.name}
        if (words := _words(record)) is not None:
            line["event"] = words
        line |= getattr(record, "told", {})
        if isinstance(request := getattr(record, "request", None), HttpRequest):
            line |= {"request": getattr(request, "log_id", ""), "route": route_of(request)}
        if record.exc_info and record.exc_info[1] is not None:
            line |= _fault(record.exc_info[1])
        return json.dumps(line, ensure_ascii=True, default=type)


def _words(record: logging.LogRecord) -> str | None:
    if record.name.split(".")[0] in OWN_WORDS or record.args:
        return str(record.msg)  # the template: "%s: %s" tells nothing
    return None


def _fault(error: BaseException) -> dict[str, Any]:
    names: list[str] = []
    one: BaseException | None = error
    while one is not None and len(names) < 5:
        names.append(f"{type(one).__module__}.{type(one).__qualname__}")
        one = one.__cause__ or one.__context__
    frames = traceback.extract_tb(error.__traceback__)[-FRAMES:]
    where = [f"{frame.filename.removeprefix(ROOT + '/')}:{frame.lineno} {frame.name}" for frame in frames]
    return {"error": names, "where": where}


def route_of(request: HttpRequest) -> str:
    """The name of the route, never the address: an address holds ids, and what people typed into it."""
    match = request.resolver_match
    return (match.view_name if match else "") or "unknown"


class RequestLogMiddleware:
    """Gives each request an id, which the trail keeps too, and writes one line when it is answered."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.log_id = get_random_string(16)  # type: ignore[attr-defined]
        start = time.perf_counter()
        answer = self.get_response(request)
        user = getattr(request, "_cached_user", None)  # asked for only where the request did
        told = {
            "request": request.log_id,  # type: ignore[attr-defined]
            "method": request.method if request.method in KNOWN_METHODS else "other",
            "route": route_of(request),
            "status": answer.status_code,
            "ms": round(1000 * (time.perf_counter() - start)),
            "actor": getattr(user, "pk", None),
        }
        log.info("request", extra={"told": told})
        return answer


def tell_faults_without_values() -> None:
    """What ends a command or a thread goes to the log as everything does. Python would print the message of the
    exception, and the mail of a nightly job would hold it: PostgreSQL's ends with "Key (name)=(…) already exists"."""
    sys.excepthook = _fault_of_a_command
    threading.excepthook = lambda told: _fault_of_a_command(told.exc_type, told.exc_value, told.exc_traceback)


def _fault_of_a_command(kind: type[BaseException], error: BaseException | None, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error or kind(), trace)
        return
    log.critical("fault", exc_info=(kind, error or kind(), trace))


KNOWN_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def config(*, production: bool) -> dict[str, Any]:
    """For LOGGING, and for gunicorn's own words. Errors are never mailed: a mail would hold the form."""
    level = "INFO" if production else "WARNING"
    handler = {"class": "logging.StreamHandler", "formatter": "json" if production else "line"}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "json": {"()": "calcinosis_registry.operations.logs.JsonFormatter"},
            "line": {"format": "{asctime} {levelname} {name} {message}", "style": "{"},
        },
        "handlers": {"console": handler},
        "root": {"handlers": ["console"], "level": "WARNING"},
        "loggers": {
            "django": {"handlers": [], "level": level},  # takes Django's mail to the admins away
            "django.request": {"level": "ERROR"},  # a 404 has its line from the middleware
            "calcinosis_registry.request": {"level": level},
            "gunicorn.error": {"handlers": ["console"], "level": "INFO", "propagate": False},
            "gunicorn.access": {"handlers": [], "level": "ERROR", "propagate": False},  # it would tell addresses
        },
    }
