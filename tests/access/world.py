"""Two clinics of the same shape. Everything written in South carries a canary; people of North come to look.

The rows of South have numbers of their own size, so that an answer can be compared with the answer to a number that
nobody has: both must be the same, letter for letter.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from html.parser import HTMLParser
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urlencode

from django.apps import apps
from django.conf import settings
from django.core.cache import cache
from django.db import connection, models, transaction
from django.http import HttpResponse

from calcinosis_registry.accounts.models import User
from calcinosis_registry.audit.models import Event
from calcinosis_registry.clinics.models import Clinic, Membership
from tests.factories import MembershipFactory
from tests.house_rules.access_table import OBJECTS
from tests.house_rules.cast import Cast, _person, _research, _rows
from tests.house_rules.paper import short_paper
from tests.house_rules.routes import Route, model_of
from tests.house_rules.rows import a_row

CANARY = "QZXCANARY"
WRITES = re.compile(r'(?:INSERT(?: OR \w+)? INTO|UPDATE|DELETE FROM) "(\w+)"')
FOREIGN, NOBODYS = 7_100_000, "8123456"  # the rows of South begin above the one; the other no row has
SHORTEST_REPEATED = 6  # letters
NO_PUBLIC_ID, NO_NUMBER = "z" * 16, "SOU-98765"
OURS = ("accounts", "clinics", "quality", "records", "identity", "patients", "lesions", "cohorts", "exports", "reports")


def our_models() -> list[type[models.Model]]:
    return [
        model
        for model in apps.get_models()
        if model._meta.app_label in OURS and model._meta.managed and model is not Event
    ]


@dataclass(frozen=True)
class Swap:
    """A foreign value, and one of its kind that belongs to nobody."""

    foreign: str
    nobodys: str


class Answer:
    """What came back, made comparable, and what it did to the rows."""

    def __init__(self, response: HttpResponse, asked: Iterable[str], changed: set[str]) -> None:
        self.status, self.changed = response.status_code, changed
        body = b"".join(response.streaming_content) if getattr(response, "streaming", False) else response.content
        self.raw = body.decode("utf-8", "replace")
        self.headers = "\n".join(f"{name}: {value}" for name, value in response.items())
        self.location = response.get("Location", "")
        self.body = _alike(self.raw, asked)


def _alike(text: str, asked: Iterable[str]) -> str:
    """Without what differs between any two answers: what was asked, tokens, the ids of records still to be made."""
    for value in asked:
        for length in range(len(value), SHORTEST_REPEATED - 1, -1):  # a field gives back as much of it as it takes
            text = text.replace(value[:length], "…")
    text = re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", text)
    text = re.sub(r"\b[abcdefghijkmnp-z2-9]{16}\b", "#", text)
    text = re.sub(r'name="(submission|draft|drafted|public_id)" value="[^"]*"', "", text)
    text = re.sub(r":\w{6}:[\w-]{43}(?![\w-])", "", text)  # the second of a signing, and its signature
    return re.sub(r"\d\d:\d\d(:\d\d)?", "", text)


class World(Cast):
    def __init__(self) -> None:
        super().__init__()
        for model in our_models():
            a_row(model, self.near)
        for model in our_models():
            if model is not Clinic:
                _number_from(model, FOREIGN)
        south = Clinic.objects.get(code="SOU")
        owner = _person("Foreign_owner", "researcher", south)
        rows = {**_rows(south), **_research(owner, south)}
        self.foreign: dict[type[models.Model], models.Model] = {type(row): row for row in rows.values()}
        self.foreign[User] = MembershipFactory(clinic=south).user
        self.foreign[Membership] = Membership.objects.get(user=self.foreign[User])
        self.foreign_rows = rows
        for model in our_models():
            a_row(model, self.foreign)
        for model, row in self.foreign.items():
            if model not in (Clinic, Event):  # which clinics there are is no secret: projects choose among them
                plant(row, CANARY)
        self.foreign[Event] = Event.objects.of_patient(rows["patient"].registry_number)[0]
        self.standing = {label: dict(rows) for label, rows in dump()}

    def between_the_clinics(self) -> None:
        _number_from(Clinic, FOREIGN)

    def near_of(self, route: Route) -> models.Model:
        return self.near[model_of(route)]

    def foreign_values(self, route: Route) -> dict[str, str]:
        """What the address of the same page of South says, where its row has a twin there."""
        found = {}
        for name in route.parameters:
            first, *steps = (OBJECTS.get(f"{route.name} {name}") or OBJECTS[name]).strip("'").split(".")
            row = self.near_twin(first)
            if row is not None and steps:
                found[name] = str(getattr(row, steps[0]))
        return found

    def near_twin(self, name: str) -> models.Model | None:
        """The row of South that plays the part ``name`` plays in North."""
        own = self.rows.get(name)
        return self.foreign.get(type(own)) if isinstance(own, models.Model) else None

    def swaps(self) -> list[Swap]:
        """Every way to name a row of South."""
        found = set()
        for row in self.foreign.values():
            if row.pk > FOREIGN:  # an event's number comes from its chain
                found.add(Swap(str(row.pk), NOBODYS))
            if public_id := getattr(row, "public_id", ""):
                found.add(Swap(public_id, NO_PUBLIC_ID))
            if number := getattr(row, "registry_number", ""):
                found.add(Swap(number, NO_NUMBER))
        return sorted(found, key=lambda one: one.foreign)

    def ask(
        self,
        account: str,
        method: str,
        address: str,
        data: Mapping[str, Any] | None = None,
        *,
        swap: Swap | None = None,
    ) -> Answer:
        """One request, undone. Of the values in question an answer may repeat the one it was asked with, and a page may
        name the other one to everybody (the clinics there are): they are the same in a comparison."""
        self.client.cookies = SimpleCookie()
        if session := self.sessions[account]:
            self.client.cookies[settings.SESSION_COOKIE_NAME] = session
        cache.clear()
        with transaction.atomic():
            body = urlencode(data or {}, doseq=True)
            with connection.execute_wrapper(statements := Statements()):
                response = self.client.generic(method, address, body, "application/x-www-form-urlencoded")
            asked = [swap.foreign, swap.nobodys] if swap else []
            answer = Answer(response, asked, self.changed() if method == "POST" and statements.wrote else set())
            transaction.set_rollback(True)
        return answer

    def changed(self) -> set[str]:
        """``patients.visit 7100001`` for each row of South that is another now, and each new row that leads there."""
        found = set()
        for label, rows in dump(self.standing):
            before = self.standing[label]
            for pk, (content, leads_south) in rows:
                was = before.get(pk)
                if (pk > FOREIGN and was and was[0] != content) or (leads_south and not (was and was[1])):
                    found.add(f"{label} {pk}")
            gone = {pk for pk in before if pk > FOREIGN} - {pk for pk, _row in rows}
            found |= {f"{label} {pk} gone" for pk in gone}
        return found


class Statements:
    """Listens to what is sent to the database: comparing every row takes longer than most requests that write none."""

    def __init__(self) -> None:
        self.wrote = False
        self.ours = {model._meta.db_table for model in our_models()}

    def __call__(self, execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: Any) -> Any:
        told = WRITES.match(str(sql))
        reads = str(sql).lstrip("( ").upper().startswith(("SELECT", "SAVEPOINT", "RELEASE", "ROLLBACK"))
        self.wrote |= not reads and (told is None or told[1] in self.ours)
        return execute(sql, params, many, context)


def _number_from(model: type[models.Model], number: int) -> None:
    """The next row of the table has a number above this one."""
    table = model._meta.db_table
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("DELETE FROM sqlite_sequence WHERE name = %s", [table])
            cursor.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (%s, %s)", [table, number])
        else:
            # No sequence, as where the key is the patient's: nothing to set.
            cursor.execute("SELECT setval(pg_get_serial_sequence(%s, %s), %s)", [table, model._meta.pk.column, number])


def plant(row: models.Model, text: str) -> None:
    """Write ``text`` into every field of a row a person can write words into."""
    for field in row._meta.concrete_fields:
        if writable(field):
            setattr(row, field.name, text[: field.max_length or None])
    row.save_base(raw=True)


def writable(field: models.Field) -> bool:
    """Words of a person: no codes, no names the register gives, no hashes."""
    names = (
        "public_id",
        "code",
        "registry_number",
        "password",
        "sha256",
        "token_hash",
        "email",
        "media_type",
        "model",
        "field",
        "source",
    )
    plain = type(field) in (models.CharField, models.TextField)
    return plain and not field.choices and not field.is_relation and not field.unique and field.name not in names and (
        field.max_length is None or field.max_length >= 40
    )  # fmt: skip


def dump(
    standing: Mapping[str, Collection[int]] | None = None,
) -> Iterator[tuple[str, list[tuple[int, tuple[str, bool]]]]]:
    """Every row of every table of ours: its content as a hash, and whether it leads to a row of South.

    ``standing``: the rows of each table before; a row that is new since has a high number and is nobody's of South.
    """
    for model in our_models():
        columns = [field.column for field in model._meta.concrete_fields]
        links = [
            (n, None if standing is None else standing.get(field.related_model._meta.label_lower))
            for n, field in enumerate(model._meta.concrete_fields)
            if field.is_relation
        ]
        pk = columns.index(model._meta.pk.column)
        rows = []
        for row in model._base_manager.values_list(*[field.attname for field in model._meta.concrete_fields]):
            south = any(
                isinstance(row[n], int) and row[n] > FOREIGN and (known is None or row[n] in known)
                for n, known in links
            )
            rows.append((row[pk], (hashlib.blake2b(repr(row).encode()).hexdigest(), south)))
        yield model._meta.label_lower, rows


class Fields(HTMLParser):
    """What a page would send: {name: value} of its fields, as a browser does."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.values: dict[str, list[str]] = {}
        self._select = self._area = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        had = dict(attrs)
        name = had.get("name") or ""
        if tag == "select":
            self._select = name
            self.values.setdefault(name, [])
        elif tag == "option" and self._select and "selected" in had:
            self.values[self._select].append(had.get("value") or "")
        elif tag == "textarea":
            self._area = name
            self.values[name] = [""]
        elif tag == "input" and name and had.get("type") not in ("submit", "button", "file"):
            on = had.get("type") not in ("checkbox", "radio") or "checked" in had
            self.values.setdefault(name, []).extend([had.get("value") or ""] if on else [])

    def handle_endtag(self, tag: str) -> None:
        self._select = "" if tag == "select" else self._select
        self._area = "" if tag == "textarea" else self._area

    def handle_data(self, data: str) -> None:
        if self._area:
            self.values[self._area] = [self.values[self._area][0] + data]


def world_in_a_transaction(tmp_path_factory: Any, unblock: Callable[[], Any]) -> Iterator[World]:
    """For a fixture of a whole module: everything is undone at its end."""
    import logging

    from django.test import override_settings

    logging.disable(logging.ERROR)
    with override_settings(FILES_DIR=tmp_path_factory.mktemp("files")), unblock(), transaction.atomic(), short_paper():
        yield World()
        transaction.set_rollback(True)
    logging.disable(logging.NOTSET)
