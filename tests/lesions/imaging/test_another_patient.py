"""A file of another registered patient is refused without a word about who; other doubts are asked about (FILE-12)."""

from __future__ import annotations

import hashlib

import pytest
from django.urls import reverse

from calcinosis_registry.audit.models import Event
from calcinosis_registry.codebook.partial_dates import PartialDate
from lesions.models import ImagingFile, ImagingStudy
from tests.factories import IdentityFactory, PatientFactory
from tests.lesions.imaging.door import confirm, on_disk
from tests.lesions.imaging.imaging_files import dicom_file, element

REFUSED = "It names another patient of the register."
ADA = "Sample^Ada"
MAY_1971 = PartialDate(1971, 5)


def scan(*, name: str = ADA, number: str = "", born: str = "") -> tuple[str, bytes]:
    person = element(0x00100010, "PN", name.encode()) if name else b""
    person += element(0x00100020, "LO", number.encode()) if number else b""
    person += element(0x00100030, "DA", born.encode()) if born else b""
    return "scan.dcm", dicom_file(patient_name=person)


@pytest.fixture
def elena(patient):
    """Whose page it is: Elena Duarte, April 1968, H-1."""
    return IdentityFactory(patient=patient, family_name="Duarte", given_name="Elena", hospital_number="H-1")


@pytest.fixture
def ada(north, south):
    """``ada("north", **identity)``: Ada Sample, May 1971, registered there."""

    def registered(where: str, *, birth_date: PartialDate = MAY_1971, **known):
        clinic = {"north": north, "south": south}[where]
        other = PatientFactory(clinic=clinic, birth_date=birth_date)
        return IdentityFactory(patient=other, **{"family_name": "Sample", "given_name": "Ada Maria", **known})

    return registered


def kept() -> bool:
    return ImagingFile.objects.exists() or ImagingStudy.objects.exists()


@pytest.mark.parametrize(
    ("where", "known", "file"),
    [
        ("north", {}, {}),
        ("north", {}, {"born": "19710512"}),
        ("north", {"family_name": "SÁMPLE"}, {"name": "SAMPLE^A"}),
        ("north", {"birth_date": PartialDate()}, {"born": "19710512"}),
        ("south", {}, {"born": "19710512"}),
        ("north", {"family_name": "Other", "hospital_number": "K-77"}, {"name": "", "number": "k-77"}),
        ("north", {"family_name": "Other", "hospital_number": "K-77"}, {"name": "Duarte^Elena", "number": "K-77"}),
        ("south", {"family_name": "Other", "national_number": "12345679"}, {"name": "", "number": "1234-5679"}),
        ("south", {"family_name": "Other", "registry_number": "SOU-00007"}, {"name": "X^Y", "number": "sou-00007"}),
    ],
)
def test_the_file_of_another_registered_patient_is_refused_without_saying_whose(
    upload,
    patient,
    elena,
    ada,
    files,
    where,
    known,
    file,
):
    other = ada(where, **known)
    page = upload(scan(**file))
    text = page.content.decode()
    assert [one.text.startswith(REFUSED) for one in page.context["outcomes"]] == [True]
    assert not kept() and not on_disk(files)
    for secret in (other.registry_number, "Maria", "South", "1971"):
        assert secret not in text
    told = Event.objects.get(changes__shown="that a file names another registered patient")
    assert told.patient == patient.registry_number and other.registry_number not in str(told.changes)


@pytest.mark.parametrize(
    ("where", "known", "file"),
    [
        ("north", {}, {"born": "19600101"}),  # the same name, born on another day
        ("south", {}, {}),  # a name alone says nothing of another clinic
        ("south", {}, {"born": "19600101"}),
        ("south", {"hospital_number": "K-77"}, {"number": "K-77"}),  # another hospital's numbers are its own
        ("north", {"family_name": "Other", "hospital_number": "K-78"}, {"number": "K-77"}),
    ],
)
def test_what_is_not_surely_somebody_else_is_asked_about(upload, patient, elena, ada, clara, files, where, known, file):
    ada(where, **known)
    page = upload(scan(**file))
    assert [one.state for one in page.context["outcomes"]] == ["waiting"] and not kept()
    taken = confirm(clara, patient, page, take="1", reason="Name before marriage")
    assert taken.status_code == 200 and ImagingFile.objects.count() == 1


def test_one_person_registered_in_two_clinics_is_no_stranger_to_the_own_file(upload, patient, ada):
    same = {"family_name": "Sample", "given_name": "Ada", "national_number": "12345679"}
    IdentityFactory(patient=patient, **same)
    ada("south", **same)
    upload(scan(number="12345679", born="19680412"))
    assert ImagingFile.objects.count() == 1


def test_a_namesake_gets_the_own_file(upload, patient, ada):
    IdentityFactory(patient=patient, family_name="Sample", given_name="Ada")
    ada("north")
    upload(scan(born="19680412"))
    assert ImagingFile.objects.count() == 1


def test_who_was_registered_while_the_file_waited_is_not_overlooked(upload, patient, elena, ada, clara, files):
    page = upload(scan())
    assert page.context["groups"]
    ada("north")
    answer = confirm(clara, patient, page, take="1", reason="I am sure")
    assert REFUSED in answer.content.decode() and not kept()
    discarded = confirm(clara, patient, page, discard="1")
    assert discarded.status_code == 200 and not on_disk(files)


def test_an_emptied_preamble_is_kept_in_row_event_and_download(upload, clara, files):
    original = dicom_file(preamble=b"MZ\x90\x00".ljust(128, b"\xcc"), patient_name=b"")
    page = upload(("scan.dcm", original))
    assert page.status_code == 200
    file = ImagingFile.objects.get()
    assert file.original_sha256 == hashlib.sha256(original).hexdigest() != file.sha256
    assert file.header["preamble_emptied"] is True
    made = Event.objects.get(model="lesions.imagingfile", action="create")
    assert made.changes["original_sha256"][1] == file.original_sha256
    stored = clara.get(reverse("lesions:imaging_download", args=[file.public_id])).getvalue()
    assert stored[:128] == bytes(128) and stored[128:] == original[128:]
