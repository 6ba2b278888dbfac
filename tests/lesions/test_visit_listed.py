"""“Yes, listed” is complete once something is listed."""

from __future__ import annotations

import datetime

import pytest

from calcinosis_registry.codebook.partial_dates import PartialDate
from lesions.models import Complication
from lesions.services import unlisted
from patients.models import Visit, VisitState
from tests.factories import PatientFactory, TreatmentCourseFactory, VisitFactory

BEFORE, TODAY = datetime.date(2025, 11, 3), datetime.date(2026, 5, 4)
ANSWERED = {
    "calcinosis_present": "N", "pain_nrs": "0", "patient_global": "0", "physician_global": "0", "reason": "told",
}  # fmt: skip


@pytest.fixture
def visit(north) -> Visit:
    """The second visit, with a complication and a changed treatment said to be listed."""
    patient = PatientFactory(clinic=north)
    VisitFactory(patient=patient, visit_date=BEFORE)
    return VisitFactory(patient=patient, visit_date=TODAY, treatments_changed="LIST", complications="LIST")


def test_a_visit_that_lists_nothing_asks_for_the_list_before_it_is_complete(client_of, clinician, visit):
    client = client_of(clinician)
    form = ANSWERED | {
        "version": visit.version, "visit_date": str(TODAY), "visit_type": "FOLLOW_UP", "treatments_changed": "NONE",
        "complications": "LIST", "then": "complete",
    }  # fmt: skip
    page = client.post(visit.get_absolute_url(), form, follow=True)
    assert "what is listed under “complication or admission since the last visit”" in page.content.decode()
    assert Visit.objects.get(pk=visit.pk).state == VisitState.OPEN
    Complication(patient=visit.patient, visit=visit, code="CELLULITIS", onset=PartialDate(2026, 4)).save()
    client.post(visit.get_absolute_url(), form | {"version": Visit.objects.get(pk=visit.pk).version})
    assert Visit.objects.get(pk=visit.pk).state == VisitState.COMPLETE


def test_what_was_entered_elsewhere_and_began_or_ended_since_the_visit_before_is_the_list(visit):
    TreatmentCourseFactory(patient=visit.patient, start=PartialDate(2019), stop=PartialDate(2026, 2), ongoing="N")
    Complication(patient=visit.patient, code="CELLULITIS", onset=PartialDate(2024, 4)).save()
    assert unlisted(visit) == [
        ("what is listed under “complication or admission since the last visit”", "complications")
    ]


def test_none_and_unknown_list_nothing(visit):
    visit.treatments_changed, visit.complications = "NONE", "U"
    assert unlisted(visit) == []
