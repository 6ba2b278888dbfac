"""An erased person is gone from frozen cohorts and snapshots too, byte by byte."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from django.conf import settings as project_settings
from django.utils import timezone

from calcinosis_registry.cohorts.freezing import freeze
from calcinosis_registry.cohorts.models import FrozenPatient, FrozenTable
from calcinosis_registry.cohorts.pseudonyms import Cipher
from calcinosis_registry.cohorts.snapshot import building
from calcinosis_registry.rights.models import Basis
from calcinosis_registry.rights.services import confirm_erasure, request_erasure
from tests.cohorts.register import cohort_of, patients, project_of
from tests.exports.made import export, files, table
from tests.factories import MembershipFactory, VisitFactory

pytestmark = pytest.mark.django_db
CANARY = "Zzyzx"


def kept() -> bytes:
    """Every byte of the snapshots, and every cell of the frozen tables."""
    import io

    from pyarrow import parquet

    root = Path(project_settings.SNAPSHOT_DIR)
    rows = [parquet.read_table(path).to_pylist() for path in root.rglob("*.parquet")]
    rows += [parquet.read_table(io.BytesIO(bytes(one.content))).to_pylist() for one in FrozenTable.objects.all()]
    return json.dumps(rows, default=str).encode()


def test_the_rows_of_an_erased_person_leave_frozen_cohorts_and_snapshots(
    settings, tmp_path, researcher, coordinator, clinician, north
):
    settings.FILES_DIR, settings.EXPORTS_DIR = tmp_path / "files", tmp_path / "exports"
    project = project_of(researcher, coordinator, north)
    cohort = cohort_of(researcher, project)
    person, other = patients(north, 2)
    VisitFactory(patient=person, state="SIGNED", note=CANARY)
    frozen = freeze(cohort=cohort, label="first", by=researcher)
    name = Cipher(settings.PSEUDONYM_KEY, project.public_id).patient(person.public_id)
    assert CANARY.encode() in kept() and name.encode() in kept() and person.registry_number.encode() in kept()
    wanted = request_erasure(patient=person, basis=Basis.CONSENT, reason="letter", by=clinician, now=timezone.now())
    second = MembershipFactory(clinic=north, role="admin").user
    confirm_erasure(asked=wanted, by=second, now=timezone.now())
    for gone in (CANARY, name, person.registry_number, person.public_id):
        assert gone.encode() not in kept()
    assert FrozenPatient.objects.count() == 1
    made = export(cohort, researcher, freeze=frozen)
    assert {row["patient"] for row in table(made, "visits")} != {name} and made.patients == 1
    assert json.loads(files(made)["manifest.json"])["frozen"]["left_out_since"] == 1
    assert building.fresh().patients == 1 and other.public_id.encode() in kept()
