"""A person is erased while somebody saves about them: nothing of the save is left, and the chain stays whole."""

from __future__ import annotations

import pytest
from django.core.management import call_command
from django.urls import reverse
from django.utils import timezone

from calcinosis_registry.audit.models import Action, Event
from calcinosis_registry.rights.services import confirm_erasure, request_erasure
from patients.models import Patient, Visit
from tests.factories import PatientFactory, VisitFactory
from tests.lesions.test_sign_race import at_once
from tests.sent_forms import sent_by

CANARY = "qzx-written-while-erased"
ROUNDS = 4


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("what", ["a change", "a new visit"])
def test_whoever_saves_while_the_person_is_erased_leaves_nothing_behind(
    client_of, clinician, second, north, files, what
):
    """SQLite has one writer at a time by itself. Locks are taken in one order, so neither ends the other."""
    client = client_of(clinician)
    client.raise_request_exception = False
    for number in range(ROUNDS):
        patient = PatientFactory(clinic=north, registry_number=f"NOR-0090{number}")
        visit = VisitFactory(patient=patient)
        new = reverse("lesions:visit_new", args=[patient.public_id])
        address = visit.get_absolute_url() if what == "a change" else new
        form = sent_by(client.get(address)) | {"note": CANARY}
        if what == "a new visit":
            form |= {"visit_date": "2026-05-12", "visit_type": "FOLLOW_UP", "calcinosis_present": "N"}
        asked = request_erasure(patient=patient, basis="CONSENT", reason="by letter", by=clinician, now=timezone.now())
        answers = []
        at_once(
            lambda: answers.append(client.post(address, form)),  # noqa: B023
            lambda: confirm_erasure(asked=asked, by=second, now=timezone.now()),  # noqa: B023
        )
        assert not Patient.objects.exists() and not Visit.objects.exists()
        assert Event.objects.filter(action=Action.ERASE, patient=patient.registry_number).count() == 1
        assert not Event.objects.filter(changes__icontains=CANARY).exists()
        assert answers[0].status_code < 500, answers[0].content[:200]
    call_command("verify_audit")
