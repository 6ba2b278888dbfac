"""The date of a visit can be put right: what was found at it moves with it."""

from __future__ import annotations

import datetime

import pytest

from calcinosis_registry.audit.models import Event
from calcinosis_registry.codebook.partial_dates import PartialDate
from lesions.models import Lesion, LesionObservation
from lesions.services import follow
from patients.models import Visit
from tests.factories import LesionObservationFactory, PatientFactory, VisitFactory, known_lesions

FOUND = datetime.date(2026, 3, 10)


@pytest.fixture
def visit(north) -> Visit:
    """A baseline at which one lesion was found."""
    return known_lesions(PatientFactory(clinic=north), FOUND, [("HAND.D1.PULP", "R")])


@pytest.fixture
def move(client_of, clinician, visit):
    client = client_of(clinician)

    def sent(day: str, **changes):
        form = {
            "visit_date": day, "visit_type": "BASELINE", "calcinosis_present": "Y", "version": visit.version,
            "reason": "typing error",
        }  # fmt: skip
        for field in client.get(visit.get_absolute_url()).context["page"].rows[0].form:
            if field.value() not in (None, "", False):
                form[field.html_name] = str(field.value())
        return client.post(visit.get_absolute_url(), form | changes)

    return sent


@pytest.mark.parametrize("day", ["2026-03-01", "2026-04-10"])
def test_a_lesion_is_first_recorded_on_the_day_its_visit_moves_to(move, day):
    assert move(day).status_code == 302
    lesion = Lesion.objects.get()
    assert str(lesion.first_recorded) == day
    told = Event.objects.filter(model="lesions.lesion", object_id=lesion.pk).latest("pk")
    assert told.changes["first_recorded"] == [str(FOUND), day]


def test_its_row_can_be_changed_in_the_same_save(move):
    assert move("2026-03-01", **{"l1-flare": "Y"}).status_code == 302
    seen = LesionObservation.objects.get()
    assert (seen.lesion.first_recorded, seen.flare, seen.status_change) == (datetime.date(2026, 3, 1), "Y", "NEW")


def test_it_cannot_move_past_another_visit_that_saw_the_lesion(move, visit):
    later = VisitFactory(patient=visit.patient, visit_date=datetime.date(2026, 4, 1))
    LesionObservationFactory(lesion=Lesion.objects.get(), visit=later)
    page = move("2026-05-01")
    assert "was seen on 2026-04-01 already" in str(page.context["page"].form.errors["visit_date"])
    assert Lesion.objects.get().first_recorded == Visit.objects.get(pk=visit.pk).visit_date == FOUND


def test_it_cannot_move_before_the_lesion_was_noticed(move):
    lesion = Lesion.objects.get()
    lesion.first_noticed = PartialDate(2026, 3)
    lesion.save()
    assert "first noticed later" in str(move("2026-02-01").context["page"].form.errors["visit_date"])


def test_a_date_put_right_elsewhere_takes_the_lesion_with_it_too(visit):
    visit.visit_date = datetime.date(2026, 3, 2)
    visit.save()
    follow(patient=visit.patient, records=[visit])
    assert Lesion.objects.get().first_recorded == datetime.date(2026, 3, 2)


def test_a_lesion_stays_new_when_the_visit_that_found_it_is_saved_again(move):
    assert move(str(FOUND)).status_code == 302
    seen = LesionObservation.objects.get()
    assert (seen.status_change, seen.version) == ("NEW", 1)


def test_calcinosis_is_not_absent_at_the_visit_that_found_a_lesion(move):
    page = move(str(FOUND), calcinosis_present="N")
    assert "a lesion is recorded as present" in str(page.context["page"].form.errors["calcinosis_present"])
