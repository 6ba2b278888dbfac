"""transfer_db: a register moves from SQLite to PostgreSQL with everything in it, or not at all."""

from __future__ import annotations

import hashlib
import io
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace

import psycopg
import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from django.db.utils import OperationalError

from calcinosis_registry.audit import guards
from calcinosis_registry.audit.models import Event
from calcinosis_registry.operations import restore, safe_database
from calcinosis_registry.operations.transfer.source import Source
from patients.models import Patient
from tests.factories import ClinicFactory, PatientFactory
from tests.operations.register import ROOT
from tests.operations.two_databases import Origin, everything, made, on_sqlite, pages

pytestmark = [pytest.mark.django_db, pytest.mark.postgres]
SECRET = "Mrs Hidden"


@pytest.fixture(scope="module")
def origin(tmp_path_factory, django_db_setup, django_db_blocker) -> Iterator[Origin]:
    folder = tmp_path_factory.mktemp("origin")
    with pytest.MonkeyPatch.context() as patched, django_db_blocker.unblock():
        patched.setattr(settings, "FILES_DIR", folder / "files")
        yield made(folder)


@pytest.fixture
def file(origin: Origin, tmp_path: Path, settings) -> Path:
    settings.DATA_DIR, settings.FILES_DIR = tmp_path, origin.file.parent / "files"
    return origin.copied(tmp_path)


def transfer(*arguments: str | Path) -> str:
    out = io.StringIO()
    call_command("transfer_db", *map(str, arguments), stdout=out, stderr=io.StringIO())
    return out.getvalue()


def refusal(*arguments: str | Path) -> str:
    with pytest.raises(CommandError) as refused:
        transfer(*arguments)
    return str(refused.value)


def changed(file: Path, *statements: str) -> None:
    """Past everything, as no path of the register does it."""
    with closing(sqlite3.connect(file, isolation_level=None)) as lite:
        lite.execute("PRAGMA ignore_check_constraints=ON")
        for (name,) in lite.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            lite.execute(f'DROP TRIGGER "{name}"')
        for statement in statements:
            lite.execute(statement)
        lite.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def written(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def nothing_came() -> bool:
    return not any(
        rows for name, rows in everything().items() if name not in ("django_content_type", "auth_permission")
    )


def test_everything_moves_and_nothing_looks_different(file: Path):
    with on_sqlite(file):
        rows, seen = everything(), pages()  # signs in: both sides shall have that session, too
        rows = everything()
    told = transfer()
    assert everything() == rows
    filled = {name for name, some in rows.items() if some}
    assert len(filled) > 45 and {"django_session", "records_draft", "patients_signature"} <= filled
    assert "each as it was written" in told and "match their signatures" in told and "page of a patient" in told
    again = pages()
    assert len(seen) > 2 and again == seen
    # the trail is guarded and goes on, and no number is given twice
    assert guards.missing() == []
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE audit_event SET reason = 'another'")
    assert PatientFactory(clinic=Patient.objects.all()[0].clinic).pk > 900
    assert Event.objects.count() > len(rows["audit_event"])
    call_command("verify_audit", stdout=io.StringIO(), stderr=io.StringIO())
    report = next(file.parent.glob("moved-to-postgresql-*.json"))
    assert report.stat().st_mode & 0o077 == 0 and '"rows": 4' in report.read_text()


FAULTS = {
    "clinics_clinic.name: it holds a NUL character: row 1": f"SET name = '{SECRET}' || char(0) WHERE id = 1",
    "patients_antibody.titre: it is no UTF-8, or holds half a surrogate pair: row 2":
        "SET titre = CAST(x'4d7273eda080' AS TEXT) WHERE id = 2",
    "patients_antibody.titre: it is no text: row 1": "SET titre = x'4d7273' WHERE id = 1",
    "accounts_user.name: it has more than 150 characters: rows 1–2, 4":
        f"SET name = '{SECRET}' || hex(zeroblob(90)) WHERE id IN (1, 2, 4)",
    "lesions_lesion.number: the number is too large for its column: row 1": "SET number = 9999999999 WHERE id = 1",
    "lesions_lesion.version: it is no whole number: row 2": f"SET version = '{SECRET}' WHERE id = 2",
    "lesions_lesion.map_x: it has more than 4 decimals: row 3": "SET map_x = 0.123456 WHERE id = 3",
    "lesions_lesion.last_area_mm2: the number is too large for its column: row 4":
        "SET last_area_mm2 = 1e12 WHERE id = 4",
    "lesions_lesion.target: it is neither true nor false: row 1": "SET target = 7 WHERE id = 1",
    "patients_visit.visit_date: it is no date: row 1": f"SET visit_date = '{SECRET}' WHERE id = 1",
    "audit_event.at: it is no moment: row 5": "SET at = '2024-13-45 10:00:00' WHERE id = 5",
    "audit_event.changes: it holds a NUL character: row 6": """SET changes = '{"a": ["Mrs\\u0000"]}' WHERE id = 6""",
    "audit_event.changes: it holds half a surrogate pair: row 7":
        """SET changes = '{"a": "Mrs\\ud800"}' WHERE id = 7""",
    "audit_event.changes: it is no JSON that both databases read: row 8": "SET changes = '{\"Mrs' WHERE id = 8",
    "audit_event.changes: it holds a number that is none (NaN, Infinity): row 9":
        "SET changes = '{\"Mrs\": NaN}' WHERE id = 9",
    "patients_signature.content: it is no sequence of bytes: row 1": f"SET content = '{SECRET}' WHERE id = 1",
    "patients_consent.patient_id: it leads to no row of patients_patient: row 1": "SET patient_id = 77777 WHERE id = 1",
}  # fmt: skip


def test_every_value_postgresql_would_refuse_is_named_and_nothing_is_written(file: Path):
    assert "can move as they are" in transfer("--check")
    changed(file, *(f"UPDATE {line.partition('.')[0]} {change}" for line, change in FAULTS.items()))
    before = written(file)
    for arguments in ((), ("--check",)):
        told = refusal(*arguments)
        lines = {line.strip() for line in told.splitlines()[1:]}
        assert lines == set(FAULTS) and f"{len(FAULTS) + 2} values" in told, lines ^ set(FAULTS)
        assert SECRET not in told and "Mrs" not in told
    assert nothing_came() and written(file) == before


def test_what_is_wrong_with_the_place_is_said_in_words(file: Path, tmp_path: Path):
    assert "no SQLite register" in refusal("--from", tmp_path / "other.sqlite3")
    before = written(file)
    with transaction.atomic():
        ClinicFactory()
        assert "not empty: audit_event has rows" in refusal()
        transaction.set_rollback(True)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("CREATE TABLE somebody_elses (id int)")
        assert "first somebody_elses" in refusal()
        transaction.set_rollback(True)
    for change, reason in (
        ("DELETE FROM django_migrations WHERE app = 'lesions'", "of older software: lesions."),
        ("INSERT INTO django_migrations (app, name, applied) VALUES ('lesions', '9999_tomorrow', '')", "9999_tomorrow"),
        ("ALTER TABLE clinics_clinic DROP COLUMN closed_at", "differ in the column clinics_clinic.closed_at"),
        ("CREATE TABLE more (id int)", "differ in the table more"),
    ):
        other = tmp_path / "other.sqlite3"
        other.write_bytes(file.read_bytes())
        changed(other, change)
        assert reason in refusal("--from", other)
    other.write_bytes(b"not a database at all" * 1000)
    assert "is damaged" in refusal("--from", other)
    page = bytearray(file.read_bytes())
    page[len(page) // 2 : len(page) // 2 + 40_000] = bytes(40_000)
    other.write_bytes(page)
    assert "would not take" in refusal("--from", other) or "is damaged" in refusal("--from", other)
    assert nothing_came() and written(file) == before


BROKEN = (
    pytest.param(
        "UPDATE audit_event SET reason = 'another' WHERE id = 9", "NOT as it was written: event 9", id="trail"
    ),
    pytest.param(
        "UPDATE patients_visit SET visit_date = '2001-01-01' WHERE state = 'SIGNED'", "do not match their signature",
        id="signature", marks=pytest.mark.long,
    ),
)  # fmt: skip


@pytest.mark.parametrize(("change", "reason"), BROKEN)
def test_what_does_not_hold_once_it_is_there_takes_everything_back(file: Path, change: str, reason: str):
    changed(file, change)
    assert reason in (told := refusal()) and "Nothing was kept" in told
    assert nothing_came()


def test_what_only_postgresql_finds_takes_everything_back_without_its_value(file: Path):
    """An index SQLite lost, and two rows it would have refused: found when all rows are copied already."""
    changed(
        file,
        "DROP INDEX auth_permission_content_type_id_codename_01ab375a_uniq",
        f"UPDATE auth_permission SET codename = '{SECRET}' WHERE content_type_id = 1",
    )
    told = refusal()
    assert "PostgreSQL refused (UniqueViolation 23505 auth_permission" in told and SECRET not in told
    assert nothing_came() and guards.missing() == []


def test_nobody_saves_meanwhile_and_everybody_reads(file: Path):
    with Source(file, held=True), closing(sqlite3.connect(file, timeout=0)) as other:
        assert other.execute("SELECT COUNT(*) FROM patients_patient").fetchone() == (4,)
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("UPDATE clinics_clinic SET name = 'B'")
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert "can move as they are" in transfer("--check"), "looking needs nobody to stop"


def test_after_the_move_the_old_file_takes_nothing_until_it_is_opened_again(
    file: Path, settings, django_capture_on_commit_callbacks
):
    refused = refusal("--back")
    assert "is open" in refused
    with closing(sqlite3.connect(file)) as before_the_move:  # of a server that was not stopped
        before_the_move.execute("SELECT 1 FROM patients_patient").fetchone()
        transfer()
        with pytest.raises(sqlite3.OperationalError, match="moved_to_postgresql"):
            before_the_move.execute("UPDATE clinics_clinic SET name = 'B'")
    settings.DEMO = False
    with on_sqlite(file):
        assert safe_database.MOVED in safe_database.reasons()
        with pytest.raises(OperationalError):
            ClinicFactory()
    with transaction.atomic():
        with django_capture_on_commit_callbacks(execute=True):
            clinic = ClinicFactory()
        assert clinic.pk and "has 1 events since the move" in refusal("--back")
        transaction.set_rollback(True)
    Path(settings.WITNESS_DIR, "audit-head").unlink()
    assert "is open again" in transfer("--back")
    with on_sqlite(file):
        assert safe_database.MOVED not in safe_database.reasons()
        ClinicFactory()


@pytest.mark.long
def test_a_page_that_is_not_the_patients_takes_everything_back(file: Path, monkeypatch):
    monkeypatch.setattr(restore, "resolve", lambda address: (lambda *a, **k: SimpleNamespace(status_code=500), (), {}))
    assert "page of a patient answers 500" in refusal()
    assert nothing_came()


class Elsewhere:
    """A PostgreSQL database beside the one of the tests, and the command in a process of its own."""

    def __init__(self, file: Path, url: str) -> None:
        self.file, self.url = file, url
        keys = {name: getattr(settings, name) for name in settings.KEY_NAMES}
        self.env = os.environ | keys | {
            "DATABASE_URL": url, "REGISTRY_DATA": str(file.parent), "REGISTRY_WITNESS": str(settings.WITNESS_DIR),
        }  # fmt: skip

    def started(self) -> subprocess.Popen[str]:
        command = [sys.executable, "manage.py", "transfer_db"]
        return subprocess.Popen(
            command, cwd=ROOT, env=self.env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True,
        )  # fmt: skip

    def rows(self, question: str) -> list[tuple]:
        with psycopg.connect(self.url) as to:
            return to.execute(question).fetchall()


@pytest.fixture
def elsewhere(request, file: Path, transactional_db) -> Iterator[Elsewhere]:
    """Migrated, as the tests' own database is; `bare`: with nothing in it at all."""
    told = connection.settings_dict
    template = "template0" if getattr(request, "param", "") == "bare" else told["NAME"]
    server = f"postgres://{told['USER']}@{told['HOST']}:{told['PORT']}"
    name = f"{told['NAME']}_moved"
    connection.close()  # nobody may be in a database that is copied
    with psycopg.connect(f"{server}/postgres", autocommit=True) as to:
        to.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
    yield Elsewhere(file, f"{server}/{name}")
    with psycopg.connect(f"{server}/postgres", autocommit=True) as to:
        to.execute(f"DROP DATABASE {name} WITH (FORCE)")


def test_killed_in_the_middle_nothing_came_and_run_again_everything_does(elsewhere: Elsewhere):
    killed = elsewhere.started()
    assert killed.stderr
    seen = ""
    while "copying" not in seen:
        seen += (some := killed.stderr.read(1))
        assert some, seen
    killed.kill()
    killed.communicate()
    assert elsewhere.rows("SELECT COUNT(*) FROM patients_patient") == [(0,)]
    again = elsewhere.started()
    out, told = again.communicate()
    assert again.returncode == 0 and "each as it was" in out, told
    assert elsewhere.rows("SELECT COUNT(*) FROM patients_patient") == [(4,)]


@pytest.mark.long
@pytest.mark.parametrize("elsewhere", ["bare"], indirect=True)
def test_into_a_database_with_nothing_in_it_the_command_brings_the_tables(elsewhere: Elsewhere):
    moved = elsewhere.started()
    out, told = moved.communicate()
    assert moved.returncode == 0 and "each as it was" in out, told
    assert elsewhere.rows("SELECT COUNT(*) FROM patients_patient") == [(4,)]
