"""A complete visit with two lesions, and signing it through its page."""

from __future__ import annotations

import datetime
from typing import Any

from django.test import Client
from django.urls import reverse

from calcinosis_registry.clinics.models import Clinic
from patients.models import Visit
from tests.factories import IdentityFactory, PatientFactory, known_lesions

DAY = datetime.date(2026, 3, 10)


def complete_visit(clinic: Clinic, day: datetime.date = DAY) -> Visit:
    patient = PatientFactory(clinic=clinic)
    IdentityFactory(patient=patient)
    return known_lesions(patient, day, [("HAND.D1.PULP", "R"), ("ELBOW", "L")])


def sign_page(visit: Visit) -> str:
    return reverse("lesions:visit_sign", args=[visit.public_id])


def unlock_page(visit: Visit) -> str:
    return reverse("lesions:visit_unlock", args=[visit.public_id])


def sign(client: Client, visit: Visit, **sent: Any) -> Any:
    """Open the page, then send what stands on it."""
    ready = client.get(sign_page(visit)).context["ready"]
    form = {f"shown-{one.visit.public_id}": one.shown for one, _lines in ready} | {"meaning": "REVIEWED"}
    return client.post(sign_page(visit), form | sent)


def unlock(client: Client, visit: Visit, reason: str = "The width was read wrong.") -> Any:
    return client.post(unlock_page(visit), {"reason": reason})
