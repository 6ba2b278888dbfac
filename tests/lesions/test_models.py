"""What a lesion and its observations accept, refuse and question (clinical-model 6, 12.4)."""

from __future__ import annotations

import datetime
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError

from calcinosis_registry.codebook.partial_dates import PartialDate
from lesions import checks
from lesions.models import (
    Lesion,
    LesionObservation,
    Procedure,
)
from patients.models import Patient, Visit, VisitState
from tests.lesions.lesion_rows import FIRST, LATER, a_lesion, a_patient, a_visit, refused, rules, seen

pytestmark = pytest.mark.django_db


# --- The lesion -------------------------------------------------------------------------------------------------------


def test_a_lesion_says_its_number_and_place(lesion: Lesion) -> None:
    assert str(lesion) == "L1 Right thumb, pulp"
    assert lesion.is_active


def test_the_number_of_a_deleted_lesion_is_never_given_again(lesion: Lesion, visit: Visit) -> None:
    second = a_lesion(visit)
    assert second.number == 2
    second.delete()
    assert a_lesion(visit).number == 3


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"laterality": ""}, "laterality"),
        ({"laterality": "M"}, "laterality"),
        ({"site": "SPINE.C", "laterality": "R"}, "laterality"),
        ({"site": "OTHER", "laterality": ""}, "site_text"),
        ({"site": "HAND.D1.PIP"}, "site"),
        ({"map_x": "0.5"}, "map_x"),
        ({"map_x": "1.5", "map_y": "0.5"}, "map_x"),
        ({"first_noticed": PartialDate(2025)}, "first_noticed"),
        ({"first_noticed": PartialDate(1950)}, "first_noticed"),
        ({"lineage": "RECURRENCE"}, "lineage"),
    ],
)
def test_a_lesion_that_cannot_be_is_refused_at_its_field(visit: Visit, wrong: dict, field: str) -> None:
    with pytest.raises(ValidationError) as told:
        a_lesion(visit, **wrong)
    assert field in told.value.message_dict


def test_first_noticed_in_the_year_of_the_first_visit_is_no_contradiction(visit: Visit) -> None:
    assert a_lesion(visit, first_noticed=PartialDate(2024)).pk


def test_a_sixth_target_lesion_is_refused(visit: Visit) -> None:
    for _number in range(5):
        a_lesion(visit, target=True)
    sixth = a_lesion(visit)
    sixth.target = True
    assert refused(sixth) == {"target"}


def test_lineage_stays_within_the_patient_and_never_runs_in_a_circle(lesion: Lesion, visit: Visit) -> None:
    stranger = a_lesion(a_visit(a_patient("LIS-0002"), FIRST))
    with pytest.raises(ValidationError, match="another patient"):
        a_lesion(visit, parent=stranger, lineage="RECURRENCE")
    child = a_lesion(visit, parent=lesion, lineage="SPLIT")
    lesion.parent, lesion.lineage = child, "SPLIT"
    assert refused(lesion) == {"parent"}
    child.merged_into = lesion
    child.save()
    lesion = Lesion.objects.get(pk=lesion.pk)
    lesion.merged_into = child
    assert refused(lesion) == {"merged_into"}
    assert list(Lesion.objects.active().filter(patient=visit.patient)) == [lesion]


def test_a_signed_visit_keeps_the_place_of_a_lesion_but_not_its_follow_up(lesion: Lesion) -> None:
    visit = lesion.visit
    visit.state = VisitState.SIGNED
    visit.save()
    lesion.target = True
    lesion.save()
    lesion.laterality = "L"
    with pytest.raises(ValidationError, match="signed"):
        lesion.save()


def test_mri_alone_is_questioned(visit: Visit) -> None:
    assert rules(a_lesion(visit, diagnostic_basis=("MRI",)).findings()) == {"basis_supportive"}
    assert rules(a_lesion(visit, diagnostic_basis=("EXAM", "MRI")).findings()) == set()


# --- The observation --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"length_mm": 8, "width_mm": 9, "size_method": "RULER"}, "width_mm"),
        ({"width_mm": 9, "size_method": "RULER"}, "length_mm"),
        ({"length_mm": 8}, "size_method"),
        ({"length_mm": 8, "depth_mm": 2, "size_method": "RULER"}, "depth_mm"),
        ({"length_mm": "0.4", "size_method": "RULER"}, "length_mm"),
        ({"lesion_pain_nrs": 11}, "lesion_pain_nrs"),
        ({"ulcerated": "Y"}, "ulcer_size_mm"),
        ({"ulcerated": "Y", "ulcer_size_mm": 4, "ulcer_not_measured": True}, "ulcer_size_mm"),
        ({"status": "RECURRED"}, "status_change"),
    ],
)
def test_an_observation_that_cannot_be_is_refused_at_its_field(
    lesion: Lesion, visit: Visit, wrong: dict, field: str
) -> None:
    with pytest.raises(ValidationError) as told:
        seen(lesion, visit, **wrong)
    assert field in told.value.message_dict


def test_the_area_of_a_single_lesion_is_kept(lesion: Lesion, visit: Visit) -> None:
    found = seen(lesion, visit, length_mm=10, width_mm=8, size_method="RULER")
    assert LesionObservation.objects.get(pk=found.pk).area_mm2 == Decimal("62.8")  # clinical-model 12.5


@pytest.mark.parametrize("status", ["RESOLVED", "EXTRUDED_COMPLETE", "EXCISED", "MERGED", "NOT_ASSESSED"])
def test_a_lesion_that_is_gone_or_unseen_has_no_size_and_asks_for_nothing_more(
    lesion: Lesion, visit: Visit, status: str
) -> None:
    done = Procedure(patient=visit.patient, code="EXCISION", performed_on=PartialDate(2024, 2))
    done.save()
    done.lesions.add(lesion)
    into = a_lesion(visit, site="ELBOW")
    found = seen(lesion, visit, status, length_mm=10, width_mm=8, size_method="RULER", merged_into=into)
    assert (found.length_mm, found.area_mm2, found.ulcerated) == (None, None, "")
    assert found.merged_into == (into if status == "MERGED" else None)
    assert found.missing() == []


def test_an_unanswered_lesion_is_unanswered_and_keeps_what_was_typed(lesion: Lesion, visit: Visit) -> None:
    found = LesionObservation(patient=visit.patient, visit=visit, lesion=lesion, length_mm=10, size_method="RULER")
    found.save()
    assert found.length_mm == 10
    assert {one.name for one in found.missing()} == {"status_change", "ulcerated", "drainage", "infection", "flare"}


def test_targets_are_measured_and_clusters_counted(visit: Visit) -> None:
    target = seen(a_lesion(visit, target=True), visit)
    cluster = seen(a_lesion(visit, lesion_kind="CLUSTER"), visit)
    assert [one.name for one in target.missing()] == ["length_mm", "width_mm"]
    assert [one.name for one in cluster.missing()] == ["count_estimate"]


def test_how_a_lesion_was_seen_follows_from_the_answer(lesion: Lesion, patient: Patient, visit: Visit) -> None:
    remote = a_visit(patient, LATER, visit_type="TELE")
    assert seen(lesion, visit).observed == "EXAMINED"
    assert seen(lesion, remote, "NOT_ASSESSED").observed == "NOT_EXAMINED"
    assert seen(a_lesion(remote), remote, "NEW").observed == "PATIENT_REPORTED"


def test_a_lesion_follows_its_last_assessment(lesion: Lesion, patient: Patient, visit: Visit) -> None:
    later, last = a_visit(patient, LATER), a_visit(patient, datetime.date(2025, 3, 1))
    observations = [
        seen(lesion, visit, "NEW", length_mm=10, width_mm=8, size_method="RULER", ulcerated="Y", ulcer_size_mm=3),
        seen(lesion, later, "NOT_ASSESSED"),
    ]
    lesion.settle(observations)
    assert (lesion.current_status, lesion.ulcerated_now, lesion.last_area_mm2) == ("NEW", True, Decimal("62.8"))
    lesion.settle([*observations, seen(lesion, last, "RESOLVED", resolution_kind="SPONTANEOUS")])
    assert (lesion.current_status, lesion.ulcerated_now, lesion.closed_on) == ("RESOLVED", False, last.visit_date)
    assert not lesion.is_active


def test_what_is_gone_comes_back_only_as_a_child(lesion: Lesion, patient: Patient, visit: Visit) -> None:
    later = a_visit(patient, LATER)
    lesion.settle([seen(lesion, visit, "RESOLVED")])
    Lesion.objects.bulk_update([lesion], Lesion.MAINTAINED)
    with pytest.raises(ValidationError, match="record a recurrence as a new lesion"):
        seen(lesion, later, "STABLE")
    assert seen(a_lesion(later, parent=lesion, lineage="RECURRENCE"), later, "RECURRED").pk


def test_no_observation_before_the_lesion_was_recorded_and_new_only_once(lesion: Lesion, patient: Patient) -> None:
    with pytest.raises(ValidationError, match="before the lesion was recorded"):
        seen(lesion, a_visit(patient, datetime.date(2023, 1, 1)))
    with pytest.raises(ValidationError, match="Not new"):
        seen(lesion, a_visit(patient, LATER), "NEW")


def test_pus_without_infection_is_questioned(lesion: Lesion, visit: Visit) -> None:
    found = seen(lesion, visit, drainage="PURULENT")
    assert rules(found.findings()) == {"purulent_without_infection"}
    found.infection = "U"
    assert rules(found.findings()) == {"purulent_without_infection"}
    found.infection = "SUSPECTED"
    assert rules(found.findings()) == set()


@pytest.mark.parametrize(
    ("before", "now", "said", "asked"),
    [
        ((10, 8), (13, 9), "STABLE", {"status_against_size"}),  # clinical-model 12.5: LARGER
        ((10, 8), (13, 9), "LARGER", set()),
        ((4, 3), (5, Decimal("3.5")), "STABLE", set()),  # clinical-model 12.5: +46 % but 1 mm
        ((4, 3), (9, 3), "LARGER", {"size_doubled"}),
    ],
)
def test_sizes_are_compared_with_the_last_visit(
    lesion: Lesion, patient: Patient, visit: Visit, before: tuple, now: tuple, said: str, asked: set
) -> None:
    first = seen(lesion, visit, "NEW", length_mm=before[0], width_mm=before[1], size_method="RULER")
    second = seen(lesion, a_visit(patient, LATER), said, length_mm=now[0], width_mm=now[1], size_method="RULER")
    assert rules(checks.observation_findings(second, [first])) == asked
