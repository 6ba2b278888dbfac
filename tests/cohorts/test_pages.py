"""Builder, cohorts and projects through the front door."""

from __future__ import annotations

import datetime

import pytest
from django.utils import timezone

from calcinosis_registry.audit.models import Event
from calcinosis_registry.clinics.roles import Role
from calcinosis_registry.cohorts.models import Cohort, ResearchProject
from calcinosis_registry.cohorts.services import request_project
from tests.cohorts.register import cohort_of, patients, project_of
from tests.factories import PASSWORD, MembershipFactory

pytestmark = pytest.mark.django_db
SEX = {"item-0": "patient.sex_at_birth", "operator-0": "is", "value-0": ["F"], "rows": "1", "join": "all"}


def test_the_builder_adds_counts_and_saves_without_script(client_of, clinician, north):
    patients(north, 2)
    browser = client_of(clinician)
    page = browser.post(
        "/cohorts/new/", {"rows": "1", "item-0": "patient.sex_at_birth", "action": "add"}
    ).content.decode()
    assert 'name="item-1"' in page and "Foetus" in page
    page = browser.post("/cohorts/new/", SEX | {"action": "count"}).content.decode()
    assert "Sex at birth is “Female”" in page
    answer = browser.post("/cohorts/new/", SEX | {"action": "save", "name": "Women"})
    cohort = Cohort.objects.get()
    assert answer.status_code == 302 and answer["Location"] == cohort.get_absolute_url()
    assert cohort.definition["conditions"] == [{"item": "patient.sex_at_birth", "operator": "is", "value": "F"}]
    assert "<strong>2</strong>" in browser.get(answer["Location"]).content.decode()


def test_a_wrong_condition_is_named_beside_its_row_and_nothing_is_saved(client_of, researcher):
    sent = {"item-0": "visit.pain_nrs", "operator-0": "at least", "value-0": ["much"], "rows": "1", "name": "Pain"}
    answer = client_of(researcher).post("/cohorts/new/", sent | {"action": "save"})
    page = answer.content.decode()
    assert answer.status_code == 422 and "“much” is not a number" in page and 'value="much"' in page
    assert 'value="Pain"' in page and not Cohort.objects.exists()


def test_a_cohort_without_a_name_is_not_saved_and_keeps_its_question(client_of, researcher):
    answer = client_of(researcher).post("/cohorts/new/", SEX | {"action": "save"})
    assert answer.status_code == 422 and "Sex at birth is “Female”" in answer.content.decode()


def test_a_row_can_be_removed(client_of, researcher):
    sent = SEX | {"item-1": "visit.pain_nrs", "operator-1": "answered", "rows": "2", "action": "remove-0"}
    page = client_of(researcher).post("/cohorts/new/", sent).content.decode()
    assert 'visit.pain_nrs" selected' in page and 'patient.sex_at_birth" selected' not in page


@pytest.mark.parametrize("rows", ["", "x", "-1", "9999999999", "²"])
def test_a_strange_number_of_rows_is_no_error(rows, client_of, researcher):
    assert client_of(researcher).post("/cohorts/count/", {"rows": rows}).status_code == 200


@pytest.mark.parametrize("query", ["index=0&item=visit.pain_nrs", "index=0&item=", "index=49&item=nonsense"])
def test_a_fresh_row_comes_for_an_item(query, client_of, researcher):
    assert "data-condition" in client_of(researcher).get(f"/cohorts/condition/?{query}").content.decode()


@pytest.mark.parametrize("query", ["", "index=x", "index=99999999999999"])
def test_a_row_beyond_the_limit_is_404(query, client_of, researcher):
    assert client_of(researcher).get(f"/cohorts/condition/?{query}").status_code == 404


def test_somebody_elses_cohort_is_404(client_of, researcher, clinician):
    cohort = cohort_of(clinician)
    browser = client_of(researcher)
    for path in (
        f"/cohorts/{cohort.public_id}/",
        f"/cohorts/{cohort.public_id}/edit/",
        f"/exports/of/{cohort.public_id}/",
    ):
        assert browser.get(path).status_code == 404
    assert cohort.name not in browser.get("/cohorts/").content.decode()


def test_a_member_of_the_project_sees_its_cohorts_and_does_not_change_them(client_of, researcher, coordinator, north):
    colleague = MembershipFactory(role=Role.RESEARCHER, clinic=north).user
    today = timezone.localdate()
    browser = client_of(researcher)
    sent = {
        "title": "Two", "purpose": "x", "ethics_reference": "y", "clinics": [north.pk], "members": colleague.email,
        "valid_from": today, "valid_until": today + datetime.timedelta(days=9),
    }  # fmt: skip
    assert browser.post("/cohorts/projects/new/", sent).status_code == 302
    cohort = cohort_of(researcher, ResearchProject.objects.get())
    other = client_of(colleague)
    assert other.get(cohort.get_absolute_url()).status_code == 200
    assert other.post(f"{cohort.get_absolute_url()}edit/", SEX | {"action": "save", "name": "mine"}).status_code == 403


def test_an_unknown_member_is_named_and_nothing_is_requested(client_of, researcher, north):
    sent = {
        "title": "Two",
        "purpose": "x",
        "ethics_reference": "y",
        "clinics": [north.pk],
        "members": "nobody@example.org",
    }
    answer = client_of(researcher).post("/cohorts/projects/new/", sent)
    assert answer.status_code == 422 and "nobody@example.org" in answer.content.decode()
    assert not ResearchProject.objects.exists()


def requested(researcher, *clinics):
    today = timezone.localdate()
    return request_project(
        title="Asked", purpose="x", ethics_reference="y", clinics=clinics, members=[], valid_from=today,
        valid_until=today + datetime.timedelta(days=30), by=researcher,
    )  # fmt: skip


def test_an_admin_approves_the_project_of_the_own_clinic_after_proving_who_it_is(
    client_of, proven, researcher, admin, north
):
    project = requested(researcher, north)
    admin.set_password(PASSWORD)
    admin.save()
    assert client_of(admin).post(f"{project.get_absolute_url()}approve/").status_code == 302  # asks for the password
    project.refresh_from_db()
    assert project.approved_at is None
    proven(admin).post(f"{project.get_absolute_url()}approve/")
    project.refresh_from_db()
    assert project.approved_by == admin and project.state == "in force"
    told = Event.objects.filter(model="cohorts.researchproject", action="change").first()
    assert told.actor_id == admin.pk and "approved_at" in told.changes


def test_an_admin_of_one_clinic_cannot_approve_for_another(proven, researcher, admin, north, south):
    both, foreign = requested(researcher, north, south), None
    assert proven(admin).post(f"{both.get_absolute_url()}approve/").status_code == 403
    both.refresh_from_db()
    assert both.approved_at is foreign


def test_a_project_of_other_clinics_only_is_404_for_an_admin(client_of, researcher, admin, south):
    assert client_of(admin).get(requested(researcher, south).get_absolute_url()).status_code == 404


def test_nobody_approves_what_they_asked_for_themselves(proven, north):
    both = MembershipFactory(role=Role.RESEARCHER, clinic=north).user
    MembershipFactory(user=both, role=Role.ADMIN, clinic=north)
    project = requested(both, north)
    proven(both).post(f"{project.get_absolute_url()}approve/")
    project.refresh_from_db()
    assert project.approved_at is None


def test_a_researcher_cannot_approve(proven, researcher, north):
    assert proven(researcher).post(f"{requested(researcher, north).get_absolute_url()}approve/").status_code == 403


def test_an_ended_project_lets_nothing_out(proven, researcher, coordinator, north):
    project = project_of(researcher, coordinator, north)
    proven(coordinator).post(f"{project.get_absolute_url()}end/")
    project.refresh_from_db()
    assert project.state == "over"
