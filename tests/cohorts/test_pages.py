"""Builder, cohorts and projects through the front door."""

from __future__ import annotations

import datetime
import re

import pytest
from django.utils import timezone

from calcinosis_registry.audit.models import Event
from calcinosis_registry.clinics.roles import Role
from calcinosis_registry.cohorts.drafting import definition_of, drafted
from calcinosis_registry.cohorts.items import askable
from calcinosis_registry.cohorts.models import Cohort, ResearchProject
from calcinosis_registry.cohorts.services import approve_project, request_project, save_cohort
from tests.cohorts.register import cohort_of, patients, project_of
from tests.factories import PASSWORD, MembershipFactory

pytestmark = pytest.mark.django_db
SEX = {
    "node": ["1", "2"], "kind-1": "record", "parent-1": "", "record-1": "patient", "kind-2": "test", "parent-2": "1",
    "item-2": "patient.sex_at_birth", "operator-2": "is", "value-2": ["F"], "join": "all",
}  # fmt: skip
WOMEN = {
    "record": "patient", "join": "all",
    "conditions": [{"item": "patient.sex_at_birth", "operator": "is", "value": "F"}],
}  # fmt: skip


def test_the_builder_adds_counts_and_saves_without_script(client_of, clinician, north):
    patients(north, 2)
    browser = client_of(clinician)
    page = browser.post("/cohorts/new/", {"pick-add-": "Patient: Sex at birth", "action": "add:"}).content.decode()
    assert 'name="kind-1" value="test"' in page and 'value="patient.sex_at_birth"' in page and "Foetus" in page
    page = browser.post("/cohorts/new/", SEX | {"action": "count"}).content.decode()
    assert "Sex at birth is “Female”" in page
    answer = browser.post("/cohorts/new/", SEX | {"action": "save", "name": "Women"})
    cohort = Cohort.objects.get()
    assert answer.status_code == 302 and answer["Location"] == cohort.get_absolute_url()
    assert cohort.definition == {"version": 2, "join": "all", "conditions": [WOMEN]}
    assert "<strong>2</strong>" in browser.get(answer["Location"]).content.decode()
    assert 'value="F" checked' in browser.get(f"{answer['Location']}edit/").content.decode()


def test_a_second_test_of_the_same_record_and_a_record_of_its_own(client_of, researcher):
    site = {
        "node": ["1", "2"], "kind-1": "record", "parent-1": "", "record-1": "lesion", "kind-2": "test",
        "parent-2": "1", "item-2": "lesion.site", "operator-2": "is", "value-2": ["HAND", "ELBOW"],
    }  # fmt: skip
    page = client_of(researcher).post("/cohorts/new/", site | {"pick-add-1": "lesion.ulcerated_now", "action": "add:1"})
    text = page.content.decode()
    assert 'name="parent-3" value="1"' in text and 'name="item-3" value="lesion.ulcerated_now"' in text
    assert "Site is any of “Hand” or “Elbow”" in text and "without a value yet: 1" in text.replace("\n", " ")
    deeper = client_of(researcher).post(
        "/cohorts/new/", site | {"pick-add-1": "lesionobservation.ulcerated", "action": "add:1"}
    )
    assert 'name="record-4" value="lesionobservation"' in deeper.content.decode()


def test_a_search_for_no_item_says_so_and_keeps_it(client_of, researcher):
    page = client_of(researcher).post("/cohorts/new/", {"pick-add-": "shoe size", "action": "add:"}).content.decode()
    assert "Choose an item of the list" in page and 'value="shoe size"' in page


def test_an_event_a_time_and_a_count_are_kept_and_come_back(client_of, researcher):
    sent = {
        "node": ["1", "2", "3", "4", "5"], "name": "Ulcers after colchicine",
        "kind-1": "record", "parent-1": "", "record-1": "complication", "relation-1": "after", "months-1": "6",
        "against-1": "event", "times-1": "at least", "number-1": "2",
        "kind-2": "test", "parent-2": "1", "item-2": "complication.code", "operator-2": "is", "value-2": ["INFECTION"],
        "kind-3": "event", "parent-3": "1", "record-3": "treatmentcourse", "which-3": "first",
        "kind-4": "test", "parent-4": "3", "item-4": "treatmentcourse.agent", "operator-4": "is",
        "value-4": ["COLCHICINE"],
        "kind-5": "group", "parent-5": "", "join-5": "none",
    }  # fmt: skip
    browser = client_of(researcher)
    codes = askable()["complication.code"].codes
    sent["value-2"] = [next(iter(codes))]
    refused = browser.post("/cohorts/new/", sent | {"action": "save"})
    assert refused.status_code == 422 and "This group is empty" in refused.content.decode()
    answer = browser.post("/cohorts/new/", sent | {"action": "save", "node": ["1", "2", "3", "4"]})
    definition = Cohort.objects.get().definition
    assert definition["conditions"][0]["when"]["event"]["which"] == "first"
    assert definition["conditions"][0]["times"] == {"operator": "at least", "number": "2"}
    assert definition_of(drafted(definition), whole=True) == definition
    page = browser.get(answer["Location"]).content.decode()
    assert "6 months (183 days) after [first treatment" in page


def test_a_wrong_condition_is_named_beside_it_and_nothing_is_saved(client_of, researcher):
    sent = SEX | {"record-1": "visit", "item-2": "visit.pain_nrs", "operator-2": "at least", "value-2": ["much"]}
    answer = client_of(researcher).post("/cohorts/new/", sent | {"action": "save", "name": "Pain"})
    page = answer.content.decode()
    assert answer.status_code == 422 and "“much” is not a number" in page and 'value="much"' in page
    assert 'q-test is-wrong" data-node="2"' in page
    assert 'value="Pain"' in page and not Cohort.objects.exists()


def test_a_cohort_without_a_name_is_not_saved_and_keeps_its_question(client_of, researcher):
    answer = client_of(researcher).post("/cohorts/new/", SEX | {"action": "save"})
    assert answer.status_code == 422 and "Sex at birth is “Female”" in answer.content.decode()


def test_a_question_saved_from_another_tab_is_not_overwritten_unseen(client_of, researcher):
    """The second tab is told what now stands, keeps what it asks, and wins when it is saved again."""
    browser = client_of(researcher)
    cohort = save_cohort(name="Women", definition={"version": 2, "join": "all", "conditions": [WOMEN]}, by=researcher)
    edit = f"{cohort.get_absolute_url()}edit/"
    was = re.search(r'name="was" value="([0-9a-f]{64})"', browser.get(edit).content.decode()).group(1)
    first = SEX | {"value-2": ["M"], "action": "save", "name": "Men", "was": was}
    assert browser.post(edit, first).status_code == 302
    second = SEX | {"action": "save", "name": "Women after all", "was": was}
    refused = browser.post(edit, second)
    page = refused.content.decode()
    assert refused.status_code == 422 and "“Male”" in page and "Women after all" in page and 'value="F" checked' in page
    cohort.refresh_from_db()
    assert cohort.name == "Men"
    again = re.search(r'name="was" value="([0-9a-f]{64})"', page).group(1)
    assert again != was and browser.post(edit, second | {"was": again}).status_code == 302
    cohort.refresh_from_db()
    assert cohort.name == "Women after all"


def test_a_condition_can_be_removed(client_of, researcher):
    page = client_of(researcher).post("/cohorts/new/", SEX | {"action": "remove:1"}).content.decode()
    assert "No condition yet" in page and "patient.sex_at_birth" not in page.split("<datalist")[0]


def test_ten_thousand_conditions_are_refused_with_the_number(client_of, researcher):
    many = SEX | {"node": [str(n) for n in range(1, 1001)]}
    for n in range(3, 1001):
        many |= {f"kind-{n}": "test", f"parent-{n}": "1"}
    answer = client_of(researcher).post("/cohorts/new/", many | {"action": "save", "name": "Many"})
    assert answer.status_code == 422 and "at most 100 conditions" in answer.content.decode()
    page = client_of(researcher).post("/cohorts/new/", {f"kind-{n}": "test" for n in range(10_000)})
    assert page.status_code == 400 and "more than 5000 fields" in page.content.decode()


@pytest.mark.parametrize(
    "sent",
    [
        {"node": ["", "x", "1", "1"], "kind-x": "?", "kind-1": "test", "parent-1": "none"},
        {"node": ["1"], "kind-1": "record", "parent-1": "1"},
        {"node": ["1", "2"], "kind-1": "test", "parent-1": "", "kind-2": "test", "parent-2": "1"},
        {"node": ["1"], "kind-1": "record", "record-1": "user", "parent-1": "", "times-1": "at least", "number-1": "²"},
        {
            "node": ["1"],
            "kind-1": "record",
            "record-1": "visit",
            "parent-1": "",
            "relation-1": "x",
            "day-1": "2026-02-30",
        },
        {"join": "xor", "action": "group:"},
        {"action": "add:77", "pick-add-77": "x"},
        {
            "node": ["1"],
            "kind-1": "test",
            "parent-1": "",
            "item-1": "patient__clinic",
            "operator-1": "is",
            "value-1": "x",
        },
    ],
)
def test_a_strange_form_is_no_error(sent, client_of, researcher):
    browser = client_of(researcher)
    assert browser.post("/cohorts/count/", sent).status_code == 200
    assert browser.post("/cohorts/new/", sent).status_code == 200


def test_an_item_that_was_removed_is_named_and_can_be_taken_out(client_of, researcher):
    cohort = cohort_of(researcher, None)
    gone = {"record": "visit", "join": "all", "conditions": [{"item": "visit.gone", "operator": "is", "value": "1"}]}
    cohort.definition = {"version": 2, "join": "all", "conditions": [gone]}
    cohort.save()
    browser = client_of(researcher)
    page = browser.get(cohort.get_absolute_url())
    assert page.status_code == 200 and "“visit.gone” is not an item that can be asked" in page.content.decode()
    page = browser.get(f"{cohort.get_absolute_url()}edit/")
    assert page.status_code == 200 and "visit.gone" in page.content.decode()


def test_the_items_to_choose_from_say_what_they_mean(client_of, researcher):
    told = client_of(researcher).get("/cohorts/items/").json()
    keys = {one["key"] for one in told["items"]}
    assert "lesion.site" in keys and "patient.birth_date" not in keys
    assert {"lesion", "visit", "lesionobservation"} <= set(told["within"]["lesion"])


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


@pytest.fixture
def pair(researcher, coordinator, north):
    """A project of two members, and a cohort of the first."""
    colleague = MembershipFactory(role=Role.RESEARCHER, clinic=north).user
    today = timezone.localdate()
    project = request_project(
        title="Two", purpose="x", ethics_reference="y", clinics=[north], members=[colleague], valid_from=today,
        valid_until=today, by=researcher,
    )  # fmt: skip
    approve_project(project=project, by=coordinator, now=timezone.now())
    return colleague, cohort_of(researcher, project)


def test_a_cohort_is_shared_with_named_people_only(client_of, researcher, pair):
    colleague, cohort = pair
    address, owner, other = cohort.get_absolute_url(), client_of(researcher), client_of(colleague)
    assert other.get(address).status_code == 200
    owner.post(f"{address}share/", {"who": "named"})
    assert other.get(address).status_code == 404 and other.post(f"{address}copy/").status_code == 404
    owner.post(f"{address}share/", {"who": "named", "people": [str(colleague.pk), "x", "99999"]})
    assert other.get(address).status_code == 200
    assert Event.objects.filter(model="cohorts.cohortshare", action="create").count() == 1
    assert other.post(f"{address}share/", {"who": "all"}).status_code == 403
    owner.post(f"{address}share/", {"who": "named"})
    assert other.get(address).status_code == 404


def test_a_cohort_without_a_project_cannot_be_shared(client_of, researcher):
    cohort = cohort_of(researcher)
    page = client_of(researcher).post(f"{cohort.get_absolute_url()}share/", {"who": "all"}, follow=True)
    assert "choose its project first" in page.content.decode()


def test_a_copy_is_ones_own_and_never_clashes(client_of, researcher, pair):
    colleague, cohort = pair
    other = client_of(colleague)
    for name in ("Copy 1 of everyone", "Copy 2 of everyone"):
        answer = other.post(f"{cohort.get_absolute_url()}copy/")
        made = Cohort.objects.get(owner=colleague, name=name)
        assert answer["Location"] == f"{made.get_absolute_url()}edit/" and made.project == cohort.project


def test_two_cohorts_side_by_side(client_of, researcher, pair, north):
    patients(north, 3)
    patients(north, 2, sex_at_birth="M")
    _colleague, cohort = pair
    definition = {"join": "all", "conditions": [{"item": "patient.sex_at_birth", "operator": "is", "value": "M"}]}
    men = save_cohort(name="men", definition=definition, by=researcher, project=cohort.project)
    browser = client_of(researcher)
    page = browser.get(f"{cohort.get_absolute_url()}compare/", {"with": men.public_id}).content.decode()
    row = page.index("only in everyone")
    assert '<td class="number">3</td>' in page[row : row + 200]
    assert '<td class="number">2</td>' in page[page.index("in both") : page.index("only in men")]
    elsewhere = cohort_of(researcher)
    for wrong in (elsewhere.public_id, "", "nonsense", cohort.public_id):
        assert browser.get(f"{cohort.get_absolute_url()}compare/", {"with": wrong}).status_code == 404


def test_the_flow_says_how_many_each_condition_leaves(client_of, clinician, north):
    patients(north, 3)
    patients(north, 2, sex_at_birth="M", smoking="NEVER")
    men = {"item": "patient.sex_at_birth", "operator": "is", "value": "M"}
    cohort = cohort_of(clinician, None, men, {"item": "patient.smoking", "operator": "is not", "value": "NEVER"})
    page = client_of(clinician).get(cohort.get_absolute_url()).content.decode()
    counts = re.findall(r'<span class="flow-count number">([^<]+)</span>', page)
    assert counts == ["5", "2", "0"] and 'width="400"' in page
    assert re.findall(r'<td class="number">([^<]+)</td>', page) == ["5", "2", "0", "0"]


def test_a_cohort_of_nobody_and_of_one_open(client_of, researcher, clinician, north):
    patients(north, 1)
    for person, nobody, one in ((clinician, "0", "1"), (researcher, "fewer than 10", "fewer than 10")):
        for value, text in (("M", nobody), ("F", one)):
            asked = {"item": "patient.sex_at_birth", "operator": "is", "value": value}
            definition = {"join": "all", "conditions": [asked]}
            cohort = save_cohort(name=value, definition=definition, by=person)
            page = client_of(person).get(cohort.get_absolute_url())
            assert page.status_code == 200 and f"<strong>{text}</strong>" in page.content.decode()
