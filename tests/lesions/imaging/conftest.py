"""The upload page of one consented patient, as a clinician's browser without script uses it."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from tests.factories import PatientFactory


@pytest.fixture
def files(settings, tmp_path) -> Path:
    settings.FILES_DIR = tmp_path / "files"
    return settings.FILES_DIR


@pytest.fixture
def patient(north, files):
    return PatientFactory(clinic=north, images_consent=True)


@pytest.fixture
def clara(client_of, clinician):
    return client_of(clinician)


@pytest.fixture
def upload(clara, patient):
    """``upload(("name", bytes), ...)``: the plain form, without script."""

    def send(*named: tuple[str, bytes], patient=patient, **fields):
        uploads = [SimpleUploadedFile(name, content) for name, content in named]
        address = reverse("lesions:imaging_add", args=[patient.public_id])
        return clara.post(address, {"files": uploads, **fields}, follow=True)

    return send
