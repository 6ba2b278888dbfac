"""A record moves to another clinic, whole: through the pages of both, and back."""

from __future__ import annotations

import pytest
from django.core.management import call_command
from django.urls import reverse

from calcinosis_registry.audit.models import Action, Event
from calcinosis_registry.clinics.models import Transfer
from calcinosis_registry.clinics.roles import Role
from calcinosis_registry.clinics.services import grant
from calcinosis_registry.cohorts.dataset import population
from calcinosis_registry.cohorts.scope import Scope
from calcinosis_registry.identity.models import Identity
from calcinosis_registry.quality.models import DataQuery
from lesions.models import Lesion
from patients.models import Patient, Visit
from tests.factories import IdentityFactory, MembershipFactory, PatientFactory, VisitFactory
from tests.lesions.signed_visits import sign
from tests.sent_forms import sent_by
from tests.transfers.conftest import AGREED, OURS, accepted, consented, offer_page, page, the_trail_is_whole

pytestmark = pytest.mark.django_db
EVERYONE = Scope(None, exact=True)


def text(answer) -> str:
    assert answer.status_code == 200, answer.status_code
    return answer.content.decode()


def pages_of(patient: Patient) -> list[str]:
    visit = Visit.objects.get(patient=patient)
    return [
        patient.get_absolute_url(), visit.get_absolute_url(), reverse("rights:person", args=[patient.public_id]),
        reverse("lesions:patient_history", args=[patient.public_id]), offer_page(patient),
    ]  # fmt: skip


def test_a_record_moves_with_everything_and_the_old_clinic_opens_it_no_more(
    proven, clinician, stranger, patient, offered, south
):
    visit = Visit.objects.get(patient=patient)
    assert sign(proven(clinician), visit).status_code == 302
    transfer = offered(patient)
    there, here = proven(stranger), proven(clinician)
    assert [there.get(one).status_code for one in pages_of(patient)] == [404] * 5
    answer = accepted(there, transfer)
    assert answer["Location"] == patient.get_absolute_url()
    patient.refresh_from_db()
    assert (patient.clinic, patient.registry_number) == (south, "NOR-00417")
    assert [there.get(one).status_code for one in pages_of(patient)] == [200] * 5
    assert [here.get(one).status_code for one in pages_of(patient)] == [404] * 5
    identity = Identity.objects.get()
    assert (identity.clinic, identity.hospital_number, identity.family_name) == (south, "S-12", "Zwetschgenbaum")
    assert set(DataQuery.objects.values_list("clinic", flat=True)) == {south.pk}
    assert "Zwetschgenbaum" in text(there.get("/patients/")) and "NOR-00417" not in text(here.get("/patients/"))
    assert Lesion.objects.visible_to(stranger, "view_records").count() == 2
    call_command("verify_signatures")
    assert the_trail_is_whole()


def test_the_other_clinic_reads_no_more_than_it_needs_and_that_is_told(proven, stranger, patient, offered):
    transfer = offered(patient)
    client = proven(stranger)
    home = text(client.get("/"))
    assert "Records offered to your clinic" in home and page(transfer) in home
    shown = text(client.get(page(transfer)))
    for told in ("NOR-00417", "Z. Z.", "1968", "Female", "North", "moved house", "Clara Clinician"):
        assert told in shown
    for hidden in ("Zwetschgenbaum", "Zoë", "N-7", "1968-04"):
        assert hidden not in home + shown
    (read,) = Event.objects.of_patient("NOR-00417").filter(action=Action.READ, actor_id=stranger.pk)
    assert read.changes == {"shown": "initials, year of birth, sex"}
    assert "NOR-00417" not in text(client.get("/patients/"))


def test_offering_and_accepting_take_a_proof(client_of, clinician, stranger, patient, offered, south):
    answer = client_of(clinician).post(offer_page(patient), {"to": south.public_id, **AGREED})
    assert answer.status_code == 302 and answer["Location"].startswith("/account/")
    assert not Transfer.objects.exists()
    answer = accepted(client_of(stranger), offered(patient))
    assert answer.status_code == 302 and answer["Location"].startswith("/account/")
    assert Patient.objects.get().clinic_id == patient.clinic_id


def test_both_trails_show_the_move_and_each_what_was_its_own(
    proven, client_of, admin, clinician, stranger, patient, offered, south
):
    admin_south = MembershipFactory(clinic=south, role=Role.ADMIN).user
    accepted(proven(stranger), offered(patient))
    visit = VisitFactory(patient=Patient.objects.get(), note="told in the south")
    later = Event.objects.of_record(Visit, visit.pk).get()
    for who in (admin, admin_south):
        shown = text(client_of(who).get("/trail/?patient=NOR-00417&record=clinics.transfer"))
        assert "North → South" in shown and "OFFERED → ACCEPTED" in shown
    before = Event.objects.of_patient("NOR-00417").filter(pk__lt=later.pk).exclude(action=Action.READ)
    for number in (before.last().pk, before.first().pk):
        for who in (admin, admin_south):
            query = f"/trail/?patient=NOR-00417&before={number + 1}"
            assert "NOR-00417" in text(client_of(who).get(query))
    address = f"/trail/?patient=NOR-00417&record=patients.visit&number={visit.pk}"
    assert "No such event" in text(client_of(admin).get(address))
    assert "created" in text(client_of(admin_south).get(address))


def test_values_of_a_moved_record_are_read_where_it_is_now(client_of, proven, admin, stranger, patient, offered, south):
    grant(user=admin, role=Role.CLINICIAN, clinic=patient.clinic)
    grant(user=stranger, role=Role.ADMIN, clinic=south)
    address = "/trail/?patient=NOR-00417&record=identity.identity"
    assert "Zwetschgenbaum" in text(client_of(admin).get(address))
    accepted(proven(stranger), offered(patient))
    assert "Zwetschgenbaum" not in text(client_of(admin).get(address))
    assert "Zwetschgenbaum" in text(client_of(stranger).get(address))


def test_a_third_clinic_and_other_roles_learn_of_nothing(proven, client_of, patient, offered, monitor, assistant):
    transfer, third = offered(patient), MembershipFactory().user
    for what in ("transfer",):
        assert proven(third).get(page(transfer, what)).status_code == 404
    for what in ("accept", "decline", "take_back"):
        assert proven(third).post(page(transfer, what), OURS).status_code == 404
        assert proven(assistant).post(page(transfer, what), OURS).status_code == 403
        assert proven(monitor).post(page(transfer, what), OURS).status_code == 403
    assert "NOR-00417" not in text(client_of(third).get("/transfers/"))
    assert Transfer.objects.offered().count() == 1


def test_research_rests_until_the_new_clinic_recorded_a_consent_and_comes_back_with_the_record(
    proven, clinician, stranger, patient, offered, north, south
):
    assert list(population(EVERYONE)) == [patient]
    accepted(proven(stranger), offered(patient))
    moved = Patient.objects.get()
    assert (moved.registry_consent, moved.research_consent, moved.images_consent, moved.contact_consent) == (
        True, False, False, False,
    )  # fmt: skip
    assert list(population(EVERYONE)) == []
    (asked,) = DataQuery.objects.open().filter(rule="consent_rests")
    assert asked.clinic == south and asked.message in text(proven(stranger).get(f"/queries/{asked.public_id}/"))
    form = sent_by(proven(stranger).get(reverse("patients:record_add", args=[moved.public_id, "consent"])))
    form |= {"consented_on": "2026-06-01", "form_version": "S1", "given_by": "PERSON"}
    answer = proven(stranger).post(
        reverse("patients:record_add", args=[moved.public_id, "consent"]), form | {"registry": "on", "research": "on"}
    )
    assert answer.status_code == 302
    assert list(population(EVERYONE)) == [moved]
    assert not DataQuery.objects.open().filter(rule="consent_rests").exists()
    # Back where it was: what South was told does not count in North; what North was told does.
    accepted(proven(clinician), offered(Patient.objects.get(), to=north, by=stranger))
    assert list(population(EVERYONE)) == []
    consented(Patient.objects.get(), "2026-06-02")
    assert list(population(EVERYONE)) == [moved]


def test_moved_back_at_once_the_consents_given_there_hold_again(proven, clinician, stranger, patient, offered, north):
    accepted(proven(stranger), offered(patient))
    accepted(proven(clinician), offered(Patient.objects.get(), to=north, by=stranger), hospital_number="N-7")
    back = Patient.objects.get()
    assert back.clinic == north and list(population(EVERYONE)) == [back]
    assert not DataQuery.objects.open().filter(rule="consent_rests").exists()
    assert Identity.objects.get().hospital_number == "N-7"
    assert Event.objects.of_patient("NOR-00417").filter(model="clinics.transfer").exclude(action="read").count() == 4
    assert the_trail_is_whole()


def test_the_old_clinic_finds_where_a_number_went(proven, client_of, clinician, stranger, patient, offered):
    accepted(proven(stranger), offered(patient))
    assert "NOR-00417 moved to South on" in text(client_of(clinician).post("/patients/search/", {"q": "nor-00417"}))
    assert "moved" not in text(client_of(clinician).post("/patients/search/", {"q": "NOR-00418"}))
    assert "North → South" in text(client_of(clinician).get("/transfers/"))


def test_declined_with_a_reason_it_stays_and_can_be_offered_again(
    proven, client_of, clinician, stranger, patient, offered
):
    transfer = offered(patient)
    refused = client_of(stranger).post(page(transfer, "decline"), {"why": " "})
    assert refused.status_code == 422 and Transfer.objects.offered().exists()
    assert client_of(stranger).post(page(transfer, "decline"), {"why": "not known here"}).status_code == 302
    shown = text(proven(clinician).get(offer_page(patient)))
    assert "not known here" in shown and "Offer the record" in shown
    assert offered(patient) != transfer


def test_an_offer_is_taken_back_by_who_offers_alone(proven, client_of, clinician, stranger, patient, offered):
    transfer = offered(patient)
    assert proven(stranger).post(page(transfer, "take_back")).status_code == 403
    assert client_of(clinician).post(page(transfer, "accept"), OURS).status_code == 403
    assert client_of(clinician).post(page(transfer, "take_back")).status_code == 302
    assert accepted(proven(stranger), transfer).status_code == 302
    assert Patient.objects.get().clinic == patient.clinic
    assert "Accept" not in text(proven(stranger).get(page(transfer)))


def test_what_was_typed_stays_where_the_form_is_refused(proven, clinician, stranger, patient, offered, south):
    answer = proven(clinician).post(offer_page(patient), {"to": south.public_id, "reason": "moved house"})
    assert answer.status_code == 422 and "knows and agrees" in answer.content.decode()
    assert "moved house" in answer.content.decode() and not Transfer.objects.exists()
    # After a proof the page stands at the address of the proof: the form says itself where it goes.
    assert f'action="{offer_page(patient)}"' in answer.content.decode()
    answer = accepted(proven(stranger), offered(patient), hospital_number="№ 5")
    assert answer.status_code == 422 and "№ 5" in answer.content.decode()
    answer = proven(stranger).post(page(Transfer.objects.get(), "accept"), {"hospital_number": "S-12"})
    assert answer.status_code == 422 and "Only the clinic that follows" in answer.content.decode()
    assert Patient.objects.get().clinic == patient.clinic


def test_a_double_in_the_new_clinic_is_pointed_out(proven, client_of, stranger, patient, offered, south):
    double = PatientFactory(clinic=south)
    IdentityFactory(patient=double, family_name="Zwetschgenbaum", given_name="Zoë")
    client = proven(stranger)
    accepted(client, offered(patient))
    assert "perhaps the same person" in text(client.get(patient.get_absolute_url()))
