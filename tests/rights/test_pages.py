"""A person's rights through the front door: the file with everything, who read, what was exported, erasure by two."""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile

import pytest

from calcinosis_registry.audit import trail
from calcinosis_registry.audit.models import Action, Event
from calcinosis_registry.cohorts.pseudonyms import Cipher
from calcinosis_registry.exports.models import ExportedPatient
from calcinosis_registry.rights.models import ErasureRequest, PersonalFile
from lesions import storage
from patients.models import Patient
from tests.factories import (
    CohortFactory,
    ExportFactory,
    IdentityFactory,
    ImagingFileFactory,
    ImagingStudyFactory,
    MembershipFactory,
    PatientFactory,
    VisitFactory,
    project_of,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def patient(north, settings, tmp_path) -> Patient:
    settings.FILES_DIR, settings.EXPORTS_DIR = tmp_path / "files", tmp_path / "exports"
    found = PatientFactory(clinic=north, registry_number="NOR-00417")
    IdentityFactory(patient=found, family_name="Ñíguez", given_name="Zoë")
    VisitFactory(patient=found, note="=cmd|' /c calc'!A1", pain_nrs=7)
    return found


def address(patient: Patient, what: str = "") -> str:
    return f"/patients/{patient.public_id}/rights/{what}"


def asks_for_a_proof(answer) -> bool:
    return answer.status_code == 302 and answer["Location"].startswith("/account/")


def contents(answer) -> zipfile.ZipFile:
    assert answer.status_code == 200 and answer["Content-Disposition"] == 'attachment; filename="NOR-00417.zip"'
    assert "no-store" in answer["Cache-Control"]
    return zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content)))


def test_the_file_holds_every_record_the_images_and_the_trail(proven, clinician, patient, settings, tmp_path):
    (tmp_path / "photo").write_bytes(b"the photograph")
    sha256 = storage.store(tmp_path / "photo", settings.FILES_DIR)
    ImagingFileFactory(study=ImagingStudyFactory(patient=patient), sha256=sha256, name="Hand, left.png")
    ImagingFileFactory(study=ImagingStudyFactory(patient=patient), name="lost.png")
    archive = contents(proven(clinician).post(address(patient, "file/"), {"reason": "in person"}))
    page = archive.read("everything.html").decode()
    for told in ("Ñíguez", "1968-04", "NOR-00417", "lost.png (missing)", "Pain from calcinosis, last 7 days", "→"):
        assert told in page
    assert archive.read("files/001-Hand_left.png") == b"the photograph"
    data = json.loads(archive.read("everything.json"))
    assert data["records"]["visit"][0]["pain_nrs"] == {"value": "7", "words": "7"}
    assert data["records"]["identity"][0]["given_name"]["value"] == "Zoë"
    rows = list(csv.DictReader(io.StringIO(archive.read("tables/visit.csv").decode("utf-8-sig"))))
    assert rows[0]["note"].startswith("'=cmd")
    told = list(csv.DictReader(io.StringIO(archive.read("tables/trail.csv").decode("utf-8-sig"))))
    assert len(told) == len(data["trail"]) > 3


def test_the_file_is_an_event_and_a_line_in_the_ledger_and_is_not_kept(proven, clinician, patient, settings):
    client = proven(clinician)
    archive = contents(client.post(address(patient, "file/"), {"reason": "in person"}))
    assert archive.testzip() is None
    made = PersonalFile.objects.get()
    assert (made.created_by, made.reason) == (clinician, "in person")
    event = Event.objects.of_patient("NOR-00417").get(action=Action.EXPORT)
    assert event.actor_id == clinician.pk and event.changes["sha256"] == made.sha256 and event.reason == "in person"
    assert list(settings.EXPORTS_DIR.iterdir()) == []
    page = client.get(address(patient)).content.decode()
    assert "in person" in page and "Clara Clinician" in page


def test_the_file_needs_a_proof_and_a_reason(client_of, proven, clinician, patient):
    answer = client_of(clinician).post(address(patient, "file/"), {"reason": "in person"})
    assert asks_for_a_proof(answer)
    answer = proven(clinician).post(address(patient, "file/"), {"reason": " "})
    assert answer.status_code == 422 and "This field is required" in answer.content.decode()
    assert not PersonalFile.objects.exists()


def test_the_page_says_who_read_and_who_exported(client_of, clinician, assistant, patient):
    for who, action in ((assistant, Action.READ), (assistant, Action.READ), (clinician, Action.EXPORT)):
        with trail.acting(trail.Actor(id=who.pk, name=who.name, role="some role")):
            trail.tell(action, changes={"shown": "names in a list", "patients": ["NOR-00417", "NOR-00999"]})
    lines = client_of(clinician).get(address(patient)).context["access"]
    assert {(one.name, one.reads, one.exports) for one in lines} >= {("Anna Assistant", 2, 0)}
    own = next(one for one in lines if one.name == "Clara Clinician")
    assert own.exports == 1


def test_the_admin_asks_the_trail_who_read_a_patient_and_gets_no_other_clinics(client_of, admin, stranger, patient):
    with trail.acting(trail.Actor(id=stranger.pk, name=stranger.name)):
        trail.tell(Action.READ, patient="SOU-00001", changes={"shown": "identity"})
        trail.tell(Action.READ, patient="NOR-00417", changes={"shown": "identity"})
    client = client_of(admin)
    assert "Stella" in client.get("/trail/access/?patient=nor-00417").content.decode()
    assert "Stella" not in client.get("/trail/access/?patient=SOU-00001").content.decode()


def test_the_page_lists_the_exports_that_hold_the_person(client_of, clinician, researcher, north, patient, settings):
    for title in ("Ulcer study", "Other study"):
        project = project_of(researcher, north)
        project.title = title
        project.save()
        export = ExportFactory(cohort=CohortFactory(owner=researcher, project=project))
        if title == "Ulcer study":
            pseudonym = Cipher(settings.PSEUDONYM_KEY, project.public_id).patient(patient.public_id)
            ExportedPatient.objects.create(export=export, pseudonym=pseudonym)
    page = client_of(clinician).get(address(patient)).content.decode()
    assert "Ulcer study" in page and "Rosa Researcher" in page and "Other study" not in page


def ask(client, patient: Patient, **values: str):
    given = {"basis": "CONSENT", "reason": "asked in person", **values}
    return client.post(address(patient, "erasure/"), given)


def test_an_erasure_is_asked_by_one_and_confirmed_by_another(proven, clinician, admin, patient):
    first, second = proven(clinician), proven(admin)
    assert ask(first, patient).status_code == 302
    request = ErasureRequest.objects.get()
    assert "waits for a second person" in first.get(address(patient)).content.decode()
    confirm = f"/erasures/{request.public_id}/confirm/"
    first.post(confirm, {"number": "NOR-00417"})
    second.post(confirm, {"number": "NOR-00418"})
    assert Patient.objects.filter(registry_number="NOR-00417").exists()
    page = second.get("/erasures/").content.decode()
    assert "NOR-00417" in page and "asked in person" not in page
    answer = second.post(confirm, {"number": "nor-00417"}, follow=True)
    assert "NOR-00417 is erased" in answer.content.decode()
    assert not Patient.objects.filter(registry_number="NOR-00417").exists()
    assert first.get(address(patient)).status_code == 404
    assert "decided already" in second.post(confirm, {"number": "NOR-00417"}, follow=True).content.decode()


def test_asking_and_confirming_need_a_proof_each(client_of, proven, clinician, admin, patient):
    assert asks_for_a_proof(ask(client_of(clinician), patient))
    assert not ErasureRequest.objects.exists()
    ask(proven(clinician), patient)
    confirm = f"/erasures/{ErasureRequest.objects.get().public_id}/confirm/"
    assert asks_for_a_proof(client_of(admin).post(confirm, {"number": "NOR-00417"}))
    assert Patient.objects.filter(registry_number="NOR-00417").exists()


def test_a_request_keeps_what_was_typed_when_something_is_missing(proven, clinician, patient):
    answer = ask(proven(clinician), patient, basis="")
    assert answer.status_code == 422 and "asked in person" in answer.content.decode()
    assert not ErasureRequest.objects.exists()


def test_another_clinics_request_is_not_there(proven, clinician, stranger, patient):
    ask(proven(clinician), patient)
    request = ErasureRequest.objects.get()
    other = proven(stranger)
    assert "NOR-00417" not in other.get("/erasures/").content.decode()
    for what in ("confirm", "withdraw"):
        assert other.post(f"/erasures/{request.public_id}/{what}/", {"number": "NOR-00417"}).status_code == 404


def test_a_request_taken_back_erases_nothing(proven, clinician, admin, patient):
    ask(proven(clinician), patient)
    proven(admin).post(f"/erasures/{ErasureRequest.objects.get().public_id}/withdraw/")
    assert ErasureRequest.objects.get().state == "WITHDRAWN" and Patient.objects.filter(pk=patient.pk).exists()


def badge(client, page: str = "/") -> str:
    """What the menu says about erasures: nothing, the word, or the word and how many."""
    text = client.get(page).content.decode()
    found = re.search(r'<a href="/erasures/"[^>]*>Erasures( <span class="count">(\d+))?', text)
    return "" if found is None else f"Erasures {found[2] or ''}".strip()


def test_an_erasure_that_waits_is_announced_to_whoever_can_confirm_it(
    client_of, proven, clinician, assistant, admin, stranger, patient, north
):
    other = MembershipFactory(clinic=north, role="clinician").user
    assert (badge(client_of(admin), "/accounts/"), badge(client_of(other))) == ("Erasures", "")
    asked = {"basis": "CONSENT", "reason": "in person", "understood": "on"}
    assert proven(clinician).post(address(patient, "erasure/"), asked).status_code == 302
    assert badge(client_of(admin), "/accounts/") == "Erasures 1", "on every page of who has it in the menu"
    assert badge(client_of(other)) == "Erasures 1", "on the first page of who else may confirm"
    for nobody in (clinician, assistant, stranger):
        assert badge(client_of(nobody)) == "", "not to who asked, may not, or is elsewhere"
    client = proven(other)
    assert client.post(f"/erasures/{ErasureRequest.objects.get().public_id}/withdraw/").status_code == 302
    assert (badge(client_of(admin), "/accounts/"), badge(client_of(other))) == ("Erasures", "")
