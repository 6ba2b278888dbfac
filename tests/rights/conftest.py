"""Who is erased, who is not, and who decides."""

from __future__ import annotations

from pathlib import Path

import pytest

from calcinosis_registry.accounts.models import User
from calcinosis_registry.clinics.models import Clinic
from patients.models import Patient
from tests.factories import (
    MembershipFactory,
    PatientFactory,
)


@pytest.fixture
def files(settings, tmp_path: Path) -> Path:
    settings.FILES_DIR, settings.EXPORTS_DIR = tmp_path / "files", tmp_path / "exports"
    settings.EXPORTS_DIR.mkdir()
    return settings.FILES_DIR


@pytest.fixture
def patient(north: Clinic) -> Patient:
    return PatientFactory(clinic=north, registry_number="NOR-00417")


@pytest.fixture
def bystander(north: Clinic) -> Patient:
    return PatientFactory(clinic=north, registry_number="NOR-00418")


@pytest.fixture
def second(north: Clinic) -> User:
    return MembershipFactory(clinic=north, role="admin").user
