"""A question as data finds the right patients, reads as a sentence, and names what is wrong with it."""

from __future__ import annotations

import datetime

import pytest

from calcinosis_registry.codebook.partial_dates import PartialDate
from calcinosis_registry.cohorts.builder import DefinitionError, describe, matching, parse
from calcinosis_registry.cohorts.items import askable
from patients.models import Patient
from tests.factories import DiagnosisFactory, LesionFactory, PatientFactory, VisitFactory

pytestmark = pytest.mark.django_db


def found(*conditions, join="all", **options):
    definition = {"join": join, "conditions": list(conditions)}
    return set(matching(definition, Patient.objects.all(), **options))


def asked(item, operator, value=None):
    return {"item": item, "operator": operator, "value": value}


def test_no_condition_is_everyone():
    one, other = PatientFactory(), PatientFactory()
    assert found() == {one, other}


def test_conditions_are_joined_by_all_or_any():
    her, him = PatientFactory(smoking="CURRENT"), PatientFactory(sex_at_birth="M", smoking="NEVER")
    male, smoker = asked("patient.sex_at_birth", "is", "M"), asked("patient.smoking", "is", "CURRENT")
    assert found(male, smoker) == set()
    assert found(male, smoker, join="any") == {her, him}


def test_is_means_in_some_record_and_is_not_means_in_none():
    patient, other = PatientFactory(), PatientFactory()
    LesionFactory(patient=patient, site="ELBOW")
    LesionFactory(patient=patient, site="KNEE")
    assert found(asked("lesion.site", "is", "ELBOW")) == {patient}
    assert found(asked("lesion.site", "is not", "ELBOW")) == {other}
    assert found(asked("lesion.site", "any of", ["KNEE", "HIP"])) == {patient}


def test_a_place_holds_every_place_inside_it():
    pulp, elbow = LesionFactory(site="HAND.D1.PULP"), LesionFactory(site="ELBOW")
    assert found(asked("lesion.site", "is", "HAND")) == {pulp.patient}
    assert found(asked("lesion.site", "any of", ["HAND.D1", "ELBOW"])) == {pulp.patient, elbow.patient}
    assert found(asked("lesion.site", "is not", "UL")) == set()


def test_codes_of_a_set_are_found_one_by_one():
    films, exam = DiagnosisFactory(diagnostic_basis=("EXAM", "XRAY")), DiagnosisFactory(diagnostic_basis=("EXAM",))
    assert found(asked("diagnosis.diagnostic_basis", "is", "XRAY")) == {films.patient}
    assert found(asked("diagnosis.diagnostic_basis", "is not", "XRAY")) == {exam.patient}


def test_numbers_take_both_limits_and_a_decimal_comma():
    low, high = VisitFactory(weight_kg=50, state="SIGNED"), VisitFactory(weight_kg="60.5", state="SIGNED")
    assert found(asked("visit.weight_kg", "at least", "60,5")) == {high.patient}
    assert found(asked("visit.weight_kg", "at most", 50)) == {low.patient}
    assert found(asked("visit.weight_kg", "between", [50, 60])) == {low.patient}


def test_answered_and_not_answered():
    said, silent = PatientFactory(smoking="EX"), PatientFactory(smoking="")
    assert found(asked("patient.smoking", "answered")) == {said}
    assert found(asked("patient.smoking", "not answered")) == {silent}


@pytest.mark.parametrize(
    ("typed", "operator", "value", "matches"),
    [
        ("2014", "before", "2015-01-01", True),
        ("2014", "before", "2014-12-31", False),  # may be that very day
        ("2014", "after", "2013-12-31", True),
        ("2014", "after", "2014-01-01", False),
        ("2014-06", "before", "2014-07-01", True),
        ("2014-06", "before", "2014-06-30", False),
        ("2014-06", "after", "2014-05-31", True),
        ("2014-06-10", "before", "2014-06-11", True),
        ("2014-06-10", "before", "2014-06-10", False),
        ("2014", "between", ["2014-01-01", "2014-12-31"], True),
        ("2014", "between", ["2014-01-02", "2014-12-31"], False),
        ("2014-06-10", "between", ["2014-06-10", "2014-06-10"], True),
        ("unknown", "after", "1900-01-01", False),
        ("unknown", "before", "2100-01-01", False),
        ("unknown", "answered", None, True),
    ],
)
def test_a_partial_date_matches_only_when_its_whole_interval_does(typed, operator, value, matches):
    DiagnosisFactory(first_calcinosis=PartialDate.parse(typed))
    assert bool(found(asked("diagnosis.first_calcinosis", operator, value))) is matches


def test_rows_of_unsigned_visits_count_only_on_request():
    visit = VisitFactory(pain_nrs=9, visit_date=datetime.date(2026, 1, 5))
    severe = asked("visit.pain_nrs", "at least", 8)
    assert found(severe) == set()
    assert found(severe, all_visits=True) == {visit.patient}


@pytest.mark.parametrize(
    ("condition", "named"),
    [
        (asked("patient.nothing", "is", "F"), "patient.nothing"),
        (asked("patient.birth_date", "before", "1990-01-01"), "patient.birth_date"),
        (asked("identity.family_name", "is", "Smith"), "identity.family_name"),
        (asked("consent.research", "is", "yes"), "consent.research"),
        (asked("visit.note", "is", "x"), "visit.note"),
        (asked("patient__clinic__code", "is", "NOR"), "patient__clinic__code"),
        (asked("visit.pain_nrs__gte", "is", 1), "visit.pain_nrs__gte"),
        (asked("patient.sex_at_birth", "is", "X"), "“X” is not one of its codes"),
        (asked("patient.sex_at_birth", "at least", 3), "“at least”"),
        (asked("patient.sex_at_birth", "contains", "F"), "“contains”"),
        (asked("visit.pain_nrs", "is", "much"), "“much” is not a number"),
        (asked("visit.pain_nrs", "is", "NaN"), "NaN"),
        (asked("visit.pain_nrs", "between", [5, 2]), "the first value is above"),
        (asked("visit.visit_date", "before", "2026-02-30"), "2026-02-30"),
        (asked("visit.pain_nrs", "is", {"$gt": 1}), "a value is missing"),
        ({"item": ["a"], "operator": "is"}, "is not an item"),
        ({"item": "visit.pain_nrs", "operator": ["is"], "value": 1}, "there is no operator"),
        ({"item": "visit.pain_nrs", "operator": "is", "value": 1, "sql": "1=1"}, "nothing else"),
        ("drop table", "nothing else"),
    ],
)
def test_a_wrong_condition_is_refused_by_name(condition, named):
    with pytest.raises(DefinitionError) as caught:
        parse({"join": "all", "conditions": [asked("patient.smoking", "answered"), condition]})
    assert named in caught.value.problems[0]
    assert list(caught.value.places) == [(1,)]


@pytest.mark.parametrize(
    "definition",
    [
        None,
        [],
        "all",
        {"join": "xor"},
        {"where": "1=1"},
        {"conditions": "x"},
        {"conditions": [asked("visit.pain_nrs", "answered")] * 101},
    ],
)
def test_what_is_no_question_is_refused(definition):
    with pytest.raises(DefinitionError):
        parse(definition)


def test_the_sentence_says_labels_units_and_the_join():
    sentence = describe(
        {
            "join": "any",
            "conditions": [
                asked("patient.sex_at_birth", "any of", ["F", "M"]),
                asked("visit.weight_kg", "between", [50, 60]),
            ],
        }
    )
    assert "Sex at birth is any of “Female” or “Male”; or" in sentence
    assert "Weight is between 50 kg and 60 kg" in sentence


def test_every_askable_item_can_be_asked_whether_it_is_answered():
    PatientFactory()
    for key, item in askable().items():
        operator = "is not" if item.kind == "boolean" else "not answered"
        found(asked(key, operator, "yes" if item.kind == "boolean" else None))
    assert {key.split(".")[0] for key in askable()} >= {
        "patient", "diagnosis", "visit", "lesion", "lesionobservation", "imagingstudy", "treatmentcourse",
        "complication", "laboratoryresult",
    }  # fmt: skip
