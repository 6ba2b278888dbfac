"""A project's items: what its members may ask about, see and take; and an admin's no, or later end."""

from __future__ import annotations

import datetime

import pytest
from django.utils import timezone

from calcinosis_registry.cohorts.builder import DefinitionError
from calcinosis_registry.cohorts.counts import count
from calcinosis_registry.cohorts.dataset import build
from calcinosis_registry.cohorts.models import ResearchProject
from calcinosis_registry.cohorts.scope import may_export, scope_of
from calcinosis_registry.cohorts.services import approve_project, request_project
from tests.cohorts.register import EVERYONE, cohort_of, patients

pytestmark = pytest.mark.django_db
SMOKERS = {"item": "patient.smoking", "operator": "is", "value": "CURRENT"}
WOMEN = {"item": "patient.sex_at_birth", "operator": "is", "value": "F"}


@pytest.mark.parametrize("number", [str(2**63), "-9223372036854775809", "1e0"])
def test_a_number_no_clinic_can_have_is_a_wrong_choice(client_of, researcher, north, number):
    answer = client_of(researcher).post("/cohorts/projects/new/", {"title": "Own", "clinics": [north.pk, number]})
    assert answer.status_code == 422 and answer.context["form"].errors["clinics"]
    assert not ResearchProject.objects.exists()


def asked_for(researcher, *clinics, items=None):
    today = timezone.localdate()
    return request_project(
        title="Asked", purpose="x", ethics_reference="y", clinics=clinics, members=[], valid_from=today, items=items,
        valid_until=today + datetime.timedelta(days=30), by=researcher,
    )  # fmt: skip


@pytest.fixture
def narrow(researcher, coordinator, north):
    project = asked_for(researcher, north, items=["patient.sex_at_birth", "visit.visit_date"])
    return approve_project(project=project, by=coordinator, now=timezone.now())


def test_only_the_items_in_scope_leave(researcher, narrow, north):
    patients(north, 2)
    tables = build(definition=EVERYONE, scope=scope_of(researcher, narrow), include_text=True).tables
    assert set(tables) == {"patients", "visits"}
    assert tables["patients"].header == ["patient", "sex_at_birth"]
    assert tables["visits"].header == ["patient", "visit_no", "visit_date"]
    assert len(list(tables["visits"].rows())) == 2


def test_an_item_outside_the_scope_cannot_be_asked_about(researcher, narrow, north):
    patients(north, 2)
    scope = scope_of(researcher, narrow)
    assert count({"join": "all", "conditions": [WOMEN]}, scope).number == 2
    for ask in (count, lambda definition, scope: build(definition=definition, scope=scope)):
        with pytest.raises(DefinitionError, match=r"patient\.smoking.*outside the items"):
            ask({"join": "all", "conditions": [SMOKERS]}, scope)


def test_the_cohort_page_of_a_question_outside_the_scope_says_so(client_of, researcher, narrow):
    cohort = cohort_of(researcher, narrow, SMOKERS)
    page = client_of(researcher).get(cohort.get_absolute_url())
    assert page.status_code == 200 and "lies outside the items of this project" in page.content.decode()


def test_table_one_leaves_out_what_is_out_of_scope(client_of, researcher, narrow, north):
    patients(north, 2)
    cohort = cohort_of(researcher, narrow)
    page = client_of(researcher).get(f"/reports/cohort/{cohort.public_id}/table-1.csv")
    text = page.content.decode()
    assert page.status_code == 200 and "sex_at_birth" in text and "smoking" not in text and "ulcer" not in text


def test_the_request_names_its_items_through_the_form(client_of, researcher, north):
    today = timezone.localdate()
    sent = {
        "title": "Narrow", "purpose": "x", "ethics_reference": "y", "clinics": [north.pk], "valid_from": today,
        "valid_until": today, "items_wanted": "chosen", "items": ["visit.pain_nrs", "patient.smoking"],
    }  # fmt: skip
    browser = client_of(researcher)
    page = browser.post("/cohorts/projects/new/", sent | {"items": []}).content.decode()
    assert "Choose at least one item" in page and 'value="Narrow"' in page
    assert browser.post("/cohorts/projects/new/", sent | {"items": ["patient.birth_date"]}).status_code == 422
    assert not ResearchProject.objects.exists()
    answer = browser.post("/cohorts/projects/new/", sent)
    assert ResearchProject.objects.get().items == ["patient.smoking", "visit.pain_nrs"]
    whole = browser.post("/cohorts/projects/new/", sent | {"title": "Whole", "items": ["lesion.*"]})
    assert whole.status_code == 302
    scope = ResearchProject.objects.get(title="Whole").items
    assert {"lesion.site", "lesion.incident"} <= set(scope) and {one.split(".")[0] for one in scope} == {"lesion"}
    assert "Smoking" in browser.get(answer["Location"]).content.decode()


def test_a_refusal_says_why_and_nothing_leaves(client_of, proven, researcher, admin, north):
    project = asked_for(researcher, north)
    address = f"{project.get_absolute_url()}refuse/"
    proven(admin).post(address, {"because": " "})
    project.refresh_from_db()
    assert project.state == "requested"
    proven(admin).post(address, {"because": "The ethics vote is missing."})
    project.refresh_from_db()
    assert project.state == "refused" and project.refused_by == admin
    page = client_of(researcher).get(project.get_absolute_url()).content.decode()
    assert "The ethics vote is missing." in page and "refused" in page
    assert "refused" in may_export(researcher, project) and not scope_of(researcher, project).exact
    proven(admin).post(f"{project.get_absolute_url()}approve/")
    project.refresh_from_db()
    assert project.approved_at is None


def test_an_ending_keeps_who_and_why(proven, researcher, coordinator, narrow):
    proven(coordinator).post(f"{narrow.get_absolute_url()}end/", {"because": "x" * 401})
    narrow.refresh_from_db()
    assert narrow.state == "in force"
    proven(coordinator).post(f"{narrow.get_absolute_url()}end/", {"because": "Published."})
    narrow.refresh_from_db()
    assert (narrow.state, narrow.ended_by, narrow.decided_because) == ("over", coordinator, "Published.")
