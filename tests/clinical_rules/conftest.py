"""Two visits of one patient with two lesions, seen by a clinician's browser."""

from __future__ import annotations

import datetime

import pytest
from django.test import Client

from lesions.models import Lesion
from patients.models import Patient, Visit
from tests.factories import PatientFactory, VisitFactory, known_lesions

FOUND, NOW = datetime.date(2026, 3, 10), datetime.date(2026, 5, 12)


@pytest.fixture
def clara(client_of, clinician) -> Client:
    """The clinician's browser."""
    return client_of(clinician)


@pytest.fixture
def patient(north) -> Patient:
    return PatientFactory(clinic=north)


@pytest.fixture
def first(patient) -> Visit:
    """The baseline at which L1 and L2 were found."""
    return known_lesions(patient, FOUND, [("HAND.D1.PULP", "R"), ("HAND.D2.PULP", "R")])


@pytest.fixture
def visit(first) -> Visit:
    """A later visit, nothing answered yet."""
    return VisitFactory(patient=first.patient, visit_date=NOW)


@pytest.fixture
def lesions(first) -> list[Lesion]:
    return list(Lesion.objects.filter(patient=first.patient).order_by("number"))
