"""verify_files finds every missing, changed and unowned file (trust-cases FILE-21); the purge takes old parts only."""

from __future__ import annotations

import io
import os
import random
import time
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from PIL import Image

from calcinosis_registry.audit.models import Event
from lesions import storage, verification
from lesions.models import ImagingFile
from tests.factories import ImagingFileFactory, ImagingStudyFactory

DAY = 24 * 3600


@pytest.fixture
def keep(files, tmp_path, north):
    study = ImagingStudyFactory(patient__clinic=north)

    def keep(content: bytes, *, pictured: bool = False) -> ImagingFile:
        source = tmp_path / "source"
        source.write_bytes(content)
        sha256 = storage.store(source, files)
        if pictured:
            for kind in ("preview", "thumbnail"):
                storage.store_preview(sha256, files, png(content[:3]), kind)
        return ImagingFileFactory(study=study, sha256=sha256, size=len(content), has_preview=pictured)

    return keep


def png(colour: bytes) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (40, 30), tuple(colour)).save(out, "PNG")
    return out.getvalue()


@pytest.fixture
def verify(capsys):
    """``verify("--purge")``: (exit code, what the command said)."""

    def verify(*options: str) -> tuple[int, str]:
        try:
            call_command("verify_files", *options)
            code, said = 0, ""
        except CommandError as error:
            code, said = error.returncode, str(error)
        return code, capsys.readouterr().out + said

    return verify


def aged(path: Path, seconds: float) -> Path:
    os.utime(path, (time.time() - seconds,) * 2)
    return path


def test_a_sound_store_is_read_whole_and_ends_well(keep, verify):
    for n in range(5):
        keep(bytes([n]) * 5000, pictured=n % 2 == 0)
    code, said = verify()
    assert code == 0 and "11 files read" in said and "0 missing, 0 corrupt, 0 without a record" in said


def test_one_changed_bit_in_each_of_a_hundred_files_is_found(keep, verify, files):
    choose = random.Random(20261)
    for _ in range(40):
        keep(choose.randbytes(choose.randrange(1, 9000)))
    for _ in range(30):
        keep(choose.randbytes(3000), pictured=True)
    kept = [path for path in files.rglob("*") if path.is_file()]
    changed = choose.sample(kept, 100)
    for path in changed:
        content = bytearray(path.read_bytes())
        content[choose.randrange(len(content))] ^= 1 << choose.randrange(8)
        path.write_bytes(content)
    code, said = verify()
    found = {line.removeprefix("corrupt: ") for line in said.splitlines() if line.startswith("corrupt: ")}
    assert code == 1 and found == {str(path.relative_to(files)) for path in changed}


@pytest.mark.parametrize("kind", ["original", "preview", "thumbnail"])
def test_what_is_missing_is_named(keep, verify, files, kind):
    keep(b"standing", pictured=True)
    lost = storage.path_of(keep(b"lost", pictured=True).sha256, files, kind)
    lost.unlink()
    code, said = verify()
    assert code == 1 and f"missing: {lost.relative_to(files)}" in said and "1 missing, 0 corrupt, 0 without" in said


def test_a_file_without_a_record_is_named_and_stays(keep, verify, files):
    keep(b"standing", pictured=True)
    orphan = storage.path_of(keep(b"orphan", pictured=True).sha256, files)
    ImagingFile.objects.filter(sha256=orphan.name).delete()
    (files / "notes.txt").write_text("put here by hand")
    code, said = verify()
    named = [line for line in said.splitlines() if line.startswith("orphan: ")]
    assert code == 1 and len(named) == 4 and f"orphan: {orphan.relative_to(files)}" in named
    assert orphan.exists() and (files / "notes.txt").exists()


def test_orphans_go_when_asked_after_a_day_and_the_trail_says_so(keep, verify, files):
    row = keep(b"orphan")
    old = aged(storage.path_of(row.sha256, files), DAY + 60)
    young = storage.path_of(keep(b"young").sha256, files)
    owned = aged(storage.path_of(keep(b"owned").sha256, files), DAY + 60)
    ImagingFile.objects.exclude(sha256=owned.name).delete()
    code, said = verify("--remove-orphans")
    assert code == 1 and f"orphan: {young.relative_to(files)}" in said
    assert not old.exists() and young.exists() and owned.exists()
    gone = Event.objects.get(action="delete", model="")
    assert gone.changes == {"file": [str(old.relative_to(files)), None]}


def test_a_file_whose_row_came_while_looking_is_no_orphan(keep, files):
    name = str(storage.path_of(keep(b"just added").sha256, files).relative_to(files))
    aged(files / name, DAY + 60)
    assert verification.remove_orphans(files, [name]) == [] and (files / name).exists()


def test_the_purge_takes_parts_older_than_a_day_and_leaves_younger_ones(keep, verify, files):
    keep(b"standing")
    left = []
    for room in ("tmp", "staging", "incoming"):
        folder = files / room / "cut"
        folder.mkdir(parents=True)
        (folder / "part").write_bytes(b"half")
        (files / room / "loose").write_bytes(b"half")
        (files / room / "young").write_bytes(b"half")
        left += [folder, files / room / "loose"]
    for one in left:
        aged(one, DAY + 60)
    code, said = verify("--purge")
    assert code == 0 and "6 unfinished uploads removed" in said
    assert not any(one.exists() for one in left)
    assert sorted(path.name for path in files.rglob("young")) == ["young"] * 3


def test_more_files_than_a_page_of_rows_and_the_same_content_in_two_studies(keep, verify, files, monkeypatch, south):
    monkeypatch.setattr(verification, "_BATCH", 2)
    rows = [keep(bytes([n])) for n in range(7)]
    for row in rows:
        ImagingFileFactory(study__patient__clinic=south, sha256=row.sha256)
        ImagingFileFactory(study__patient__clinic=south, sha256=row.sha256)
    code, said = verify()
    assert code == 0 and "7 files read" in said
    storage.path_of(rows[3].sha256, files).unlink()
    assert verify()[1].count("missing: ") == 1
