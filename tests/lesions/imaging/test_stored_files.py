"""Who gets a stored file, how it is served, and the same bytes in two clinics (trust-cases FILE-20, FILE-22)."""

from __future__ import annotations

import io
from itertools import pairwise

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from lesions import imaging, storage
from lesions.models import ImagingFile
from lesions.receiving import CarefulUploadHandler
from tests.factories import PatientFactory
from tests.lesions.imaging.door import on_disk
from tests.lesions.imaging.hostile.picture_cases import picture
from tests.lesions.imaging.imaging_files import dicom_file

PHOTO = picture("JPEG")
WAYS = ("preview", "thumbnail", "download")


def address(way: str, file: ImagingFile) -> str:
    return reverse(f"lesions:imaging_{way}", args=[file.public_id])


@pytest.fixture
def hers(upload) -> ImagingFile:
    """Clara's, in the north."""
    upload(("hand.jpg", PHOTO))
    return ImagingFile.objects.get()


@pytest.fixture
def south_sends(client_of, stranger, south, files):
    patient, client = PatientFactory(clinic=south, images_consent=True), client_of(stranger)
    url = reverse("lesions:imaging_add", args=[patient.public_id])
    return lambda content=PHOTO: client.post(url, {"files": SimpleUploadedFile("hand.jpg", content)})


def test_the_same_bytes_in_two_clinics_are_two_files_of_their_own(hers, south_sends, files, clara, client_of, stranger):
    stella, before = client_of(stranger), on_disk(files)
    assert south_sends().status_code == 302
    theirs = ImagingFile.objects.exclude(pk=hers.pk).get()
    assert theirs.sha256 == hers.sha256 and on_disk(files) == before
    for way in WAYS:
        assert clara.get(address(way, hers)).status_code == stella.get(address(way, theirs)).status_code == 200
        assert clara.get(address(way, theirs)).status_code == stella.get(address(way, hers)).status_code == 404
    clara.post(reverse("lesions:imaging_remove", args=[hers.public_id]), {"reason": "Wrong patient"})
    assert ImagingFile.objects.get() == theirs
    assert stella.get(address("download", theirs)).status_code == 200 and on_disk(files) == before
    stella.post(reverse("lesions:imaging_remove", args=[theirs.public_id]), {"reason": "Wrong patient"})
    assert not on_disk(files)


def test_nobody_learns_that_another_clinic_has_the_file(hers, south_sends, monkeypatch):
    """The same answer and the same work, whether the bytes are there already or not."""
    steps: list[str] = []
    for name in ("store", "store_preview"):
        real = getattr(storage, name)
        monkeypatch.setattr(
            imaging.storage, name, lambda *a, name=name, real=real, **k: (steps.append(name), real(*a, **k))[1]
        )
    known = south_sends(PHOTO)
    work, steps[:] = list(steps), []
    fresh = south_sends(picture("JPEG", mode="L"))
    assert work == steps == ["store", "store_preview", "store_preview"]
    assert known.status_code == fresh.status_code == 302


def test_every_way_out_is_guarded(hers, clara):
    for way in WAYS:
        answer = clara.get(address(way, hers))
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert answer["Content-Security-Policy"] == "sandbox; default-src 'none'"
        assert "no-store" in answer["Cache-Control"] and "private" in answer["Cache-Control"]
        assert answer["Content-Disposition"].startswith("attachment") == (way == "download")
        if way != "download":
            assert answer["Content-Type"] == "image/png" and answer.getvalue().startswith(b"\x89PNG")


@pytest.mark.parametrize("asked", ["bytes=0-10", "bytes=-5", "bytes=0-0,5-9", "bytes=9999999-", "bytes=x"])
def test_a_range_obeys_the_same_check(hers, clara, client_of, stranger, monitor, asked):
    own = clara.get(address("download", hers), headers={"Range": asked})
    assert own.status_code in (200, 206, 416)
    if own.status_code == 200:
        assert own.getvalue() == clara.get(address("download", hers)).getvalue()
    for person, status in ((stranger, 404), (monitor, 403)):
        other = client_of(person).get(address("download", hers), headers={"Range": asked})
        assert other.status_code == status and b"JFIF" not in other.content
    unknown = Client().get(address("download", hers), headers={"Range": asked})
    assert unknown.status_code == 302 and "/account/sign-in/" in unknown.url


def test_the_store_has_no_address_of_its_own(hers, clara, files):
    path = storage.path_of(hers.sha256, files)
    places = [f"/{path.relative_to(files)}", f"/files/{path.relative_to(files)}", f"/media/{hers.sha256}"]
    places += ["/files/", "/static/../files/", f"/static/..%2ffiles/{path.relative_to(files)}", "/imaging/files/"]
    assert {clara.get(place).status_code for place in places} == {404}


def test_a_file_gone_from_the_store_is_not_found_and_no_server_error(hers, clara, files):
    storage.remove(hers.sha256, files)
    assert {clara.get(address(way, hers)).status_code for way in WAYS} == {404}


@pytest.mark.parametrize("limit", [100, 20_000, 70_000])
def test_an_upload_is_cut_off_where_it_grows_too_large(clara, patient, files, settings, monkeypatch, limit):
    settings.FILE_UPLOAD_HANDLERS = ["lesions.receiving.CarefulUploadHandler"]
    settings.FILE_UPLOAD_TEMP_DIR = files / "tmp"
    settings.FILE_UPLOAD_TEMP_DIR.mkdir(parents=True)
    monkeypatch.setattr("lesions.receiving.MAX_ARCHIVE_BYTES", limit)
    written = watched(monkeypatch)
    sent = {"files": SimpleUploadedFile("scan.dcm", dicom_file() + bytes(200_000))}
    page = clara.post(reverse("lesions:imaging_add", args=[patient.public_id]), sent)
    assert page.status_code == 413
    assert [one.text for one in page.context["outcomes"]] == ["The file is larger than 0 MB."]
    assert sum(written) < limit + 2**16 and not on_disk(files) and not ImagingFile.objects.exists()


def test_nothing_is_written_for_somebody_who_is_not_signed_in(patient, files, settings, monkeypatch):
    settings.FILE_UPLOAD_HANDLERS = ["lesions.receiving.CarefulUploadHandler"]
    written = watched(monkeypatch)
    answer = Client().post(
        reverse("lesions:imaging_add", args=[patient.public_id]),
        {"files": SimpleUploadedFile("scan.dcm", dicom_file() + bytes(300_000))},
    )
    assert answer.status_code == 302 and written == [] and not on_disk(files)


def watched(monkeypatch) -> list[int]:
    """How many bytes each piece had that came as far as the disk."""
    written: list[int] = []
    take = CarefulUploadHandler.receive_data_chunk

    def watch(self, raw_data, start):
        take(self, raw_data, start)
        written.append(len(raw_data))

    monkeypatch.setattr(CarefulUploadHandler, "receive_data_chunk", watch)
    return written


BOUNDARY = "edge"


def part(content: bytes, *headers: str, name: str = "files") -> bytes:
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"; filename="a.dcm"\r\n'
    return (head + "".join(f"{one}\r\n" for one in headers) + "\r\n").encode() + content + b"\r\n"


FORM = f"multipart/form-data; boundary={BOUNDARY}"
FIELD = part(b"x", name="field").replace(b'; filename="a.dcm"', b"")
BASE64 = "Content-Transfer-Encoding: base64"


@pytest.mark.parametrize(
    ("body", "kind", "more"),
    [
        pytest.param(b"\x1f\x8b" + bytes(1000), FORM, {"HTTP_CONTENT_ENCODING": "gzip"}, id="gzip"),
        pytest.param(part(dicom_file()), FORM, {"CONTENT_LENGTH": str(10**12)}, id="a length of a terabyte"),
        pytest.param(part(dicom_file()), FORM, {"CONTENT_LENGTH": "-5"}, id="a length below zero"),
        pytest.param(part(dicom_file()), FORM, {"CONTENT_LENGTH": "ten"}, id="a length in letters"),
        pytest.param(part(dicom_file()), "multipart/form-data; boundary=\xff", {}, id="a boundary that is none"),
        pytest.param(part(dicom_file()), "multipart/form-data", {}, id="no boundary"),
        pytest.param(part(b" " * 20_000_000, BASE64), FORM, {}, id="20 MB of spaces as base64"),
        pytest.param(part(b"QUJD" * 9 + b"!", BASE64), FORM, {}, id="base64 that is none"),
        pytest.param(part(b"x") * 10_000, FORM, {}, id="10,000 files"),
        pytest.param(FIELD * 10_000, FORM, {}, id="10,000 fields"),
        pytest.param(b"a=1&" * 10_000, "application/x-www-form-urlencoded", {}, id="10,000 values"),
        pytest.param(b"files=text", "application/x-www-form-urlencoded", {}, id="text where a file belongs"),
        pytest.param(b'{"files": "text"}', "application/json", {}, id="JSON"),
    ],
)
def test_a_request_that_lies_about_itself_is_answered_and_keeps_nothing(clara, patient, files, body, kind, more):
    url = reverse("lesions:imaging_add", args=[patient.public_id])
    # a plain stream: what Django's test client puts there never ends early
    answer = clara.generic("POST", url, body, content_type=kind, **{"wsgi.input": io.BytesIO(body), **more})
    assert answer.status_code in (200, 400, 413)
    assert not ImagingFile.objects.exists() and not on_disk(files)
    if answer.status_code == 200:
        outcomes = answer.context["outcomes"]
        assert "Choose at least one file" in answer.content.decode() or {one.state for one in outcomes} == {"refused"}


def test_what_was_cut_off_on_the_way_is_refused_at_every_tenth_of_it(upload, files):
    """The connection dropped: what arrived is never taken for the whole."""
    for content, name in ((dicom_file(), "a.dcm"), (picture("PNG", (200, 200)), "a.png"), (PHOTO, "a.jpg")):
        cuts = [len(content) * tenth // 10 for tenth in range(11)]
        for start, end in pairwise(cuts):
            page = upload((name, content[:end] if end < len(content) else content[:start]))
            assert [one.state for one in page.context["outcomes"]] == ["refused"], (name, end)
    assert not on_disk(files)
