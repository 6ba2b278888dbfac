"""Two visits of one lesion of one patient: what the model tests start from."""

from __future__ import annotations

import pytest

from lesions.models import Lesion
from patients.models import Patient, Visit
from tests.lesions.lesion_rows import FIRST, a_lesion, a_patient, a_visit


@pytest.fixture
def patient(db: None) -> Patient:
    return a_patient()


@pytest.fixture
def visit(patient: Patient) -> Visit:
    return a_visit(patient, FIRST)


@pytest.fixture
def lesion(visit: Visit) -> Lesion:
    return a_lesion(visit)
