"""What a lesion, its observations, treatments and scores accept, refuse and question (clinical-model 6, 7, 12.4)."""

from __future__ import annotations

import datetime
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from calcinosis_registry.audit.models import Event
from calcinosis_registry.clinics.models import Clinic
from calcinosis_registry.codebook.partial_dates import PartialDate
from lesions import checks
from lesions.models import (
    AdverseEvent,
    Complication,
    HandScore,
    HandScoreSite,
    ImagingMeasure,
    ImagingStudy,
    Lesion,
    LesionObservation,
    Procedure,
    SkinScore,
    TreatmentCourse,
    TreatmentLesion,
)
from patients.models import Patient, Visit, VisitState
from patients.scoring import MRSS_SITES

pytestmark = pytest.mark.django_db

FIRST, LATER = datetime.date(2024, 3, 1), datetime.date(2024, 9, 1)
NOTHING_ELSE = {"ulcerated": "N", "drainage": "NONE", "infection": "NONE", "flare": "N"}


def a_patient(number: str = "LIS-0001") -> Patient:
    clinic, _new = Clinic.objects.get_or_create(code="LIS", defaults={"name": "Lisbon"})
    return Patient.objects.bulk_create(
        [
            Patient(
                registry_number=number, clinic=clinic, birth_date=PartialDate(1960), sex_at_birth="F",
                registry_consent=True,
            )
        ]
    )[0]  # fmt: skip


@pytest.fixture
def patient() -> Patient:
    return a_patient()


@pytest.fixture
def visit(patient: Patient) -> Visit:
    return a_visit(patient, FIRST)


@pytest.fixture
def lesion(visit: Visit) -> Lesion:
    return a_lesion(visit)


def a_visit(patient: Patient, day: datetime.date, **values: object) -> Visit:
    return Visit.objects.bulk_create(
        [Visit(**{"patient": patient, "visit_date": day, "visit_type": "FOLLOW_UP", **values})]
    )[0]


def a_lesion(visit: Visit, **values: object) -> Lesion:
    known = {"site": "HAND.D1.PULP", "laterality": "R", "first_recorded": visit.visit_date} | values
    lesion = Lesion(patient=visit.patient, visit=visit, number=Lesion.objects.next_number(visit.patient), **known)
    lesion.save()
    return lesion


def seen(lesion: Lesion, visit: Visit, status: str = "STABLE", **values: object) -> LesionObservation:
    answers = NOTHING_ELSE | values
    observation = LesionObservation(patient=visit.patient, visit=visit, lesion=lesion, status_change=status, **answers)
    observation.save()
    return observation


def refused(record: object) -> set[str]:
    with pytest.raises(ValidationError) as told:
        record.save()  # type: ignore[attr-defined]
    return set(told.value.message_dict)


def rules(found: object) -> set[str]:
    return {one.rule for one in found}  # type: ignore[attr-defined]


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
    found = seen(lesion, visit, status, length_mm=10, width_mm=8, size_method="RULER")
    assert (found.length_mm, found.area_mm2, found.ulcerated) == (None, None, "")
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


def test_excised_without_a_procedure_is_questioned(lesion: Lesion, patient: Patient, visit: Visit) -> None:
    found = seen(lesion, visit, "EXCISED")
    assert rules(checks.observation_findings(found, [])) == {"excised_without_procedure"}
    done = Procedure(patient=patient, code="EXCISION", performed_on=PartialDate(2024, 2))
    done.save()
    assert rules(checks.observation_findings(found, [], checks.excisions([done]))) == set()


# --- Treatments -------------------------------------------------------------------------------------------------------


def course(patient: Patient, **values: object) -> TreatmentCourse:
    return TreatmentCourse(
        **{"patient": patient, "agent": "DILTIAZEM", "intent": "CALCINOSIS", "route": "ORAL", **values}
    )


def test_methotrexate_is_never_daily(patient: Patient) -> None:
    weekly = {"agent": "METHOTREXATE", "dose": 15, "dose_unit": "mg"}
    assert refused(course(patient, **weekly, frequency="DAILY")) == {"frequency"}
    course(patient, **weekly, frequency="WEEKLY").save()


@pytest.mark.parametrize(
    ("values", "asked"),
    [
        ({"dose": 240, "dose_unit": "mg", "frequency": "TID"}, set()),
        ({"dose": 241, "dose_unit": "mg", "frequency": "TID"}, {"dose_over_limit"}),
        ({"dose": 1, "dose_unit": "g", "frequency": "DAILY"}, {"dose_over_limit"}),
        ({"agent": "SODIUM_THIOSULFATE", "route": "IV", "dose": 26, "dose_unit": "g"}, {"dose_over_limit"}),
        ({"agent": "SODIUM_THIOSULFATE", "route": "TOPICAL", "dose": 26, "dose_unit": "g"}, set()),
        ({"agent": "METHOTREXATE", "dose": 35, "dose_unit": "mg", "frequency": "WEEKLY"}, {"dose_over_limit"}),
        ({"agent": "IVIG", "route": "IV", "dose": 120, "dose_unit": "g"}, set()),  # 2 g/kg at 60 kg
        ({"agent": "IVIG", "route": "IV", "dose": 121, "dose_unit": "g"}, {"dose_over_limit"}),
    ],
)
def test_a_dose_beyond_its_limit_warns_and_is_kept(patient: Patient, values: dict, asked: set) -> None:
    found = course(patient, **values, visit=a_visit(patient, FIRST, weight_kg=Decimal(60)))
    found.save()
    assert rules(found.findings()) == asked


def test_a_course_ends_after_it_starts_and_keeps_its_code(patient: Patient) -> None:
    assert refused(course(patient, start=PartialDate(2024), stop=PartialDate(2023, 12))) == {"stop"}
    assert refused(course(patient, start=PartialDate(1950))) == {"start"}
    assert refused(course(patient, start=PartialDate(2023), stop=PartialDate(2024), ongoing="Y")) == {"stop"}
    found = course(patient, start=PartialDate(2024), stop=PartialDate(2024, 3))
    found.save()
    assert (found.ongoing, found.atc, found.atc_version) == ("N", "C08DB01", "2026-04-25")


def test_an_injection_into_a_lesion_names_the_lesion_and_its_links_leave_history(
    patient: Patient, lesion: Lesion
) -> None:
    found = course(patient, agent="TRIAMCINOLONE", route="INTRALESIONAL")
    found.save()
    with pytest.raises(ValidationError, match="Choose the lesion"):
        found.check_links([])
    with pytest.raises(ValidationError, match="another patient"):
        found.check_links([a_lesion(a_visit(a_patient("LIS-0002"), FIRST))])
    found.check_links([lesion])
    found.lesions.set([lesion])
    found.lesions.set([])
    told = Event.objects.filter(model=TreatmentLesion._meta.label_lower, patient=patient.registry_number)
    assert [one.action for one in told.order_by("pk")] == ["create", "delete"]


def test_overlapping_courses_of_one_drug_and_route_are_questioned(patient: Patient) -> None:
    long = course(patient, start=PartialDate(2024, 1), stop=PartialDate(2024, 12))
    inside = course(patient, start=PartialDate(2024, 6), stop=PartialDate(2024, 7))
    cream = course(patient, start=PartialDate(2024, 6), route="TOPICAL")
    after = course(patient, start=PartialDate(2024, 12))
    found = list(checks.overlapping_courses([after, inside, cream, long]))
    assert [one for one, _finding in found] == [inside]


# --- The rest ---------------------------------------------------------------------------------------------------------


def a_hand_score(patient: Patient, modality: str = "DX") -> HandScore:
    study = ImagingStudy(patient=patient, modality=modality, study_date=PartialDate(2024))
    study.save()
    return HandScore(patient=patient, study=study, read_number=1)


def test_coverage_and_density_are_both_nothing_or_both_something(patient: Patient) -> None:
    score = a_hand_score(patient)
    score.save()
    half = HandScoreSite(score=score, laterality="R", site="D1.DIST", coverage_pct=50, density=0)
    with pytest.raises(ValidationError, match="both 0 or both above 0"):
        half.clean()
    with pytest.raises(IntegrityError), transaction.atomic():
        HandScoreSite.objects.bulk_create([half])


def test_the_totals_of_a_reading_follow_its_sites(patient: Patient) -> None:
    score = a_hand_score(patient)
    score.tally(
        [
            HandScoreSite(laterality="R", site="D1.DIST", coverage_pct=50, density=2),
            HandScoreSite(laterality="L", site="MC1", coverage_pct=20, density=3),
            HandScoreSite(laterality="L", site="MC2", scorable=False),
        ]
    )
    assert (score.right_total, score.left_total, score.total) == (100, 60, 160)
    assert (score.n_sites, score.max_density, score.complete) == (2, 3, False)


def test_the_hand_score_is_read_on_a_radiograph(patient: Patient) -> None:
    assert refused(a_hand_score(patient, modality="US")) == {"study"}


def test_a_measure_stands_on_a_study_but_firmness_on_the_skin(patient: Patient) -> None:
    def one(kind: str) -> ImagingMeasure:
        return ImagingMeasure(patient=patient, measured=kind, value=30, measured_on=PartialDate(2024))

    assert refused(one("VOLUME")) == {"study"}
    one("DUROMETER").save()


def test_the_skin_score_is_summed_from_its_sites_or_given_alone(patient: Patient, visit: Visit) -> None:
    assert SkinScore(patient=patient, visit=visit, total=14).missing() == []
    full = SkinScore(patient=patient, visit=visit, total=3, **dict.fromkeys(MRSS_SITES, 3))
    full.save()
    assert full.total == 51  # clinical-model 12.5
    full.face = None
    full.save()
    assert full.total is None


def test_a_complication_keeps_only_what_belongs_to_it(patient: Patient) -> None:
    found = Complication(patient=patient, code="CONTRACTURE", degrees=40, organism="S. aureus", onset=PartialDate(2024))
    found.save()
    assert (found.degrees, found.organism) == (40, "")


def test_grade_five_and_death_belong_together(patient: Patient) -> None:
    event = AdverseEvent(patient=patient, term="rash", grade="5", serious="Y", seriousness=("HOSPITALISATION",))
    event.save()
    assert rules(event.findings()) == {"death_grade"}
