"""Two people on one visit: the second is shown both versions, field by field, and nothing of either is lost."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from django.db import transaction
from django.test import Client

from calcinosis_registry.audit.models import Action, Event
from calcinosis_registry.records.models import Draft, Outdated
from lesions.models import Lesion, LesionObservation, SkinSigns
from patients.models import Patient, Visit
from tests.factories import MembershipFactory, PatientFactory, UserFactory, known_lesions
from tests.sent_forms import sent_by


@pytest.fixture
def patient(north) -> Patient:
    return PatientFactory(clinic=north)


@pytest.fixture
def visit(patient) -> Visit:
    return known_lesions(patient, datetime.date(2026, 5, 12), [("HAND.D1.PULP", "R"), ("ELBOW", "L")])


@pytest.fixture
def anna(client_of, assistant) -> Client:
    return client_of(assistant)


@pytest.fixture
def clara(client_of, clinician) -> Client:
    return client_of(clinician)


def choices(response: Any) -> dict[str, tuple[str, str, str, str]]:
    """{field: (before, theirs, mine, picked)} of a conflict page."""
    assert response.status_code == 409
    return {
        one.name: (one.before, one.theirs, one.mine, one.picked)
        for clash in response.context["clashes"]
        for one in clash.choices
    }


def chosen(response: Any, **keep: str) -> dict[str, Any]:
    """The conflict page as it is sent with the choices already made, and these."""
    return sent_by(response) | {f"keep:{name}": side for name, side in keep.items()}


def test_the_second_to_save_chooses_field_by_field_and_both_stand_in_the_history(anna, clara, visit):
    url = visit.get_absolute_url()
    hers, mine = sent_by(anna.get(url)), sent_by(clara.get(url))
    assert anna.post(url, hers | {"pain_nrs": "7", "note": "hers", "l1-length_mm": "11"}).status_code == 302
    answer = clara.post(url, mine | {"patient_global": "2", "note": "mine", "l1-width_mm": "6,5"})
    found = choices(answer)
    assert found == {
        "pain_nrs": ("4", "7", "4", "theirs"),
        "patient_global": (found["patient_global"][0], found["patient_global"][0], "2", "mine"),
        "note": ("", "hers", "mine", ""),
        "l1-length_mm": (found["l1-length_mm"][0], "11.0", found["l1-length_mm"][0], "theirs"),
        "l1-width_mm": (found["l1-width_mm"][0], found["l1-width_mm"][0], "6,5", "mine"),
    }
    shown = answer.content.decode()
    assert "Anna Assistant" in shown and "please choose" in shown
    assert clara.post(url, chosen(answer, note="mine")).status_code == 302
    visit.refresh_from_db()
    seen = LesionObservation.objects.get(visit=visit, lesion__number=1)
    assert (visit.pain_nrs, visit.patient_global, visit.note) == (7, 2, "mine")
    assert (str(seen.length_mm), str(seen.width_mm)) == ("11.0", "6.5")
    events = Event.objects.of_record(Visit, visit.pk).filter(action=Action.CHANGE)
    assert [event.actor_name for event in events[:2]] == ["Clara Clinician", "Anna Assistant"]
    assert "Anna Assistant" in events[0].reason
    assert events[0].changes["note"] == ["hers", "mine"]


def test_where_both_changed_a_field_saving_waits_for_the_choice(anna, clara, visit):
    url = visit.get_absolute_url()
    hers, mine = sent_by(anna.get(url)), sent_by(clara.get(url))
    anna.post(url, hers | {"note": "hers", "pain_nrs": "7"})
    answer = clara.post(url, mine | {"note": "mine"})
    unanswered = sent_by(answer)
    assert "keep:note" not in unanswered
    again = clara.post(url, unanswered)
    assert choices(again) == choices(answer)
    assert Visit.objects.get().note == "hers"
    clara.post(url, chosen(again, note="theirs"))
    assert (Visit.objects.get().note, Visit.objects.get().pain_nrs) == ("hers", 7)


def test_a_third_save_while_choosing_is_a_new_question_and_keeps_what_was_typed(anna, clara, visit):
    url = visit.get_absolute_url()
    mine = sent_by(clara.get(url))
    anna.post(url, sent_by(anna.get(url)) | {"note": "first"})
    asked = clara.post(url, mine | {"note": "mine", "pain_nrs": "9"})
    anna.post(url, sent_by(anna.get(url)) | {"note": "second"})
    again = clara.post(url, chosen(asked, note="mine"))
    assert choices(again)["note"] == ("first", "second", "mine", "")
    assert Visit.objects.get().note == "second"
    clara.post(url, chosen(again, note="mine"))
    assert (Visit.objects.get().note, Visit.objects.get().pain_nrs) == ("mine", 9)


def test_what_only_the_other_touched_is_not_undone_by_an_untouched_row(anna, clara, visit):
    url = visit.get_absolute_url()
    mine = sent_by(clara.get(url))
    anna.post(url, sent_by(anna.get(url)) | {"l2-length_mm": "30", "l2-flare": "Y"})
    answer = clara.post(url, mine | {"pain_nrs": "1"})
    assert {name: picked for name, (*_sides, picked) in choices(answer).items()} == {
        "pain_nrs": "mine", "l2-length_mm": "theirs", "l2-flare": "theirs",
    }  # fmt: skip
    clara.post(url, chosen(answer))
    seen = LesionObservation.objects.get(visit=visit, lesion__number=2)
    assert (seen.flare, str(seen.length_mm), Visit.objects.get().pain_nrs) == ("Y", "30.0", 1)


def test_a_new_lesion_and_an_opened_part_go_through_the_conflict_page(anna, clara, visit):
    url = visit.get_absolute_url()
    mine = sent_by(clara.get(url))
    anna.post(url, sent_by(anna.get(url)) | {"note": "hers", "skinsigns-more": "1", "skinsigns-redness": "Y"})
    more = {"note": "mine", "new-1-site": "KNEE", "new-1-laterality": "L", "new-1-lesion_kind": "SINGLE"}
    more |= {"new-1-seen-size_method": "CALIPER", "skinsigns-more": "1", "skinsigns-redness": "N"}
    answer = clara.post(url, mine | more)
    assert choices(answer)["note"][1:] == ("hers", "mine", "")
    signs = [name for name in choices(answer) if name.startswith("skinsigns-")]
    saved = clara.post(url, chosen(answer, **dict.fromkeys(["note", *signs], "mine")))
    assert saved.status_code == 302, saved.content.decode()[:3000]
    assert visit.patient.lesion_set.count() == 3
    assert SkinSigns.objects.get().redness == "N"


def test_the_other_s_lesion_is_left_alone_by_a_page_opened_before_it(anna, clara, visit):
    url = visit.get_absolute_url()
    mine = sent_by(clara.get(url))
    new = {"new-1-site": "KNEE", "new-1-laterality": "L", "new-1-lesion_kind": "SINGLE"}
    anna.post(url, sent_by(anna.get(url)) | new | {"new-1-seen-length_mm": "8", "new-1-seen-size_method": "CALIPER"})
    answer = clara.post(url, mine | {"pain_nrs": "1"})
    if answer.status_code == 409:
        answer = clara.post(url, chosen(answer))
    assert answer.status_code == 302
    assert str(LesionObservation.objects.get(lesion__number=3).length_mm) == "8.0"
    assert Visit.objects.get().pain_nrs == 1


def test_the_same_answer_from_both_is_no_conflict(anna, clara, visit):
    url = visit.get_absolute_url()
    mine = sent_by(clara.get(url))
    anna.post(url, sent_by(anna.get(url)) | {"pain_nrs": "8"})
    assert clara.post(url, mine | {"pain_nrs": "8"}).status_code == 302


def test_the_draft_waits_until_the_conflict_is_settled(anna, clara, visit):
    url = visit.get_absolute_url()
    mine = sent_by(clara.get(url)) | {"note": "mine"}
    clara.post("/drafts/", mine)
    anna.post(url, sent_by(anna.get(url)) | {"note": "hers"})
    answer = clara.post(url, mine)
    assert Draft.objects.count() == 1
    clara.post(url, chosen(answer, note="mine"))
    assert Draft.objects.count() == 0


def test_a_draft_does_not_ask_about_a_status_nobody_touched_that_a_colleague_changed(anna, clara, visit):
    """Both lesions stand as new, which is offered only where it stands."""
    url = visit.get_absolute_url()
    clara.post("/drafts/", sent_by(clara.get(url)) | {"note": "mine"})
    assert anna.post(url, sent_by(anna.get(url)) | {"l1-status_change": "LARGER"}).status_code == 302
    (draft,) = clara.get(url).context["keeping"].offers
    answer = clara.post(url, sent_by(clara.get(draft.restore_url)))
    assert choices(answer)["l1-status_change"] == ("New", "Larger", "New", "theirs")
    assert clara.post(url, chosen(answer)).status_code == 302
    seen = LesionObservation.objects.get(visit=visit, lesion__number=1)
    assert (seen.status_change, Visit.objects.get().note) == ("LARGER", "mine")


def test_a_status_that_does_not_stand_is_not_taken_from_a_page_that_is_up_to_date(anna, clara, visit):
    url = visit.get_absolute_url()
    assert anna.post(url, sent_by(anna.get(url)) | {"l1-status_change": "LARGER"}).status_code == 302
    answer = clara.post(url, sent_by(clara.get(url)) | {"l1-status_change": "NEW"})
    assert answer.status_code != 302 and answer.context["page"].rows[0].form.errors
    assert LesionObservation.objects.get(visit=visit, lesion__number=1).status_change == "LARGER"


def merging(patient: Patient) -> dict[str, str]:
    """The first lesion becomes one with the second."""
    into = patient.lesion_set.get(number=2)
    return {"l1-status_change": "MERGED", "l1-merged_into": into.public_id, "l1-length_mm": "", "l1-width_mm": ""}


def shown_into(response: Any) -> Any:
    """The lesion chosen to merge into, as the row of the first lesion shows it."""
    return str(response.context["page"].rows[0].form["merged_into"].value())


def test_a_merge_and_what_the_other_typed_meanwhile_are_chosen_between_and_the_target_stays(anna, clara, visit):
    url, patient = visit.get_absolute_url(), visit.patient
    mine = sent_by(clara.get(url))
    anna.post(url, sent_by(anna.get(url)) | {"l1-status_change": "LARGER", "l1-length_mm": "14", "note": "hers"})
    answer = clara.post(url, mine | merging(patient))
    found = choices(answer)
    assert found["l1-merged_into"][2] == str(patient.lesion_set.get(number=2))
    assert (found["l1-merged_into"][3], found["note"][3]) == ("mine", "theirs")
    assert Lesion.objects.get(number=1).merged_into is None
    both = [name for name, choice in found.items() if name.startswith("l1-") and not choice[3]]
    assert "l1-status_change" in both
    saved = clara.post(url, chosen(answer, **dict.fromkeys([*both, "l1-length_mm"], "mine")))
    assert saved.status_code == 302, saved.content.decode()[:3000]
    one, seen = Lesion.objects.get(number=1), LesionObservation.objects.get(visit=visit, lesion__number=1)
    assert (one.merged_into.number, seen.merged_into.number, seen.status_change) == (2, 2, "MERGED")
    assert Visit.objects.get().note == "hers"


def test_who_gives_the_merge_up_in_favour_of_the_other_leaves_no_target_behind(anna, clara, visit):
    url, patient = visit.get_absolute_url(), visit.patient
    mine = sent_by(clara.get(url))
    anna.post(url, sent_by(anna.get(url)) | {"l1-status_change": "LARGER", "l1-length_mm": "14"})
    answer = clara.post(url, mine | merging(patient))
    theirs = {name: "theirs" for name in choices(answer) if name.startswith("l1-")}
    assert clara.post(url, chosen(answer, **theirs)).status_code == 302
    one, seen = Lesion.objects.get(number=1), LesionObservation.objects.get(visit=visit, lesion__number=1)
    assert (one.merged_into, seen.merged_into, seen.status_change) == (None, None, "LARGER")
    assert str(seen.length_mm) == "14.0"


def test_a_draft_of_a_merge_is_offered_with_its_target_and_saved_from_there(clara, visit):
    url, patient = visit.get_absolute_url(), visit.patient
    clara.post("/drafts/", sent_by(clara.get(url)) | merging(patient))
    assert Lesion.objects.get(number=1).merged_into is None
    (draft,) = clara.get(url).context["keeping"].offers
    restored = clara.get(draft.restore_url)
    assert shown_into(restored) == patient.lesion_set.get(number=2).public_id
    assert clara.post(url, sent_by(restored)).status_code == 302
    assert Lesion.objects.get(number=1).merged_into.number == 2 and not Draft.objects.exists()


def test_a_draft_of_a_merge_into_what_is_gone_by_now_is_refused_with_the_target_still_chosen(anna, clara, visit):
    url, patient = visit.get_absolute_url(), visit.patient
    clara.post("/drafts/", sent_by(clara.get(url)) | merging(patient))
    gone = {"l2-status_change": "RESOLVED", "l2-length_mm": "", "l2-width_mm": ""}
    assert anna.post(url, sent_by(anna.get(url)) | gone).status_code == 302
    (draft,) = clara.get(url).context["keeping"].offers
    asked = clara.post(url, sent_by(clara.get(draft.restore_url)))
    answer = clara.post(url, chosen(asked, **{"l2-status_change": "theirs"}))
    assert shown_into(answer) == patient.lesion_set.get(number=2).public_id
    assert answer.context["page"].rows[0].form.errors
    assert Lesion.objects.get(number=1).merged_into is None


def test_a_row_read_before_another_save_cannot_be_written(visit):
    one, other = Visit.objects.get(), Visit.objects.get()
    one.note = "first"
    one.save()
    other.note = "second"
    with pytest.raises(Outdated), transaction.atomic():
        other.save()
    assert Visit.objects.get().note == "first"


def test_rows_read_before_another_save_cannot_be_written_together(visit):
    rows, others = list(LesionObservation.objects.all()), list(LesionObservation.objects.all())
    for number, observations in enumerate((rows, others)):
        for one in observations:
            one.length_mm, one.version = 10 + number, one.version + 1
    LesionObservation.objects.bulk_update(rows[:1], ["length_mm", "version"])
    with pytest.raises(Outdated), transaction.atomic():
        LesionObservation.objects.bulk_update(others, ["length_mm", "version"])
    assert sorted(str(one.length_mm) for one in LesionObservation.objects.all()) == ["10.0", "9.0"]


def race(people: list[Client], url: str, rounds: int) -> None:
    """All open the visit, then all add a word of their own to the note, each settling its conflicts."""
    for turn in range(rounds):
        opened = [sent_by(person.get(url)) for person in people]
        for number, (person, form) in enumerate(zip(people, opened, strict=True)):
            word = f"<{turn}.{number}>"
            answer = person.post(url, form | {"note": form.get("note", "") + word})
            while answer.status_code == 409:
                # What a careful person does: takes both.
                both = {one.name: one.theirs for clash in answer.context["clashes"] for one in clash.choices}
                answer = person.post(url, chosen(answer, note="mine") | {"note": both["note"] + word})
            assert answer.status_code == 302


@pytest.mark.parametrize(
    ("people", "rounds"), [(6, 3), pytest.param(50, 20, marks=pytest.mark.long)], ids=["six", "fifty"]
)
def test_of_many_people_on_one_visit_no_update_is_lost(client_of, north, visit, people, rounds):
    roles = [MembershipFactory(user=UserFactory(), role="clinician", clinic=north) for _ in range(people)]
    clients = [client_of(role.user) for role in roles]
    for turn in range(rounds):
        visit.refresh_from_db()
        visit.note = ""
        visit.save()
        race(clients, visit.get_absolute_url(), 1)
        note = Visit.objects.get(pk=visit.pk).note
        assert note == "".join(f"<0.{number}>" for number in range(people)), turn
