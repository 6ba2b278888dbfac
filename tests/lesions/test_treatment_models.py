"""What treatments, scores and complications accept, refuse and question (clinical-model 2, 7, 8, 12.4)."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from calcinosis_registry.audit.models import Event
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
    SkinScore,
    TreatmentCourse,
    TreatmentLesion,
)
from patients.models import Patient, Visit
from patients.scoring import MRSS_SITES
from tests.lesions.lesion_rows import FIRST, a_lesion, a_patient, a_visit, refused, rules

pytestmark = pytest.mark.django_db


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
