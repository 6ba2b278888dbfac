"""One person registered twice: two registrations become one record with everything of both, and can be taken apart."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from django.core.management import call_command
from django.db import models
from django.urls import reverse
from django.utils import timezone

from calcinosis_registry.audit.models import Action, Event
from calcinosis_registry.clinics.models import Transfer
from calcinosis_registry.clinics.roles import Role
from calcinosis_registry.cohorts.dataset import population
from calcinosis_registry.cohorts.scope import Scope
from calcinosis_registry.identity.models import Identity
from calcinosis_registry.quality.models import DataQuery
from calcinosis_registry.rights.holdings import holdings
from calcinosis_registry.rights.services import confirm_erasure, request_erasure
from lesions.models import Lesion, LesionObservation, TreatmentCourse
from patients.models import Consent, Merger, Patient, Visit
from tests.factories import (
    DataQueryFactory,
    DiagnosisFactory,
    IdentityFactory,
    LesionObservationFactory,
    MembershipFactory,
    PatientFactory,
    TreatmentCourseFactory,
    VisitFactory,
    known_lesions,
)
from tests.lesions.signed_visits import sign
from tests.lesions.test_sign_race import at_once
from tests.transfers.conftest import accepted, consented, offer_page, the_trail_is_whole

pytestmark = pytest.mark.django_db
REASON = {"reason": "same national number"}


@pytest.fixture
def double(north, patient) -> Patient:
    """The same person again, with a visit, lesions, a treatment, a question and a diagnosis."""
    found = PatientFactory(clinic=north, registry_number="NOR-00501", smoking="EX", birth_date=patient.birth_date)
    IdentityFactory(patient=found, family_name="Zwetschgenbaum", given_name="Zoe", hospital_number="N-9", contact="12")
    consented(found, "2026-02-02", contact=False)
    visit = known_lesions(found, datetime.date(2026, 4, 1), [("KNEE", "R"), ("HAND.D2.PULP", "L")])
    models.QuerySet(Visit).filter(pk=visit.pk).update(visit_type="FOLLOW_UP")
    TreatmentCourseFactory(patient=found)
    DiagnosisFactory(patient=found)
    DataQueryFactory(patient=found.registry_number, clinic=north, object_id=visit.pk)
    found.refresh_from_db()
    return found


def pair_page(record: Patient, double: Patient) -> str:
    return reverse("transfers:double_compare", args=[record.public_id, double.public_id])


def find_page(record: Patient) -> str:
    return reverse("transfers:double_find", args=[record.public_id])


def text(answer: Any) -> str:
    assert answer.status_code == 200, answer.status_code
    return answer.content.decode()


def made_one(client: Any, record: Patient, double: Patient, **choices: str) -> Any:
    """Through the page: what it shows is sent, with these choices."""
    shown = client.get(pair_page(record, double)).context["pair"].shown
    return client.post(pair_page(record, double), {"shown": shown, **REASON, **choices})


def taken_back(client: Any, **changes: str) -> Any:
    merger = Merger.objects.latest("pk")
    address = reverse("transfers:double_take_back", args=[merger.public_id])
    return client.post(address, {"reason": "two sisters", **changes}, follow=True)


def standing() -> dict[str, list[tuple]]:
    """Every row about the two, without what counts saves and what is worked out."""
    left_out = {"version", "facts_stale"}
    found = {}
    for model in {*holdings(Patient.objects.get(registry_number="NOR-00417")), Patient, Identity, DataQuery, Lesion}:
        if model is Merger:
            continue
        names = [one.attname for one in model._meta.concrete_fields if one.name not in left_out]
        found[model._meta.label] = sorted(model._base_manager.values_list(*names), key=repr)
    return found


def test_two_become_one_with_everything_of_both(proven, clinician, patient, double):
    client = proven(clinician)
    assert double.registry_number in text(client.get(find_page(patient)))
    shown = text(client.get(pair_page(patient, double)))
    assert "Zoe" in shown and "N-9" in shown and "Ex-smoker" in shown
    answer = made_one(client, patient, double, **{"patient-smoking": "double", "identity-given_name": "record"})
    assert answer["Location"] == find_page(patient), answer.content.decode()
    assert {one.patient_id for one in Visit.objects.all()} == {patient.pk}
    assert sorted(Lesion.objects.filter(patient=patient).values_list("number", flat=True)) == [1, 2, 3, 4]
    assert LesionObservation.objects.filter(patient=patient).count() == 4
    assert TreatmentCourse.objects.get().patient_id == patient.pk
    record = Patient.objects.get(pk=patient.pk)
    assert (record.smoking, record.diagnosis_set.count(), record.consent_set.count()) == ("EX", 1, 2)
    assert Identity.objects.get(registry_number="NOR-00417").given_name == "Zoë"
    assert set(DataQuery.objects.open().filter(model="patients.visit").values_list("patient", flat=True)) == {
        "NOR-00417"
    }
    page = text(client.get(patient.get_absolute_url()))
    assert "2026-04-01" in page and "2026-03-10" in page
    assert the_trail_is_whole()


def test_the_second_number_leads_to_the_record_and_is_counted_nowhere(proven, clinician, patient, double):
    client = proven(clinician)
    assert list(population(Scope(None, exact=True)).order_by("pk")) == [patient, double]
    made_one(client, patient, double)
    assert client.get(double.get_absolute_url())["Location"] == patient.get_absolute_url()
    assert client.post("/patients/search/", {"q": "nor-00501"})["Location"] == patient.get_absolute_url()
    assert "NOR-00417" in text(client.post("/patients/search/", {"q": "Zwetschgenbaum, Zoe"}))
    assert "NOR-00501" not in text(client.get("/patients/"))
    assert list(population(Scope(None, exact=True))) == [patient]
    assert client.get(offer_page(double)).status_code == 404
    assert client.get(find_page(double)).status_code == 404
    rights = text(client.get(reverse("rights:person", args=[patient.public_id])))
    assert "Clara Clinician" in rights
    history = text(client.get(reverse("lesions:patient_history", args=[patient.public_id])))
    assert "same national number" in history


def test_taken_back_everything_stands_where_it_was(proven, clinician, patient, double):
    client, before = proven(clinician), standing()
    chosen = {"patient-smoking": "double", "identity-given_name": "double", "identity-contact": "double"}
    made_one(client, patient, double, **chosen)
    assert Identity.objects.get(registry_number="NOR-00417").given_name == "Zoe"
    assert standing() != before
    assert "registration of its own again" in text(taken_back(client))
    after = standing()
    for label, rows in before.items():
        kept = [row for row in after[label] if row in rows] if label == "quality.DataQuery" else after[label]
        if label != "quality.DataQuery":
            assert kept == rows, label
    asked = DataQuery.objects.open().filter(model="patients.visit", raised_by=None, rule="")
    assert set(asked.values_list("patient", flat=True)) == {"NOR-00501"}
    assert client.get(double.get_absolute_url()).status_code == 200
    assert "taken back already" in text(taken_back(client))
    assert the_trail_is_whole()


def signed_since(patient, double, client) -> str:
    models.QuerySet(Visit).filter(visit_date="2026-04-01").update(state="SIGNED")
    return "The visit of 2026-04-01 was signed since"


def seen_since(patient, double, client) -> str:
    visit = VisitFactory(patient=patient, visit_date=datetime.date(2026, 6, 1))
    LesionObservationFactory(lesion=Lesion.objects.get(site="KNEE"), visit=visit, status_change="STABLE")
    return "ties the two together"


def removed_since(patient, double, client) -> str:
    TreatmentCourse.objects.get().delete()
    return f"1 of the {TreatmentCourse._meta.verbose_name_plural} that came with it"


def answered_since(patient, double, client) -> str:
    record = Patient.objects.get(pk=patient.pk)
    record.smoking = "CURRENT"
    record.save()
    return "Smoking was changed since"


LONG = [pytest.param(one, marks=pytest.mark.long) for one in (signed_since, removed_since)]


@pytest.mark.parametrize("since", [seen_since, answered_since, *LONG])
def test_what_happened_since_stands_against_taking_it_back_by_name(proven, clinician, patient, double, since):
    client = proven(clinician)
    assert made_one(client, patient, double, **{"patient-smoking": "double"}).status_code == 302
    said = since(patient, double, client)
    before = standing()
    shown = text(taken_back(client))
    assert said in shown and "Nothing was taken back" in shown
    assert standing() == before and Merger.objects.get().taken_back_at is None


def test_what_is_signed_says_whose_it_is_and_is_unlocked_first_or_stays(proven, clinician, patient, double):
    client = proven(clinician)
    DataQuery.objects.all().delete()
    assert sign(client, Visit.objects.get(patient=patient)).status_code == 302
    shown = text(client.get(pair_page(double, patient)))
    assert "NOR-00417: the visit of 2026-03-10 is signed" in shown and "Make it one record" not in shown
    assert made_one(client, double, patient).status_code == 422
    assert made_one(client, patient, double).status_code == 302
    call_command("verify_signatures")


def test_what_stands_in_the_way_is_said_and_nothing_changes(proven, client_of, clinician, patient, double):
    client, before = proven(clinician), standing()
    assert client_of(clinician).post(pair_page(patient, double), REASON)["Location"].startswith("/account/")
    answer = client.post(pair_page(patient, double), {"shown": "", **REASON})
    assert answer.status_code == 422 and "changed meanwhile" in answer.content.decode()
    answer = made_one(client, patient, double, reason=" ")
    assert answer.status_code == 422 and "Say how you know" in answer.content.decode()
    models.QuerySet(Visit).filter(patient=double).update(visit_type="BASELINE")
    assert "Both have a baseline visit" in text(client.get(pair_page(patient, double)))
    models.QuerySet(Visit).filter(patient=double).update(visit_type="FOLLOW_UP")
    request_erasure(patient=double, basis="CONSENT", reason="letter", by=clinician, now=timezone.now())
    assert "NOR-00501: Erasing the person" in text(client.get(pair_page(patient, double)))
    assert standing() == before and not Merger.objects.exists()


def test_only_a_clinician_of_the_clinic_merges(proven, client_of, patient, double, assistant, stranger, south):
    elsewhere = PatientFactory(clinic=south)
    assert client_of(assistant).get(pair_page(patient, double)).status_code == 403
    assert proven(stranger).get(pair_page(patient, double)).status_code == 404
    assert proven(stranger).get(pair_page(elsewhere, double)).status_code == 404
    assert proven(MembershipFactory(clinic=patient.clinic).user).get(pair_page(patient, elsewhere)).status_code == 404


def test_a_merged_record_moves_to_another_clinic_whole(proven, clinician, stranger, patient, double, offered, south):
    made_one(proven(clinician), patient, double)
    accepted(proven(stranger), offered(patient))
    assert set(Patient.objects.values_list("clinic", flat=True)) == {south.pk}
    assert set(Identity.objects.values_list("clinic", flat=True)) == {south.pk}
    assert set(DataQuery.objects.values_list("clinic", flat=True)) == {south.pk}
    assert Transfer.objects.moved().filter(last_event=Event.objects.latest("pk").pk).count() == 2
    assert "NOR-00501" not in text(proven(clinician).get("/patients/"))
    assert "taken back" in text(taken_back(proven(stranger))).lower()
    assert Patient.objects.get(pk=double.pk).merged_into is None


def test_erasing_the_record_erases_the_second_registration_too(proven, clinician, patient, double, admin):
    made_one(proven(clinician), patient, double)
    record = Patient.objects.get(pk=patient.pk)
    asked = request_erasure(patient=record, basis="CONSENT", reason="letter", by=clinician, now=timezone.now())
    confirm_erasure(asked=asked, by=MembershipFactory(clinic=record.clinic, role=Role.ADMIN).user, now=timezone.now())
    for model in (Patient, Identity, Visit, Lesion, Consent, Merger, DataQuery):
        assert not model._base_manager.exists(), model
    for number in ("NOR-00417", "NOR-00501"):
        last, *earlier = Event.objects.of_patient(number)
        assert last.action == Action.ERASE and all(one.is_blanked for one in earlier)
    assert the_trail_is_whole()


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_merged_both_ways_at_one_moment_one_of_the_two_stays(proven, clinician, patient, double):
    other = MembershipFactory(clinic=patient.clinic).user
    clients = proven(clinician), proven(other)
    shown = [clients[0].get(pair_page(*both)).context["pair"].shown for both in ((patient, double), (double, patient))]
    answers: list[int] = []

    def send(client: Any, record: Patient, gone: Patient, seen: str) -> None:
        answers.append(client.post(pair_page(record, gone), {"shown": seen, **REASON}).status_code)

    at_once(
        lambda: send(clients[0], patient, double, shown[0]),
        lambda: send(clients[1], double, patient, shown[1]),
    )
    assert Merger.objects.count() == 1 and Patient.objects.filter(merged_into=None).count() == 1
    assert sorted(answers)[0] == 302 and sorted(answers)[1] in (404, 422)
    call_command("verify_audit")
