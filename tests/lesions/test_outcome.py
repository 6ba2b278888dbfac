"""How a visit turned out, and which lesions are incident: on the pages, in the dataset, in the codebook."""

from __future__ import annotations

import datetime

import pytest
from django.urls import reverse

from calcinosis_registry.codebook.partial_dates import PartialDate
from calcinosis_registry.cohorts.dataset import build
from calcinosis_registry.cohorts.scope import Scope
from calcinosis_registry.exports.writers import codebook
from lesions.models import Lesion, LesionObservation
from lesions.services import NewLesion, VisitEntry, save_visit
from patients.models import Visit
from tests.factories import (
    ImagingStudyFactory,
    LesionObservationFactory,
    PatientFactory,
    UserFactory,
    VisitFactory,
    known_lesions,
)

FIRST, LATER = datetime.date(2026, 1, 12), datetime.date(2026, 5, 12)


@pytest.fixture
def baseline(north) -> Visit:
    return known_lesions(PatientFactory(clinic=north), FIRST, [("HAND.D1.PULP", "R"), ("HAND.D2.PULP", "R")])


@pytest.fixture
def later(baseline) -> Visit:
    return VisitFactory(patient=baseline.patient, visit_date=LATER)


def at(visit: Visit, *statuses: str) -> None:
    """What L1, L2, … are at the visit."""
    lesions = Lesion.objects.filter(patient=visit.patient).order_by("number")
    for lesion, status in zip(lesions, statuses, strict=False):
        LesionObservationFactory(lesion=lesion, visit=visit, status_change=status)


def found(visit: Visit, *, imaging: bool, **place: str) -> Lesion:
    """A lesion found at the visit, as the visit page saves one."""
    lesion = Lesion(
        patient=visit.patient, **{"site": "HAND.D3.PULP", "laterality": "R", **place},
        diagnostic_basis=("XRAY",) if imaging else ("EXAM",),
    )  # fmt: skip
    seen = LesionObservation(patient=visit.patient, visit=visit, lesion=lesion, status_change="NEW")
    save_visit(
        entry=VisitEntry(visit=visit, new_lesions=[NewLesion(lesion, seen)]), by=UserFactory(), now=visit_time(visit)
    )
    return lesion


def visit_time(visit: Visit) -> datetime.datetime:
    return datetime.datetime.combine(visit.visit_date, datetime.time(9), tzinfo=datetime.UTC)


def told(name: str, table: str, **options) -> list:
    """A column of the dataset."""
    made = build(definition={}, scope=Scope(None, exact=True), all_visits=True, **options).tables[table]
    place = made.header.index(name)
    return [row[place] for row in made.rows()]


@pytest.mark.parametrize(
    ("statuses", "outcome"),
    [
        (("LARGER", "STABLE"), "PROGRESSION"),
        (("LARGER", "SMALLER"), "MIXED"),
        (("RESOLVED", "STABLE"), "IMPROVED"),
        (("STABLE", "NOT_ASSESSED"), "STABLE"),
        (("NOT_ASSESSED", "NOT_ASSESSED"), None),
    ],
)
def test_the_outcome_stands_on_both_pages_and_in_the_dataset(client_of, clinician, later, statuses, outcome):
    at(later, *statuses)
    client = client_of(clinician)
    assert told("outcome", "visits") == [None, outcome]
    for page in (client.get(later.patient.get_absolute_url()), client.get(later.get_absolute_url())):
        assert (f'data-outcome="{outcome}"' in page.content.decode()) is (outcome is not None)


def test_the_first_visit_has_no_outcome_and_its_lesions_are_prevalent(client_of, clinician, baseline):
    assert told("outcome", "visits") == [None]
    assert told("incident", "lesions") == [0, 0]
    page = client_of(clinician).get(baseline.get_absolute_url())
    assert page.context["outcome"] is None


def test_a_lesion_felt_at_a_later_visit_is_incident(later):
    found(later, imaging=False)
    assert told("incident", "lesions") == [0, 0, 1]
    assert told("outcome", "visits") == [None, "PROGRESSION"]


@pytest.mark.parametrize(
    ("study", "incident"),
    [
        (None, 0),
        ({"study_date": PartialDate(2024, 5, 12)}, 1),  # 24 months to the day
        ({"study_date": PartialDate(2024, 5, 11)}, 0),
        ({"study_date": PartialDate(2024, 5)}, 0),  # perhaps longer than 24 months
        ({"study_date": PartialDate(2026, 5)}, 0),  # perhaps after the find
        ({"study_date": PartialDate()}, 0),
        ({"study_date": PartialDate(2025, 5), "calcinosis_present": "Y"}, 0),
        ({"study_date": PartialDate(2025, 5), "calcinosis_present": "I"}, 0),
        ({"study_date": PartialDate(2025, 5), "laterality": "L"}, 0),
        ({"study_date": PartialDate(2025, 5), "laterality": ""}, 0),
        ({"study_date": PartialDate(2025, 5), "laterality": "B"}, 1),
        ({"study_date": PartialDate(2025, 5), "body_region": "FOOT"}, 0),
        ({"study_date": PartialDate(2025, 5), "body_region": "HAND.D3"}, 1),
        ({"study_date": PartialDate(2025, 5), "body_region": "UL"}, 1),
    ],
)
def test_what_is_found_on_imaging_is_incident_after_a_negative_image_of_its_place(later, study, incident):
    if study is not None:
        values = {"calcinosis_present": "N", "laterality": "R", "body_region": "HAND"} | study
        ImagingStudyFactory(patient=later.patient, **values)
    found(later, imaging=True)
    assert told("incident", "lesions") == [0, 0, incident]
    assert told("outcome", "visits") == [None, "PROGRESSION" if incident else None]


def test_a_part_split_off_is_not_incident(later):
    parent = Lesion.objects.filter(patient=later.patient).first()
    at(later, "SPLIT")
    found(later, imaging=False, lineage="SPLIT", parent=parent)
    assert told("incident", "lesions") == [0, 0, 0]


def test_other_patients_change_nothing(later, north):
    at(later, "LARGER")
    other = known_lesions(PatientFactory(clinic=north), FIRST, [("HAND.D1.PULP", "R")])
    at(VisitFactory(patient=other.patient, visit_date=LATER), "SMALLER")
    assert sorted(told("outcome", "visits"), key=str) == ["IMPROVED", None, None, "PROGRESSION"]


def test_the_codebook_explains_both(client_of, clinician, later):
    page = client_of(clinician).get(reverse("codebook:index")).content.decode()
    for key in ("visit.outcome", "lesion.incident"):
        assert key in page
    told = [
        dict(zip(codebook.HEADER, row, strict=True))
        for row in codebook.rows(build(definition={}, scope=Scope(None, exact=True)))
    ]
    rows = {(row["table"], row["column"]): row for row in told}
    outcome = rows["visits", "outcome"]
    assert "Empty at the first visit" in outcome["meaning"] and "PROGRESSION = Progression" in outcome["codes"]
    assert rows["lesions", "incident"]["source"] == "clinical-model 6.3"
