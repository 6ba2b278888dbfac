"""A third person's wish to unlock a signed visit waits for a second person."""

from __future__ import annotations

import pytest
from django.urls import reverse

from calcinosis_registry.audit.models import Action, Event
from calcinosis_registry.clinics.models import Membership
from patients.models import Signature, Visit, VisitState
from tests.factories import MembershipFactory
from tests.lesions.signed_visits import complete_visit, sign, unlock, unlock_page

pytestmark = pytest.mark.django_db
WHY = "The width was read wrong."


@pytest.fixture
def signed(proven, clinician, north):
    visit = complete_visit(north)
    assert sign(proven(clinician), visit).status_code == 302
    return visit


@pytest.fixture
def otto(north):
    return MembershipFactory(clinic=north, role="clinician", user__name="Otto Other").user


def state() -> str:
    return Visit.objects.get().state


def test_one_asks_and_stays_outside_until_another_agrees(proven, otto, clinician, signed, mailoutbox):
    other, signer = proven(otto), proven(clinician)
    assert "a second person must agree" in other.get(unlock_page(signed)).content.decode()
    assert unlock(other, signed).status_code == 302 and state() == VisitState.SIGNED
    assert unlock(other, signed).status_code == 422 and state() == VisitState.SIGNED, "nobody agrees with himself"
    waiting = other.get(unlock_page(signed)).content.decode()
    assert "Take it back" in waiting and "Agree and unlock" not in waiting
    asked = Event.objects.filter(action=Action.CHANGE, model="patients.visit", object_id=signed.pk).latest("pk")
    assert (asked.actor_name, asked.reason, asked.changes) == ("Otto Other", WHY, {"unlocking": [None, "asked for"]})

    assert "Asked to unlock" in signer.get("/").content.decode()
    assert "Asked to unlock" not in other.get("/").content.decode()
    page = signer.get(unlock_page(signed)).content.decode()
    assert "Otto Other" in page and WHY in page and "Agree and unlock" in page
    assert "asks to unlock it" in signer.get(signed.get_absolute_url()).content.decode()
    assert unlock(signer, signed, reason="").status_code == 302 and state() == VisitState.COMPLETE
    old = Signature.objects.get()
    assert (old.withdrawn_by, old.withdrawn_reason) == ("Otto Other, with Clara Clinician", WHY)
    told = Event.objects.get(action=Action.UNLOCK)
    assert (told.actor_name, told.reason, told.changes["asked by"]) == ("Clara Clinician", WHY, "Otto Other")


@pytest.mark.parametrize("who", ["asker", "signer"])
def test_what_was_asked_is_taken_back_or_refused_and_nothing_is_unlocked(proven, otto, clinician, signed, who):
    other, signer = proven(otto), proven(clinician)
    unlock(other, signed)
    ends = {"asker": other, "signer": signer}[who]
    assert ends.post(unlock_page(signed), {"act": "end"}).status_code == 302
    assert ends.post(unlock_page(signed), {"act": "end"}).status_code == 422
    assert state() == VisitState.SIGNED and not Signature.objects.asked_about().exists()
    assert Event.objects.filter(action=Action.CHANGE).latest("pk").changes == {"unlocking": ["asked for", None]}
    assert unlock(other, signed).status_code == 302, "it can be asked again"
    assert "Asked to unlock" in signer.get("/").content.decode()


def test_it_needs_reason_proof_and_right(proven, client_of, otto, clinician, assistant, stranger, signed):
    assert unlock(proven(otto), signed, reason=" oops ").status_code == 422
    assert unlock(client_of(otto), signed).status_code == 422
    assert not Signature.objects.asked_about().exists()
    unlock(proven(otto), signed)
    assert unlock(client_of(clinician), signed, reason="").status_code == 422
    assert proven(assistant).post(unlock_page(signed), {"act": "end"}).status_code == 403
    assert proven(stranger).post(unlock_page(signed), {"act": "end"}).status_code == 404
    assert state() == VisitState.SIGNED and Signature.objects.asked_about().exists()


def test_who_signed_unlocks_alone_also_while_somebody_asks(proven, otto, clinician, signed):
    unlock(proven(otto), signed)
    assert unlock(proven(clinician), signed, reason="I read it wrong myself.").status_code == 302
    old = Signature.objects.get()
    assert (old.withdrawn_by, old.withdrawn_reason) == ("Clara Clinician", "I read it wrong myself.")


def test_a_clinic_may_do_without_the_second_person_and_that_is_an_event(proven, otto, admin, north, signed):
    page = reverse("clinics:clinic", args=[north.public_id])
    assert proven(admin).post(page, {"name": "North", "code": "NOR", "was": "North"}).status_code == 302
    told = Event.objects.filter(model="clinics.clinic", action=Action.CHANGE).latest("pk")
    assert told.changes == {"unlock_by_two": [True, False]}
    assert unlock(proven(otto), signed).status_code == 302 and state() == VisitState.COMPLETE


def test_where_nobody_could_agree_the_page_says_what_to_do(proven, otto, clinician, north, signed):
    Membership.objects.get(user=clinician).delete()
    assert "Nobody else of your clinic may sign now" in proven(otto).get(unlock_page(signed)).content.decode()


def test_the_signature_still_holds_while_somebody_asks(proven, otto, signed):
    other = proven(otto)
    unlock(other, signed)
    assert other.get(signed.get_absolute_url()).context["checked"].holds
