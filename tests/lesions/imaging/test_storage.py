"""A stored file is whole under the hash of its content, or not there (trust-cases FILE-18 to FILE-20)."""

from __future__ import annotations

import hashlib
import os
import stat

import pytest

from lesions import storage
from lesions.storage import path_of, store, store_preview


@pytest.fixture
def upload(tmp_path):
    path = tmp_path / "upload"
    path.write_bytes(b"pixels" * 400_000)
    return path


def files(root) -> list:
    return [path for path in root.rglob("*") if path.is_file()]


def test_a_file_is_found_by_the_hash_of_its_content(upload, tmp_path):
    root = tmp_path / "files"
    sha256 = store(upload, root)
    assert sha256 == hashlib.sha256(upload.read_bytes()).hexdigest()
    kept = path_of(sha256, root)
    assert kept.relative_to(root).parts == (sha256[:2], sha256[2:4], sha256)
    assert kept.read_bytes() == upload.read_bytes() and files(root) == [kept]


def test_only_the_owner_may_read_what_is_kept(upload, tmp_path):
    root = tmp_path / "files"
    kept = path_of(store(upload, root), root)
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert all(stat.S_IMODE(folder.stat().st_mode) == 0o700 for folder in (kept.parent, kept.parent.parent))


def test_pictures_stand_beside_their_original(upload, tmp_path):
    root = tmp_path / "files"
    sha256 = store(upload, root)
    store_preview(sha256, root, b"large")
    store_preview(sha256, root, b"small", kind="thumbnail")
    assert path_of(sha256, root, "preview").read_bytes() == b"large"
    assert path_of(sha256, root, "thumbnail").read_bytes() == b"small"
    assert path_of(sha256, root).read_bytes() == upload.read_bytes()
    assert {path.parent for path in files(root)} == {path_of(sha256, root).parent}


def test_the_same_content_is_kept_once(upload, tmp_path):
    root = tmp_path / "files"
    assert store(upload, root) == store(upload, root)
    assert len(files(root)) == 1


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_full_disk_at_any_step_leaves_nothing_behind(upload, tmp_path, monkeypatch, step):
    root = tmp_path / "files"

    def full(*_args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(storage.os, step, full)
    with pytest.raises(OSError, match="No space"):
        store(upload, root)
    monkeypatch.undo()
    assert files(root) == []


def test_content_is_synced_before_it_gets_its_name_and_the_folder_after(upload, tmp_path, monkeypatch):
    root = tmp_path / "files"
    steps = []
    fsync, replace = os.fsync, os.replace
    kind = {True: "folder", False: "file"}
    monkeypatch.setattr(
        storage.os, "fsync", lambda fd: steps.append(kind[stat.S_ISDIR(os.fstat(fd).st_mode)]) or fsync(fd)
    )
    monkeypatch.setattr(storage.os, "replace", lambda *a: steps.append("rename") or replace(*a))
    store(upload, root)
    assert steps[0] == "file" and steps[-2:] == ["rename", "folder"]


@pytest.mark.parametrize("sha256", ["", "../../etc/passwd", "A" * 64, "a" * 63, "a" * 64 + "\n"])
def test_only_a_hash_makes_a_path(sha256, tmp_path):
    with pytest.raises(ValueError, match="SHA-256"):
        path_of(sha256, tmp_path)
