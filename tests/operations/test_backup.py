"""A backup under load holds what was acknowledged before; a damaged one is refused before anything is written."""

from __future__ import annotations

import json
import shutil
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from django.conf import settings

from calcinosis_registry.operations import manifest
from calcinosis_registry.operations.manifest import BackupRefused
from calcinosis_registry.operations.restore import check_backup, restore
from tests.operations.consistency import assert_self_consistent
from tests.operations.register import Register, a_visit, copied, days, token

pytestmark = pytest.mark.django_db  # to know which database the run is about


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below ``folder``, but for the log, the lock and what starting Python leaves."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name not in ("server.log", "backup.lock")
    }


def with_a_file(register: Register, text: bytes = b"%PDF-1.4 a letter") -> str:
    """Store a file as an upload does, and return its hash."""
    source = register.folder / "upload"
    source.write_bytes(text)
    code = (
        "import django; django.setup(); from pathlib import Path; from django.conf import settings;"
        "from lesions import storage; from patients.models import Patient; from tests.factories import *;"
        f"sha = storage.store(Path({str(source)!r}), settings.FILES_DIR);"
        "storage.store_preview(sha, settings.FILES_DIR, b'picture');"
        "study = ImagingStudyFactory(patient=Patient.objects.first());"
        "ImagingFileFactory(study=study, sha256=sha, size=17); print(sha)"
    )
    found = register.run("-c", code).stdout.strip()
    source.unlink()
    return found


def test_what_was_saved_before_a_backup_under_load_is_in_it(register: Register, empty: Register, tmp_path: Path):
    register.start()
    saved: list[str] = []
    stop = threading.Event()

    def write(person: str, patient: str) -> None:
        for day in days():
            if stop.is_set():
                return
            name = token()
            answer = register.post(f"/patients/{patient}/visits/new/", a_visit(day, name), person)
            assert answer.status == 302, answer.text
            saved.append(name)

    people = [name for name in register.known["sessions"] if name.startswith("clinician")]
    writers = [
        threading.Thread(target=write, args=one) for one in zip(people, register.known["patients"], strict=False)
    ]
    for one in writers:
        one.start()
    while len(saved) < 8:
        assert any(one.is_alive() for one in writers)
    before = list(saved)
    register.manage("backup", tmp_path / "kept")
    during = len(saved) - len(before)
    stop.set()
    for one in writers:
        one.join()
    register.kill()
    told = empty.manage("restore", tmp_path / "kept").stdout
    assert "page of a patient was rendered" in told and "of the audit trail verified" in told
    restored = {name for (name,) in empty.rows("SELECT public_id FROM patients_visit")}
    assert during > 0, "nobody wrote during the backup: this test showed nothing"
    assert set(before) <= restored
    assert_self_consistent(empty)
    empty.start()
    assert empty.get(f"/patients/{empty.known['patients'][0]}/").status == 302, "everybody signs in again"
    empty.kill()


def test_a_restore_gives_back_every_row_and_file(register: Register, empty: Register, tmp_path: Path):
    sha256 = with_a_file(register)
    told = register.manage("backup", tmp_path / "kept")
    assert "keys are NOT in it" in told.stdout
    assert "files: 100 %" in told.stderr
    empty.manage("restore", tmp_path / "kept")
    stored = f"files/{sha256[:2]}/{sha256[2:4]}/{sha256}"
    for name in (stored, f"{stored}.preview.png"):
        assert (empty.folder / name).read_bytes() == (register.folder / name).read_bytes()
    for table in ("patients_visit", "lesions_lesionobservation", "identity_identity"):
        question = f"SELECT * FROM {table} ORDER BY id"
        assert empty.rows(question) == register.rows(question)
    events = "SELECT * FROM audit_event ORDER BY id"
    assert empty.rows(events)[:-1] == register.rows(events)
    assert empty.rows("SELECT action FROM audit_event ORDER BY id DESC LIMIT 1") == [("restore",)]
    assert "each as it was written" in empty.manage("verify_audit").stdout
    assert empty.rows("SELECT COUNT(*) FROM django_session") == [(0,)]


ERASE = """
import django; django.setup()
from django.utils import timezone
from calcinosis_registry.accounts.models import User
from calcinosis_registry.rights.models import Basis
from calcinosis_registry.rights.services import confirm_erasure, request_erasure
from patients.models import Patient
patient, now = Patient.objects.first(), timezone.now()
asks, confirms = User.objects.filter(memberships__role="clinician")[:2]
asked = request_erasure(patient=patient, basis=Basis.values[0], reason="asked for in writing", by=asks, now=now)
confirm_erasure(asked=asked, by=confirms, now=now)
print(patient.registry_number)
"""


def test_who_was_erased_after_the_backup_is_erased_again(register: Register, empty: Register, tmp_path: Path):
    register.manage("backup", tmp_path / "kept")
    number = register.run("-c", ERASE).stdout.strip()
    for name in ("audit-head", "erasures"):  # what is kept outside the backup, as it is now
        shutil.copy(register.folder / "keys" / name, empty.folder / "keys" / name)
    assert "1 persons erased since the backup" in empty.manage("restore", tmp_path / "kept").stdout
    assert empty.rows(f"SELECT COUNT(*) FROM patients_patient WHERE registry_number = '{number}'") == [(0,)]
    assert "each as it was written" in empty.manage("verify_audit").stdout


def test_no_key_is_in_the_backup(register: Register, tmp_path: Path):
    register.manage("backup", tmp_path / "kept")
    keys = [(register.folder / "keys" / name.lower()).read_bytes() for name in settings.KEY_NAMES]
    assert len(keys) >= 3 and all(len(key) > 30 for key in keys)
    for name, content in contents(tmp_path / "kept").items():
        assert not any(key in content for key in keys), name


def test_a_backup_overwrites_nothing_and_leaves_nothing_when_it_fails(register: Register, tmp_path: Path):
    (tmp_path / "kept").mkdir()
    refused = register.manage("backup", tmp_path / "kept", check=False)
    assert refused.returncode == 1 and "exists already" in refused.stderr
    if not register.database:
        with sqlite3.connect(register.folder / "registry.sqlite3") as lite:
            lite.execute("PRAGMA foreign_keys=OFF")
            lite.execute("UPDATE patients_visit SET patient_id = 999999 WHERE id = 1")
        refused = register.manage("backup", tmp_path / "other", check=False)
        assert refused.returncode == 1 and "point at rows that are not there" in refused.stderr
    assert sorted(path.name for path in tmp_path.iterdir() if "data" not in path.name) == ["kept"]


def test_a_register_that_lost_a_file_is_backed_up_and_says_so(register: Register, empty: Register, tmp_path: Path):
    sha256 = with_a_file(register)
    (register.folder / "files" / sha256[:2] / sha256[2:4] / sha256).unlink()
    told = register.manage("backup", tmp_path / "kept", check=False)
    assert told.returncode == 1 and f"{sha256} is missing in the register" in told.stderr
    assert f"{sha256} is missing" in empty.manage("restore", tmp_path / "kept").stdout


def test_a_restore_refuses_a_register_that_holds_anything(register: Register, empty: Register, tmp_path: Path):
    register.manage("backup", tmp_path / "kept")
    before = contents(register.folder)
    refused = register.manage("restore", tmp_path / "kept", check=False)
    assert refused.returncode == 1 and "not empty" in refused.stderr
    assert contents(register.folder) == before
    stray = empty.folder / "files" / "ab" / "cd" / ("ab" * 32)
    stray.parent.mkdir(parents=True)
    stray.write_bytes(b"of somebody else")
    refused = empty.manage("restore", tmp_path / "kept", check=False)
    assert refused.returncode == 1 and "holds files already" in refused.stderr


def flip(path: Path, at: float = 0.5) -> None:
    data = bytearray(path.read_bytes())
    data[int(at * (len(data) - 1))] ^= 1
    path.write_bytes(data)


def rewritten(folder: Path, change: Callable[[dict], None]) -> None:
    """Change the manifest as somebody would who has not the key."""
    content = json.loads((folder / "manifest.json").read_text())
    change(content)
    (folder / "manifest.json").write_text(json.dumps(content))


def a_part(folder: Path) -> Path:
    return next(path for path in sorted((folder / "files").rglob("*")) if path.is_file())


def the_database(folder: Path) -> Path:
    return next(folder.glob("database.*"))


def lose_last_byte(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


DAMAGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "a bit of the database": (lambda f: flip(the_database(f)), "is damaged"),
    "the database cut": (lambda f: lose_last_byte(the_database(f)), "bytes instead of"),
    "the database missing": (lambda f: the_database(f).unlink(), "missing, first database"),
    "a bit of a file": (lambda f: flip(a_part(f)), "is damaged"),
    "a file cut": (lambda f: lose_last_byte(a_part(f)), "bytes instead of"),
    "a file missing": (lambda f: a_part(f).unlink(), "missing, first files/"),
    "a file more": (lambda f: (f / "files" / "more").write_bytes(b"x"), "do not belong"),
    "a link for a file": (lambda f: (a_part(f).rename(f.parent / "out"), None), "missing, first files/"),
    "a bit of the settings": (lambda f: flip(f / "settings.json"), "is damaged"),
    "a bit of the manifest": (lambda f: flip(f / "manifest.json"), "altered or damaged"),
    "the manifest cut": (lambda f: lose_last_byte(f / "manifest.json"), "altered or damaged"),
    "the manifest missing": (lambda f: (f / "manifest.json").unlink(), "manifest.json is missing"),
    "a bit of the seal": (lambda f: flip(f / "manifest.seal"), "altered or damaged"),
    "the seal missing": (lambda f: (f / "manifest.seal").unlink(), "manifest.seal is missing"),
    "rows of the manifest": (
        lambda f: rewritten(f, lambda c: c["database"]["rows"].update(patients_visit=0)), "altered or damaged",
    ),
    "the key of the manifest": (
        lambda f: rewritten(f, lambda c: c["keys"].update(PSEUDONYM_KEY="0" * 16)), "another PSEUDONYM_KEY",
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def made(template: Register, tmp_path_factory: pytest.TempPathFactory):
    folder = tmp_path_factory.mktemp("made")
    with copied(template, folder / "data") as register:
        with_a_file(register)
        register.manage("backup", folder / "kept")
    return folder / "kept"


@pytest.fixture
def here(template: Register, tmp_path: Path, settings) -> Path:
    """An empty place with the keys of the backup, for calls in this process: the command is the same call."""
    settings.FILES_DIR = tmp_path / "here" / "files"
    settings.FILES_DIR.mkdir(parents=True)
    for name in settings.KEY_NAMES:
        setattr(settings, name, (template.folder / "keys" / name.lower()).read_text())
    return tmp_path / "here"


def refusal(kept: Path) -> str:
    with pytest.raises(BackupRefused) as refused:
        restore(kept, lambda *told: None, say=lambda text: None)
    return str(refused.value)


@pytest.mark.parametrize("what", DAMAGES)
def test_a_damaged_backup_is_refused_before_anything_is_written(what: str, made: Path, here: Path, tmp_path: Path):
    kept = tmp_path / "kept"
    shutil.copytree(made, kept)
    damage, reason = DAMAGES[what]
    damage(kept)
    assert reason in refusal(kept)
    assert not contents(here)


def test_one_hundred_flipped_bits_are_all_found(made: Path, here: Path, tmp_path: Path):
    kept = tmp_path / "kept"
    shutil.copytree(made, kept)
    parts = [path for path in kept.rglob("*") if path.is_file()]
    for number in range(100):
        flip(parts[number % len(parts)], at := (number * 37 % 100) / 100)
        assert refusal(kept)
        flip(parts[number % len(parts)], at)
    check_backup(kept, lambda *told: None)


def resealed(kept: Path, change: Callable[[dict], None]) -> None:
    content = json.loads((kept / manifest.MANIFEST).read_text())
    change(content)
    for name in (manifest.MANIFEST, manifest.SEAL):
        (kept / name).unlink()
    manifest.write(kept, content, key=settings.PSEUDONYM_KEY)


MISFITS: dict[str, tuple[Callable[[dict], object], str]] = {
    "a newer migration": (lambda c: c["database"]["migrations"].append("patients.9999_tomorrow"), "newer software"),
    "a newer version": (lambda c: c["software"].update(version="99.0"), "newer software"),
    "a newer format": (lambda c: c.update(format=2), "has format 2"),
    "another engine": (lambda c: c.update(engine="oracle"), "of a oracle database"),
    "no database": (lambda c: c["parts"].pop("settings.json"), "do not belong"),
}


@pytest.mark.parametrize("what", MISFITS)
def test_a_sealed_backup_that_does_not_fit_is_refused(what: str, made: Path, here: Path, tmp_path: Path):
    kept = tmp_path / "kept"
    shutil.copytree(made, kept)
    change, reason = MISFITS[what]
    resealed(kept, change)
    assert reason in refusal(kept)
    assert not contents(here)


COUNTS: dict[str, tuple[Callable[[dict], object], str]] = {
    "other counts": (lambda c: c["database"]["rows"].update(patients_visit=1), "Table patients_visit has"),
    "another trail": (lambda c: c["database"]["trail"].update(last=1), "last event of the trail"),
    "other migrations": (lambda c: c["database"]["migrations"].pop(), "migrations of the database"),
}


@pytest.mark.parametrize("what", COUNTS)
def test_a_database_that_is_not_what_the_manifest_says_is_refused(
    what: str, made: Path, here: Path, empty: Register, tmp_path: Path
):
    """SQLite is asked before anything is written, PostgreSQL after the load."""
    kept = tmp_path / "kept"
    shutil.copytree(made, kept)
    change, reason = COUNTS[what]
    resealed(kept, change)
    refused = empty.manage("restore", kept, check=False)
    assert refused.returncode == 1 and reason in refused.stderr
    assert empty.database or not empty.rows("SELECT name FROM sqlite_master")


@pytest.mark.parametrize("name", ["PSEUDONYM_KEY", "AUDIT_KEY"])
def test_keys_of_another_register_are_named_as_the_reason(name: str, made: Path, here: Path, settings):
    setattr(settings, name, "qwertzuiopasdfghjklyxcvbnm1234567890")
    assert f"another {name}" in refusal(made)
    assert not contents(here)


def test_looking_at_a_whole_backup_writes_nothing(made: Path, empty: Register):
    before = contents(empty.folder)
    assert "is whole" in empty.manage("restore", "--check", made).stdout
    assert {name: data for name, data in contents(empty.folder).items() if "secret_key" not in name} == {
        name: data for name, data in before.items() if "secret_key" not in name
    }
