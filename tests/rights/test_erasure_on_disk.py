"""No byte of an erased person is left in the files of the database."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from django.db import connection

from tests import tables
from tests.house_rules.source import ROOT

pytestmark = pytest.mark.django_db

WRITE_AND_ERASE = """
import json, pathlib, django
django.setup()
from django.conf import settings
from django.utils import timezone
from calcinosis_registry.rights.services import confirm_erasure, request_erasure
from tests.factories import IdentityFactory, MembershipFactory, PatientFactory, VisitFactory

WORD = b"Kanarienvogel"

def found():
    base = settings.DATA_DIR / "registry.sqlite3"
    names = {"database": base, "wal": pathlib.Path(f"{base}-wal"), "shm": pathlib.Path(f"{base}-shm")}
    return {name: path.read_bytes().count(WORD) if path.exists() else 0 for name, path in names.items()}

word = WORD.decode()
member = MembershipFactory()
patient = PatientFactory(clinic=member.clinic)
identity = IdentityFactory(patient=patient, family_name=word, contact=word * 9)
for n in range(40):
    VisitFactory(patient=patient, note=f"{word} {n} " * 30, visit_date=f"2026-01-{n % 28 + 1:02d}", state="OPEN")
identity.contact = word * 7
identity.save()
before = found()
asked = request_erasure(patient=patient, basis="CONSENT", reason=word, by=member.user, now=timezone.now())
second = MembershipFactory(clinic=member.clinic, role="admin").user
confirm_erasure(asked=asked, by=second, now=timezone.now())
print(json.dumps([before, found()]))
"""


def test_no_byte_is_left_in_a_database_file_or_its_write_ahead_log(tmp_path):
    """In a register of its own: its files on the disk, write-ahead log and shared memory included, before and after."""
    if connection.vendor != "sqlite":
        pytest.skip("about SQLite's files; PostgreSQL's are vacuumed and recycled by the server (docs/operations)")
    folder = tmp_path / "register"
    folder.mkdir()
    env = {name: value for name, value in os.environ.items() if not name.startswith(("DATABASE_URL", "PYTEST_"))}
    env |= {"REGISTRY_DATA": str(folder), "REGISTRY_DEMO": "1"}
    env |= {"DJANGO_SETTINGS_MODULE": "calcinosis_registry.settings"}
    subprocess.run([sys.executable, "manage.py", "check"], cwd=ROOT, env=env, check=True)  # makes the keys
    tables.lay(folder / "registry.sqlite3")
    subprocess.run([sys.executable, "manage.py", "migrate", "-v0"], cwd=ROOT, env=env, check=True)
    done = subprocess.run(
        [sys.executable, "-c", WRITE_AND_ERASE], cwd=ROOT, env=env, capture_output=True, text=True, check=True
    )
    before, after = json.loads(done.stdout.splitlines()[-1])
    assert before["wal"] > 0, "the name stood in the write-ahead log, so there was something to erase"
    assert after == {"database": 0, "wal": 0, "shm": 0}
