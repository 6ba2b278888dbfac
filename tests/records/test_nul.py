"""A NUL sign in an address or a hidden field is a bad request, never a 500; in a form field it is told beside it."""

from __future__ import annotations

from typing import Any

import pytest

from patients.models import Visit
from tests.factories import PatientFactory

pytestmark = pytest.mark.django_db


def test_a_nul_in_an_address_is_no_server_error(client_of: Any, clinician: Any, north: Any) -> None:
    patient, client = PatientFactory(clinic=north), client_of(clinician)
    for address in (
        f"/patients/{patient.public_id}/laboratoryresult/add/?visit=a%00b",
        f"/patients/{patient.public_id}/visits/part/plan/?visit=%00",
        "/patients/?after=%00",
    ):
        assert client.get(address).status_code < 500, address


def test_a_nul_in_a_note_is_told_beside_the_note_and_nothing_is_saved(
    client_of: Any, clinician: Any, north: Any
) -> None:
    patient = PatientFactory(clinic=north)
    answer = client_of(clinician).post(
        f"/patients/{patient.public_id}/visits/new/",
        {"visit_date": "2026-05-12", "visit_type": "BASELINE", "note": "a\x00b", "public_id": "x\x00y", "version": "0"},
    )
    assert answer.status_code in (200, 400)
    assert not Visit.objects.filter(patient=patient).exists()
