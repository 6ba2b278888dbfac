"""What stands in the way of a move, before it is offered and after; two tabs; who is erased, or out of a role."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from django.conf import settings as live
from django.core.management import call_command
from django.utils import timezone

from calcinosis_registry.accounts.models import User
from calcinosis_registry.audit.models import Action, Event
from calcinosis_registry.clinics.models import Membership, Transfer, TransferState
from calcinosis_registry.clinics.roles import Role
from calcinosis_registry.clinics.scope import events_visible_to
from calcinosis_registry.clinics.services import end_role, set_open
from calcinosis_registry.records.models import Draft
from calcinosis_registry.rights.services import confirm_erasure, request_erasure
from calcinosis_registry.transfers import services
from patients.models import Consent, Patient, Visit
from patients.services import after_save
from tests.factories import ImagingStudyFactory, MembershipFactory, a_second_reading
from tests.lesions.signed_visits import sign, unlock
from tests.lesions.test_sign_race import at_once
from tests.transfers.conftest import AGREED, accepted, offer_page, page, the_trail_is_whole

pytestmark = pytest.mark.django_db


def erasure_is_asked(patient: Patient, proven, colleague) -> None:
    request_erasure(patient=patient, basis="CONSENT", reason="by letter", by=colleague, now=timezone.now())


def unlocking_is_asked(patient: Patient, proven, colleague) -> None:
    visit, signer = Visit.objects.get(patient=patient), MembershipFactory(clinic=patient.clinic).user
    assert sign(proven(signer), visit).status_code == 302
    assert unlock(proven(colleague), visit).status_code == 302


def a_reading_is_asked(patient: Patient, proven, colleague) -> None:
    a_second_reading(ImagingStudyFactory(patient=patient, visit=Visit.objects.get(patient=patient)))


def a_draft_is_kept(patient: Patient, proven, colleague) -> None:
    Draft.objects.create(
        owner=colleague, clinic=patient.clinic, token="t", form="visit", patient=patient.public_id, subject="new",
        address="/", content="", updated_at=timezone.now(),
    )  # fmt: skip


def a_file_waits(patient: Patient, proven, colleague) -> None:
    waiting = Path(live.FILES_DIR) / "staging" / ("a" * 24)
    waiting.mkdir(parents=True)
    (waiting / "facts.json").write_text(json.dumps({"owner": {"patient": patient.pk}, "facts": {}}))


def consent_is_withdrawn(patient: Patient, proven, colleague) -> None:
    consent = Consent.objects.get(patient=patient)
    consent.withdrawn_on = timezone.localdate()
    consent.save()
    after_save(patient=patient, records=[consent], now=timezone.now())


IN_THE_WAY: list[tuple[Callable[..., None], str]] = [
    (erasure_is_asked, "Erasing the person has been asked for"),
    (unlocking_is_asked, "asks to unlock the visit of 2026-03-10"),
    (a_reading_is_asked, "A second reading of a radiograph is not finished"),
    (a_draft_is_kept, "Vera Colleague typed something"),
    (a_file_waits, "An uploaded file waits"),
    (consent_is_withdrawn, "No consent to the registry"),
]


@pytest.fixture
def colleague(north):
    found = MembershipFactory(clinic=north)
    found.user.name = "Vera Colleague"
    found.user.save()
    return found.user


@pytest.mark.parametrize(("begun", "said"), IN_THE_WAY, ids=lambda one: getattr(one, "__name__", ""))
def test_what_is_begun_stands_in_the_way_in_words_before_and_after_the_offer(
    proven, clinician, colleague, stranger, patient, offered, south, begun, said
):
    transfer = offered(patient)
    begun(patient, proven, colleague)
    answer = accepted(proven(stranger), transfer)
    shown = answer.content.decode()
    assert answer.status_code == 422 and "North has begun something with the record" in shown
    assert said not in shown and "Vera" not in shown, "what it is, is North's to read"
    assert Patient.objects.get().clinic == patient.clinic and Transfer.objects.get().state == TransferState.OFFERED
    proven(clinician).post(page(transfer, "take_back"))
    shown = proven(clinician).get(offer_page(patient)).content.decode()
    assert said in shown and "Offer the record" not in shown
    answer = proven(clinician).post(offer_page(patient), {"to": south.public_id, **AGREED})
    assert answer.status_code == 422 and said in answer.content.decode()
    assert not Transfer.objects.offered().exists()


def test_accepted_in_two_tabs_it_moves_once(proven, stranger, patient, offered):
    transfer, client = offered(patient), proven(stranger)
    assert accepted(client, transfer)["Location"] == patient.get_absolute_url()
    again = accepted(client, transfer)
    assert again.status_code == 302 and again["Location"] == page(transfer)
    assert "decided already" in client.get(again["Location"]).content.decode()
    moves = Event.objects.of_record(Patient, patient.pk).filter(changes__has_key="clinic", action=Action.CHANGE)
    assert moves.count() == 1


def test_offered_in_two_tabs_it_is_offered_once(proven, clinician, patient, offered, south):
    offered(patient)
    answer = proven(clinician).post(offer_page(patient), {"to": south.public_id, **AGREED})
    assert answer.status_code == 200 and "Take the offer back" in answer.content.decode()
    with pytest.raises(services.ValidationError, match="offered to a clinic already"):
        services.offer(patient=patient, to=south, reason="again", by=clinician, now=timezone.now())


def test_a_clinic_that_is_closed_is_offered_nothing_and_takes_nothing(
    proven, clinician, stranger, patient, offered, south
):
    transfer = offered(patient)
    set_open(clinic=south, is_open=False, now=timezone.now())
    assert accepted(proven(stranger), transfer).status_code in (302, 403)
    with pytest.raises(services.ValidationError, match="closed"):
        services.accept(transfer=transfer, hospital_number="", by=stranger, now=timezone.now())
    assert Patient.objects.get().clinic == patient.clinic
    proven(clinician).post(page(transfer, "take_back"))
    client = proven(clinician)
    assert ">South</option>" not in client.get(offer_page(patient)).content.decode()
    answer = client.post(offer_page(patient), {"to": south.public_id, **AGREED})
    assert answer.status_code == 422 and "Choose another clinic that is open" in answer.content.decode()


def test_who_lost_the_role_meanwhile_takes_nothing_over(proven, stranger, patient, offered):
    transfer, client = offered(patient), proven(stranger)
    assert client.get(page(transfer)).status_code == 200
    end_role(membership=Membership.objects.get(user=stranger), now=timezone.now())
    assert accepted(client, transfer).status_code in (302, 403)
    assert accepted(proven(User.objects.get(pk=stranger.pk)), transfer).status_code == 403
    assert Patient.objects.get().clinic == patient.clinic


def test_a_person_erased_meanwhile_does_not_move_and_both_trails_stay(
    proven, clinician, stranger, patient, offered, admin, south
):
    second = MembershipFactory(clinic=patient.clinic, role=Role.ADMIN).user
    transfer, client = offered(patient), proven(stranger)
    asked = request_erasure(patient=patient, basis="CONSENT", reason="letter", by=clinician, now=timezone.now())
    confirm_erasure(asked=asked, by=second, now=timezone.now())
    answer = accepted(client, transfer)
    assert answer.status_code == 302 and answer["Location"] == page(transfer)
    shown = client.get(page(transfer)).content.decode()
    assert "no such patient any more" in shown and "moved house" not in shown
    left = Transfer.objects.get()
    assert (left.state, left.reason) == (TransferState.TAKEN_BACK, "")
    assert the_trail_is_whole()


def test_the_trails_of_a_moved_and_erased_person_stay_with_both_clinics(
    proven, clinician, stranger, patient, offered, admin, south
):
    admin_south = MembershipFactory(clinic=south, role=Role.ADMIN).user
    accepted(proven(stranger), offered(patient))
    moved = Patient.objects.get()
    asked = request_erasure(patient=moved, basis="CONSENT", reason="letter", by=stranger, now=timezone.now())
    confirm_erasure(asked=asked, by=admin_south, now=timezone.now())
    here = events_visible_to(admin, "view_trail").filter(patient="NOR-00417")
    there = events_visible_to(admin_south, "view_trail").filter(patient="NOR-00417")
    assert there.filter(action=Action.ERASE).exists() and not here.filter(action=Action.ERASE).exists()
    assert here.filter(action=Action.CREATE).exists() and set(here) < set(there)
    assert Transfer.objects.get().reason == ""
    assert the_trail_is_whole()


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_accepted_at_one_moment_by_two_it_moves_once(proven, stranger, south, patient, offered):
    other = MembershipFactory(clinic=south).user
    clients, transfer = [proven(stranger), proven(other)], offered(patient)
    answers = []
    at_once(*(lambda one=one: answers.append(accepted(one, transfer)) for one in clients))
    assert [one.status_code for one in answers] == [302, 302]
    assert {one["Location"] for one in answers} == {patient.get_absolute_url(), page(transfer)}
    call_command("verify_audit")


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_erased_and_accepted_at_one_moment_neither_waits_for_ever(proven, clinician, stranger, patient, offered):
    second = MembershipFactory(clinic=patient.clinic, role=Role.ADMIN).user
    client, transfer = proven(stranger), offered(patient)
    asked = request_erasure(patient=patient, basis="CONSENT", reason="letter", by=clinician, now=timezone.now())
    at_once(
        lambda: accepted(client, transfer),
        lambda: confirm_erasure(asked=asked, by=second, now=timezone.now()),
    )
    assert not Patient.objects.exists() and Transfer.objects.get().state == TransferState.TAKEN_BACK
    call_command("verify_audit")
