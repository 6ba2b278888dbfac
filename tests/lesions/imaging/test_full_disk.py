"""A disk that is full at any byte: told with 507, no file under its final name, no row (trust-cases FILE-19)."""

from __future__ import annotations

import os
import resource
import subprocess
from contextlib import contextmanager

import pytest
from django.db import OperationalError

from lesions import imaging, storage
from lesions.models import ImagingFile, ImagingStudy
from tests.lesions.imaging.door import on_disk
from tests.lesions.imaging.hostile.document_cases import zipped
from tests.lesions.imaging.hostile.picture_cases import picture
from tests.lesions.imaging.imaging_files import dicom_file, element, us

TOLD = "It could not be stored: the disk may be full. Nothing was kept."


def large() -> bytes:
    """Three megabytes: more than Django keeps in memory, so it is on the disk before any view runs."""
    pixels = element(0x7FE00010, "OW", os.urandom(1024) * 3000)
    return dicom_file(rows=us(0x00280010, 1500), columns=us(0x00280011, 2048), pixels=pixels)


UPLOADS = {"photo.jpg": picture("JPEG"), "scan.dcm": large(), "study.zip": zipped(("a.dcm", dicom_file()))}


@pytest.fixture(autouse=True)
def received_beside_the_store(settings, files):
    settings.FILE_UPLOAD_TEMP_DIR = files / "tmp"
    settings.FILE_UPLOAD_TEMP_DIR.mkdir(parents=True)


@contextmanager
def room_for(size: int):
    """No file of this process may grow beyond ``size``; what the parsing process writes has its own limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def nothing_is_left(files) -> bool:
    return not on_disk(files) and not ImagingFile.objects.exists() and not ImagingStudy.objects.exists()


@pytest.mark.parametrize("share", [0, 0.0001, 0.3, 0.9, 1])
@pytest.mark.parametrize("name", UPLOADS)
def test_no_room_at_any_byte_is_told_and_leaves_nothing(upload, files, name, share):
    size = max(0, int(len(UPLOADS[name]) * share) - (share == 1))
    with room_for(size):
        page = upload((name, UPLOADS[name]))
    assert page.status_code == 507
    assert [(one.name, one.text) for one in page.context["outcomes"]] == [(name, TOLD)]
    assert TOLD in page.content.decode() and nothing_is_left(files)


@pytest.mark.parametrize("kind", ["preview", "thumbnail"])
def test_a_picture_that_finds_no_room_takes_its_file_away_again(upload, files, monkeypatch, kind):
    keep = storage.store_preview

    def full(sha256, root, png, of="preview"):
        if of == kind:
            raise OSError(28, "No space left on device")
        keep(sha256, root, png, of)

    monkeypatch.setattr(imaging.storage, "store_preview", full)
    assert upload(("photo.jpg", UPLOADS["photo.jpg"])).status_code == 507
    assert nothing_is_left(files)


def test_a_parsing_process_without_room_is_no_damaged_file(upload, files, monkeypatch):
    answer = subprocess.CompletedProcess([], 0, b'{"no_room": 28}', b"")
    monkeypatch.setattr(subprocess, "run", lambda *args, **kwargs: answer)
    page = upload(("scan.dcm", dicom_file()))
    assert page.status_code == 507 and TOLD in page.content.decode() and nothing_is_left(files)


def test_a_database_without_room_keeps_neither_row_nor_file(upload, files, monkeypatch):
    def full(**_about):
        raise OperationalError("database or disk is full")

    monkeypatch.setattr(imaging, "after_save", full)
    page = upload(("photo.jpg", UPLOADS["photo.jpg"]))
    assert page.status_code == 507 and TOLD in page.content.decode() and nothing_is_left(files)


def test_a_disk_that_fills_up_in_the_middle_takes_a_file_whole_or_not_at_all(upload, files):
    """A real small disk, where one may be mounted: each size stops at another write."""
    results = set()
    for room in (1, 2, 3, 4, 5, 6, 7, 8, 10, 14):
        files.mkdir(exist_ok=True)
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={room * 1024}k", "tmpfs", files], capture_output=True, check=False
        )
        if mounted.returncode:
            pytest.skip("no tmpfs can be mounted here; the limit on file size above stands for it")
        try:
            (files / "tmp").mkdir()
            page = upload(("scan.dcm", UPLOADS["scan.dcm"]))
            taken = ImagingFile.objects.exists()
            results.add(taken)
            if taken:
                stored = storage.path_of(ImagingFile.objects.get().sha256, files).read_bytes()
                assert stored == UPLOADS["scan.dcm"] and len(on_disk(files)) == 3
                break
            assert page.status_code == 507 and nothing_is_left(files), room
        finally:
            subprocess.run(["umount", files], check=True)
    assert results == {True, False}
