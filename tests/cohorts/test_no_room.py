"""A disk without room for a snapshot: said in words at every door, nothing lost, nothing left lying about."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from calcinosis_registry.cohorts.snapshot import building
from calcinosis_registry.exports.models import Export
from calcinosis_registry.jobs import services
from calcinosis_registry.jobs.models import Job
from tests.cohorts.register import cohort_of, patients, project_of

pytestmark = pytest.mark.django_db
LINK, FOLDER, PARQUET = "the link", "the name of the folder", "the rows"


@pytest.fixture(autouse=True)
def folders(settings, tmp_path):
    settings.SNAPSHOT_DIR, settings.EXPORTS_DIR = tmp_path / "snapshot", tmp_path / "exports"


@pytest.fixture(params=[LINK, FOLDER, PARQUET])
def full_disk(request, monkeypatch):
    """Fills it, so that it is first met where a snapshot is published, or where the engine writes its rows; what is
    said then."""

    def full(*_args, **_more):
        raise OSError(errno.ENOSPC, "No space left on device")

    def engine_full(*_args, **_more):
        import duckdb

        raise duckdb.IOException('Could not write file "patient.base.parquet": No space left on device')

    def fill() -> str:
        if request.param == PARQUET:
            monkeypatch.setattr(building, "_copy", engine_full)
            return "The disk or the memory is full. Nothing was made. Nothing was lost"
        monkeypatch.setattr(Path, "symlink_to" if request.param == LINK else "rename", full)
        return "The disk is full. Nothing was made. Nothing was lost"

    return fill


def left() -> list[Path]:
    return [one for one in building.root().iterdir() if one.name != "building.lock"]


def test_a_report_page_and_its_files_say_so(client_of, clinician, north, full_disk):
    patients(north, 1)
    browser, said = client_of(clinician), full_disk()
    browser.raise_request_exception = False
    for path in ("characteristics/", "table-1.csv", "events/incidence.svg", "report.pdf"):
        answer = browser.get(f"/reports/clinic/{north.public_id}/{path}")
        assert answer.status_code == 503 and said in answer.content.decode(), path
    assert left() == []


def test_a_report_and_an_export_of_the_worker_fail_with_the_sentence(
    proven, client_of, clinician, researcher, coordinator, north, settings, full_disk
):
    patients(north, 2)
    settings.REPORT_AT_ONCE = settings.EXPORT_AT_ONCE = 1
    client_of(clinician).post(f"/reports/clinic/{north.public_id}/make/")
    cohort = cohort_of(researcher, project_of(researcher, coordinator, north))
    proven(researcher).post(
        f"/exports/of/{cohort.public_id}/", {"format": "csv", "profile": "coded", "reason": "thesis"}
    )
    assert Job.objects.count() == 2
    said = full_disk()
    for job in Job.objects.order_by("pk"):
        services.run_next()
        job.refresh_from_db()
        assert job.state == "failed" and said in job.problem, job.kind
    assert left() == [] and not Export.objects.exists()


def test_the_command_says_so_and_the_snapshot_before_stays(north, full_disk):
    patients(north, 1)
    before = building.build()
    patients(north, 1)
    said = full_disk()
    with pytest.raises(CommandError, match="the one before, if any, stays") as refused:
        call_command("snapshot")
    assert said in str(refused.value)
    assert building.current() == before and {one.name for one in left()} == {"current", before.folder.name}
