"""The lists beside the keys: a line is there whole or not at all, and a torn one spoils none of the others."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from django.conf import settings

from calcinosis_registry.audit import witness

pytestmark = pytest.mark.once


def a_list() -> Path:
    return Path(settings.WITNESS_DIR) / "erasures"


def numbers() -> list[int]:
    return [one["n"] for one in witness.erasures()]


@pytest.mark.parametrize("left", [1, 30, 70, -1])
def test_a_torn_last_line_is_passed_over_and_the_next_one_stands_in_its_place(left, caplog):
    """-1: all of it but its newline."""
    witness.remember_erasure({"n": 1})
    whole = a_list().read_bytes()
    a_list().write_bytes(whole + whole[:left])
    assert numbers() == [1]
    assert not caplog.records
    witness.remember_erasure({"n": 2})
    assert numbers() == [1, 2] and a_list().read_bytes().startswith(whole)
    assert "torn line" in caplog.text


@pytest.mark.parametrize("place", [0, 1])
def test_a_line_that_somebody_broke_is_still_told(place):
    for number in (1, 2, 3):
        witness.remember_erasure({"n": number})
    lines = a_list().read_text().splitlines(keepends=True)
    lines[place] = lines[place][:40] + "\n"
    a_list().write_text("".join(lines))
    with pytest.raises(witness.Unreadable):
        witness.erasures()


def test_on_a_full_disk_the_list_is_as_it_was_and_who_wrote_is_told(monkeypatch):
    witness.remember_erasure({"n": 1})
    whole, pwrite = a_list().read_bytes(), os.pwrite
    with monkeypatch.context() as patch:
        patch.setattr(os, "pwrite", lambda file, line, at: pwrite(file, line[:50], at))
        with pytest.raises(OSError, match="No space left"):
            witness.remember_erasure({"n": 2})
    assert a_list().read_bytes() == whole
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", _fails)
        with pytest.raises(OSError, match="Input/output"):
            witness.remember_erasure({"n": 2})
    assert a_list().read_bytes() == whole
    witness.remember_erasure({"n": 3})
    assert numbers() == [1, 3]


def _fails(_file: int) -> None:
    raise OSError(5, "Input/output error")
