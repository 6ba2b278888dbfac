"""How long a register is away: its backup restored into an empty place and verified, against the 30 minutes promised.

    RESTORE_PATIENTS=100000 RESTORE_FILES=10000 pytest -n0 -s -m long tests/operations/test_restore_time.py

measures the whole of it, with 50 GB of files of 5 MB each.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from pathlib import Path

import psycopg
import pytest

from tests.benchmarks.measure import told
from tests.operations.register import Register

PATIENTS = int(os.environ.get("RESTORE_PATIENTS", "2000"))
FILES = int(os.environ.get("RESTORE_FILES", "40"))
MEGABYTES = 5  # of one file
RTO = 30 * 60

pytestmark = [pytest.mark.long, pytest.mark.django_db]
STORE = f"""
import os, pathlib, django
django.setup()
from django.conf import settings
from lesions import storage
from tests.factories import ImagingFileFactory, ImagingStudyFactory
from patients.models import Patient
study = ImagingStudyFactory(patient=Patient.objects.first())
source = pathlib.Path(settings.DATA_DIR) / 'upload'
for number in range({FILES}):
    source.write_bytes(os.urandom({MEGABYTES} * 10**6))
    ImagingFileFactory(study=study, sha256=storage.store(source, settings.FILES_DIR), size={MEGABYTES} * 10**6)
source.unlink(missing_ok=True)
"""


def place(folder: Path, server_url: str, name: str) -> Register:
    folder.mkdir(parents=True)
    if not server_url:
        return Register(folder)
    with psycopg.connect(server_url, autocommit=True) as to:
        to.execute(f"CREATE DATABASE {name} TEMPLATE template0")
    return Register(folder, server_url.rpartition("/")[0] + f"/{name}")


def test_a_register_is_back_within_half_an_hour(server_url: str, tmp_path: Path):
    lost = place(tmp_path / "lost", server_url, "lost")
    lost.manage("migrate", "-v0")
    lost.known = json.loads(lost.run("tests/operations/load_seed.py", "4", str(PATIENTS)).stdout)
    lost.run("-c", STORE)
    began = time.monotonic()
    lost.manage("backup", tmp_path / "backup")
    copied = time.monotonic() - began
    visits = lost.rows("SELECT COUNT(*) FROM patients_visit")
    back = place(tmp_path / "back", server_url, "back")
    shutil.copytree(lost.folder / "keys", back.folder / "keys")
    began = time.monotonic()
    said = back.manage("restore", tmp_path / "backup").stdout
    took = time.monotonic() - began
    assert "Restored" in said
    assert back.rows("SELECT COUNT(*) FROM patients_visit") == visits
    assert len(list((back.folder / "files").rglob("*"))) >= FILES
    told(f"{PATIENTS} patients, {FILES * MEGABYTES} MB of files", backup_s=copied, restore_s=took, promised_s=RTO)
    assert took <= RTO
