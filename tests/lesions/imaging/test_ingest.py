"""Uploads end as a cleaned copy or as one refusal that leaves nothing (trust-cases FILE-01 to -06, -15 to -17)."""

from __future__ import annotations

import datetime
import io
import os
import resource
import socket
import struct
import subprocess
import sys
import time
import zlib

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from lesions import worker_limits
from lesions.ingest import identify, ingest, shown_name
from lesions.refusal import Refused
from tests.lesions.imaging.imaging_files import DEFLATED, ROOT, deflated, dicom_file, element, nested, sample


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "work"
    path.mkdir()
    return path


@pytest.fixture
def take(tmp_path, folder):
    def take(content: bytes, name: str):
        upload = tmp_path / "upload"
        upload.write_bytes(content)
        return ingest(upload, name, folder)

    return take


@pytest.fixture
def refused(take, folder):
    def refused(content: bytes, name: str) -> str:
        with pytest.raises(Refused) as refusal:
            take(content, name)
        assert not list(folder.iterdir()), "something was left on disk"
        assert str(refusal.value).startswith(shown_name(name) + ": ")
        return str(refusal.value)

    return refused


@pytest.fixture
def worker_that(monkeypatch, tmp_path):
    """``worker_that("1 / 0")``: the parsing process, confined as ever, does this instead of reading."""

    def worker_that(does: str) -> None:
        package = tmp_path / "lesions"
        package.mkdir()
        (package / "__init__.py").write_text(
            f"import sys; sys.path.insert(0, {str(ROOT)!r}); __path__.append({str(ROOT / 'lesions')!r})"
        )
        body = (ROOT / "lesions" / "ingest_worker.py").read_text()
        reads = "        return readers[kind](kind, source, folder)"
        broken = body.replace(reads, f"        {does}\n        return {{}}")
        assert broken != body
        (package / "ingest_worker.py").write_text(broken)
        monkeypatch.setattr("lesions.ingest._PROJECT", tmp_path)

    return worker_that


def picture(kind: str, size: tuple[int, int] = (60, 40), mode: str = "RGB", **options) -> bytes:
    out = io.BytesIO()
    Image.linear_gradient("L").resize(size).convert(mode).save(out, kind, **options)
    return out.getvalue()


def located_photograph() -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6  # turned a quarter
    exif[0x010F] = "CAMERA-OF-ADA"
    exif.get_ifd(0x8825).update({1: "N", 2: (47.0, 22.0, 33.0), 3: "E", 4: (8.0, 32.0, 1.0)})
    return picture("JPEG", exif=exif.tobytes(), comment=b"COMMENT-OF-ADA")


def pdf(inside: bytes = b"", streams: bytes = b"") -> bytes:
    head = b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R " + inside + b" >>\nendobj\n"
    pages = b"2 0 obj\n<< /Type /Pages /Kids [] /Count 0 >>\nendobj\n"
    return head + pages + streams + b"trailer << /Root 1 0 R >>\nstartxref\n9\n%%EOF\n"


def object_stream(content: bytes) -> bytes:
    packed = zlib.compress(content)
    return b"3 0 obj\n<< /Type /ObjStm /Filter /FlateDecode >>\nstream\n" + packed + b"\nendstream\nendobj\n"


# Taken


def test_a_radiograph_is_taken_with_header_preview_and_thumbnail(folder):
    taken = ingest(sample("RG3_J2KR.dcm"), "RG3_J2KR.dcm", folder)
    assert (taken.kind, taken.media_type, taken.width, taken.height) == ("dicom", "application/dicom", 1760, 1760)
    assert taken.header is not None and taken.header.study_date == datetime.date(2004, 8, 26)
    assert Image.open(io.BytesIO(taken.preview)).size == (1600, 1600)
    assert Image.open(io.BytesIO(taken.thumbnail)).size == (320, 320)
    assert taken.size == sample("RG3_J2KR.dcm").stat().st_size and taken.sha256 == taken.original_sha256


@pytest.mark.parametrize(
    "preamble", [b"MZ" + bytes(126), b"\x7fELF" + bytes(124), b"<html><script>alert(1)".ljust(128)]
)
def test_a_preamble_that_is_something_else_is_emptied_and_told(take, preamble):
    taken = take(dicom_file(preamble=preamble), "scan.dcm")
    stored = taken.stored_path.read_bytes()
    assert stored[:128] == bytes(128) and stored == dicom_file()
    assert taken.sha256 != taken.original_sha256 and len(taken.warnings) == 1


def test_a_photograph_loses_everything_but_its_upright_pixels(take):
    taken = take(located_photograph(), "IMG_1.JPG")
    stored = taken.stored_path.read_bytes()
    assert b"Exif" not in stored and b"ADA" not in stored
    assert not Image.open(io.BytesIO(stored)).getexif()
    assert (taken.width, taken.height) == (40, 60)
    assert Image.open(io.BytesIO(taken.preview)).size == (40, 60)
    brightness = np.asarray(Image.open(io.BytesIO(stored)).convert("L")).mean(axis=0)
    assert brightness[0] > brightness[-1] + 100  # the dark top edge is now on the right


def test_a_png_loses_its_texts_and_its_tail(take):
    text = PngImagePlugin.PngInfo()
    text.add_text("Author", "AUTHOR-OF-ADA")
    content = picture("PNG", pnginfo=text) + b"<script>alert(1)</script>"
    stored = take(content, "spot.png").stored_path.read_bytes()
    assert b"script" not in stored and b"ADA" not in stored
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(stored))), np.asarray(Image.open(io.BytesIO(content))))


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGBA", "LA", "I;16"])
def test_every_kind_of_png_is_taken(take, mode):
    if mode == "I;16":
        out = io.BytesIO()
        Image.fromarray((np.arange(2400, dtype=np.uint16) * 27).reshape(40, 60)).save(out, "PNG")
        content = out.getvalue()
    else:
        content = picture("PNG", mode=mode)
    taken = take(content, "x.png")
    assert (taken.width, taken.height) == (60, 40)
    shown = np.asarray(Image.open(io.BytesIO(taken.preview)).convert("L"))
    assert shown[0].mean() < 60 and shown[-1].mean() > 190


def test_a_cmyk_jpeg_becomes_rgb(take):
    stored = take(picture("JPEG", mode="CMYK"), "x.jpg").stored_path.read_bytes()
    assert Image.open(io.BytesIO(stored)).mode == "RGB"


def test_a_plain_pdf_is_taken_as_it_is_though_it_cannot_be_drawn(take):
    content = pdf(streams=object_stream(b"4 0 << /Type /Page >>"))
    taken = take(content, "report.pdf")
    assert taken.stored_path.read_bytes() == content
    assert (taken.preview, taken.width, taken.media_type) == (None, None, "application/pdf")


def test_a_deflated_radiograph_is_read_and_kept_deflated(take, folder):
    content = deflated()
    taken = take(content, "deflated.dcm")
    assert taken.stored_path.read_bytes() == content
    assert taken.header.transfer_syntax == DEFLATED and (taken.width, taken.height) == (6, 4)
    assert np.asarray(Image.open(io.BytesIO(taken.preview))).shape == (4, 6)
    assert sorted(path.name for path in folder.iterdir()) == ["preview.png", "stored", "thumbnail.png"]


def test_a_deflated_bomb_is_refused_in_two_seconds(refused):
    """Half a megabyte that would be half a gigabyte (trust-cases FILE-05)."""
    bomb = deflated(bytes(2**29))
    assert len(bomb) < 600_000
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.process_time()
    assert "too large when unpacked" in refused(bomb, "bomb.dcm")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime + time.process_time() - started
    assert spent < 2


def test_a_dicom_file_may_end_in_a_piece_of_its_uid(take):
    assert take(dicom_file(), "1.2.840.113619.2.55").kind == "dicom"
    assert shown_name("C:\\scans\\..\\\u202egpj.\x00exe") == "gpj.exe"


# Refused


@pytest.mark.parametrize(
    ("content", "name", "reason"),
    [
        (b"", "empty.dcm", "is empty"),
        (b"This is only a letter. " * 50, "letter.dcm", "not accepted"),
        (dicom_file(), "scan.jpg", "ends in .jpg, but the content is DICOM"),
        (picture("PNG"), "photo.dcm", "ends in .dcm, but the content is PNG"),
        (picture("PNG"), "photo.exe", "ends in .exe"),
        (b"GIF89a" + bytes(200), "x.png", "GIF"),
        (bytes(4) + b"ftypheic" + bytes(200), "x.jpg", "HEIC"),
        (b"RIFF\0\0\0\0WEBP" + bytes(200), "x.png", "WebP"),
        (b"II*\0" + bytes(200), "x.png", "TIFF"),
        (b"<?xml version='1.0'?><svg onload='alert(1)'/>".ljust(200), "x.png", "SVG"),
        (b"%!PS-Adobe-3.0 EPSF" + bytes(200), "x.pdf", "EPS"),
        (b" " + pdf(), "x.pdf", "not accepted"),
        (b"PK\x03\x04" + bytes(200), "x.zip", "inside an archive"),
        (dicom_file()[:-1], "short.dcm", "incomplete"),
        (dicom_file(sequence=nested(3000)), "deep.dcm", "nested"),
        (dicom_file(sop_instance=b""), "nouid.dcm", "SOP Instance UID"),
        (dicom_file(frames=element(0x00280008, "IS", b"1000000000")), "big.dcm", "unpacked"),
        (deflated(bytes(2**27)), "bomb.dcm", "too large when unpacked"),
        (deflated()[:-20], "cut.dcm", "deflated part has no end"),
        (deflated() + b"MZ", "tail.dcm", "something follows"),
        (dicom_file(syntax=DEFLATED, body=zlib.compress(bytes(10**4))), "zlib.dcm", "deflated part cannot be read"),
        (deflated(pixels=element(0x7FE00010, "OW", bytes(22))), "short.dcm", "has 22 bytes"),
        (picture("JPEG")[:-200], "half.jpg", "incomplete or damaged"),
        (picture("PNG")[:-40], "half.png", "incomplete or damaged"),
        (picture("PNG", (9000, 5000), "1"), "wide.png", "9000 × 5000 pixels"),
        (picture("PNG", save_all=True, append_images=[Image.new("RGB", (60, 40))]), "moving.png", "animated"),
        (pdf(b"/OpenAction << /S /JavaScript /JS (app.alert) >>"), "x.pdf", "/JavaScript|/OpenAction"),
        (pdf(b"/AA << /JS 5 0 R >>"), "x.pdf", "/JS"),
        (pdf(b"/X << /S /J#61va#53cript >>"), "x.pdf", "active content"),
        (pdf(b"/X << /S /Launch /F (cmd.exe) >>"), "x.pdf", "/Launch"),
        (pdf(b"/Names << /EmbeddedFiles 3 0 R >>"), "x.pdf", "/EmbeddedFile"),
        (pdf(b"/X << /Subtype /RichMedia >>"), "x.pdf", "/RichMedia"),
        (pdf(streams=object_stream(b"4 0 << /S /JavaScript >>")), "x.pdf", "/JavaScript"),
        (pdf(streams=object_stream(bytes(2**20 - 6) + b"<< /S /JavaScript >>")), "x.pdf", "/JavaScript"),
        (pdf(streams=object_stream(bytes(2**28 + 2**20))), "x.pdf", "too large when unpacked"),
        (pdf(b"/Encrypt 9 0 R"), "x.pdf", "encrypted"),
        (pdf()[:-20], "x.pdf", "incomplete"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_hostile_or_unreadable_file_is_refused_by_name_and_reason(refused, content, name, reason):
    text = refused(content, name)
    assert any(part in text for part in reason.split("|")), text


def test_a_codestream_that_lies_about_its_size_is_stopped_by_the_limits(refused):
    content = bytearray(sample("US1_J2KR.dcm").read_bytes())
    siz = bytes(content).rindex(b"\xff\x4f\xff\x51")
    for place in (8, 12, 24, 28):  # picture and tile size
        content[siz + place : siz + place + 4] = struct.pack(">I", 60_000)
    started = time.perf_counter()
    assert "could not be" in refused(bytes(content), "lie.dcm")
    assert time.perf_counter() - started < 30


def test_a_photograph_above_25_mb_is_refused_unread(refused):
    assert "larger than 25 MB" in refused(picture("JPEG") + bytes(25 * 10**6), "big.jpg")


@pytest.mark.parametrize(
    ("worker", "reason"),
    [
        ("bytes(8 * 2**30)", "too large when unpacked"),
        ("os.kill(os.getpid(), 9)", "too large when unpacked"),
        ("os.kill(os.getpid(), 24)", "too large when unpacked"),
        ("os.kill(os.getpid(), 11)", "damaged"),
        ("1 / 0", "damaged"),
    ],
)
def test_a_worker_that_dies_is_a_refusal(refused, worker_that, worker, reason):
    worker_that(worker)
    assert reason in refused(picture("PNG"), "x.png")


def test_a_decoder_that_never_ends_is_ended_after_little_processor_time(refused, worker_that):
    worker_that("\n        while True:\n            pass")
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert "too large when unpacked" in refused(picture("PNG"), "x.png")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 2


def test_a_decoder_gets_the_memory_of_the_picture_that_is_declared_and_no_more(refused, take, worker_that):
    taken = take(picture("PNG", (2000, 1500)), "large.png")
    assert taken.width == 2000
    worker_that("allow(3 * 60 * 40); bytearray(64 * 2**20)")
    assert "too large when unpacked" in refused(picture("PNG"), "x.png")


def test_the_worker_has_no_network(refused, worker_that, tmp_path):
    """Where the kernel allows a network of one's own at all; a server of ours proves that the way was open before."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(5)
        port = server.getsockname()[1]
        socket.create_connection(("127.0.0.1", port), 5).close()
        server.accept()[0].close()
        note = tmp_path / "said"
        worker_that(
            f"import socket; reached = socket.socket().connect_ex(('127.0.0.1', {port}));"
            f" open({str(note)!r}, 'w').write(str(reached)); 1 / 0"
        )
        assert "damaged" in refused(picture("PNG"), "x.png")
    libc = "import ctypes; l = ctypes.CDLL(None); print(l.unshare(0x40000000) and l.unshare(0x50000000))"
    confined = subprocess.run([sys.executable, "-c", libc], capture_output=True, text=True, check=True).stdout.strip()
    assert (note.read_text() == "0") == (confined != "0")


def test_a_worker_that_hangs_is_ended(refused, monkeypatch):
    assert ingest.__globals__["TIMEOUT_SECONDS"]["take"] < 30
    monkeypatch.setitem(ingest.__globals__["TIMEOUT_SECONDS"], "take", 0.001)
    assert "too large when unpacked" in refused(picture("PNG"), "x.png")


def test_the_worker_starts_without_django_and_without_the_environment_s_secrets(take, monkeypatch):
    loaded = "import lesions.ingest_worker, sys; print('django' in sys.modules, 'pydicom' in sys.modules)"
    out = subprocess.run([sys.executable, "-c", loaded], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert out.split() == ["False", "False"]
    environments = []
    run = subprocess.run
    monkeypatch.setenv("SECRET_KEY", "canary")
    monkeypatch.setattr(subprocess, "run", lambda *a, **k: environments.append(k["env"]) or run(*a, **k))
    take(picture("PNG"), "x.png")
    assert environments and all("canary" not in value for one in environments for value in one.values())


def test_the_limits_leave_room_for_the_largest_photograph(take):
    noise = np.random.default_rng(1).integers(0, 256, (100, 160), dtype=np.uint8).repeat(50, axis=0).repeat(50, axis=1)
    out = io.BytesIO()
    Image.merge("RGB", [Image.fromarray(noise)] * 3).save(out, "JPEG")
    taken = take(out.getvalue(), "40mp.jpg")
    assert (taken.width, taken.height) == (8000, 5000)
    assert max(worker_limits.MEMORY_BYTES.values()) <= 1024 * 2**20


def test_kinds_are_told_by_content():
    assert identify(bytes(128) + b"DICM") == "dicom"
    assert [identify(head) for head in (b"\xff\xd8\xff\xe0", b"\x89PNG\r\n\x1a\n", b"%PDF-1.4", b"PK\x03\x04")] == [
        "jpeg",
        "png",
        "pdf",
        "zip",
    ]
    assert os.sep not in shown_name("../../etc/passwd") and shown_name("") == "file"
