"""Every file of the hostile corpus by the upload page: told why, or cleaned; nothing left (trust-cases FILE-03)."""

from __future__ import annotations

import re
import subprocess
import time

import pytest

from lesions import storage
from lesions.models import ImagingFile, ImagingStudy
from tests.lesions.imaging.door import on_disk
from tests.lesions.imaging.hostile.case import TAKEN, Case
from tests.lesions.imaging.hostile.dicom_cases import DICOM_CASES
from tests.lesions.imaging.hostile.document_cases import NAME_CASES, PDF_CASES, ZIP_CASES
from tests.lesions.imaging.hostile.picture_cases import PICTURE_CASES, SLOW_PICTURES

CORPUS: list[Case] = [*DICOM_CASES, *PICTURE_CASES, *PDF_CASES, *ZIP_CASES, *NAME_CASES]
WAIT_SECONDS = 30


def test_the_corpus_is_large_enough_and_each_file_is_there_once():
    assert len(CORPUS) >= 80
    assert len({(case.title, case.name) for case in CORPUS}) == len(CORPUS)


@pytest.fixture
def ends(monkeypatch) -> list[int]:
    """How every parsing process ended: 0, or the signal that ended it, below zero."""
    ends: list[int] = []
    run = subprocess.run

    def watched(*args, **kwargs):
        done = run(*args, **kwargs)
        ends.append(done.returncode)
        return done

    monkeypatch.setattr(subprocess, "run", watched)
    return ends


def check(case: Case, upload, files, ends) -> None:
    content = case.make()
    started = time.monotonic()
    page = upload((case.name, content))
    assert time.monotonic() - started < WAIT_SECONDS
    assert page.status_code == 200
    taken = ImagingFile.objects.first()
    if taken is None:
        outcomes = page.context["outcomes"]
        assert {one.state for one in outcomes} == {"refused"}
        assert all(re.search(case.said, one.text) for one in outcomes), [one.text for one in outcomes]
        assert not on_disk(files) and not ImagingStudy.objects.exists()
    else:
        assert re.search(case.said, TAKEN), "it was taken"
        stored = storage.path_of(taken.sha256, files).read_bytes()
        assert not [one for one in case.gone if one in stored]
        assert re.fullmatch(r"[^\x00-\x1f/\\\u202e]{1,100}", taken.name)
        assert len(on_disk(files)) == (3 if taken.has_preview else 1) and taken.size == len(stored)
    assert case.ends_by_limit or set(ends) <= {0}


@pytest.mark.parametrize("case", CORPUS, ids=lambda case: case.title)
def test_a_hostile_file_is_told_or_cleaned_and_leaves_nothing(case, upload, files, ends):
    check(case, upload, files, ends)


@pytest.mark.long
@pytest.mark.parametrize("case", SLOW_PICTURES, ids=lambda case: case.title)
def test_a_slow_file_is_ended_by_the_limits(case, upload, files, ends):
    check(case, upload, files, ends)
