"""Every file of the hostile corpus by the upload page: told why, or cleaned; nothing left (trust-cases FILE-03).

A refusal costs two seconds of processor time at most, page and parsing process together, and 100 MB of memory, that of
the parsing process counted whole.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from lesions import storage
from lesions.ingest import shown_name
from lesions.models import ImagingFile, ImagingStudy
from tests.lesions.imaging.door import on_disk
from tests.lesions.imaging.hostile.case import TAKEN, Case
from tests.lesions.imaging.hostile.dicom_cases import DICOM_CASES
from tests.lesions.imaging.hostile.document_cases import NAME_CASES, PDF_CASES, ZIP_CASES
from tests.lesions.imaging.hostile.picture_cases import PICTURE_CASES

CORPUS: list[Case] = [*DICOM_CASES, *PICTURE_CASES, *PDF_CASES, *ZIP_CASES, *NAME_CASES]
SECONDS, BYTES = 2, 100 * 10**6
WATCHER = Path(__file__).parent / "hostile" / "watcher.py"


def test_the_corpus_is_large_enough_and_each_file_is_there_once():
    assert len(CORPUS) >= 80
    assert len({(case.title, case.name) for case in CORPUS}) == len(CORPUS)


@dataclass(frozen=True)
class Ended:
    """How a parsing process ended (below zero: the signal), its processor time and the most memory it held."""

    code: int
    seconds: float
    bytes: int


@pytest.fixture
def ends(monkeypatch, tmp_path) -> list[Ended]:
    """Every parsing process, run by a small one that watches it: what a process itself inherits would count as its."""
    ends: list[Ended] = []
    told, run = tmp_path / "told", subprocess.run

    def watched(command, **kwargs):
        done = run([sys.executable, "-S", str(WATCHER), str(told), *command], **kwargs)
        code, seconds, kilobytes = json.loads(told.read_text())
        ends.append(Ended(code, seconds, kilobytes * 1024))
        return subprocess.CompletedProcess(command, code, done.stdout)

    monkeypatch.setattr(subprocess, "run", watched)
    return ends


def check(case: Case, upload, files, ends) -> None:
    content = case.make()
    started = time.process_time()
    page = upload((case.name, content))
    seconds = time.process_time() - started + sum(one.seconds for one in ends)
    assert page.status_code == 200
    taken = ImagingFile.objects.first()
    if taken is None:
        outcomes = page.context["outcomes"]
        assert {one.state for one in outcomes} == {"refused"}
        assert all(re.search(case.said, one.text) for one in outcomes), [one.text for one in outcomes]
        assert all(shown_name(one.name) == one.name for one in outcomes)
        assert not on_disk(files) and not ImagingStudy.objects.exists()
        assert seconds < SECONDS and all(one.bytes < BYTES for one in ends), (seconds, ends)
    else:
        assert re.search(case.said, TAKEN), "it was taken"
        stored = storage.path_of(taken.sha256, files).read_bytes()
        assert not [one for one in case.gone if one in stored]
        assert re.fullmatch(r"[^\x00-\x1f/\\\u202e]{1,100}", taken.name)
        assert len(on_disk(files)) == (3 if taken.has_preview else 1) and taken.size == len(stored)
    assert case.ends_by_limit or {one.code for one in ends} <= {0}


@pytest.mark.parametrize("case", CORPUS, ids=lambda case: case.title)
def test_a_hostile_file_is_told_or_cleaned_and_leaves_nothing(case, upload, files, ends):
    check(case, upload, files, ends)
