"""A zip of a study unpacks within bounds or not at all (trust-cases ATT-11)."""

from __future__ import annotations

import io
import struct
import time
import zipfile

import pytest

from lesions import archive
from lesions.archive import expand
from lesions.refusal import Refused
from tests.lesions.imaging.imaging_files import dicom_file


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "work"
    path.mkdir()
    return path


@pytest.fixture
def unpack(tmp_path, folder):
    def unpack(content: bytes):
        path = tmp_path / "upload"
        path.write_bytes(content)
        return expand(path, folder)

    return unpack


@pytest.fixture
def refused(unpack, folder):
    def refused(content: bytes) -> str:
        with pytest.raises(Refused) as refusal:
            unpack(content)
        assert not list(folder.iterdir()), "something was left on disk"
        return str(refusal.value)

    return refused


def zipped(files: dict[str, bytes] | list[tuple[str | zipfile.ZipInfo, bytes]]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
        for name, content in files.items() if isinstance(files, dict) else files:
            target.writestr(name, content)
    return out.getvalue()


def test_a_study_becomes_its_files_under_names_of_our_own(unpack, folder):
    files = unpack(
        zipped({"study/a.dcm": dicom_file(), "study/b.dcm": b"b" * 700, "DICOMDIR": b"d", "__MACOSX/._a": b"x"})
    )
    assert [name for name, _path in files] == ["a.dcm", "b.dcm"]
    assert [path.read_bytes() for _name, path in files] == [dicom_file(), b"b" * 700]
    assert all(path.parent == folder for _name, path in files)


@pytest.mark.parametrize("name", ["../evil.dcm", "a/../../evil.dcm", "/etc/evil.dcm", "..\\evil.dcm", "C:\\evil.dcm"])
def test_a_name_that_leads_outside_refuses_the_whole_archive(refused, name, tmp_path):
    assert "outside" in refused(zipped({"good.dcm": b"1", name: b"2"}))
    assert not list(tmp_path.rglob("evil*"))


def test_a_bomb_is_refused_by_its_ratio(refused):
    started = time.process_time()
    assert "too large" in refused(zipped({"bomb.dcm": bytes(2**26)}))
    assert time.process_time() - started < 2


def test_the_sum_of_all_files_is_bounded(refused, monkeypatch):
    monkeypatch.setattr(archive, "MAX_UNPACKED_BYTES", 2**20)
    assert "larger than 1 MB" in refused(zipped({f"{n}.dcm": bytes(2**18) for n in range(5)}))


def test_ten_thousand_files_are_refused_at_once(refused):
    started = time.process_time()
    content = zipped({f"{n}.dcm": b"" for n in range(10_000)})
    assert "more than 2000 files" in refused(content)
    assert time.process_time() - started < 5


def test_an_archive_in_an_archive_is_refused(refused):
    assert "inside an archive" in refused(zipped({"a.dcm": b"1", "b.zip": zipped({"c": b"2"})}))


def test_a_link_is_refused(refused):
    link = zipfile.ZipInfo("link.dcm")
    link.external_attr = 0o120777 << 16
    assert "link" in refused(zipped([(link, b"/etc/passwd")]))


def test_the_same_name_twice_is_refused(refused):
    with pytest.warns(UserWarning, match="Duplicate"):
        content = zipped([("a.dcm", b"1"), ("a.dcm", b"2")])
    assert "same name twice" in refused(content)


def test_an_encrypted_archive_is_refused(refused):
    content = bytearray(zipped({"a.dcm": b"1"}))
    at = content.index(b"PK\x01\x02")
    content[at + 8] |= 1
    assert "encrypted" in refused(bytes(content))


def test_a_size_that_lies_is_refused(refused):
    content = bytearray(zipped({"a.dcm": bytes(range(256)) * 40}))
    at = content.index(b"PK\x01\x02")
    content[at + 24 : at + 28] = struct.pack("<I", 100)
    assert "damaged" in refused(bytes(content))


@pytest.mark.parametrize("end", [4, 30, 100, -30, -1])
def test_an_archive_cut_short_is_refused(refused, end):
    assert "incomplete or damaged" in refused(zipped({"a.dcm": bytes(range(256)) * 4})[:end])


def test_an_archive_without_files_is_refused(refused):
    assert "no files" in refused(zipped({}))
    assert "no files" in refused(zipped({"DICOMDIR": b"x"}))
