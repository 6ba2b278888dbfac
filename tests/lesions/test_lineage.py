"""Split, merge, recurrence and taking them back, as the visit page does them."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from django.test import Client

from calcinosis_registry.audit.models import Action, Event
from calcinosis_registry.codebook.partial_dates import PartialDate
from calcinosis_registry.quality.models import DataQuery
from lesions.lineage import undo
from lesions.models import Biopsy, Lesion, LesionObservation
from lesions.moving import plan_move
from lesions.signed_content import contents_of
from patients.models import Patient, Visit, VisitState
from tests.clinical_rules.posting import VisitPage
from tests.factories import PatientFactory, VisitFactory, known_lesions
from tests.sent_forms import sent_by

SEEN = {"ulcerated": "N", "drainage": "NONE", "infection": "NONE", "flare": "N"}
PLACE = {"site": "HAND.D1.PULP", "laterality": "R", "lesion_kind": "SINGLE"}


@pytest.fixture
def patient(north) -> Patient:
    patient = PatientFactory(clinic=north)
    known_lesions(patient, datetime.date(2026, 3, 1), [("HAND.D1.PULP", "R"), ("HAND.D1.IP", "R"), ("ELBOW", "L")])
    return patient


@pytest.fixture
def visit(patient) -> Visit:
    return VisitFactory(patient=patient, visit_date=datetime.date(2026, 6, 1), visit_type="FOLLOW_UP")


@pytest.fixture
def clara(client_of, clinician) -> Client:
    return client_of(clinician)


@pytest.fixture
def sheet(clara, visit) -> VisitPage:
    return VisitPage(clara, visit)


def lesion(patient: Patient, number: int) -> Lesion:
    return Lesion.objects.get(patient=patient, number=number)


def new(lineage: str, parent: Lesion, number: int = 1, **more: Any) -> dict[str, Any]:
    """A new lesion's block, as the page sends it."""
    place = PLACE | {"lineage": lineage, "parent": parent.pk} | more
    found = {f"new-{number}-{name}": value for name, value in place.items()}
    return found | {f"new-{number}-seen-{name}": value for name, value in SEEN.items()}


def statuses(visit: Visit) -> dict[str, str]:
    rows = LesionObservation.objects.filter(visit=visit).select_related("lesion").order_by("lesion__number")
    return {one.lesion.label: one.status_change for one in rows}


def merge(sheet: VisitPage, patient: Patient, **more: Any) -> Any:
    return sheet.post(l2__status_change="MERGED", l2__merged_into=lesion(patient, 1).public_id,
                     l1__status_change="STABLE", **more)  # fmt: skip


def split(sheet: VisitPage, patient: Patient, **more: Any) -> Any:
    return sheet.post(l1__status_change="SPLIT", **new("SPLIT", lesion(patient, 1)), **more)


def said(answer: Any, row: int) -> str:
    return str(answer.context["page"].rows[row].form.errors)


# --- Merge ------------------------------------------------------------------------------------------------------------


def test_two_lesions_become_one_that_keeps_its_number(sheet, visit, patient, clara) -> None:
    assert merge(sheet, patient).status_code == 302
    one, two = lesion(patient, 1), lesion(patient, 2)
    assert (two.merged_into, two.is_active, two.current_status, two.closed_on) == (
        one,
        False,
        "MERGED",
        visit.visit_date,
    )
    assert one.is_active and statuses(visit) == {"L1": "STABLE", "L2": "MERGED"}
    assert not DataQuery.objects.open().filter(rule="merged_without_lesion").exists()
    later = VisitFactory(patient=patient, visit_date=datetime.date(2026, 9, 1))
    shown = clara.get(later.get_absolute_url()).context
    assert [row.lesion.label for row in shown["page"].rows] == ["L1", "L3"]  # what merged is not asked again
    assert shown["gone"] == []  # nor can it come back: it lives on in L1
    html = clara.get(patient.get_absolute_url()).content.decode()
    assert "merged into" in html and "took in" in html


def test_merged_asks_into_which_and_keeps_what_was_typed(sheet, visit) -> None:
    answer = sheet.post(l2__status_change="MERGED", pain_nrs="7")
    assert "Into which lesion did it merge?" in said(answer, 1)
    assert answer.context["page"].form["pain_nrs"].value() == "7" and statuses(visit) == {}


@pytest.mark.parametrize("whose", ["itself", "another patient's", "nobody's"])
def test_a_lesion_merges_only_into_another_of_the_same_patient(sheet, visit, patient, whose, north) -> None:
    theirs = PatientFactory(clinic=north)
    known_lesions(theirs, datetime.date(2026, 3, 1), [("KNEE", "R")])
    into = {"itself": lesion(patient, 2).public_id, "another patient's": lesion(theirs, 1).public_id, "nobody's": "zz"}
    assert "merged_into" in said(sheet.post(l2__status_change="MERGED", l2__merged_into=into[whose]), 1)
    assert statuses(visit) == {}


@pytest.mark.parametrize("gone", [{"l1__status_change": "RESOLVED"}, {"l1__status_change": "MERGED", "circle": True}])
def test_nothing_merges_into_what_is_not_there(sheet, visit, patient, gone) -> None:
    if gone.pop("circle", False):
        gone["l1__merged_into"] = lesion(patient, 2).public_id
    answer = sheet.post(l2__status_change="MERGED", l2__merged_into=lesion(patient, 1).public_id, **gone)
    assert "is not there at this visit" in said(answer, 1) and statuses(visit) == {}


def test_the_lesion_merged_into_cannot_be_gone_at_the_visit_afterwards(sheet, visit, patient) -> None:
    merge(sheet, patient)
    answer = sheet.post(l1__status_change="RESOLVED")
    assert "is not there at this visit" in said(answer, 1) and statuses(visit)["L1"] == "STABLE"


def test_a_wrong_merge_is_taken_back_by_one_button_and_the_trail_says_so(sheet, visit, patient, clara) -> None:
    merge(sheet, patient)
    assert b"Take the merge back" in clara.get(sheet.url).content
    assert sheet.post(then="undo-l2", l3__status_change="STABLE").status_code == 302
    two = lesion(patient, 2)
    assert (two.merged_into, two.is_active, two.closed_on, two.current_status) == (None, True, None, "NEW")
    assert statuses(visit) == {"L1": "STABLE", "L2": "", "L3": "STABLE"}  # typed beside it, kept; L2 is asked anew
    event = Event.objects.of_record(Lesion, two.pk).first()
    assert event.changes["merged_into"][1] is None and "Merge of L2 into L1 taken back" in event.reason
    assert "undo-l2" not in clara.get(sheet.url).content.decode()


def test_another_answer_takes_a_merge_back_too(sheet, patient) -> None:
    merge(sheet, patient)
    assert sheet.post(l2__status_change="STABLE").status_code == 302
    assert lesion(patient, 2).merged_into is None and lesion(patient, 2).is_active


# --- Split ------------------------------------------------------------------------------------------------------------


def test_a_lesion_that_splits_stays_and_its_part_is_a_new_lesion(sheet, visit, patient) -> None:
    assert split(sheet, patient).status_code == 302
    part = lesion(patient, 4)
    assert (part.parent, part.lineage, part.visit) == (lesion(patient, 1), "SPLIT", visit)
    assert lesion(patient, 1).is_active and statuses(visit) == {"L1": "SPLIT", "L4": "NEW"}


def test_split_without_a_part_and_a_part_of_what_did_not_split_are_refused(sheet, visit, patient) -> None:
    assert "add each part" in said(sheet.post(l1__status_change="SPLIT"), 0)
    answer = sheet.post(l1__status_change="STABLE", **new("SPLIT", lesion(patient, 1)))
    assert "was split off L1" in said(answer, 0)
    assert statuses(visit) == {} and Lesion.objects.filter(patient=patient).count() == 3


def test_sent_twice_a_split_makes_one_part(clara, sheet, visit, patient) -> None:
    sent = sent_by(clara.get(sheet.url)) | {"l1-status_change": "SPLIT", **new("SPLIT", lesion(patient, 1))}
    assert [clara.post(sheet.url, sent).status_code for _time in range(3)] == [302] * 3
    assert Lesion.objects.filter(patient=patient, lineage="SPLIT").count() == 1
    back = sent_by(clara.get(sheet.url)) | {"then": "undo-l1"}
    assert [clara.post(sheet.url, back).status_code for _time in range(3)] == [302] * 3
    assert statuses(visit) == {"L1": ""}


def test_a_wrong_split_is_taken_back_with_its_part_whose_number_stays_taken(sheet, visit, patient, clara) -> None:
    split(sheet, patient)
    assert b"Take the split back and remove L4" in clara.get(sheet.url).content
    gone = lesion(patient, 4)
    assert sheet.post(then="undo-l1").status_code == 302
    assert statuses(visit) == {"L1": ""} and lesion(patient, 1).current_status == "NEW"
    event = Event.objects.of_record(Lesion, gone.pk).first()
    assert event.action == Action.DELETE and event.changes["parent"][0] == lesion(patient, 1).pk
    assert Lesion.objects.next_number(patient) == 5


def test_a_part_that_something_refers_to_is_not_removed(sheet, visit, patient, clara) -> None:
    split(sheet, patient)
    Biopsy(patient=patient, lesion=lesion(patient, 4), taken_on=PartialDate(2026, 6)).save()
    answer = clara.post(sheet.url, sent_by(clara.get(sheet.url)) | {"then": "undo-l1"}, follow=True)
    assert "Other entries refer to this one" in answer.content.decode()
    assert statuses(visit) == {"L1": "SPLIT", "L4": "NEW"}


# --- Recurrence, and a lesion entered by mistake ----------------------------------------------------------------------


def test_what_was_gone_is_offered_to_come_back_as_a_new_lesion(sheet, visit, patient, clara) -> None:
    sheet.post(l3__status_change="RESOLVED")
    later = VisitFactory(patient=patient, visit_date=datetime.date(2026, 9, 1))
    shown = clara.get(later.get_absolute_url())
    assert [one.label for one in shown.context["gone"]] == ["L3"] and b"L3 has come back" in shown.content
    sent = new("RECURRENCE", lesion(patient, 3), site="ELBOW", laterality="L")
    assert VisitPage(clara, later).post(**sent).status_code == 302
    again = lesion(patient, 4)
    assert (again.parent.number, again.current_status, statuses(later)["L4"]) == (3, "RECURRED", "RECURRED")
    assert VisitPage(clara, later).post(then="undo-l4").status_code == 302
    assert statuses(later) == {} and not Lesion.objects.filter(patient=patient, number=4).exists()


def test_a_lesion_of_an_earlier_visit_cannot_be_removed_here(sheet, visit, patient, clinician) -> None:
    sheet.post(l1__status_change="STABLE")
    answer = sheet.post(then="undo-l1")
    assert answer.status_code == 302 and statuses(visit) == {"L1": "STABLE"}
    assert lesion(patient, 1).is_active


# --- Access, signature, moving ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", ["9", "x", "", "1" * 30])
def test_an_unknown_lesion_is_not_found_and_nothing_is_saved(sheet, visit, number) -> None:
    assert sheet.post(then=f"undo-l{number}", pain_nrs="9").status_code == 404
    visit.refresh_from_db()
    assert visit.pain_nrs != 9


def test_a_signed_visit_keeps_its_merge(sheet, visit, patient, clinician) -> None:
    merge(sheet, patient)
    content = contents_of([visit.pk])[visit.pk]
    told = next(row for key, row in content.items() if row.get("status_change") == "MERGED")
    assert told["merged_into"] == lesion(patient, 1).pk  # so the signature covers into which
    visit.refresh_from_db()
    visit.state = VisitState.SIGNED
    Visit.objects.bulk_update([visit], ["state"])
    assert sheet.post(then="undo-l2").status_code == 302
    assert lesion(patient, 2).merged_into is not None
    visit.refresh_from_db()
    with pytest.raises(Exception, match="signed"):
        undo(visit=visit, lesion=lesion(patient, 2), by=clinician, now=datetime.datetime.now(datetime.UTC))


@pytest.mark.parametrize("act", [merge, split])
def test_a_visit_with_a_split_or_a_merge_is_not_moved(sheet, visit, patient, north, act) -> None:
    act(sheet, patient)
    plan = plan_move(visit=visit, target=PatientFactory(clinic=north))
    assert any("take that back first" in one for one in plan.problems)


def test_a_draft_keeps_the_merge_that_was_chosen(clara, sheet, visit, patient) -> None:
    answer = sheet.post(l2__status_change="MERGED", l2__merged_into=lesion(patient, 1).public_id, pain_nrs="77")
    row = answer.context["page"].rows[1].form
    assert row["merged_into"].value() == lesion(patient, 1).public_id and row.is_act
