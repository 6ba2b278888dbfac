"""The patient page through the front door: what it shows, to whom, and with how many queries."""

from __future__ import annotations

import datetime
import re
from decimal import Decimal
from xml.etree import ElementTree

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import resolve
from django.utils import timezone

from calcinosis_registry.audit import trail
from calcinosis_registry.audit.models import Action, Event
from calcinosis_registry.codebook.partial_dates import PartialDate
from lesions.body_map import VIEWS
from lesions.models import (
    Complication,
    ImagingMeasure,
    ImagingStudy,
    Lesion,
    LesionObservation,
    SkinScore,
    TreatmentCourse,
)
from lesions.patient_file import PatientFile
from lesions.services import NewLesion, VisitEntry, save_visit
from lesions.views.patient_page import KEPT
from patients.models import Antibody, LaboratoryResult, Patient, Visit
from tests.factories import DiagnosisFactory, IdentityFactory, PatientFactory, UserFactory, known_lesions

PLACES = [("HAND.D1.PULP", "R"), ("HAND.D2.DIP", "L"), ("ELBOW", "R")]
NOT_OURS = (
    "django_session",
    "accounts_user",
    "clinics_membership",
    "identity_identity",
    "SAVEPOINT",
    "BEGIN",
    "INSERT",
)


def follow_up(patient: Patient, day: datetime.date, answers: dict[int, dict], **visit_values) -> Visit:
    """A visit at which lesions, by number, were answered like ``{1: {"status_change": "LARGER", "length_mm": 12}}``."""
    values = {"calcinosis_present": "Y", "pain_nrs": 3, "treatments_changed": "NONE", "complications": "NONE"}
    visit = Visit(patient=patient, visit_date=day, visit_type="FOLLOW_UP", **values | visit_values)
    lesions = {one.number: one for one in Lesion.objects.filter(patient=patient)}
    there = {"ulcerated": "N", "drainage": "NONE", "infection": "NONE", "flare": "N"}
    seen = [
        LesionObservation(patient=patient, lesion=lesions[number], visit=visit, **there | answer)
        for number, answer in answers.items()
    ]
    save_visit(entry=VisitEntry(visit=visit, observations=seen), by=UserFactory(), now=timezone.now())
    return visit


def measured(status: str, length: float, width: float, **more) -> dict:
    size = {"length_mm": Decimal(str(length)), "width_mm": Decimal(str(width)), "size_method": "CALIPER"}
    return {"status_change": status, **size, **more}


def seen_for(patient: Patient, visits: int) -> None:
    """A course of so many visits, with something of every sort at each."""
    known_lesions(patient, datetime.date(2020, 1, 7), PLACES, targets=2)
    for number in range(visits - 1):
        day = datetime.date(2020, 6, 1) + datetime.timedelta(days=90 * number)
        answers = {index: measured("STABLE", 9, 7) for index in (1, 2, 3)}
        visit = follow_up(patient, day, answers)
        SkinScore(patient=patient, visit=visit, total=number).save()
        course = TreatmentCourse(
            patient=patient, agent="COLCHICINE", route="ORAL", start=PartialDate(2020 + number // 4)
        )
        course.save()
        course.lesions.set([Lesion.objects.filter(patient=patient).first()])
        Complication(patient=patient, code="CELLULITIS", onset=PartialDate.of(day), admission="N").save()
        ImagingStudy(patient=patient, modality="DX", study_date=PartialDate.of(day), body_region="HAND").save()
        reported = {"value_original": Decimal("2.3"), "unit_original": "mmol/L"}
        LaboratoryResult(patient=patient, analyte="CALCIUM", collected_on=day, **reported).save()


@pytest.fixture
def patient(north):
    found = PatientFactory(clinic=north)
    IdentityFactory(patient=found, given_name="Elena", family_name="Duarte")
    DiagnosisFactory(patient=found)
    return found


@pytest.fixture
def shown(client_of, clinician):
    """``shown(patient)``: the page's text as a clinician of the north reads it."""
    client = client_of(clinician)

    def read(patient: Patient) -> str:
        response = client.get(patient.get_absolute_url())
        assert response.status_code == 200
        return response.content.decode()

    return read


def queries_of(client, patient: Patient) -> list[str]:
    KEPT.clear()
    with CaptureQueriesContext(connection) as told:
        assert client.get(patient.get_absolute_url()).status_code == 200
    return [one["sql"] for one in told if not any(word in one["sql"] for word in NOT_OURS)]


def test_the_number_of_queries_is_small_and_does_not_grow_with_the_course(north, clinician, client_of):
    few, many = PatientFactory(clinic=north), PatientFactory(clinic=north)
    for patient, visits in ((few, 2), (many, 12)):
        DiagnosisFactory(patient=patient)
        seen_for(patient, visits)
    client = client_of(clinician)
    client.get(few.get_absolute_url())
    counts = [len(queries_of(client, patient)) for patient in (few, many)]
    assert counts[0] == counts[1] <= 8
    assert counts[0] > 2, "the queries were not seen at all"


def test_everything_read_in_one_union_is_what_the_models_read(patient):
    seen_for(patient, 3)
    Antibody(patient=patient, antibody="ACA", result="POS", tested_on=PartialDate(2010, 5)).save()
    file = PatientFile(Patient.objects.get(pk=patient.pk), reader=None)
    compared = 0
    for model, rows in file._rows.items():
        for row in rows:
            if model is LesionObservation:  # in a few columns
                stored, names = model.objects.get(lesion=row.lesion_id, visit=row.visit_id), set(row._fields)
            else:
                stored = model._base_manager.get(pk=row.pk)
                names = {field.attname for field in model._meta.concrete_fields} - row.get_deferred_fields()
            for field in model._meta.concrete_fields:
                if field.attname in names:
                    ours, theirs = getattr(row, field.attname), getattr(stored, field.attname)
                    assert (type(ours), ours) == (type(theirs), theirs), f"{model.__name__}.{field.name}"
                    compared += 1
    assert compared > 300


def test_reading_the_page_tells_the_trail_once_whose_name_was_shown(shown, patient):
    assert "Elena Duarte" in shown(patient)
    assert Event.objects.filter(action=Action.READ, patient=patient.registry_number).count() == 1


@pytest.mark.parametrize("role", ["researcher", "admin", "coordinator", "stranger"])
def test_who_may_not_see_records_of_the_clinic_finds_no_page(role, request, client_of, patient):
    client = client_of(request.getfixturevalue(role))
    assert client.get(patient.get_absolute_url()).status_code == 404


def test_a_monitor_reads_without_names_and_without_anything_to_change(client_of, monitor, patient):
    seen_for(patient, 2)
    text = client_of(monitor).get(patient.get_absolute_url()).content.decode()
    assert "Right thumb, pulp" in text
    assert "Duarte" not in text
    assert "/add/" not in text
    assert "visits/new" not in text


def test_identifying_values_in_the_history_are_only_for_who_may_see_names(
    client_of, clinician, monitor, shown, patient
):
    patient.birth_date = PartialDate(1961, 2, 3)
    with trail.because("misread"):
        patient.save()
    url = f"{patient.get_absolute_url()}history/"
    assert url in shown(patient)
    assert "1961-02-03" in client_of(clinician).get(url).content.decode()
    text = client_of(monitor).get(url).content.decode()
    assert "misread" in text
    assert "1961-02-03" not in text


def test_the_history_goes_back_to_the_first_change_page_by_page(client_of, clinician, patient):
    for number in range(25):
        patient.birth_date = PartialDate(1940 + number)
        with trail.acting(trail.Actor(name=f"writer {number}", request_id=f"request-{number}")):
            patient.save()
    client, url, read = client_of(clinician), f"{patient.get_absolute_url()}history/", ""
    for _page in range(3):
        text = client.get(url).content.decode()
        read += text
        earlier = re.search(r'href="([^"]+before=\d+)"', text)
        if earlier is None:
            break
        url = earlier[1]
    assert earlier is None, "the last page still leads on"
    assert all(read.count(f"<b>writer {number}</b>") == 1 for number in range(25))
    assert "patient created" in read


def test_a_history_page_that_makes_no_sense_shows_the_newest(client_of, clinician, patient):
    client, url = client_of(clinician), f"{patient.get_absolute_url()}history/"
    for nonsense in ("x", "-1", "9" * 40, "²"):
        answer = client.get(url, {"before": nonsense})
        assert answer.status_code == 200
        assert "patient created" in answer.content.decode()


def test_a_script_gets_the_history_without_the_page_around_it(client_of, clinician, patient):
    url = f"{patient.get_absolute_url()}history/"
    text = client_of(clinician).get(url, headers={"X-Requested-With": "fetch"}).content.decode()
    assert "patient created" in text
    assert "<html" not in text


def test_pages_with_names_of_their_own_are_not_taken_for_patients():
    assert resolve("/patients/register/").view_name == "patients:register"
    assert resolve("/patients/search/").view_name == "patients:search"
    assert resolve("/patients/abcdefghijklmnop/").view_name == "lesions:patient"


def test_a_patient_without_a_visit_is_told_what_to_do_next(shown, patient):
    text = shown(patient)
    assert "Record the first visit" in text
    assert f"/patients/{patient.public_id}/visits/new/" in text


def test_without_consent_nothing_is_offered_but_to_record_one(shown, patient):
    Patient.objects.bulk_update([_without_consent(patient)], ["registry_consent"])
    text = shown(patient)
    assert "No consent to the registry is in force" in text
    assert "/consent/add/" in text
    assert "visits/new" not in text


def _without_consent(patient: Patient) -> Patient:
    patient.registry_consent = False
    return patient


def test_the_matrix_says_status_size_and_ulcer_of_each_visit(shown, patient):
    known_lesions(patient, datetime.date(2025, 1, 7), PLACES[:1], targets=1)
    visit = follow_up(
        patient, datetime.date(2026, 1, 7), {1: measured("LARGER", 12, 8.5, ulcerated="Y", ulcer_size_mm=Decimal(3))}
    )
    text = shown(patient)
    assert 'data-status="LARGER" data-ulcer' in text
    assert "12.0 × 8.5" in text
    assert visit.get_absolute_url() in text
    assert "L1 from 50 to 80 mm² in 2 visits" in text


def test_a_lesion_that_came_back_names_the_one_it_came_from(shown, patient):
    known_lesions(patient, datetime.date(2025, 1, 7), PLACES[:1])
    follow_up(patient, datetime.date(2025, 6, 1), {1: {"status_change": "RESOLVED"}})
    old = Lesion.objects.get(patient=patient)
    visit = Visit(patient=patient, visit_date=datetime.date(2026, 1, 7), visit_type="FOLLOW_UP")
    again = Lesion(patient=patient, site=old.site, laterality="R", parent=old, lineage="RECURRENCE")
    seen = LesionObservation(patient=patient, lesion=again, visit=visit, status_change="RECURRED")
    entry = VisitEntry(visit=visit, new_lesions=[NewLesion(again, seen)])
    save_visit(entry=entry, by=UserFactory(), now=timezone.now())
    text = shown(patient)
    assert 'recurrence of <a href="#l1">L1</a>' in text
    assert 'came back as <a href="#l2">L2</a>' in text


def test_a_lab_value_in_another_unit_shows_both_and_the_value_before(shown, patient):
    for day, value in ((datetime.date(2025, 1, 7), "9.0"), (datetime.date(2026, 1, 7), "14.0")):
        reported = {"value_original": Decimal(value), "unit_original": "mg/dL"}
        LaboratoryResult(patient=patient, analyte="CALCIUM", collected_on=day, **reported).save()
    text = shown(patient)
    assert "reported 14 mg/dL" in text
    assert "unusual" in text
    assert "2025-01-07" in text


def test_what_is_missing_at_an_open_visit_is_named_with_its_page(shown, patient):
    visit = Visit(patient=patient, visit_date=datetime.date(2026, 1, 7), visit_type="BASELINE", calcinosis_present="N")
    save_visit(entry=VisitEntry(visit=visit), by=UserFactory(), now=timezone.now())
    text = shown(patient)
    assert f'<a href="{visit.get_absolute_url()}">Visit of 2026-01-07</a>: pain from calcinosis' in text


def test_the_map_is_drawn_once_for_all_patients_and_only_its_marks_for_each(client_of, clinician, shown, patient):
    seen_for(patient, 2)
    text = shown(patient)
    files = set(re.findall(r'<use href="(/body-map/[^"#]+)#(\w+)"', text))
    assert {view for _url, view in files} == set(VIEWS)
    (url,) = {url for url, _view in files}
    answer = client_of(clinician).get(url)
    assert "immutable" in answer["Cache-Control"]
    drawn = ElementTree.fromstring(answer.content)
    assert [group.get("id") for group in drawn] == list(VIEWS)
    assert b"L1" not in answer.content
    assert 'data-lesion="L1"' in text


def test_an_old_drawing_of_the_map_is_not_found(client_of, clinician):
    assert client_of(clinician).get("/body-map/0123456789abcdef.svg").status_code == 404


def test_what_was_measured_on_a_study_stands_with_it_and_not_among_the_other_records(client_of, clinician, patient):
    study = ImagingStudy(patient=patient, modality="US")
    study.save()
    for value in (5, 7):
        ImagingMeasure(patient=patient, study=study, measured="LENGTH", value=value).save()
    ImagingMeasure(patient=patient, measured="DUROMETER", value=40, measured_on=PartialDate(2026)).save()
    text = client_of(clinician).get(patient.get_absolute_url()).content.decode()
    imaging, _head, other = text.partition('id="other')
    assert "2 measurements" in imaging
    assert "Firmness, durometer" in other and "Lesion length" not in other
