"""Who may have an export, what is written down about it, what stays behind when it fails; the command line."""

from __future__ import annotations

import datetime
import errno
import hashlib
import json

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from calcinosis_registry.audit.models import Event
from calcinosis_registry.clinics.roles import Role
from calcinosis_registry.cohorts.services import end_project
from calcinosis_registry.exports.models import Export
from calcinosis_registry.exports.services import ExportRefused, path_of, sweep, take
from tests.cohorts.register import cohort_of, patients
from tests.exports.made import export, files
from tests.factories import (
    MembershipFactory,
)

pytestmark = pytest.mark.django_db


def refused(cohort, by, **choices) -> str:
    with pytest.raises(ExportRefused) as caught:
        export(cohort, by, **choices)
    assert not Export.objects.exists() and not Event.objects.filter(action="export").exists()
    return str(caught.value)


def test_without_an_approved_project_in_force_nothing_leaves(
    cohort, project, researcher, coordinator, clinician, north
):
    assert "only inside an approved research project" in refused(cohort_of(researcher), researcher)
    assert "Your role" in refused(cohort, clinician)
    colleague = MembershipFactory(role=Role.RESEARCHER, clinic=north).user
    assert "not a member" in refused(cohort, colleague)
    end_project(project=project, by=coordinator, now=timezone.now())
    assert "not in force" in refused(cohort, researcher)


@pytest.mark.parametrize(
    ("choices", "said"),
    [({"profile": "named"}, "named"), ({"format": "sav"}, "sav"), ({"reason": "  "}, "what the file is for")],
)
def test_what_cannot_be_made_is_refused_in_words(choices, said, cohort, researcher):
    assert said in refused(cohort, researcher, **choices)


def test_a_refused_or_failed_export_leaves_no_file(cohort, researcher, monkeypatch, settings, north):
    patients(north, 1)

    def full_disk(*_args, **_more):
        raise OSError(errno.ENOSPC, "no space left")

    monkeypatch.setattr("calcinosis_registry.exports.package.pack", full_disk)
    with pytest.raises(ExportRefused, match=r"The disk is full\. Nothing was made\."):
        export(cohort, researcher)
    assert list(settings.EXPORTS_DIR.iterdir()) == [] and not Export.objects.exists()


def test_without_its_event_no_file_is_made(cohort, researcher, monkeypatch, settings, north):
    def broken(*_args, **_more):
        raise RuntimeError("no trail")

    monkeypatch.setattr("calcinosis_registry.exports.services.trail.tell", broken)
    with pytest.raises(RuntimeError):
        export(cohort, researcher)
    assert list(settings.EXPORTS_DIR.iterdir()) == [] and not Export.objects.exists()


def test_the_browser_makes_a_file_and_hands_it_out_after_the_event(proven, cohort, researcher, north):
    patients(north, 1)
    browser = proven(researcher)
    answer = browser.post(f"/exports/of/{cohort.public_id}/", {"format": "csv", "profile": "coded", "reason": "thesis"})
    made = Export.objects.get()
    assert answer["Location"] == made.get_absolute_url()
    assert "thesis" in browser.get(answer["Location"]).content.decode()
    file = browser.post(f"{made.get_absolute_url()}file/")
    content = b"".join(file.streaming_content)
    assert hashlib.sha256(content).hexdigest() == made.sha256 and "attachment" in file["Content-Disposition"]
    told = list(Event.objects.filter(action="export").order_by("id"))
    assert [one.actor_id for one in told] == [researcher.pk, researcher.pk]
    assert told[0].changes["patients"] and told[0].reason == "thesis"


def test_the_file_is_its_makers_alone_and_the_ledger_is_the_approvers_too(
    proven, cohort, researcher, admin, stranger, north
):
    made = export(cohort, researcher)
    path = made.get_absolute_url()
    assert proven(admin).get(path).status_code == 200
    assert proven(admin).post(f"{path}file/").status_code == 403
    colleague = MembershipFactory(role=Role.RESEARCHER, clinic=north).user
    assert proven(colleague).post(f"{path}file/").status_code == 404
    assert proven(stranger).get(path).status_code == 403


def test_a_file_is_gone_after_a_week_and_its_line_stays(proven, cohort, researcher):
    made = export(cohort, researcher, now=timezone.now() - datetime.timedelta(days=8))
    answer = proven(researcher).post(f"{made.get_absolute_url()}file/")
    assert answer.status_code == 410 and "make it again" in answer.content.decode()
    assert sweep(now=timezone.now()) == 1 and not path_of(made).exists()
    assert Export.objects.filter(pk=made.pk).exists()


@pytest.mark.parametrize("days", [8, 100])
def test_the_worker_removes_a_file_whose_week_is_over_when_nobody_makes_another(cohort, researcher, days):
    made = export(cohort, researcher, now=timezone.now() - datetime.timedelta(days=days))
    kept = export(cohort, researcher, now=timezone.now() - datetime.timedelta(days=6))
    path_of(made).touch()  # making the other has swept already
    call_command("work", once=True)
    assert not path_of(made).exists() and path_of(kept).exists()


def test_the_end_of_a_project_ends_the_download(cohort, project, researcher, coordinator):
    made = export(cohort, researcher)
    end_project(project=project, by=coordinator, now=timezone.now())
    with pytest.raises(ExportRefused, match="not in force"):
        take(export=made, by=researcher, now=timezone.now())


# ---- the command line


def test_the_command_writes_the_same_files_by_the_same_rules(cohort, researcher, north, tmp_path):
    patients(north, 2)
    out = tmp_path / "home"
    call_command("export", cohort="everyone", format="csv", out=out, user=researcher.email)
    made = Export.objects.get()
    assert (out / "patients.csv").read_bytes() == files(made)["patients.csv"]
    assert json.loads((out / "manifest.json").read_text())["made_by"] == researcher.name
    assert (out / f"{made.public_id}.zip").exists()
    told = Event.objects.filter(action="export").get()
    assert told.actor_id == researcher.pk and told.source == "command line"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"user": "nobody@example.org"}, "nobody@example.org"),
        ({"cohort": "nothing"}, "nothing"),
        ({"project": "Another"}, "Another"),
        ({"profile": "named"}, "named"),
    ],
)
def test_the_command_refuses_in_words(options, said, cohort, researcher, tmp_path):
    chosen = {"cohort": "everyone", "out": tmp_path / "home", "user": researcher.email} | options
    with pytest.raises(CommandError, match=said):
        call_command("export", **chosen)
    assert not (tmp_path / "home").exists()


def test_the_number_of_queries_does_not_grow_with_the_rows(cohort, researcher, north, django_assert_max_num_queries):
    patients(north, 1)
    export(cohort, researcher)  # the first one reads the whole register into a snapshot
    patients(north, 2)
    with CaptureQueriesContext(connection) as few:
        export(cohort, researcher)
    patients(north, 12)
    with django_assert_max_num_queries(len(few)):
        export(cohort, researcher)
