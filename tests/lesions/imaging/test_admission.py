"""Before a file is read: the room of its clinic, the virus scanner, its turn. What is turned away leaves nothing."""

from __future__ import annotations

import sys
import threading
import time
from io import BytesIO
from pathlib import Path

import pytest
from django.utils import timezone
from PIL import Image

from lesions import admission
from lesions.models import ImagingFile
from lesions.refusal import Refused
from tests.factories import ImagingFileFactory, PatientFactory
from tests.lesions.imaging.door import on_disk

pytestmark = pytest.mark.django_db
EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD-" + b"ANTIVIRUS-TEST-FILE!$H+H*"
GB = 10**9


@pytest.fixture
def photo(tmp_path) -> bytes:
    Image.new("RGB", (40, 30), "red").save(tmp_path / "photo.png")
    return (tmp_path / "photo.png").read_bytes()


@pytest.fixture
def scanner(tmp_path, settings):
    """``scanner(body)``: a program that is given the file's path, as an antivirus is."""

    def scanner(body: str) -> None:
        program = tmp_path / "scan.py"
        program.write_text(f"import sys\ndata = open(sys.argv[1], 'rb').read()\n{body}\n")
        settings.VIRUS_SCANNER = f"{sys.executable} {program}"

    return scanner


def test_a_clinic_that_has_no_room_left_is_told_so_and_others_are_not_affected(
    upload, patient, stranger, south, client_of, photo, files, settings
):
    full = ImagingFileFactory(study__patient=patient, size=50 * GB - 10)
    page = upload(("hand.png", photo))
    assert page.status_code == 413 and "would exceed 50 GB" in page.content.decode()
    assert ImagingFile.objects.get() == full and not on_disk(files)
    settings.CLINIC_STORAGE_GB = 51
    assert upload(("hand.png", photo)).status_code == 200
    settings.CLINIC_STORAGE_GB = 50
    theirs = PatientFactory(clinic=south, images_consent=True)
    admission.admit(next(path for path in on_disk(files)), patient=theirs)


def test_who_adds_more_files_than_a_day_may_have_is_told_so_and_others_go_on(upload, clinician, assistant, settings):
    settings.FILES_A_DAY = 2
    for colour in ("red", "blue"):
        assert upload((f"{colour}.png", _photo(colour))).status_code == 200
    page = upload(("green.png", _photo("green")))
    assert page.status_code == 413 and "More than 2 files in 24 hours" in page.content.decode()
    assert ImagingFile.objects.count() == 2
    assert admission.added_today(by=assistant, now=timezone.now()) == 0
    assert admission.added_today(by=clinician, now=timezone.now()) == 2
    assert admission.added_today(by=clinician, now=timezone.now() + admission.DAY) == 0
    settings.FILES_A_DAY = 0
    assert upload(("green.png", _photo("green"))).status_code == 200


def test_of_several_at_once_only_as_many_are_taken_as_the_day_has_left(upload, settings):
    settings.FILES_A_DAY = 2
    upload(*[(f"{colour}.png", _photo(colour)) for colour in ("red", "blue", "green")])
    assert ImagingFile.objects.count() == 2


def test_a_refused_file_and_one_that_is_there_already_take_nobodys_place_in_the_day(upload, settings):
    settings.FILES_A_DAY = 3
    assert upload(("red.png", _photo("red"))).status_code == 200
    upload(
        ("torn.png", _photo("red")[:60]), ("again.png", _photo("red")), ("blue.png", _photo("blue")),
        ("green.png", _photo("green")), ("black.png", _photo("black")),
    )  # fmt: skip
    assert [one.name for one in ImagingFile.objects.order_by("pk")] == ["red.png", "blue.png", "green.png"]


def _photo(colour: str) -> bytes:
    made = BytesIO()
    Image.new("RGB", (40, 30), colour).save(made, "PNG")
    return made.getvalue()


def test_a_file_the_scanner_refuses_is_not_kept_and_its_neighbour_is(upload, scanner, photo, files):
    scanner("sys.exit(1 if b'EICAR-STANDARD-' in data else 0)")
    page = upload(("hand.png", photo + EICAR), ("other.png", photo))
    assert "The virus scanner refused it" in page.content.decode()
    assert [one.name for one in ImagingFile.objects.all()] == ["other.png"]
    assert not [path for path in on_disk(files) if EICAR in path.read_bytes()]


@pytest.mark.parametrize(
    "body", ["sys.exit(2)", "raise SystemExit(70)", "import time; time.sleep(9)", "import nothing_"]
)
def test_a_scanner_that_gives_no_answer_keeps_nothing_out_for_good(
    upload, scanner, photo, files, body, monkeypatch, settings
):
    monkeypatch.setattr(admission, "SCAN_SECONDS", 1)
    scanner(body)
    page = upload(("hand.png", photo))
    text = page.content.decode()
    if body == "import nothing_":  # Python ends with 1: to us that is a virus, never a clean file
        assert "The virus scanner refused it" in text
    else:
        assert page.status_code == 503 and "try again in some minutes" in text
    assert not ImagingFile.objects.exists() and not on_disk(files)
    scanner("sys.exit(0)")
    upload(("hand.png", photo))
    assert ImagingFile.objects.count() == 1


def test_a_scanner_that_is_not_installed_lets_nothing_in(upload, settings, photo):
    settings.VIRUS_SCANNER = "/nowhere/clamdscan --fdpass"
    assert upload(("hand.png", photo)).status_code == 503
    assert not ImagingFile.objects.exists()


@pytest.fixture
def turns(settings, tmp_path) -> Path:
    settings.DATA_DIR = tmp_path
    return tmp_path


def test_no_more_files_are_read_at_a_time_than_the_setting_says(turns, settings):
    settings.PARSERS = 2
    now, most, guard = 0, 0, threading.Lock()

    def read() -> None:
        nonlocal now, most
        with admission.turn():
            with guard:
                now += 1
                most = max(most, now)
            time.sleep(0.1)
            with guard:
                now -= 1

    threads = [threading.Thread(target=read) for _ in range(6)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert (most, now) == (2, 0)


def test_who_waits_too_long_for_a_turn_is_told_and_keeps_nothing(turns, settings, upload, photo, files, monkeypatch):
    settings.PARSERS = 1
    monkeypatch.setattr(admission, "TURN_SECONDS", 0.2)
    with admission.turn():
        page = upload(("hand.png", photo))
    assert page.status_code == 503 and "Many files are being read" in page.content.decode()
    assert not ImagingFile.objects.exists() and not on_disk(files)
    assert upload(("hand.png", photo)).status_code == 200


def test_a_turn_is_free_again_after_a_reader_that_failed(turns, settings):
    settings.PARSERS = 1
    with pytest.raises(Refused), admission.turn():
        raise Refused("broken")
    with admission.turn():
        pass
