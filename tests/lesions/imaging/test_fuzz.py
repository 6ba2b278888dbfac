"""Mutated files are read or refused; no decoder takes more down than its own process (trust-cases FILE-08)."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from lesions.ingest import ingest
from lesions.refusal import Refused
from tests.lesions.imaging.fuzz import BASES, BATCH, of_seed
from tests.lesions.imaging.imaging_files import ROOT

# Seeds of a usual run, per kind; 25,000 of each kind of file in the long one. REGISTRY_FUZZ asks for another number.
USUAL, LONG = 250, 25_000
# Of one of these gdcm's JPEG decoder took the process down, of the other it gave up in C++.
ONCE_FATAL = (1823, 2900)


def run(kind: str, count: int, folder, first: int = 1) -> tuple[int, dict[str, int], list[tuple[int, int]]]:
    """(files gone through, what became of them, (seed, signal) of what ended the process)."""
    done, became, ended = 0, {"read": 0, "refused": 0}, []
    last = first + count
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


def told(kind: str, seed: int, folder) -> str:
    """The refusal of a file that ends its process, through the front door of the parsing process."""
    work = folder / f"work-{seed}"
    work.mkdir()
    (work.parent / "fatal").write_bytes(of_seed(kind, seed))
    with pytest.raises(Refused) as refused:
        ingest(work.parent / "fatal", "", work)
    assert not list(work.iterdir())
    return str(refused.value)


def check(kind: str, count: int, folder) -> None:
    count = int(os.environ.get("REGISTRY_FUZZ", count))
    done, became, ended = run(kind, count, folder)
    assert done == count
    for seed, _signal in ended:
        assert told(kind, seed, folder), f"seed {seed} of {kind} is not told"
    assert len(ended) <= count / 1000, ended
    assert became["refused"] > became["read"] / 50 and became["read"] > 0, "the mutations are too mild or too wild"


@pytest.mark.parametrize("seed", ONCE_FATAL)
def test_a_file_that_ended_a_decoder_once_no_longer_does(seed, tmp_path):
    done, became, ended = run("dicom", 1, tmp_path, first=seed)
    assert (done, sum(became.values()), ended) == (1, 1, [])


@pytest.mark.parametrize("kind", BASES)
def test_mutated_files_are_read_or_refused(kind, tmp_path):
    check(kind, USUAL, tmp_path)


@pytest.mark.long
@pytest.mark.parametrize("kind", BASES)
def test_a_hundred_thousand_mutated_files_are_read_or_refused(kind, tmp_path):
    check(kind, LONG, tmp_path)
