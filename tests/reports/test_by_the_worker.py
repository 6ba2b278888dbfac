"""Reports of many patients: asked for on their page, made by the worker with progress, kept and shown."""

from __future__ import annotations

import datetime
import errno
import os
import time

import pytest
from django.core.management import call_command

from calcinosis_registry.cohorts.services import save_cohort
from calcinosis_registry.cohorts.snapshot import building as snapshots
from calcinosis_registry.jobs import services
from calcinosis_registry.jobs.models import Job
from calcinosis_registry.reports import files, kept, paper
from tests.cohorts.register import EVERYONE, cohort_of, patients, project_of

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def two_are_many(settings, tmp_path):
    settings.SNAPSHOT_DIR = tmp_path / "snapshot"
    settings.REPORT_AT_ONCE = 1


@pytest.fixture
def people(north):
    return patients(north, 3)


def test_a_large_report_is_asked_for_made_by_the_worker_and_shown(client_of, clinician, north, people):
    browser, base = client_of(clinician), f"/reports/clinic/{north.public_id}/"
    page = browser.get(f"{base}events/").content.decode()
    assert "Make the report" in page and not Job.objects.exists()
    for file in ("report.pdf", "table-1.csv", "events/prevalence.csv"):
        to = browser.get(f"{base}{file}", {"by": "patient.smoking"})["Location"]
        assert to.startswith(base) and to.endswith("/?by=patient.smoking"), file
    answer = browser.post(f"{base}make/", {"chapter": "events"}, follow=True)
    job = Job.objects.get()
    assert "Waiting for the worker" in answer.content.decode() and job.get_absolute_url() in answer.content.decode()
    assert browser.get(f"{job.get_absolute_url()}?part").status_code == 200
    browser.post(f"{base}make/", {"chapter": "events"})
    assert Job.objects.count() == 1
    call_command("work", once=True)
    job.refresh_from_db()
    assert (job.state, job.result) == ("done", f"{base}characteristics/")
    page = browser.get(f"{base}characteristics/").content.decode()
    assert "Patients: 3." in page and "Made by the worker" in page and "Records changed since" not in page
    assert browser.get(f"{base}report.pdf").content.startswith(b"%PDF")
    assert browser.get(f"{base}events/prevalence.csv").status_code in (200, 404)


@pytest.mark.parametrize("by", ["x" * 300, "\x00", "visit.pain_nrs"])
def test_free_text_makes_no_report_of_its_own(client_of, clinician, north, people, settings, by):
    browser, base = client_of(clinician), f"/reports/clinic/{north.public_id}/"
    browser.post(f"{base}make/")
    assert browser.post(f"{base}make/", {"by": by})["Location"] == f"{base}characteristics/"
    assert Job.objects.count() == 1
    page = browser.get(f"{base}events/", {"by": by})
    assert page.status_code == 200 and Job.objects.get().get_absolute_url() in page.content.decode()
    assert browser.get(f"{base}report.pdf", {"by": by}).status_code == 302
    settings.REPORT_AT_ONCE = 100
    for given in ("", by):
        assert browser.get(f"{base}events/", {"by": given}).status_code == 200
        assert len(list(kept.folder().iterdir())) == 1


def test_after_a_change_it_says_so_and_after_a_withdrawal_it_is_gone(client_of, clinician, north, people):
    browser, base = client_of(clinician), f"/reports/clinic/{north.public_id}/"
    browser.post(f"{base}make/")
    services.run_next()
    people[0].smoking = "NEVER"
    people[0].save()
    page = browser.get(f"{base}characteristics/").content.decode()
    assert "Records changed since" in page and "Make it anew" in page
    people[1].research_consent = False
    people[1].save()
    assert "Make the report" in browser.get(f"{base}characteristics/").content.decode()


def test_a_cancelled_report_is_not_made_and_progress_names_the_chapter(
    client_of, researcher, coordinator, north, people, monkeypatch
):
    cohort = cohort_of(researcher, project_of(researcher, coordinator, north))
    browser, base = client_of(researcher), f"/reports/cohort/{cohort.public_id}/"
    browser.post(f"{base}make/")
    job, told, put = Job.objects.get(), [], kept.put

    def cancelled_meanwhile(*made):
        put(*made)
        browser.post(f"{job.get_absolute_url()}cancel/")
        told.append(browser.get(f"{job.get_absolute_url()}?part").content.decode())

    monkeypatch.setattr(kept, "put", cancelled_meanwhile)
    services.run_next()
    job.refresh_from_db()
    assert job.state == "cancelled" and len(told) == 1 and "Table 1" in told[0]


def test_who_lost_the_role_meanwhile_gets_no_report(client_of, clinician, north, people):
    client_of(clinician).post(f"/reports/clinic/{north.public_id}/make/")
    for one in clinician.memberships.all():
        one.valid_from, one.valid_until = datetime.date(2019, 1, 1), datetime.date(2020, 1, 1)
        one.save()
    services.run_next()
    assert "may not see" in Job.objects.get().problem


@pytest.fixture
def full_disk(monkeypatch):
    replace = kept.Path.replace

    def full(path, to):
        if path.parent == kept.folder():
            raise OSError(errno.ENOSPC, "No space left on device")
        return replace(path, to)

    monkeypatch.setattr(kept.Path, "replace", full)


def test_a_full_disk_keeps_no_chapter_and_shows_it(client_of, clinician, north, people, settings, full_disk):
    settings.REPORT_AT_ONCE = 100
    page = client_of(clinician).get(f"/reports/clinic/{north.public_id}/characteristics/")
    assert page.status_code == 200 and "Patients: 3." in page.content.decode()
    assert list(kept.folder().iterdir()) == []


def test_a_report_the_worker_could_not_keep_is_not_said_to_be_done(
    client_of, clinician, north, people, full_disk, monkeypatch
):
    monkeypatch.setattr(files, "pdf_possible", lambda: False)
    client_of(clinician).post(f"/reports/clinic/{north.public_id}/make/")
    services.run_next()
    job = Job.objects.get()
    assert job.state == "failed" and "the disk may be full" in job.problem


def test_the_pdf_of_one_question_under_two_names_says_each(
    client_of, researcher, coordinator, north, people, settings, monkeypatch
):
    settings.REPORT_AT_ONCE = 100
    monkeypatch.setattr(paper, "pdf", lambda report, chapters, user: report.title.encode())
    project, browser = project_of(researcher, coordinator, north), client_of(researcher)
    for name in ("One", "Other"):
        cohort = save_cohort(name=name, definition=EVERYONE, by=researcher, project=project)
        for _look in range(2):
            assert name.encode() in browser.get(f"/reports/cohort/{cohort.public_id}/report.pdf").content


def test_what_was_made_while_somebody_left_is_not_kept(people):
    head = kept.Head.now()
    people[0].research_consent = False
    people[0].save()
    kept.put("a", head, "made")
    assert list(kept.folder().iterdir()) == []


def test_the_worker_removes_what_was_kept_a_week(people):
    call_command("work", once=True)  # nothing was kept yet
    for name, days in (("old", 8), ("new", 6)):
        kept.put(name, kept.Head.now(), "made")
        then = time.time() - days * 86_400
        os.utime(kept.folder() / name, (then, then))
    call_command("work", once=True)
    assert [one.name for one in kept.folder().iterdir()] == ["new"]


def test_who_counts_as_whom_is_part_of_the_program(monkeypatch):
    read, before = kept.Path.read_bytes, kept._program.__wrapped__()
    monkeypatch.setattr(kept.Path, "read_bytes", lambda path: read(path) + (b"x" if path.name == "scope.py" else b""))
    assert kept._program.__wrapped__() != before


def test_what_the_register_did_not_write_is_not_read_and_an_erasure_takes_all_along(north, people):
    head = kept.Head.now()
    kept.put("a", head, "made")
    assert kept.get("a") == (head, "made")
    (kept.folder() / "a").write_bytes(b"x" * 100)
    assert kept.get("a") is None
    kept.put("b", head, "made")
    snapshots.forget()
    assert kept.get("b") is None
