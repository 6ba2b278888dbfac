"""What the viewer asks the server for: the picture's tiles, made in the limited process when somebody asks for them."""

from __future__ import annotations

import fcntl
import json
import os

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from calcinosis_registry.operations import backup
from lesions import ingest_worker, preparing, storage
from lesions.models import ImagingFile
from lesions.refusal import Refused
from tests.factories import ImagingFileFactory, ImagingStudyFactory
from tests.lesions.imaging.door import on_disk
from tests.lesions.imaging.hostile.picture_cases import picture
from tests.lesions.imaging.imaging_files import dicom_file, element, us
from tests.lesions.imaging.test_raster import values

GREY = dicom_file(
    window=element(0x00281050, "DS", b"-900") + element(0x00281051, "DS", b"200") + element(0x00281052, "DS", b"-1000")
    + element(0x00281053, "DS", b"2"),
)  # fmt: skip

KINDS = {"dcm": ("application/dicom", "DICOM"), "png": ("image/png", "PHOTO"), "pdf": ("application/pdf", "PDF")}


@pytest.fixture
def in_this_process(monkeypatch):
    """The worker's own reading without a process of its own, which takes a second to start."""

    def reading(task, kind, path, folder):
        told = {"task": task, "kind": kind, "source": str(path), "folder": str(folder)}
        answer = ingest_worker._answer(told)
        if "refused" in answer:
            raise Refused(answer["refused"][0], **answer["refused"][1])
        return answer

    monkeypatch.setattr(preparing, "in_limited_process", reading)


@pytest.fixture
def kept(patient, files, tmp_path):
    """``kept(name, bytes)``: a file of the patient's as uploading leaves it, without its preview."""

    def kept(name: str, content: bytes) -> ImagingFile:
        aside = tmp_path / "aside"
        aside.write_bytes(content)
        media, kind = KINDS[name.rpartition(".")[2]]
        study = ImagingStudyFactory(patient=patient)
        sha256 = storage.store(aside, files)
        aside.unlink()
        return ImagingFileFactory(study=study, name=name, media_type=media, kind_of_file=kind, sha256=sha256, header={})

    return kept


def raster(file: ImagingFile) -> str:
    return reverse("lesions:imaging_raster", args=[file.public_id])


def tile(file: ImagingFile, *place: int) -> str:
    return reverse("lesions:imaging_tile", args=[file.public_id, *place])


def made(clara: Client, file: ImagingFile) -> dict:
    answer = clara.post(raster(file))
    assert answer.status_code == 200, answer.content
    return answer.json()


@pytest.mark.usefixtures("in_this_process")
def test_looking_makes_nothing_and_asking_does(kept, clara, files):
    file = kept("a.dcm", GREY)
    before = on_disk(files)
    assert clara.get(raster(file)).json()["raster"] is None and on_disk(files) == before
    assert clara.get(tile(file, 0, 0, 0, 0)).status_code == 404
    told = made(clara, file)
    assert told["raster"] == clara.get(raster(file)).json()["raster"]
    assert len(on_disk(files)) == len(before) + 1


@pytest.mark.usefixtures("in_this_process")
def test_a_tile_is_the_file_s_own_values_in_units_of_the_modality(kept, clara):
    """Pixels 0 to 230 in tens; slope 2, intercept -1000."""
    file = kept("a.dcm", GREY)
    told = made(clara, file)["raster"]
    look = told["looks"][told["look_of"][0]]
    answer = clara.get(tile(file, 0, 0, 0, 0))
    shown = values(answer.content, 6) * look["slope"] + look["intercept"]
    assert np.array_equal(shown.ravel(), np.arange(0, 240, 10) * 2.0 - 1000)
    assert look["windows"][0] == ["", -900, 200] and look["range"] == [-1000, -540] and not look["inverted"]


@pytest.mark.usefixtures("in_this_process")
def test_a_picture_that_shows_its_lowest_value_white_says_so(kept, clara):
    told = made(clara, kept("a.dcm", dicom_file(photometric=element(0x00280004, "CS", b"MONOCHROME1"))))
    assert told["raster"]["looks"][0]["inverted"] is True


@pytest.mark.usefixtures("in_this_process")
def test_signed_pixels_keep_their_sign(kept, clara):
    pixels = np.arange(-12, 12, dtype="<i2").tobytes()
    sixteen = {"allocated": us(0x00280100, 16), "stored": us(0x00280101, 16), "high": us(0x00280102, 15)}
    signed = dicom_file(**sixteen, representation=us(0x00280103, 1), pixels=element(0x7FE00010, "OW", pixels))
    file = kept("a.dcm", signed)
    look = made(clara, file)["raster"]["looks"][0]
    shown = values(clara.get(tile(file, 0, 0, 0, 0)).content, 6) * look["slope"] + look["intercept"]
    assert np.array_equal(shown.ravel(), np.arange(-12, 12))


@pytest.mark.usefixtures("in_this_process")
def test_each_frame_has_its_own_tiles(kept, clara):
    three = dicom_file(
        frames=element(0x00280008, "IS", b"3"), pixels=element(0x7FE00010, "OW", bytes(range(72))),
    )  # fmt: skip
    file = kept("a.dcm", three)
    assert made(clara, file)["raster"]["frames"] == 3
    assert [values(clara.get(tile(file, n, 0, 0, 0)).content, 6)[0, 0] for n in range(3)] == [0, 24, 48]
    assert clara.get(tile(file, 3, 0, 0, 0)).status_code == 404


@pytest.mark.parametrize(("mode", "kind"), [("L", "grey"), ("RGB", "colour")])
@pytest.mark.usefixtures("in_this_process")
def test_a_photograph_has_tiles_too(kept, clara, mode, kind):
    file = kept("a.png", picture("PNG", mode=mode))
    assert made(clara, file)["raster"]["kind"] == kind
    assert clara.get(tile(file, 0, 0, 0, 0)).status_code == 200


@pytest.mark.usefixtures("in_this_process")
def test_tiles_are_guarded_like_every_picture(kept, clara, client_of, stranger, researcher, admin, monitor):
    file = kept("a.dcm", GREY)
    made(clara, file)
    for address in (raster(file), tile(file, 0, 0, 0, 0)):
        answer = clara.get(address)
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert answer["Content-Security-Policy"] == "sandbox; default-src 'none'"
        assert "no-store" in answer["Cache-Control"] and answer["Cross-Origin-Resource-Policy"] == "same-origin"
        assert client_of(monitor).get(address).status_code == 200
        for other in (stranger, researcher, admin):
            assert client_of(other).get(address).status_code == 404
    for other in (stranger, researcher, admin):
        assert client_of(other).post(raster(file)).status_code == 404


@pytest.mark.usefixtures("in_this_process")
def test_a_report_has_no_tiles(kept, clara):
    file = kept("r.pdf", b"%PDF-1.4")
    assert clara.get(raster(file)).status_code == clara.post(raster(file)).status_code == 404


@pytest.mark.usefixtures("in_this_process")
def test_pixels_that_cannot_be_read_are_refused_in_words_and_leave_nothing(kept, clara, files):
    file = kept("a.dcm", GREY)
    storage.path_of(file.sha256, files).write_bytes(GREY[:-40])
    before = on_disk(files)
    answer = clara.post(raster(file))
    assert answer.status_code == 422 and "incomplete" in answer.json()["refused"]
    assert on_disk(files) == before


def test_it_is_made_in_the_limited_process(kept, clara, monkeypatch):
    """Nothing of the file is read in the server's own process."""
    monkeypatch.setattr("lesions.raster_pixels.of_dicom", None)
    assert made(clara, kept("a.dcm", GREY))["raster"]["width"] == 6


def test_pixels_beyond_the_memory_allowed_are_a_refusal(kept, clara, files):
    """A header that declares 65,535² pixels never gets as far as a decoder."""
    vast = dicom_file(rows=us(0x00280010, 65535), columns=us(0x00280011, 65535))
    file = kept("a.dcm", vast)
    answer = clara.post(raster(file))
    assert answer.status_code == 422 and "65535 × 65535" in answer.json()["refused"]
    assert [path.name for path in on_disk(files)] == [file.sha256]


@pytest.mark.usefixtures("in_this_process")
def test_two_who_ask_at_once_wait_for_one(kept, clara, files):
    file = kept("a.dcm", GREY)
    with storage.path_of(file.sha256, files).open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        answer = clara.post(raster(file))
        assert answer.status_code == 202 and answer.json() == {"busy": True}
    assert made(clara, file)["raster"]


@pytest.mark.usefixtures("in_this_process")
def test_tiles_of_a_file_removed_meanwhile_are_not_kept(kept, clara, files, monkeypatch):
    file = kept("a.dcm", GREY)
    real = preparing.in_limited_process

    def and_gone(*told):
        answer = real(*told)
        ImagingFile.objects.filter(pk=file.pk).delete()
        storage.remove(file.sha256, files)
        return answer

    monkeypatch.setattr(preparing, "in_limited_process", and_gone)
    assert clara.post(raster(file)).status_code == 404
    assert not on_disk(files)


@pytest.mark.usefixtures("in_this_process")
def test_removing_a_file_removes_its_tiles(kept, clara, files):
    file = kept("a.dcm", GREY)
    made(clara, file)
    clara.post(reverse("lesions:imaging_remove", args=[file.public_id]), {"reason": "Wrong patient"})
    assert not on_disk(files)


@pytest.mark.usefixtures("in_this_process")
def test_verify_files_reads_tiles_and_does_without(kept, clara, files, capsys):
    file = kept("a.dcm", GREY)
    for kind in storage.RENDERED:
        storage.store_preview(file.sha256, files, picture("PNG"), kind)
    file.has_preview = True
    file.save()
    call_command("verify_files")
    made(clara, file)
    call_command("verify_files")
    path = storage.path_of(file.sha256, files, storage.REMADE)
    content = bytearray(path.read_bytes())
    content[20] ^= 1
    path.write_bytes(bytes(content))
    with pytest.raises((SystemExit, CommandError)):
        call_command("verify_files")
    assert ".raster" in "".join(capsys.readouterr())


@pytest.mark.usefixtures("in_this_process")
def test_broken_tiles_are_made_again(kept, clara, files):
    file = kept("a.dcm", GREY)
    made(clara, file)
    storage.path_of(file.sha256, files, storage.REMADE).write_bytes(b"half")
    assert clara.get(raster(file)).json()["raster"] is None
    assert made(clara, file)["raster"]["width"] == 6


@pytest.mark.usefixtures("in_this_process")
def test_a_backup_holds_what_cannot_be_made_again_only(kept, clara, files, tmp_path):
    file = kept("a.dcm", GREY)
    made(clara, file)
    parts: dict = {}
    assert backup._copy_files([file.sha256], tmp_path / "aside", parts, lambda *_told: None) == []
    assert sorted(os.path.basename(one).partition(".")[2] for one in parts) == [""]
    assert json.dumps(parts)
