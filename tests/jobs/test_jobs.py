"""Long exports: asked for on a page, made by a worker, cancelled, found again after a kill."""

from __future__ import annotations

import datetime
import errno
import os
import signal
import subprocess
import sys
import time

import pytest
from django.core.management import call_command
from django.utils import timezone

from calcinosis_registry.audit.models import Event
from calcinosis_registry.cohorts.services import end_project
from calcinosis_registry.exports.models import Export
from calcinosis_registry.exports.services import sweep
from calcinosis_registry.jobs import services
from calcinosis_registry.jobs.models import Job
from tests.cohorts.register import cohort_of, patients, project_of
from tests.operations.register import ROOT, Register

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def exports_dir(settings, tmp_path):
    settings.EXPORTS_DIR = tmp_path / "exports"
    settings.EXPORT_AT_ONCE = 0


@pytest.fixture
def cohort(researcher, coordinator, north):
    return cohort_of(researcher, project_of(researcher, coordinator, north))


@pytest.fixture
def visitor(proven, researcher):
    return proven(researcher)


@pytest.fixture
def job(visitor, cohort, north) -> Job:
    patients(north, 1)
    answer = visitor.post(f"/exports/of/{cohort.public_id}/", {"format": "csv", "profile": "coded", "reason": "thesis"})
    found = Job.objects.get()
    assert answer["Location"] == found.get_absolute_url()
    return found


def test_a_large_export_is_made_by_the_worker_and_its_page_leads_to_the_file(visitor, job, researcher):
    assert "Waiting for the worker" in visitor.get(job.get_absolute_url()).content.decode()
    assert not Export.objects.exists()
    call_command("work", once=True)
    page = visitor.get(f"{job.get_absolute_url()}?part").content.decode()
    made = Export.objects.get()
    assert "Done" in page and made.get_absolute_url() in page and "<html" not in page
    assert visitor.post(f"{made.get_absolute_url()}file/").status_code == 200
    told = Event.objects.filter(action="export").order_by("id").first()
    assert told.actor_id == researcher.pk and told.source == "worker" and told.reason == "thesis"


def test_a_waiting_job_is_cancelled_at_once_and_a_running_one_at_its_next_step(visitor, job, monkeypatch, settings):
    def cancelled_meanwhile(folder, dataset, about):
        visitor.post(f"{job.get_absolute_url()}cancel/")
        (folder / "half.csv").write_text("half")
        return {}

    writers = __import__("calcinosis_registry.exports.writers", fromlist=["FORMATS"])
    monkeypatch.setitem(writers.FORMATS, "csv", writers.FileFormat("CSV", cancelled_meanwhile))
    services.run_next()
    job.refresh_from_db()
    assert job.state == "cancelled" and not Export.objects.exists()
    assert [one for one in settings.EXPORTS_DIR.iterdir() if one.name.endswith(".zip")] == []
    again = services.ask(kind="export", title="again", arguments={}, by=job.owner)
    assert "Cancelled" in visitor.post(f"{again.get_absolute_url()}cancel/", follow=True).content.decode()
    assert not services.run_next()


def test_a_job_that_may_not_be_done_any_more_says_why(visitor, job, cohort, coordinator):
    end_project(project=cohort.project, by=coordinator, now=timezone.now(), because="over")
    services.run_next()
    assert "not in force" in visitor.get(job.get_absolute_url()).content.decode() and not Export.objects.exists()


def test_a_full_disk_is_said_and_leaves_nothing(visitor, job, monkeypatch, settings):
    def full(*_args):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("calcinosis_registry.exports.package.pack", full)
    services.run_next()
    assert "The disk is full. Nothing was made." in visitor.get(job.get_absolute_url()).content.decode()
    assert list(settings.EXPORTS_DIR.iterdir()) == [] and not Export.objects.exists()


def test_a_job_of_a_dead_worker_waits_again_and_fails_in_the_end(job):
    for attempt in (1, 2, 3):
        long_ago = timezone.now() - datetime.timedelta(minutes=2)
        Job.objects.update(state="running", attempts=attempt, heartbeat_at=long_ago)
        services.reap(now=timezone.now())
        job.refresh_from_db()
        assert job.state == ("waiting" if attempt < 3 else "failed")
    assert "The worker ended while it ran" in job.problem


def test_a_living_worker_is_left_alone(job):
    Job.objects.update(state="running", attempts=1, heartbeat_at=timezone.now())
    assert services.reap(now=timezone.now()) == 0


def test_a_job_that_died_after_its_export_was_made_makes_no_second_one(job):
    services.run_next()
    Job.objects.update(state="waiting")
    services.run_next()
    assert Export.objects.count() == 1


@pytest.mark.parametrize("address", ["/" + "a" * 300, "/\x00"])
def test_an_address_the_table_cannot_hold_fails_its_job_and_not_the_worker(job, monkeypatch, address):
    monkeypatch.setitem(services.KINDS, "export", lambda job, tell: address)
    assert services.run_next()
    job.refresh_from_db()
    assert (job.state, job.result) == ("failed", "") and "Something went wrong" in job.problem


def test_what_a_killed_worker_was_making_is_swept(job, settings):
    left = settings.EXPORTS_DIR / "making-left"
    left.mkdir(parents=True)
    (left / "lock").touch()
    sweep(now=timezone.now())
    assert not left.exists()


def test_a_job_is_its_owners_alone(proven, job, admin, coordinator):
    assert proven(coordinator).get(job.get_absolute_url()).status_code in (403, 404)
    assert proven(admin).post(f"{job.get_absolute_url()}cancel/").status_code == 403


@pytest.mark.long
def test_a_worker_killed_in_the_middle_leaves_the_job_to_the_next(tmp_path):
    register = Register(tmp_path / "register")
    register.folder.mkdir()
    register.create()
    ask = (
        "from calcinosis_registry.accounts.models import User\n"
        "from calcinosis_registry.jobs.services import ask\n"
        "ask(kind='sleep', title='long', arguments={}, by=User.objects.get_or_create(email='a@b.org')[0])"
    )
    worker = (
        "import time\nfrom calcinosis_registry.jobs import services\n"
        "services.KINDS['sleep'] = lambda job, tell: (print('begun', flush=True), time.sleep(SECONDS)) and '/'\n"
        "import datetime\nservices.LOST = datetime.timedelta(seconds=0)\n"
        "from django.core.management import call_command\ncall_command('work', once=True)\n"
    )
    shell = [sys.executable, "manage.py", "shell", "--no-imports", "-c"]
    subprocess.run([*shell, ask], cwd=ROOT, env=register.env, check=True)
    first = subprocess.Popen(
        [*shell, worker.replace("SECONDS", "60")], cwd=ROOT, env=register.env, stdout=subprocess.PIPE
    )
    assert first.stdout is not None and first.stdout.readline().strip() == b"begun"
    os.kill(first.pid, signal.SIGKILL)
    first.wait()
    time.sleep(0.1)
    subprocess.run([*shell, worker.replace("SECONDS", "0")], cwd=ROOT, env=register.env, check=True)
    states = (
        "from calcinosis_registry.jobs.models import Job\nprint(Job.objects.get().state, Job.objects.get().attempts)"
    )
    told = subprocess.run([*shell, states], cwd=ROOT, env=register.env, check=True, capture_output=True)
    assert told.stdout.split()[-2:] == [b"done", b"2"]
