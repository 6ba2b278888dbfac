"""The N-th statement, or the N-th file operation, of a writing route fails: before or after, never between."""

from __future__ import annotations

import errno
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as live
from django.core.cache import cache
from django.db import OperationalError, connection, transaction
from django.http import HttpResponse
from django.urls import path as route

from calcinosis_registry import urls
from calcinosis_registry.clinics.models import Clinic
from tests.house_rules.access_table import lines
from tests.house_rules.cast import Cast
from tests.house_rules.routes import routes
from tests.house_rules.source import ROOT, teach
from tests.operations.browser_form import PageForms
from tests.operations.write import Write
from tests.operations.writes import NOT_HERE, WRITES

SAMPLE = 4
NOT_STATE = {"django_session", "registry_cache", "sqlite_sequence", "django_migrations"}
# Of a zip with the moment in it: two runs may agree by chance (the same second, the same length packed), a third not.
UNSTEADY = {(table, name) for table in ("exports_export", "rights_personalfile") for name in ("size", "sha256")}
UNSTEADY |= {("records_submission", "body")}  # a checksum of what was sent, the second its page was signed with it
State = dict[str, list[tuple[Any, ...]]]


def test_every_writing_route_is_here_or_says_why():
    table = {line.route for line in lines() if "POST" in line.methods and set(line.outcomes) & {"ok", "prove", "404"}}
    missing = sorted(name for name in table - set(WRITES) if not any(fnmatchcase(name, one) for one in NOT_HERE))
    assert not missing, teach("Add a valid request to tests/operations/writes.py for:", missing)


def rows() -> State:
    """Every row of every table (but for UNSTEADY columns), and every file in its final place.

    Without the readings in the trail: an answer that shows a name is one, whatever became of the change.
    """
    found: State = {}
    with connection.cursor() as cursor:
        for table in sorted(set(connection.introspection.table_names(cursor)) - NOT_STATE):
            unread = " WHERE action <> 'read'" if table == "audit_event" else ""
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}{unread}")
            steady = [n for n, column in enumerate(cursor.description) if (table, column[0]) not in UNSTEADY]
            found[table] = sorted((tuple(row[n] for n in steady) for row in cursor.fetchall()), key=repr)
    kept = [path for path in Path(live.FILES_DIR).glob("[0-9a-f][0-9a-f]/**/*") if path.is_file()]
    kept += Path(live.EXPORTS_DIR).glob("*.zip") if Path(live.EXPORTS_DIR).exists() else []
    found["files"] = sorted((path.name if path.suffix != ".zip" else ".zip",) for path in kept)
    return found


def shape(state: State, volatile: set[tuple[str, int]]) -> dict[str, list[str]]:
    """The state without the columns that differ between two runs of the same request."""
    return {
        table: sorted(repr([value for n, value in enumerate(row) if (table, n) not in volatile]) for row in found)
        for table, found in state.items()
    }


def differing(one: State, other: State) -> set[tuple[str, int]]:
    """(table, column) of what two runs wrote differently: ids, times, seals, random names."""
    found = set()
    for table in one:
        for n in range(len(one[table][0]) if one[table] else 0):
            if sorted(repr(row[n]) for row in one[table]) != sorted(repr(row[n]) for row in other[table]):
                found.add((table, n))
    return found


@dataclass(frozen=True)
class Sent:
    """The answer, the states around it, and what was typed."""

    answer: HttpResponse
    before: State
    after: State
    typed: dict[str, Any]


class Request:
    """One route's request, made anew and undone each time."""

    def __init__(self, cast: Cast, name: str, write: Write) -> None:
        self.cast, self.write = cast, write
        found = next(one for one in routes() if one.name == name)
        self.address = found.address(cast.values(found))

    def send(self, around: Callable[[ExitStack], object] = lambda stack: None) -> Sent:
        """``around``: what to make fail meanwhile."""
        client = self.cast.client
        client.raise_request_exception = False
        with transaction.atomic():
            client.cookies = SimpleCookie()
            if session := self.cast.sessions[self.write.account]:
                client.cookies[live.SESSION_COOKIE_NAME] = session
            cache.clear()
            address = self.write.before(self.cast) or self.address
            typed = self.write.made(self.cast)
            if self.write.form:
                typed = PageForms(client.get(address).content.decode()).longest() | typed
            cache.clear()
            before = rows()
            with ExitStack() as stack:
                around(stack)
                answer = client.post(address, typed)
                if answer.streaming:
                    b"".join(answer.streaming_content)
            connection.needs_rollback = False  # of the outer transaction, which production has not
            after = rows()
            transaction.set_rollback(True)
        self._tidy()
        return Sent(answer, before, after, typed)

    def _tidy(self) -> None:
        for folder in (live.FILES_DIR, live.EXPORTS_DIR):
            for path in Path(folder).rglob("*"):
                if path.is_file() and path.name not in self.kept:
                    path.unlink()

    kept: frozenset[str] = frozenset()


class Failing:
    """Lets statements (or file operations of ours) pass until the N-th; counts them."""

    def __init__(self, at: int = 0) -> None:
        self.at, self.seen = at, 0

    def step(self) -> bool:
        self.seen += 1
        return self.seen == self.at

    def statements(self, stack: ExitStack) -> None:
        def wrapper(execute, sql, params, many, context):
            if not sql.startswith("ROLLBACK") and self.step():
                raise OperationalError("disk I/O error (made by the test)")
            return execute(sql, params, many, context)

        stack.enter_context(connection.execute_wrapper(wrapper))

    def file_operations(self, stack: ExitStack) -> None:
        patched = stack.enter_context(pytest.MonkeyPatch.context())
        for module, name in ((os, "fsync"), (os, "replace"), (os, "rename"), (os, "mkdir"), (tempfile, "mkstemp")):
            patched.setattr(module, name, self._guarded(getattr(module, name)))

    def _guarded(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            frame, ours = sys._getframe(1), False
            for _ in range(4):
                ours = ours or frame.f_code.co_filename.startswith((f"{ROOT}/lesions", f"{ROOT}/calcinosis_registry"))
                if frame.f_back is None:
                    break
                frame = frame.f_back
            if ours and self.step():
                raise OSError(errno.ENOSPC, "No space left on device")
            return real(*args, **kwargs)

        return call


@contextmanager
def places(cast: Cast, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    before = live.EXPORTS_DIR, live.WITNESS_DIR
    live.EXPORTS_DIR, live.WITNESS_DIR = tmp_path_factory.mktemp("exports"), tmp_path_factory.mktemp("witness")
    Request.kept = frozenset(path.name for path in Path(live.FILES_DIR).rglob("*"))
    try:
        yield
    finally:
        live.EXPORTS_DIR, live.WITNESS_DIR = before


@pytest.fixture(autouse=True)
def outermost(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything here runs inside a transaction that is undone; a block of the product that joins the one around it
    (savepoint=False) is the outermost in production and rolls back by itself, so it does here."""
    real = transaction.Atomic.__init__

    def begin(self: Any, using: Any, savepoint: bool, durable: bool) -> None:
        real(self, using, True, False)

    monkeypatch.setattr(transaction.Atomic, "__init__", begin)


@pytest.fixture
def request_to(cast: Cast, tmp_path_factory) -> Iterator[Callable[[str], Request]]:
    with places(cast, tmp_path_factory):
        yield lambda name: Request(cast, name, WRITES[name])


def some(last: int, most: int | None) -> list[int]:
    """1 … last, or ``most`` of them spread over all, with both ends."""
    if most is None or last <= most:
        return list(range(1, last + 1))
    return sorted({1 + round(n * (last - 1) / (most - 1)) for n in range(most)})


def fail_everywhere(request: Request, kind: str, most: int | None) -> int:
    counted = Failing()
    whole = request.send(getattr(counted, kind))
    assert whole.answer.status_code < 400, whole.answer.content.decode()[:3000]
    again = request.send()
    volatile = differing(whole.after, again.after)
    after = shape(whole.after, volatile)
    assert shape(whole.before, volatile) != after, f"nothing was written: {whole.answer.content.decode()[:3000]}"
    assert after == shape(again.after, volatile)
    wrong = []
    for n in some(counted.seen, most):
        sent = request.send(getattr(failing := Failing(n), kind))
        if failing.seen >= n and (why := fault(sent, after, volatile)):
            wrong.append(f"{kind} {n} of {counted.seen} (answer {sent.answer.status_code}): {why}")
    assert not wrong, "\n".join(wrong)
    return counted.seen


def fault(sent: Sent, after: dict[str, list[str]], volatile: set[tuple[str, int]]) -> str:
    """What is wrong with a request one step of which failed; "" when all is well."""
    if sent.after == sent.before:
        if not refused(sent.answer):
            return "nothing is kept, and the answer says it is"
        return "the typing is gone" if sent.answer.status_code >= 500 and not keeps(sent.answer, sent.typed) else ""
    if shape(sent.after, volatile) != after:
        return f"between, {[one for one in sent.after if sent.after[one] != sent.before[one]]} differ from before"
    return ""


def refused(answer: HttpResponse) -> bool:
    """An error page, or a page that says so; a redirect says "done"."""
    return answer.status_code >= 400 or (answer.status_code == 200 and b"is-bad" in answer.content)


def keeps(answer: HttpResponse, typed: dict[str, Any]) -> bool:
    """Every text that was typed stands in the error page's form; a secret does not."""
    texts = {name: value for name, value in typed.items() if not hasattr(value, "read")}
    secret = answer.wsgi_request.path.startswith("/account/")  # type: ignore[attr-defined]
    if secret or any("password" in name for name in typed) or not texts:
        return True
    wanted = {
        name: [str(one) for one in (value if isinstance(value, list) else [value])] for name, value in texts.items()
    }
    forms = PageForms(answer.content.decode()).forms
    return any(all(held.get(name) == values for name, values in wanted.items()) for _action, held in forms)


@pytest.mark.django_db
@pytest.mark.parametrize("name", WRITES)
def test_a_statement_that_fails_leaves_before_or_after(name: str, request_to):
    fail_everywhere(request_to(name), "statements", SAMPLE)


@pytest.mark.long
@pytest.mark.django_db
@pytest.mark.parametrize("name", WRITES)
def test_each_statement_that_fails_leaves_before_or_after(name: str, request_to):
    print(f"{name}: {fail_everywhere(request_to(name), 'statements', None)} statements")


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["lesions:imaging_add", "exports:new"])
def test_a_file_operation_that_fails_leaves_before_or_after(name: str, request_to):
    assert fail_everywhere(request_to(name), "file_operations", SAMPLE) >= 2


def renames_in_two_steps(request):
    """What a careless view does: two saves, no transaction around them."""
    for clinic in Clinic.objects.order_by("pk"):
        clinic.name = request.POST["name"] + clinic.code
        clinic.save()
    return HttpResponse()


class WithACarelessView:
    handler400, handler500 = urls.handler400, urls.handler500
    urlpatterns = [*urls.urlpatterns, route("careless/", renames_in_two_steps, name="careless")]


@pytest.mark.django_db
def test_a_route_that_stops_between_would_be_found(cast: Cast, request_to, settings):
    settings.ROOT_URLCONF = WithACarelessView
    careless = Request(cast, "careless", Write("clin", lambda cast: {"name": "New "}))
    with pytest.raises(AssertionError, match=r"between, .*clinics_clinic"):
        fail_everywhere(careless, "statements", None)
