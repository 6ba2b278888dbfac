"""The probes tell the truth, and an admin sees what they rest on."""

from __future__ import annotations

import datetime
import shutil
from collections import namedtuple

import pytest
from django.db import OperationalError, connection
from django.utils import timezone

from calcinosis_registry.audit import guards
from calcinosis_registry.operations import backup, safe_database

pytestmark = pytest.mark.django_db
Disk = namedtuple("Disk", "total used free")
WELL = {"database": True, "migrations": True, "trail": True, "storage": True, "disk": True}


@pytest.fixture(autouse=True)
def place(settings, tmp_path):
    settings.DATA_DIR, settings.FILES_DIR = tmp_path, tmp_path / "files"
    (tmp_path / "files" / "tmp").mkdir(parents=True)
    return tmp_path


def told(client) -> tuple[int, dict]:
    answer = client.get("/health/ready")
    return answer.status_code, answer.json()["checks"]


def test_a_register_that_is_well_is_ready(client):
    assert told(client) == (200, WELL)


def test_alive_asks_nothing(client, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert client.get("/health/live").json() == {"status": "ok"}


def test_alive_asks_nothing_with_the_cookie_of_a_session_either(client_of, clinician, monkeypatch):
    """As from a browser of the ward, while the database is away; and it is the same answer."""
    client = client_of(clinician)
    # A writing request is none of the probe's: it goes the way of every other, the check of its origin included.
    assert client.post("/health/live").status_code == 405

    def away(*args, **kwargs):
        raise OperationalError("connection refused")

    monkeypatch.setattr(connection, "cursor", away)
    answer = client.get("/health/live")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
    assert "no-store" in answer["Cache-Control"] and answer["X-Content-Type-Options"] == "nosniff"


def test_a_database_that_is_away_is_told(client, monkeypatch):
    def away(*args, **kwargs):
        raise OperationalError("connection refused")

    monkeypatch.setattr(connection, "cursor", away)
    status, checks = told(client)
    assert status == 503
    assert checks == WELL | {"database": False, "migrations": False, "trail": False}


def test_a_migration_that_waits_is_told(client):
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'patients'")
    assert told(client) == (503, WELL | {"migrations": False})


def test_missing_triggers_are_told(client):
    guards.lift()
    assert told(client) == (503, WELL | {"trail": False})


def test_an_unsafe_database_is_told(client, monkeypatch, settings):
    settings.DEMO = False
    monkeypatch.setattr(safe_database, "reasons", lambda: ["fsync=off"])
    assert told(client) == (503, WELL | {"database": False})


@pytest.mark.parametrize(
    ("total", "free", "enough"),
    [
        (2**40, 2**40 // 2, True),
        (2**40, 2**28, False),
        (2**40, 2**30, True),
        (2**30, 2**26, True),
        (2**30, 2**25, False),
    ],
)
def test_a_disk_nearly_full_is_told(client, monkeypatch, total, free, enough):
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Disk(total, total - free, free))
    assert told(client) == (200 if enough else 503, WELL | {"disk": enough})


def test_a_storage_that_takes_no_file_is_told(client, place):
    shutil.rmtree(place / "files")
    (place / "files").write_text("not a folder")
    assert told(client) == (503, WELL | {"storage": False})


def test_the_admin_sees_the_last_backup(client_of, coordinator, place):
    client = client_of(coordinator)
    assert "none yet" in client.get("/system/").content.decode()
    now = timezone.now()
    made = backup.Made(place / "kept", now.isoformat(), 3, 2048, ["0123 is missing in the register"])
    backup.note_last(made)
    page = client.get("/system/").content.decode()
    assert "3 files" in page and "1 stored file is missing" in page and "older than 26 hours" not in page
    assert "append-only" in page
    made.finished_at = (now - datetime.timedelta(hours=27)).isoformat()
    backup.note_last(made)
    assert "older than 26 hours" in client.get("/system/").content.decode()


def test_the_admin_sees_what_is_wrong(client_of, coordinator, monkeypatch):
    guards.lift()
    monkeypatch.setattr(safe_database, "reasons", lambda: ["PostgreSQL runs with fsync=off instead of on: …."])
    page = client_of(coordinator).get("/system/").content.decode()
    assert "fsync=off" in page and "triggers are missing" in page
