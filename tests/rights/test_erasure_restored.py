"""A backup from before an erasure is restored: the person is erased again, and nobody else."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction

from calcinosis_registry.accounts.models import User
from calcinosis_registry.audit.models import Action, Event
from calcinosis_registry.rights import erasure
from calcinosis_registry.rights.services import (
    replay_erasures,
)
from lesions import storage
from patients.models import Patient
from tests.factories import (
    PatientFactory,
)
from tests.rights.told import CANARY, erased, everything, planted, stored

pytestmark = pytest.mark.django_db


class Restored(Exception):
    """The transaction is undone: the state of the backup."""


def brought_back(patient: Patient, first: User, second: User) -> None:
    """Erase, and restore a backup from before."""
    with pytest.raises(Restored), transaction.atomic():
        erased(patient, first, second)
        assert not Patient.objects.filter(pk=patient.pk).exists()
        raise Restored


def test_a_restore_replays_the_list(files, patient, bystander, clinician, second):
    words = list(planted(patient))
    file = stored(patient, files, b"a photograph")
    brought_back(patient, clinician, second)
    stored(patient, files, b"a photograph")
    assert Patient.objects.filter(pk=patient.pk).exists()
    out = StringIO()
    if connection.vendor == "sqlite":  # no VACUUM in the test's transaction
        assert replay_erasures().erased == ("NOR-00417",)
    else:
        call_command("replay_erasures", stdout=out)
        assert "1 erased again" in out.getvalue()
    after = everything()
    assert [word for word in words if word.encode() in after] == []
    assert not storage.path_of(file.sha256, files).exists()
    assert Patient.objects.filter(pk=bystander.pk).exists()
    told = Event.objects.get(action=Action.ERASE)
    assert told.reason == erasure.REPLAYED and told.changes["confirmed_by"] == str(second)
    assert replay_erasures() == erasure.Replayed((), 0)


def test_a_file_that_came_back_with_the_backup_goes_again(files, patient, clinician, second):
    stored(patient, files, b"a photograph")
    erased(patient, clinician, second)
    aside = files.parent / "aside"
    aside.write_bytes(b"a photograph")
    storage.store(aside, files)
    assert replay_erasures() == erasure.Replayed((), 1)
    assert not [one for one in files.rglob("*") if one.is_file()]


def test_a_number_given_to_somebody_else_since_is_not_erased_nor_given_again(files, north, patient, clinician, second):
    erased(patient, clinician, second)
    other = PatientFactory(clinic=north, registry_number="NOR-00417")
    assert replay_erasures().erased == ()
    assert Patient.objects.filter(pk=other.pk).exists()
    north.refresh_from_db()
    assert north.next_number == 418


def test_an_altered_list_is_refused(files, patient, clinician, second, witness_folder):
    erased(patient, clinician, second)
    path = witness_folder / "erasures"
    path.write_text(path.read_text().replace("NOR-00417", "NOR-00418"))
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("replay_erasures")


def test_the_list_names_nobody(files, patient, clinician, second, witness_folder):
    list(planted(patient))
    erased(patient, clinician, second)
    assert CANARY not in (witness_folder / "erasures").read_text()
