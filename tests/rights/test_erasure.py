"""Erasing a person: nothing of them is left, nothing of anybody else is missing, and the chain is valid."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.db import connection, models, transaction
from django.utils import timezone

from calcinosis_registry.accounts.models import User
from calcinosis_registry.audit import trail, verification, witness
from calcinosis_registry.audit.models import Action, Event
from calcinosis_registry.audit.traced import Traced, _created
from calcinosis_registry.clinics.models import Clinic
from calcinosis_registry.codebook.partial_dates import PartialDate
from calcinosis_registry.cohorts.models import Cohort, ResearchProject
from calcinosis_registry.cohorts.pseudonyms import Cipher
from calcinosis_registry.exports.models import ExportedPatient
from calcinosis_registry.records.kept import Draft
from calcinosis_registry.rights import erasure
from calcinosis_registry.rights.holdings import OUTLIVING, holdings, keys_to_persons, number_columns, our_models
from calcinosis_registry.rights.models import Basis, ErasureRequest, State
from calcinosis_registry.rights.services import (
    confirm_erasure,
    replay_erasures,
    request_erasure,
    withdraw_erasure,
)
from calcinosis_registry.sealing import DRAFTS
from lesions import storage
from lesions.models import ImagingFile
from patients.models import Patient
from tests.factories import (
    CohortFactory,
    ExportFactory,
    IdentityFactory,
    MembershipFactory,
    PatientFactory,
    UserFactory,
    project_of,
)
from tests.house_rules.rows import a_row
from tests.house_rules.source import ROOT, teach

pytestmark = pytest.mark.django_db

# {model that tells nothing about a patient: what it tells}
NOT_ABOUT_PATIENTS = {
    "accounts.User": "staff",
    "clinics.Clinic": "clinics",
    "clinics.Membership": "staff",
    "clinics.Invitation": "staff",
    "cohorts.ResearchProject": "research",
    "cohorts.ProjectClinic": "research",
    "cohorts.ProjectMember": "staff",
    "cohorts.Cohort": "a question, no answers",
    "cohorts.CohortShare": "staff",
    "cohorts.Freeze": "a question and the words of columns",
    "cohorts.FrozenTable": "pseudonyms; cohorts/freezing.py takes the erased person's rows out",
    "jobs.Job": "what an export was asked with",
    "exports.Export": "the ledger: counts and a checksum",
    "exports.ExportedPatient": "a pseudonym whose other half, the patient's random id, is erased",
    "demo.DemoRegister": "says that the people are invented",
}
CANARY = "Kanarie"


def planted(patient: Patient) -> Iterator[str]:
    """A row of every kind about this patient, a word of its own in each text column, each told to the trail."""
    near: dict[Any, Any] = {Patient: patient, Clinic: patient.clinic, User: UserFactory()}
    near[ResearchProject] = project_of(near[User], patient.clinic)
    near[Cohort] = CohortFactory(owner=near[User], project=near[ResearchProject])
    for model in (*keys_to_persons(), *number_columns()):
        row = a_row(model, near)
        for field in model._meta.concrete_fields:
            if isinstance(field, models.CharField | models.TextField) and _is_free(field):
                word = f"{CANARY}{patient.pk}{model.__name__}{field.name}"[: field.max_length or 99]
                setattr(row, field.name, word)
                yield word
        if hasattr(row, "sha256"):
            row.sha256 = f"{patient.pk:064x}"
        if model in number_columns():
            setattr(row, number_columns()[model], patient.registry_number)
        row.save_base(raw=True)
        if isinstance(row, Traced):
            trail.write([_created(row)])


def _is_free(field: models.Field) -> bool:
    kept = {"registry_number", "patient", "sha256", "original_sha256", "public_id"}
    return not field.choices and field.name not in kept and type(field) in (models.CharField, models.TextField) and (
        (field.max_length or 99) > 30
    )  # fmt: skip


def everything() -> bytes:
    """The whole database: on SQLite its very bytes, free pages included."""
    if connection.vendor == "sqlite":
        return connection.connection.serialize()
    found = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT t::text FROM "{table}" t')
            found += [row[0] for row in cursor.fetchall()]
    return "\n".join(found).encode()


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


def asked(patient: Patient, by: User) -> ErasureRequest:
    reason = f"{CANARY} asked by letter"
    return request_erasure(patient=patient, basis=Basis.CONSENT, reason=reason, by=by, now=timezone.now())


def erased(patient: Patient, first: User, second: User) -> ErasureRequest:
    return confirm_erasure(asked=asked(patient, first), by=second, now=timezone.now())


def stored(patient: Patient, folder: Path, text: bytes) -> ImagingFile:
    """A file of this patient, its previews and its tiles beside it."""
    aside = folder.parent / "aside"
    aside.write_bytes(text)
    sha256 = storage.store(aside, folder)
    aside.unlink()
    for kind in (*storage.RENDERED, storage.REMADE):
        storage.store_preview(sha256, folder, text, kind)
    near: dict[Any, Any] = {Patient: patient, Clinic: patient.clinic, User: UserFactory()}
    file = a_row(ImagingFile, near)
    file.sha256 = sha256
    file.save_base(raw=True)
    return file


def test_every_model_says_whether_it_tells_about_patients():
    told = {*keys_to_persons(), *number_columns(), *OUTLIVING}
    unsaid = [one._meta.label for one in our_models() if one not in told and one._meta.label not in NOT_ABOUT_PATIENTS]
    assert not unsaid, teach("An erasure does not reach these models; give them a way to Patient, or say why:", unsaid)
    assert not [label for label in NOT_ABOUT_PATIENTS if label in {one._meta.label for one in told}]


def test_nothing_of_the_person_is_left_and_nothing_of_anybody_else_is_missing(
    files, patient, bystander, clinician, second, caplog
):
    words, others = list(planted(patient)), list(planted(bystander))
    assert len(words) > 45 and len(keys_to_persons()) > 25
    own, shared = stored(patient, files, b"own " + words[0].encode()), stored(patient, files, b"shared")
    near_other = stored(bystander, files, b"shared")
    waiting = files / "staging" / ("a" * 24)
    waiting.mkdir(parents=True)
    (waiting / "facts.json").write_text(json.dumps({"owner": {"patient": patient.pk}, "facts": {"name": words[0]}}))
    before = everything()
    assert [word for word in words if word.encode() not in before] == []

    erased(patient, clinician, second)

    after, trees = everything(), b"".join(one.read_bytes() for one in files.rglob("*") if one.is_file())
    assert [word for word in words if word.encode() in after or word.encode() in trees or word in caplog.text] == []
    assert f"{CANARY} asked by letter".encode() not in after
    assert holdings(patient).keys() <= {Patient}  # the instance in hand, no row
    assert not Patient.objects.filter(pk=patient.pk).exists()
    for kind in storage.KINDS:
        assert not storage.path_of(own.sha256, files, kind).exists()
        assert storage.path_of(shared.sha256, files, kind).exists() and shared.sha256 == near_other.sha256
    assert not waiting.exists()
    assert [word for word in others if word.encode() not in after] == []
    witness.note(1, Event.objects.get(pk=1).seal)
    assert verification.verify().broken is None


def test_the_trail_still_says_who_did_what_and_who_erased(files, patient, clinician, second):
    with trail.acting(trail.Actor(id=clinician.pk, name=clinician.name, role="clinician NOR")):
        trail.tell(Action.READ, about=patient, changes={"shown": "identity"}, reason="emergency")
        patient.genetic_diagnosis = CANARY
        patient.save()
    with trail.acting(trail.Actor(id=second.pk, name=second.name, role="admin NOR")):
        erased(patient, clinician, second)
    last, *earlier = Event.objects.of_patient("NOR-00417")
    assert (last.action, last.actor_id, last.reason) == (Action.ERASE, second.pk, "The person withdrew the consent")
    assert last.changes["requested_by"] == str(clinician) and last.changes["confirmed_by"] == str(second)
    assert all(one.is_blanked and one.changes == {} and one.reason == "" for one in earlier)
    assert (Action.READ, clinician.pk) in [(one.action, one.actor_id) for one in earlier]


def test_one_person_alone_erases_nobody(patient, clinician):
    request = asked(patient, clinician)
    with pytest.raises(ValidationError, match="Somebody else"):
        confirm_erasure(asked=request, by=clinician, now=timezone.now())
    assert Patient.objects.filter(pk=patient.pk).exists() and witness.erasures() == []


def test_a_request_withdrawn_or_done_is_not_confirmed(files, patient, clinician, second):
    request = asked(patient, clinician)
    withdraw_erasure(asked=request, by=second, now=timezone.now())
    for _again in range(2):
        with pytest.raises(ValidationError, match="decided already"):
            confirm_erasure(asked=request, by=second, now=timezone.now())
    assert Patient.objects.filter(pk=patient.pk).exists()
    erased(patient, clinician, second)
    assert ErasureRequest.objects.filter(state=State.DONE).count() == 1


def test_a_request_needs_a_reason_and_is_made_once(patient, clinician, second):
    with pytest.raises(ValidationError, match="what the person asked"):
        request_erasure(patient=patient, basis=Basis.CONSENT, reason=" ", by=clinician, now=timezone.now())
    with pytest.raises(ValidationError):
        request_erasure(patient=patient, basis="WHIM", reason="x", by=clinician, now=timezone.now())
    asked(patient, clinician)
    with pytest.raises(ValidationError, match="asked for already"):
        asked(patient, second)


def test_an_erasure_that_fails_half_way_erases_nothing(files, patient, clinician, second, monkeypatch):
    request, count = asked(patient, clinician), Event.objects.count()

    def full(*_args: Any) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(witness, "remember_erasure", full)
    with pytest.raises(OSError, match="disk full"), transaction.atomic():
        confirm_erasure(asked=request, by=second, now=timezone.now())
    assert Patient.objects.filter(pk=patient.pk).exists() and Event.objects.count() == count


def test_an_erasure_on_the_list_whose_transaction_fails_is_cancelled_on_it(
    files, patient, clinician, second, monkeypatch
):
    request, remember = asked(patient, clinician), witness.remember_erasure

    def fails_after_the_first(entry: dict) -> None:
        remember(entry)
        if not entry.get("cancelled"):
            raise OSError("power")

    monkeypatch.setattr(witness, "remember_erasure", fails_after_the_first)
    with pytest.raises(OSError, match="power"), transaction.atomic():
        confirm_erasure(asked=request, by=second, now=timezone.now())
    assert len(witness.erasures()) == 2 and erasure.standing(witness.erasures()) == []
    assert replay_erasures().erased == ()
    assert Patient.objects.filter(pk=patient.pk).exists()


def test_files_made_for_export_go_and_the_ledger_stays(files, settings, patient, researcher, clinician, second, north):
    export = ExportFactory(cohort=CohortFactory(owner=researcher, project=project_of(researcher, north)))
    pseudonym = Cipher(settings.PSEUDONYM_KEY, export.project.public_id).patient(patient.public_id)
    ExportedPatient.objects.create(export=export, pseudonym=pseudonym)
    zipped = settings.EXPORTS_DIR / f"{export.public_id}.zip"
    zipped.write_bytes(b"rows")
    erased(patient, clinician, second)
    assert not zipped.exists() and ExportedPatient.objects.filter(export=export).exists()


# ---- A restored backup


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


def test_a_registration_of_the_person_begun_in_another_tab_goes_too_and_a_namesakes_stays(
    files, north, clinician, second
):
    """Typed by several people, never saved: nothing but what is written in it leads to the person."""
    patient = PatientFactory(clinic=north, birth_date=PartialDate(1968, 4, 2))
    IdentityFactory(patient=patient, family_name="Ñíguez", given_name="Zoë", hospital_number="K-77", contact="")
    typed = {
        "the name alone": {"family_name": "niguez ", "given_name": "Zoe"},
        "the name, half a date": {"family_name": "Ñíguez", "given_name": "Zoë", "birth": "1968"},
        "the number alone": {"hospital_number": "k-77"},
        "a namesake": {"family_name": "Ñíguez", "given_name": "Zoë", "birth": "1990-01-01"},
        "somebody else": {"family_name": "Duarte", "given_name": "Elena"},
        "nothing yet": {},
    }
    for token, fields in typed.items():
        names = {"person-birth_date" if name == "birth" else f"identity-{name}": it for name, it in fields.items()}
        Draft.objects.create(
            owner=second, token=token[:22], form="registration", subject="new", address="/patients/register/",
            content=DRAFTS.seal(urlencode(names)), updated_at=timezone.now(),
        )  # fmt: skip
    erased(patient, clinician, second)
    assert set(Draft.objects.values_list("token", flat=True)) == {"a namesake", "somebody else", "nothing yet"}


WRITE_AND_ERASE = """
import json, pathlib, django
django.setup()
from django.conf import settings
from django.utils import timezone
from calcinosis_registry.rights.services import confirm_erasure, request_erasure
from tests.factories import IdentityFactory, MembershipFactory, PatientFactory, VisitFactory

WORD = b"Kanarienvogel"

def found():
    base = settings.DATA_DIR / "registry.sqlite3"
    names = {"database": base, "wal": pathlib.Path(f"{base}-wal"), "shm": pathlib.Path(f"{base}-shm")}
    return {name: path.read_bytes().count(WORD) if path.exists() else 0 for name, path in names.items()}

word = WORD.decode()
member = MembershipFactory()
patient = PatientFactory(clinic=member.clinic)
identity = IdentityFactory(patient=patient, family_name=word, contact=word * 9)
for n in range(40):
    VisitFactory(patient=patient, note=f"{word} {n} " * 30, visit_date=f"2026-01-{n % 28 + 1:02d}", state="OPEN")
identity.contact = word * 7
identity.save()
before = found()
asked = request_erasure(patient=patient, basis="CONSENT", reason=word, by=member.user, now=timezone.now())
second = MembershipFactory(clinic=member.clinic, role="admin").user
confirm_erasure(asked=asked, by=second, now=timezone.now())
print(json.dumps([before, found()]))
"""


def test_no_byte_is_left_in_a_database_file_or_its_write_ahead_log(tmp_path):
    """In a register of its own: its files on the disk, write-ahead log and shared memory included, before and after."""
    if connection.vendor != "sqlite":
        pytest.skip("about SQLite's files; PostgreSQL's are vacuumed and recycled by the server (docs/operations)")
    folder = tmp_path / "register"
    folder.mkdir()
    env = {name: value for name, value in os.environ.items() if not name.startswith(("DATABASE_URL", "PYTEST_"))}
    env |= {"REGISTRY_DATA": str(folder), "REGISTRY_DEMO": "1"}
    env |= {"DJANGO_SETTINGS_MODULE": "calcinosis_registry.settings"}
    subprocess.run([sys.executable, "manage.py", "migrate", "-v0"], cwd=ROOT, env=env, check=True)
    done = subprocess.run(
        [sys.executable, "-c", WRITE_AND_ERASE], cwd=ROOT, env=env, capture_output=True, text=True, check=True
    )
    before, after = json.loads(done.stdout.splitlines()[-1])
    assert before["wal"] > 0, "the name stood in the write-ahead log, so there was something to erase"
    assert after == {"database": 0, "wal": 0, "shm": 0}
