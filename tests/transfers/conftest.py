"""A person of North with a name, consents, a signed visit and questions; clinicians of both clinics."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from calcinosis_registry.audit import verification, witness
from calcinosis_registry.audit.models import Event
from calcinosis_registry.clinics.models import Clinic, Transfer
from patients.models import Consent, Patient
from patients.services import after_save
from tests.factories import DataQueryFactory, IdentityFactory, PatientFactory, known_lesions

AGREED = {"reason": "moved house", "agreed": "on"}
OURS = {"hospital_number": "S-12", "ours": "on"}


def consented(patient: Patient, day: str = "2026-01-02", **scopes: bool) -> Consent:
    given = {"registry": True, "research": True, "images": True, "contact": True} | scopes
    consent = Consent(
        patient=patient, consented_on=datetime.date.fromisoformat(day), form_version="v1", given_by="PERSON", **given
    )
    consent.save()
    after_save(patient=patient, records=[consent], now=timezone.now())
    return consent


@pytest.fixture
def patient(north: Clinic, settings, tmp_path) -> Patient:
    settings.FILES_DIR, settings.EXPORTS_DIR = tmp_path / "files", tmp_path / "exports"
    settings.EXPORTS_DIR.mkdir()
    found = PatientFactory(clinic=north, registry_number="NOR-00417")
    IdentityFactory(patient=found, family_name="Zwetschgenbaum", given_name="Zoë", hospital_number="N-7")
    consented(found)
    known_lesions(found, datetime.date(2026, 3, 10), [("HAND.D1.PULP", "R"), ("ELBOW", "L")])
    DataQueryFactory(patient=found.registry_number, clinic=north, model="patients.patient", object_id=found.pk)
    found.refresh_from_db()
    return found


@pytest.fixture
def offered(proven: Callable[[Any], Client], clinician, south: Clinic) -> Callable[..., Transfer]:
    """``offered(patient)``: through the page of the clinic that has the record."""

    def send(patient: Patient, to: Clinic = south, by: Any = clinician) -> Transfer:
        answer = proven(by).post(offer_page(patient), {"to": to.public_id, **AGREED})
        assert answer.status_code == 302, answer.content.decode()
        return Transfer.objects.offered().about(patient.registry_number).get()

    return send


def offer_page(patient: Patient) -> str:
    return reverse("transfers:offer", args=[patient.public_id])


def page(transfer: Transfer, what: str = "transfer") -> str:
    return reverse(f"transfers:{what}", args=[transfer.public_id])


def accepted(client: Client, transfer: Transfer, **changes: str) -> HttpResponse:
    return client.post(page(transfer, "accept"), OURS | changes)


def the_trail_is_whole() -> bool:
    witness.note(1, Event.objects.get(pk=1).seal)  # which a test's own transaction does not
    return verification.verify().broken is None
