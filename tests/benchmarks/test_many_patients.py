"""The copies the benchmarks measure are like what they copy: of every kind of record the demo tells."""

from __future__ import annotations

import pytest
from django.core.management import call_command
from django.db import connection

from calcinosis_registry.cohorts.models import Facts
from lesions.models import SecondReading
from patients.models import LaboratoryResult, Patient
from tests.benchmarks.many_patients import copies_of_every_patient

COPIES = 2
KINDS = (Patient, LaboratoryResult, SecondReading, Facts)


@pytest.mark.django_db(transaction=True)  # as a benchmark: every statement is a transaction of its own
def test_a_demo_register_is_copied_whole(settings, tmp_path):
    settings.DEMO, settings.FILES_DIR = True, tmp_path
    call_command("load_demo", patients=10, clinics=2, seed=1)
    before = {model: model._default_manager.count() for model in KINDS}
    assert all(before.values())
    copies_of_every_patient(COPIES)
    connection.check_constraints()
    assert {model: model._default_manager.count() for model in KINDS} == {
        model: (1 + COPIES) * count for model, count in before.items()
    }
    results = LaboratoryResult.objects.filter(visit__isnull=False).select_related("visit")
    assert all(row.visit.patient_id == row.patient_id for row in results), "a copy points at another's visit"
