"""Mutated files are read or refused; no decoder takes more down than its own process (trust-cases FILE-08)."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from tests.lesions.imaging.fuzz import BASES, BATCH
from tests.lesions.imaging.imaging_files import ROOT

# Seeds of a usual run, per kind; 25,000 of each kind of file in the long one. REGISTRY_FUZZ asks for another number.
USUAL, LONG = 250, 25_000
# What a decoder without memory ends in: the limit has done its work, and the page says so.
BY_LIMIT = frozenset({-6, -9, -24})


def run(kind: str, count: int, folder) -> tuple[int, dict[str, int], list[tuple[int, int]]]:
    """(files gone through, what became of them, (seed, signal) of what ended the process)."""
    done, became, ended = 0, {"read": 0, "refused": 0}, []
    first, last = 1, 1 + count
    while first < last:
        some = min(BATCH, last - first)
        command = [sys.executable, "-m", "tests.lesions.imaging.fuzz", kind, str(first), str(some), str(folder)]
        one = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=900)
        if one.returncode == 0:
            for name, number in json.loads((folder / "results").read_text()).items():
                became[name] += number
            done, first = done + some, first + some
            continue
        at = int((folder / "at").read_text())
        assert one.returncode < 0, f"seed {at}: {one.stderr[-2000:]}"
        ended.append((at, one.returncode))
        done, first = done + at + 1 - first, at + 1
    return done, became, ended


def check(kind: str, count: int, folder) -> None:
    count = int(os.environ.get("REGISTRY_FUZZ", count))
    done, became, ended = run(kind, count, folder)
    assert done == count
    assert not [seed for seed, signal in ended if signal not in BY_LIMIT], ended
    assert became["refused"] > became["read"] / 50 and became["read"] > 0, "the mutations are too mild or too wild"


@pytest.mark.parametrize("kind", BASES)
def test_mutated_files_are_read_or_refused(kind, tmp_path):
    check(kind, USUAL, tmp_path)


@pytest.mark.long
@pytest.mark.parametrize("kind", BASES)
def test_a_hundred_thousand_mutated_files_are_read_or_refused(kind, tmp_path):
    check(kind, LONG, tmp_path)
