"""Erasing a person: nothing of them is left, nothing of anybody else is missing, and the chain is valid."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import pytest
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from calcinosis_registry.audit import trail, verification, witness
from calcinosis_registry.audit.models import Action, Event
from calcinosis_registry.codebook.partial_dates import PartialDate
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
from patients.models import Patient
from tests.factories import (
    CohortFactory,
    ExportFactory,
    IdentityFactory,
    PatientFactory,
    project_of,
)
from tests.house_rules.source import teach
from tests.rights.told import CANARY, asked, erased, everything, planted, stored

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
    "reports.Reminder": "staff",
    "exports.Export": "the ledger: counts and a checksum",
    "exports.ExportedPatient": "a pseudonym whose other half, the patient's random id, is erased",
    "demo.DemoRegister": "says that the people are invented",
}


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
