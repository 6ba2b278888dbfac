"""Who is in an approved project: let in, for how long, taken out, by those who answer for its clinics."""

from __future__ import annotations

import datetime

import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from calcinosis_registry.audit.models import Event
from calcinosis_registry.clinics.roles import Role
from calcinosis_registry.cohorts import membership
from calcinosis_registry.cohorts.membership import add_member, change_member, remove_member
from calcinosis_registry.cohorts.models import ProjectMember
from calcinosis_registry.cohorts.scope import scope_of
from tests.cohorts.register import project_of
from tests.factories import MembershipFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def project(researcher, coordinator, north):
    return project_of(researcher, coordinator, north)


@pytest.fixture
def colleague(north):
    return MembershipFactory(user=UserFactory(name="Carl Colleague"), role=Role.RESEARCHER, clinic=north).user


def address(project) -> str:
    return f"{project.get_absolute_url()}members/"


def test_a_colleague_is_let_in_until_a_day_and_out_the_day_after(proven, coordinator, project, colleague):
    until = timezone.localdate() + datetime.timedelta(days=9)
    told = {"email": colleague.email.upper(), "until": until, "because": "joined the study"}
    page = proven(coordinator).post(address(project), told, follow=True).content.decode()
    assert "Carl Colleague is a member now." in page and f"until {until}" in page
    event = Event.objects.filter(model="cohorts.projectmember").latest("pk")
    assert event.action == "create" and event.reason == "joined the study"
    assert scope_of(colleague, project).project == project
    with time_machine.travel(timezone.now() + datetime.timedelta(days=10), tick=True):
        assert scope_of(colleague, project).project is None
        assert "Carl Colleague" not in proven(coordinator).get(project.get_absolute_url()).content.decode()


def test_a_member_is_taken_out_at_once_with_a_reason(proven, client_of, coordinator, researcher, project, colleague):
    member = ProjectMember.objects.create(project=project, user=colleague)
    assert client_of(colleague).get(project.get_absolute_url()).status_code == 200
    browser = proven(coordinator)
    page = browser.post(address(project), {"member": member.pk, "action": "remove", "because": ""})
    assert page.status_code == 422 and ProjectMember.objects.filter(pk=member.pk).exists()
    browser.post(address(project), {"member": member.pk, "action": "remove", "because": "left the clinic"})
    assert client_of(colleague).get(project.get_absolute_url()).status_code == 404
    event = Event.objects.filter(model="cohorts.projectmember").latest("pk")
    assert event.action == "delete" and event.reason == "left the clinic"
    last = ProjectMember.objects.get(project=project)
    page = browser.post(address(project), {"member": last.pk, "action": "remove", "because": "x"})
    assert page.status_code == 422 and "end the project instead" in page.content.decode()


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"email": "nobody@example.org"}, "No open account here: nobody@example.org"),
        ({"until": "2020-01-01"}, "That day is over."),
        ({"until": "2199-01-01"}, "The project ends on"),
        ({"because": " "}, "This field is required."),
    ],
)
def test_what_is_wrong_is_said_beside_what_was_typed(proven, coordinator, project, colleague, told, said):
    given = {"email": colleague.email, "until": "", "because": "joined late"} | told
    page = proven(coordinator).post(address(project), given)
    content = page.content.decode()
    assert page.status_code == 422 and said in content and given["email"] in content
    assert ProjectMember.objects.filter(project=project).count() == 1


def test_nobody_lets_themselves_in_and_members_let_nobody_in(proven, client_of, coordinator, researcher, project):
    page = proven(coordinator).post(address(project), {"email": coordinator.email, "because": "to see"})
    assert page.status_code == 422 and "Somebody else must let you" in page.content.decode()
    told = {"email": coordinator.email, "because": "x"}
    assert proven(researcher).post(address(project), told).status_code == 403
    assert client_of(coordinator).post(address(project), told).status_code != 422  # asked who it is first
    assert ProjectMember.objects.filter(project=project).count() == 1


def test_a_member_taken_out_meanwhile_is_not_brought_back_by_saving_their_time(coordinator, project, colleague):
    told = {"because": "left the clinic", "by": coordinator}
    member = ProjectMember.objects.create(project=project, user=colleague)
    as_the_other_page_knew = ProjectMember.objects.get(pk=member.pk)
    remove_member(member=member, **told)
    for work in (lambda: change_member(member=as_the_other_page_knew, until=None, **told),
                 lambda: remove_member(member=as_the_other_page_knew, **told)):  # fmt: skip
        with pytest.raises(ValidationError, match="was taken out of the project meanwhile"):
            work()
    assert not ProjectMember.objects.filter(user=colleague).exists()
    assert Event.objects.filter(model="cohorts.projectmember").latest("pk").action == "delete"


def test_members_are_read_while_the_project_is_held(coordinator, project, colleague, monkeypatch):
    """What another request did until the project was held counts: a second click on Add, the other of two last ones."""
    held = membership._held
    told = {"because": "joined late", "by": coordinator}

    def and_meanwhile(work):
        def hold(asked):
            monkeypatch.setattr(membership, "_held", held)
            work()
            return held(asked)

        monkeypatch.setattr(membership, "_held", hold)

    and_meanwhile(lambda: add_member(project=project, user=colleague, until=None, **told))
    with pytest.raises(ValidationError, match="is a member already"):
        add_member(project=project, user=colleague, until=None, **told)
    one = ProjectMember.objects.get(project=project)  # what was done meanwhile went with the refusal: one transaction
    other = ProjectMember.objects.create(project=project, user=colleague)
    and_meanwhile(lambda: remove_member(member=one, **told))
    with pytest.raises(ValidationError, match="is the last member"):
        remove_member(member=other, **told)
    remove_member(member=one, **told)
    assert ProjectMember.objects.get(project=project) == other


def test_the_project_row_is_locked_before_its_members_are_read(coordinator, project, colleague):
    with CaptureQueriesContext(connection) as asked:
        add_member(project=project, user=colleague, until=None, because="joined late", by=coordinator)
    texts = [one["sql"] for one in asked if "SELECT" in one["sql"]]
    first = next(text for text in texts if "cohorts_projectmember" in text or "cohorts_researchproject" in text)
    assert 'FROM "cohorts_researchproject"' in first
    assert not connection.features.has_select_for_update or "FOR UPDATE" in first
