"""A small demo register in a SQLite file, and what is asked of it and of PostgreSQL in the same words."""

from __future__ import annotations

import re
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.apps import apps
from django.conf import settings
from django.contrib.contenttypes.models import ContentType
from django.core.management import call_command
from django.db import connections, models
from django.test import Client
from django.utils import timezone

from calcinosis_registry.accounts.models import User
from calcinosis_registry.operations.sqlite_queue.base import DatabaseWrapper
from calcinosis_registry.records.kept import Draft
from calcinosis_registry.sealing import DRAFTS
from patients.models import Patient
from tests import tables

READER = "clinician.a@example.org"
# What a page says differently each time it is made.
_FRESH = re.compile(r'(name="csrfmiddlewaretoken" value|nonce|data-token|name="token" value)="[^"]*"')


@dataclass(frozen=True)
class Origin:
    """``head``: of the audit chain, as it is kept beside the keys."""

    file: Path
    head: bytes

    def copied(self, folder: Path) -> Path:
        """A register of a test's own: the file, and the head where this process looks for it."""
        (Path(settings.WITNESS_DIR) / "audit-head").write_bytes(self.head)
        return Path(shutil.copy(self.file, folder / "registry.sqlite3"))


@contextmanager
def on_sqlite(file: Path) -> Iterator[None]:
    """Inside, the register's database is this file."""
    options = {
        "transaction_mode": "IMMEDIATE",
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA foreign_keys=ON; PRAGMA synchronous=OFF;",
    }
    before = connections["default"]
    told = {**before.settings_dict, "ENGINE": "calcinosis_registry.operations.sqlite_queue", "NAME": str(file)}
    connections["default"] = lite = DatabaseWrapper({**told, "OPTIONS": options, "CONN_MAX_AGE": 0}, "default")
    ContentType.objects.clear_cache()
    try:
        yield
    finally:
        lite.close()
        connections["default"] = before
        ContentType.objects.clear_cache()


def made(folder: Path) -> Origin:
    """Invented patients; somebody signed in, something typed and not saved, a number whose row is gone."""
    file = folder / "registry.sqlite3"
    tables.lay(file)
    laid = file.exists()
    with on_sqlite(file):
        if not laid:
            call_command("migrate", verbosity=0)
        call_command("load_demo", patients=4, clinics=2, seed=1, verbosity=0)
        reader = User.objects.get(email=READER)
        Client().force_login(reader)
        Draft.objects.create(
            owner=reader, token="t1", form="visit", subject="new", address="/", content=DRAFTS.seal("note=half a word"),
            updated_at=timezone.now(),
        )  # fmt: skip
    with closing(sqlite3.connect(file)) as lite, lite:
        lite.execute("UPDATE sqlite_sequence SET seq = 900 WHERE name = 'patients_patient'")
    return Origin(file, (Path(settings.WITNESS_DIR) / "audit-head").read_bytes())


def everything() -> dict[str, list[tuple[Any, ...]]]:
    """{table: its rows, as the register reads them}"""
    found = {}
    for model in apps.get_models(include_auto_created=True):
        rows: models.QuerySet[Any] = models.QuerySet(model)
        found[model._meta.db_table] = list(rows.order_by("pk").values_list())
    return found


def pages() -> list[str]:
    """What a clinician sees of their patients."""
    client = Client()
    client.force_login(User.objects.get(email=READER))
    addresses = ["/patients/", *(one.get_absolute_url() for one in Patient.objects.order_by("pk"))]
    answers = [client.get(address) for address in addresses]
    return [_FRESH.sub("", answer.content.decode()) for answer in answers if answer.status_code == 200]
