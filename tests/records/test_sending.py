"""Files that are sent: none stays open when the answer is dropped on its way out."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from calcinosis_registry.records.sending import BLOCK, SentFile

pytestmark = pytest.mark.once


def opened(path: Path) -> bool:
    return any(os.path.realpath(f"/proc/self/fd/{one}") == str(path) for one in os.listdir("/proc/self/fd"))


def test_a_file_is_open_while_it_is_sent_and_not_before_or_after(tmp_path):
    path = (tmp_path / "a.zip").resolve()
    path.write_bytes(b"x" * (BLOCK + 1))
    answer = SentFile(path, content_type="application/zip", name="größe.zip")
    assert not opened(path)
    pieces = iter(answer.streaming_content)
    assert len(next(pieces)) == BLOCK and opened(path)
    assert b"".join(pieces) == b"x" and not opened(path)
    assert answer["Content-Length"] == str(BLOCK + 1)
    assert answer["Content-Disposition"] == "attachment; filename*=utf-8''gr%C3%B6%C3%9Fe.zip"


def test_an_answer_that_is_cut_off_closes_its_file(tmp_path):
    path = (tmp_path / "a.zip").resolve()
    path.write_bytes(b"x" * (3 * BLOCK))
    answer = SentFile(path, content_type="application/zip")
    next(iter(answer.streaming_content))
    assert opened(path)
    del answer
    assert not opened(path)


def test_a_file_that_is_gone_is_said_before_anything_is_sent(tmp_path):
    with pytest.raises(FileNotFoundError):
        SentFile(tmp_path / "gone", content_type="application/zip")
