"""Who sees which count: protected outside an approved project, exact inside and in the own clinic."""

from __future__ import annotations

import datetime

import pytest
from django.utils import timezone

from calcinosis_registry.cohorts.asking import RATES
from calcinosis_registry.cohorts.scope import protected, scope_of
from calcinosis_registry.cohorts.services import end_project, request_project
from tests.cohorts.register import cohort_of, patients, project_of

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0"),
        (1, "fewer than 8"),
        (7, "fewer than 8"),
        (8, "about 10"),
        (12, "about 10"),
        (13, "about 15"),
        (1003, "about 1,005"),
    ],
)
def test_a_protected_cell_hides_1_to_7_and_rounds_the_rest_to_5(number, text):
    assert protected(number).text == text


def test_a_researcher_without_a_project_sees_protected_counts(client_of, researcher, north):
    patients(north, 9)
    page = client_of(researcher).get(cohort_of(researcher).get_absolute_url()).content.decode()
    assert ("about 10" in page or "fewer than 10" in page) and ">9<" not in page


def test_inside_an_approved_project_the_count_is_exact(client_of, researcher, coordinator, north):
    patients(north, 9)
    cohort = cohort_of(researcher, project_of(researcher, coordinator, north))
    assert "<strong>9</strong>" in client_of(researcher).get(cohort.get_absolute_url()).content.decode()


def test_a_project_that_waits_or_is_over_protects_again(researcher, coordinator, north):
    today = timezone.localdate()
    waiting = request_project(
        title="Waiting", purpose="x", ethics_reference="y", clinics=[north], members=[], valid_from=today,
        valid_until=today, by=researcher,
    )  # fmt: skip
    assert not scope_of(researcher, waiting).exact
    project = project_of(researcher, coordinator, north)
    assert scope_of(researcher, project).exact
    end_project(project=project, by=coordinator, now=timezone.now())
    assert not scope_of(researcher, project).exact


def test_a_clinician_counts_the_own_clinic_exactly_and_no_other(client_of, clinician, north, south):
    patients(north, 3)
    patients(south, 4)
    answer = client_of(clinician).post("/cohorts/count/", {"rows": "0", "join": "all"})
    assert answer.json()["count"] == "3"


def test_people_without_research_consent_are_not_counted(client_of, clinician, north):
    patients(north, 2)
    patients(north, 1, research_consent=False)
    assert client_of(clinician).post("/cohorts/count/", {"rows": "0"}).json()["count"] == "2"


@pytest.mark.parametrize("role", ["assistant", "monitor", "admin"])
def test_who_may_not_count_gets_no_count(role, request, client_of):
    browser = client_of(request.getfixturevalue(role))
    assert browser.post("/cohorts/count/", {"rows": "0"}).status_code == 403
    assert browser.get("/cohorts/").status_code == 403


def test_each_step_of_the_flow_is_protected_too(client_of, researcher, north):
    patients(north, 20)
    patients(north, 3, sex_at_birth="M")
    cohort = cohort_of(researcher, None, {"item": "patient.sex_at_birth", "operator": "is", "value": "M"})
    page = client_of(researcher).get(cohort.get_absolute_url()).content.decode()
    assert (
        "fewer than 10" in page
        and ("about 25" in page or "about 20" in page)
        and ">23<" not in page
        and ">3<" not in page
    )


def test_shifted_start_of_a_project_is_respected(researcher, coordinator, north):
    project = project_of(researcher, coordinator, north)
    assert not project.lets(researcher, timezone.localdate() - datetime.timedelta(days=1))


def test_protected_counts_are_limited_and_exact_ones_are_not(client_of, researcher, clinician, monkeypatch):
    monkeypatch.setitem(RATES, "protected_count", "2/m/user")
    browser, own = client_of(researcher), client_of(clinician)
    answers = [browser.post("/cohorts/count/", {"join": "all"}).json() for _turn in range(3)]
    assert [bool(one["count"]) for one in answers] == [True, True, False]
    assert "wait a minute" in answers[2]["sentence"]
    page = browser.get(cohort_of(researcher).get_absolute_url())
    assert page.status_code == 200 and "wait a minute" in page.content.decode()
    assert all(own.post("/cohorts/count/", {"join": "all"}).json()["count"] == "0" for _turn in range(3))
