"""Clinical-model 12.4, rules 8 to 16, each through the pages, through the admin and in code."""

from __future__ import annotations

import datetime
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone

from calcinosis_registry.codebook.partial_dates import PartialDate
from calcinosis_registry.quality.models import DataQuery
from lesions import hand_score
from lesions.models import HandScore, HandScoreSite, TreatmentCourse
from patients.models import Antibody, Diagnosis, LaboratoryResult, Visit
from patients.services import after_save
from tests.clinical_rules.posting import RecordPage, Table, VisitPage
from tests.factories import (
    DiagnosisFactory,
    ImagingStudyFactory,
    PatientFactory,
    TreatmentCourseFactory,
    VisitFactory,
)

PLACES = pytest.mark.parametrize("where", [RecordPage, Table], ids=["page", "admin"])
TODAY = "2026-05-12"
SITE = next(iter(hand_score.instrument("0").labels))


def open_rules() -> set[str]:
    return set(DataQuery.objects.open().values_list("rule", flat=True))


def result(patient, analyte: str = "CALCIUM", value: str = "2.3", unit: str = "mmol/L", **values) -> LaboratoryResult:
    made = LaboratoryResult(
        patient=patient, analyte=analyte, value_original=Decimal(value), unit_original=unit,
        **{"collected_on": datetime.date(2026, 5, 12), **values},
    )  # fmt: skip
    made.save()
    return made


# --- 8. Coverage and density ------------------------------------------------------------------------------------------


@pytest.fixture
def score(visit, clinician) -> HandScore:
    made = HandScore(
        patient=visit.patient, study=ImagingStudyFactory(patient=visit.patient), rater=clinician, read_number=1
    )
    made.save()
    return made


@pytest.mark.parametrize(("coverage", "density"), [("0", "2"), ("40", "0"), ("", "2"), ("40", ""), ("101", "1")])
def test_8_coverage_and_density_are_both_nothing_or_both_something(clara, score, coverage, density):
    values = {"score": score, "laterality": "R", "site": SITE}
    numbers = {"coverage_pct": int(coverage) if coverage else None, "density": int(density) if density else None}
    with pytest.raises((ValidationError, IntegrityError)), transaction.atomic():
        rating = HandScoreSite(**values, **numbers)
        rating.full_clean(exclude=["score"])
        rating.save()
    assert not HandScoreSite.objects.exists()


def test_8_the_admin_only_reads_ratings(clara, score):
    rating = HandScoreSite(score=score, laterality="R", site=SITE, coverage_pct=40, density=2)
    rating.save()
    page = reverse("admin:lesions_handscoresite_change", args=[rating.pk])
    assert clara.get(page).status_code == 200
    assert clara.post(page, {"coverage_pct": "0"}).status_code == 403
    assert clara.get(reverse("admin:lesions_handscoresite_add")).status_code == 403


# --- 9. Ratings -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("where", [VisitPage, Table], ids=["page", "admin"])
@pytest.mark.parametrize("name", ["pain_nrs", "patient_global", "physician_global", "worst_lesion_nrs"])
@pytest.mark.parametrize("typed", ["11", "-1", "4.5", "4,5", "ten"])
def test_9_a_rating_is_a_whole_number_to_ten(clara, visit, where, name, typed):
    assert where(clara, visit).post(**{name: typed}).status_code == 200
    assert getattr(Visit.objects.get(pk=visit.pk), name) is None


@pytest.mark.parametrize("where", [VisitPage, Table], ids=["page", "admin"])
def test_9_the_analogue_scale_is_a_column_of_its_own(clara, visit, where):
    assert where(clara, visit).post(pain_vas="101").status_code == 200
    assert where(clara, visit).post(pain_vas="64", pain_nrs="6").status_code == 302
    seen = Visit.objects.get(pk=visit.pk)
    assert (seen.pain_nrs, seen.pain_vas) == (6, 64)


@pytest.mark.parametrize(("name", "value"), [("pain_nrs", 11), ("pain_nrs", -1), ("pain_vas", 101)])
def test_9_nor_can_code_or_the_database_hold_another(visit, name, value):
    setattr(visit, name, value)
    with pytest.raises(ValidationError):
        visit.save()
    with pytest.raises(IntegrityError), transaction.atomic():
        QuerySet(Visit).filter(pk=visit.pk).update(**{name: value})


# --- 10, 11. Laboratory -----------------------------------------------------------------------------------------------


@PLACES
def test_10_a_change_of_unit_converts_and_keeps_what_was_reported(clara, patient, where):
    lab = result(patient)
    assert where(clara, lab).errors(value_original="9.2", unit_original="mg/dL") == {}
    lab.refresh_from_db()
    assert (lab.value_original, lab.unit_original, lab.value) == (Decimal("9.2"), "mg/dL", Decimal("2.2954"))


@PLACES
@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"value_original": "25", "unit_original": "mg/dL"}, "value_original"),  # 6.24 mmol/L
        ({"value_original": "2.3", "unit_original": "mg/dL"}, "value_original"),  # 0.57 mmol/L
        ({"value_original": "9.2"}, "value_original"),
        ({"unit_original": "g/L"}, "unit_original"),
    ],
)
def test_10_limits_hold_after_the_conversion(clara, patient, where, typed, field):
    lab = result(patient)
    assert field in where(clara, lab).errors(**typed)
    lab.refresh_from_db()
    assert lab.value == Decimal("2.3")


@PLACES
def test_11_two_results_of_one_day_are_asked_about_until_one_is_put_right(clara, patient, where):
    result(patient)
    again = result(patient, value="2.4", collected_on=datetime.date(2026, 5, 11))
    assert where(clara, again).errors(collected_on=TODAY) == {}
    assert "lab_repeated" in open_rules()
    assert where(clara, again).errors(collected_on="2026-05-11") == {}
    assert "lab_repeated" not in open_rules()


def test_11_removing_one_of_the_two_answers_it(clara, patient):
    first, again = result(patient), result(patient, value="2.4")
    after_save(patient=patient, records=[first, again], now=timezone.now())
    assert DataQuery.objects.open().filter(rule="lab_repeated").count() == 2
    clara.post(reverse("patients:record_delete", args=["laboratoryresult", again.public_id]), {"reason": "typed twice"})
    assert not DataQuery.objects.open().filter(rule="lab_repeated").exists()
    closed = DataQuery.objects.get(object_id=again.pk, rule="lab_repeated")
    assert (closed.status, closed.closed_because) == ("CLOSED", "Record removed.")


# --- 12, 13. Treatments -----------------------------------------------------------------------------------------------


@PLACES
def test_12_two_courses_of_one_drug_and_route_at_once_are_asked_about(clara, patient, where):
    TreatmentCourseFactory(patient=patient)
    second = TreatmentCourseFactory(patient=patient, start=PartialDate(2026, 3), route="IV")
    assert where(clara, second).errors(route="ORAL") == {}
    assert "course_overlaps" in open_rules()
    assert where(clara, second).errors(route="IV") == {}
    assert "course_overlaps" not in open_rules()


@PLACES
def test_13_a_drug_given_into_a_lesion_names_the_lesion(clara, visit, lesions, where):
    course = TreatmentCourseFactory(patient=visit.patient, intent="CALCINOSIS")
    assert "lesions" in where(clara, course).errors(route="INTRALESIONAL")
    assert where(clara, course).errors(route="INTRALESIONAL", lesions=[lesions[0].pk]) == {}


def test_13_and_code_that_follows_a_save_says_so(visit):
    course = TreatmentCourse(patient=visit.patient, agent="SODIUM_THIOSULFATE", route="INTRALESIONAL")
    course.agent = TreatmentCourse._meta.get_field("agent").flatchoices[0][0]
    with pytest.raises(ValidationError, match="aimed at"), transaction.atomic():
        course.save()
        after_save(patient=visit.patient, records=[course], now=timezone.now())


def test_13_weekly_methotrexate_is_never_daily(clara, patient):
    course = TreatmentCourseFactory(patient=patient, agent="METHOTREXATE", frequency="WEEKLY")
    for where in (RecordPage, Table):
        assert "once a week" in str(where(clara, course).errors(frequency="DAILY")["frequency"])


# --- 14. ACR/EULAR ----------------------------------------------------------------------------------------------------

ALL_BUT_ONE = (
    "puffy_fingers", "sclerodactyly", "digital_tip_ulcers", "pitting_scars", "telangiectasia", "abnormal_capillaries",
    "pah", "ild", "raynaud",
)  # fmt: skip


@pytest.fixture
def diagnosis(north) -> Diagnosis:
    patient = PatientFactory(clinic=north)
    for code in ("ACA", "SCL70", "RNAP3"):
        Antibody(patient=patient, antibody=code, result="POS").save()
    return DiagnosisFactory(patient=patient)


@PLACES
def test_14_every_item_but_the_one_that_suffices_makes_nineteen(clara, diagnosis, where):
    assert where(clara, diagnosis).errors(**dict.fromkeys(ALL_BUT_ONE, "Y"), skin_proximal_to_mcp="N") == {}
    diagnosis.refresh_from_db()
    assert (diagnosis.acr_eular_min, diagnosis.acr_eular_max) == (19, 19)


@PLACES
def test_14_the_score_is_never_edited_by_hand(clara, diagnosis, where):
    assert where(clara, diagnosis).errors(acr_eular_min="28", acr_eular_max="28", raynaud="N") == {}
    diagnosis.refresh_from_db()
    assert diagnosis.acr_eular_min == 3
    diagnosis.acr_eular_min = 28
    diagnosis.save()
    assert diagnosis.acr_eular_min == 3
    with pytest.raises(IntegrityError), transaction.atomic():
        QuerySet(Diagnosis).filter(pk=diagnosis.pk).update(acr_eular_min=20)


def test_14_the_score_follows_an_antibody_that_is_removed(clara, diagnosis):
    diagnosis.raynaud = "Y"
    diagnosis.save()
    for one in Antibody.objects.all():
        clara.post(reverse("patients:record_delete", args=["antibody", one.public_id]), {"reason": "other person"})
    assert Diagnosis.objects.get().acr_eular_min == 3


# --- 15. Children -----------------------------------------------------------------------------------------------------


@pytest.fixture
def child_visit(north) -> Visit:
    child = PatientFactory(clinic=north, birth_date=PartialDate(2012, 3))
    return VisitFactory(patient=child)


def test_15_a_child_answers_the_chaq(clara, child_visit):
    page = RecordPage(clara, kind="instrumentscore", visit=child_visit)
    for answer in ({"completion": "COMPLETE", "score": "1"}, {"completion": "NOT_DONE", "reason_not_done": "TIME"}):
        assert "CHAQ" in str(page.errors(instrument="HAQ_DI", **answer)["instrument"])
    assert page.errors(instrument="CHAQ", completion="COMPLETE", score="1") == {}
    table = Table(clara, child_visit.instrumentscore_set.get())
    assert "CHAQ" in str(table.errors(instrument="HAQ_DI")["instrument"])


@PLACES
@pytest.mark.parametrize(
    ("analyte", "value", "unit"),
    [("ALP", "300", "U/L"), ("PHOSPHATE", "1.8", "mmol/L"), ("CREATININE", "30", "umol/L")],
)
def test_15_adult_limits_are_not_asked_of_children(clara, child_visit, visit, where, analyte, value, unit):
    adult, child = visit.patient, child_visit.patient
    for patient, asked in ((child, False), (adult, True)):
        lab = result(patient, analyte, value, unit)
        assert where(clara, lab).errors(comparator="") == {}
        assert DataQuery.objects.open().filter(object_id=lab.pk, rule="lab_soft_range").exists() is asked


def test_15_nor_of_the_child_an_adult_once_was(north):
    grown = PatientFactory(clinic=north, birth_date=PartialDate(2000, 3))
    diagnosis = DiagnosisFactory(patient=grown)
    lab = result(grown, "PHOSPHATE", "1.8", collected_on=datetime.date(2012, 5, 12))
    after_save(patient=grown, records=[diagnosis, lab], now=timezone.now())
    assert not open_rules() & {"metabolic_cause", "lab_soft_range"}


# --- 16 (what leaves the register) stands in tests/exports and tests/cohorts. -----------------------------------------


def test_16_free_text_dates_and_identifiers_stay(visit):
    from calcinosis_registry.cohorts.dataset import build
    from calcinosis_registry.cohorts.scope import Scope

    visit.note, visit.state = "Grip is weaker", "SIGNED"
    visit.save()
    tables = build(definition={}, scope=Scope(None, exact=True)).tables
    told = tables["visits"]
    assert "note" not in told.header and "note_text" not in told.header
    cells = [str(cell) for row in told.rows() for cell in row]
    assert "Grip is weaker" not in cells and str(visit.visit_date) not in cells
    assert "study_uid" not in tables["imaging"].header
