"""The trail page and the admin's events: who sees which, and whose values."""

from __future__ import annotations

import pytest
from django.utils import timezone

from calcinosis_registry.audit import trail
from calcinosis_registry.audit.models import Action, Event
from calcinosis_registry.clinics.roles import Role
from calcinosis_registry.clinics.services import grant


def an_event(
    patient: str = "NOR-00001", *, model: str = "patients.visit", object_id: int = 1, changes=None, actor=None, **other
) -> Event:  # fmt: skip
    return Event.objects.create(
        at=timezone.now(), action=Action.CHANGE, actor_id=actor.pk if actor else None,
        actor_name=str(actor or "somebody"), model=model, object_id=object_id, patient=patient,
        changes={"pain_nrs": [3, 77777]} if changes is None else changes, **other,
    )  # fmt: skip


def text(answer) -> str:
    assert answer.status_code == 200
    return answer.content.decode()


def test_an_admin_sees_which_field_changed_and_not_its_values(client_of, admin):
    an_event()
    page = text(client_of(admin).get("/trail/"))
    assert "pain_nrs" in page and "NOR-00001" in page
    assert "77777" not in page


def test_who_also_reads_the_records_sees_the_values(client_of, admin, north):
    grant(user=admin, role=Role.CLINICIAN, clinic=north)
    an_event()
    assert "3 → 77777" in text(client_of(admin).get("/trail/"))


def test_names_need_the_right_to_names(client_of, admin, north):
    grant(user=admin, role=Role.MONITOR, clinic=north)
    an_event(model="identity.identity", changes={"family_name": ["Old", "Secretname"]})
    assert "Secretname" not in text(client_of(admin).get("/trail/"))


def test_a_clinics_admin_sees_nothing_of_another_clinic(client_of, admin, stranger):
    an_event("SOU-00001")
    an_event("", model="accounts.user", object_id=stranger.pk, actor=stranger)
    page = text(client_of(admin).get("/trail/"))
    assert "SOU-00001" not in page and stranger.name not in page


def test_the_registers_admin_sees_all(client_of, coordinator, admin):
    an_event("SOU-00001")
    assert "SOU-00001" in text(client_of(coordinator).get("/trail/"))


@pytest.mark.parametrize("role", ["clinician", "assistant", "monitor", "researcher"])
def test_the_trail_is_the_admins(client_of, request, role):
    assert client_of(request.getfixturevalue(role)).get("/trail/").status_code == 403


def test_the_question_who_read_this_patient_finds_lists_too(client_of, admin, clinician):
    with trail.acting(trail.Actor(id=clinician.pk, name=clinician.name)):
        trail.tell(Action.READ, changes={"shown": "names in a list", "patients": ["NOR-00001", "NOR-00002"]})
        trail.tell(Action.READ, changes={"shown": "names in a list", "patients": ["NOR-00003"]})
    answer = client_of(admin).get("/trail/", {"patient": "nor-00001", "action": "read"})
    assert len(answer.context["rows"]) == 1
    assert "NOR-00002" not in text(answer)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"person": "clara"}, {"NOR-00001"}),
        ({"person": "nobody"}, set()),
        ({"patient": "NOR-00002"}, {"NOR-00002"}),
        ({"action": "sign"}, set()),
        ({"since": "2001-01-01"}, {"NOR-00001", "NOR-00002"}),
        ({"until": "2001-01-01"}, set()),
        ({"since": "nonsense", "before": "x"}, {"NOR-00001", "NOR-00002"}),
    ],
)
def test_the_trail_answers_what_is_asked(client_of, admin, clinician, query, found):
    an_event("NOR-00001", actor=clinician)
    an_event("NOR-00002")
    rows = client_of(admin).get("/trail/", query).context["rows"]
    assert {row["event"].patient for row in rows if row["event"].patient} == found


def test_pages_go_back_and_forth_without_losing_an_event(client_of, admin):
    made = [an_event(f"NOR-{n:05d}").pk for n in range(120)]
    client, url, seen = client_of(admin), "", []
    while True:
        answer = client.get(f"/trail/{url or '?patient='}")
        seen += [row["event"].pk for row in answer.context["rows"]]
        if not (url := answer.context["next_url"]):
            break
    assert [pk for pk in seen if pk in made] == made[::-1]
    first = seen[:50]
    second_page = client.get(f"/trail/?before={first[-1]}")
    back = client.get(f"/trail/{second_page.context['previous_url']}")
    assert [row["event"].pk for row in back.context["rows"]] == first


def test_the_page_takes_the_same_number_of_queries_for_any_number_of_events(
    client_of, admin, django_assert_max_num_queries
):
    for n in range(60):
        an_event(f"NOR-{n:05d}")
    client = client_of(admin)
    client.get("/trail/")
    with django_assert_max_num_queries(7):
        client.get("/trail/")


def test_the_admins_event_page_hides_the_same_values(client_of, admin, clinician):
    event = an_event()
    address = f"/admin/audit/event/{event.pk}/change/"
    page = text(client_of(admin).get(address))
    assert "pain_nrs" in page and "77777" not in page
    assert "77777" in text(client_of(clinician).get(address))


def test_the_admins_events_are_the_same_clinics(client_of, admin):
    event = an_event("SOU-00001")
    assert client_of(admin).get(f"/admin/audit/event/{event.pk}/change/").status_code == 302  # admin's "not there"
    assert "SOU-00001" not in text(client_of(admin).get("/admin/audit/event/"))


def test_no_event_can_be_changed_in_the_admin(client_of, admin):
    event = an_event()
    client = client_of(admin)
    assert client.post(f"/admin/audit/event/{event.pk}/change/", {"reason": "x"}).status_code == 403
    assert client.get(f"/admin/audit/event/{event.pk}/delete/").status_code == 403
    assert client.get("/admin/audit/event/add/").status_code == 403
