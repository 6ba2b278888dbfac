"""A saved answer changes only with a reason; the reason stands in the event beside old and new."""

from __future__ import annotations

import pytest
from django.urls import reverse

from calcinosis_registry.audit.models import Action, Event
from lesions.models import LesionObservation
from patients.models import Patient, Visit
from tests.factories import LesionFactory, PatientFactory, TreatmentCourseFactory, VisitFactory
from tests.lesions.test_visit_listed import ANSWERED
from tests.sent_forms import sent_by

pytestmark = pytest.mark.django_db
ASKED = "Say why a saved answer changes"


@pytest.fixture
def patient(north) -> Patient:
    return PatientFactory(clinic=north)


@pytest.fixture
def clara(client_of, clinician):
    return client_of(clinician)


def page_of(record) -> str:
    return reverse("patients:record", args=[record.kind(), record.public_id])


def sent(client, address: str, **changes: str) -> dict:
    """The form of a page, as a browser sends it, with some answers changed."""
    return sent_by(client.get(address), reason="") | changes


def test_a_saved_answer_changes_only_with_a_reason(clara, patient):
    course = TreatmentCourseFactory(patient=patient)
    form = sent(clara, page_of(course), agent="COLCHICINE")
    answer = clara.post(page_of(course), form)
    assert f"{ASKED}: drug." in answer.context["form"].errors["reason"][0] and answer.status_code == 200
    assert 'value="COLCHICINE" selected' in answer.content.decode()
    course.refresh_from_db()
    assert course.agent == "DILTIAZEM"
    assert clara.post(page_of(course), form | {"reason": "New information"}).status_code == 302
    event = Event.objects.get(action=Action.CHANGE, model="lesions.treatmentcourse")
    assert (event.changes["agent"], event.reason) == (["DILTIAZEM", "COLCHICINE"], "New information")


def test_spaces_are_no_reason(clara, patient):
    course = TreatmentCourseFactory(patient=patient)
    assert clara.post(page_of(course), sent(clara, page_of(course), agent="COLCHICINE", reason="  ")).status_code == 200


def test_filling_in_what_was_empty_needs_no_reason(clara, patient):
    course = TreatmentCourseFactory(patient=patient)
    assert clara.post(page_of(course), sent(clara, page_of(course), intent="BONE")).status_code == 302


def test_emptying_a_saved_answer_needs_one(clara, patient):
    course = TreatmentCourseFactory(patient=patient)
    answer = clara.post(page_of(course), sent(clara, page_of(course), ongoing=""))
    assert ASKED in answer.context["form"].errors["reason"][0]


def test_other_lesions_of_a_treatment_need_a_reason_too(clara, patient):
    course = TreatmentCourseFactory(patient=patient)
    one, other = LesionFactory(patient=patient, site="KNEE"), LesionFactory(patient=patient, site="ELBOW")
    address = page_of(course)
    assert clara.post(address, sent(clara, address, lesions=[str(one.pk)])).status_code == 302, "none were told before"
    answer = clara.post(address, sent(clara, address, lesions=[str(other.pk)]))
    assert f"{ASKED}: Lesions" in answer.context["form"].errors["reason"][0]
    assert [kept.pk for kept in course.lesions.all()] == [one.pk]
    assert clara.post(address, sent(clara, address, lesions=[])).status_code == 200
    assert clara.post(address, sent(clara, address)).status_code == 302, "the same ones change nothing"
    form = sent(clara, address, lesions=[str(other.pk)], reason="the elbow was meant")
    assert clara.post(address, form).status_code == 302
    events = Event.objects.filter(model="lesions.treatmentlesion", reason="the elbow was meant")
    assert {event.action for event in events} == {Action.CREATE, Action.DELETE}


@pytest.fixture
def visit(patient) -> Visit:
    values = {name: value for name, value in ANSWERED.items() if name != "reason"}
    return VisitFactory(patient=patient, **values)


def test_the_visit_page_asks_once_for_everything_on_it(clara, patient, visit):
    lesion = LesionFactory(patient=patient)
    seen = LesionObservation.objects.create(
        patient=patient, visit=visit, lesion=lesion, status_change="RESOLVED", ulcerated="N"
    )
    address = visit.get_absolute_url()
    form = sent(clara, address, **{"l1-status_change": "EXTRUDED_COMPLETE"})
    answer = clara.post(address, form)
    assert ASKED in answer.context["form"].errors["reason"][0] and 'id="why"' in answer.content.decode()
    seen.refresh_from_db()
    assert seen.status_change == "RESOLVED"
    assert clara.post(address, form | {"reason": "Correction of a typing error"}).status_code == 302
    event = Event.objects.filter(action=Action.CHANGE, model="lesions.lesionobservation").first()
    assert event.reason == "Correction of a typing error" and "status_change" in event.changes


def test_the_visit_page_asks_for_its_own_answers_too_and_not_for_new_ones(clara, visit):
    address = visit.get_absolute_url()
    assert clara.post(address, sent(clara, address, note="a first note")).status_code == 302
    answer = clara.post(address, sent(clara, address, pain_nrs="5"))
    assert "pain" in answer.context["form"].errors["reason"][0]


def test_the_admin_asks_too(clara, patient):
    course = TreatmentCourseFactory(patient=patient)
    address = f"/admin/lesions/treatmentcourse/{course.pk}/change/"
    page = clara.get(address).context["adminform"].form
    form = {name: page[name].value() for name in page.fields if page[name].value() not in (None, "", False)}
    form |= {"agent": "COLCHICINE", "version": page["version"].value()}
    answer = clara.post(address, form)
    assert answer.status_code == 200 and ASKED in str(answer.context["adminform"].form.errors["reason"])
    assert clara.post(address, form | {"reason": "misread"}).status_code == 302
    assert Event.objects.get(action=Action.CHANGE, model="lesions.treatmentcourse").reason == "misread"


def test_the_usual_reasons_are_one_press(clara, patient):
    page = clara.get(page_of(TreatmentCourseFactory(patient=patient))).content.decode()
    assert page.count('data-fill="reason"') == 2 and "registry/reason.js" in page
