"""A radiograph read once, and a colleague asked to read it blind."""

from __future__ import annotations

import pytest
from django.utils import timezone

from calcinosis_registry.clinics.roles import Role
from calcinosis_registry.codebook.partial_dates import PartialDate
from lesions.models import HandScore, ImagingStudy, SecondReading
from lesions.second_reading import ask
from tests.factories import (
    IdentityFactory,
    MembershipFactory,
    PatientFactory,
    VisitFactory,
    a_reading,
)
from tests.lesions.readings.hands import FIRST


@pytest.fixture
def patient(north):
    patient = PatientFactory(clinic=north)
    IdentityFactory(patient=patient)
    VisitFactory(patient=patient)
    return patient


@pytest.fixture
def study(patient) -> ImagingStudy:
    study = ImagingStudy(patient=patient, modality="DX", study_date=PartialDate(2025, 4))
    study.save()
    return study


@pytest.fixture
def colleague(north):
    return MembershipFactory(clinic=north, role=Role.CLINICIAN).user


@pytest.fixture
def first(study, clinician) -> HandScore:
    return a_reading(study, clinician, FIRST)


@pytest.fixture
def asked(study, first, colleague, clinician) -> SecondReading:
    return ask(study=study, reader=colleague, by=clinician, now=timezone.now())
