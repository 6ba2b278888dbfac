"""Imaging through the front door: real files in, hostile ones refused with nothing left, nobody else's seen."""

from __future__ import annotations

import datetime
import io

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from PIL import Image

from calcinosis_registry.audit.models import Event
from lesions import imaging, storage
from lesions.models import ImagingFile, ImagingStudy, Lesion
from tests.factories import IdentityFactory, PatientFactory, VisitFactory
from tests.lesions.imaging.door import confirm, on_disk
from tests.lesions.imaging.imaging_files import dicom_file, element, sample


def real(name: str) -> tuple[str, bytes]:
    return name, sample(name).read_bytes()


def photograph(colour: str = "red") -> bytes:
    exif = Image.Exif()
    exif[0x010F] = "CAMERA-OF-ADA"
    exif.get_ifd(0x8825).update({1: "N", 2: (47.0, 22.0, 33.0)})
    out = io.BytesIO()
    Image.new("RGB", (60, 40), colour).save(out, "JPEG", exif=exif.tobytes())
    return out.getvalue()


def pdf(inside: bytes = b"") -> bytes:
    head = b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog " + inside + b" >>\nendobj\n"
    return head + b"trailer << /Root 1 0 R >>\nstartxref\n9\n%%EOF\n"


# Real files


def test_an_ultrasound_fills_what_its_header_says_and_asks_for_the_rest(upload, clara):
    page = upload(real("US1_J2KR.dcm"))
    study = ImagingStudy.objects.get()
    assert page.redirect_chain[-1][0] == study.get_absolute_url()
    assert (study.modality, str(study.study_date), study.status) == ("US", "2004-08-26", "AVAILABLE")
    assert [field.name for field in page.context["missing"]] == ["body_region", "laterality"]
    assert page.content.decode().count("Not in the file") == 3
    preview = clara.get(reverse("lesions:imaging_preview", args=[study.files.get().public_id]))
    assert Image.open(io.BytesIO(preview.getvalue())).size == (640, 480)


def test_a_radiograph_that_names_another_person_stops_and_asks(upload, clara, patient, files):
    """The birth date of its header is not this patient's."""
    page = upload(real("RG3_J2KR.dcm"))
    assert not ImagingStudy.objects.exists()
    assert "1979-04-08" in page.content.decode() and "1968-04" in page.content.decode()
    refused = confirm(clara, patient, page, take="1")
    assert "Say why" in refused.content.decode() and not ImagingStudy.objects.exists()

    taken = confirm(clara, patient, page, take="1", reason="Birth date mistyped at the other hospital")
    study = ImagingStudy.objects.get()
    assert taken.redirect_chain[-1][0] == study.get_absolute_url()
    assert (study.modality, study.laterality, study.view, study.body_region) == ("CR", "R", "PA_AP", "")
    assert "EXTREMITY" in taken.content.decode(), "the header's own word is shown where it names no single region"
    created = Event.objects.filter(model="lesions.imagingfile", action="create").get()
    assert created.reason == "Birth date mistyped at the other hospital"
    assert "CompressedSamples" not in str(created.changes), "a name entered the trail"
    assert not on_disk(files / "staging")


def test_a_name_and_a_number_of_somebody_else_are_shown_beside_the_patients(upload, patient):
    IdentityFactory(patient=patient, family_name="Duarte", given_name="Elena", hospital_number="H-1")
    page = upload(("a.dcm", dicom_file(sequence=b""))).content.decode()
    assert "Sample Ada" in page and "Elena Duarte" in page


def test_the_same_person_written_differently_is_not_asked_about(upload, patient):
    IdentityFactory(patient=patient, family_name="SÁMPLE", given_name="Ada Maria")
    upload(("a.dcm", dicom_file()))
    study = ImagingStudy.objects.get()
    assert (study.body_region, study.laterality, study.modality) == ("HAND", "L", "DX")


def test_a_file_that_waits_can_be_discarded_and_is_gone(upload, clara, patient, files):
    IdentityFactory(patient=patient)
    page = upload(("a.dcm", dicom_file()))
    assert on_disk(files)
    confirm(clara, patient, page, discard="1")
    assert not on_disk(files) and not ImagingStudy.objects.exists()


def test_nobody_else_answers_for_a_waiting_file(upload, patient, client_of, assistant):
    IdentityFactory(patient=patient)
    page = upload(("a.dcm", dicom_file()))
    token = page.context["groups"][0]["files"][0].token
    other = client_of(assistant)
    assert other.get(reverse("lesions:imaging_waiting", args=[patient.public_id, token])).status_code == 404
    assert confirm(other, patient, page, take="1", reason="x").status_code == 404


# Several


def test_two_files_of_one_study_become_one_study_and_photographs_one_more(upload, patient):
    second = dicom_file(sop_instance=element(0x00080018, "UI", b"1.2.3.4.9"))
    page = upload(("a.dcm", dicom_file()), ("b.dcm", second), ("1.jpg", photograph()), ("2.jpg", photograph("blue")))
    assert page.status_code == 200 and page.content.decode().count("is-ok") == 4
    assert {study.modality: study.files.count() for study in ImagingStudy.objects.all()} == {"DX": 2, "XC": 2}


def test_one_bad_file_is_told_and_the_good_ones_stay(upload):
    page = upload(("good.jpg", photograph()), ("bad.exe", b"MZ" + bytes(200)), ("report.pdf", pdf()))
    assert ImagingFile.objects.count() == 2
    assert "bad.exe" in page.content.decode() and "is not accepted" in page.content.decode()


def test_a_file_uploaded_twice_is_told_and_kept_once(upload, files):
    upload(("a.jpg", photograph()))
    before = on_disk(files)
    page = upload(("again.jpg", photograph()))
    assert "uploaded before" in page.content.decode()
    assert ImagingFile.objects.count() == ImagingStudy.objects.count() == 1 and on_disk(files) == before


def test_the_script_sends_one_file_a_request_and_photographs_stay_together(clara, patient):
    address, joined = reverse("lesions:imaging_add", args=[patient.public_id]), ""
    for name, colour in (("1.jpg", "red"), ("2.jpg", "blue")):
        sent = {"files": SimpleUploadedFile(name, photograph(colour)), "joined": joined}
        answer = clara.post(address, sent, headers={"X-Requested-With": "XMLHttpRequest"}).json()
        joined = answer["joined"]
        assert name in answer["outcomes"]
    study = ImagingStudy.objects.get()
    assert study.files.count() == 2 and answer["study"] == study.get_absolute_url()


# What is kept


def test_a_stored_photograph_has_no_exif(upload, clara, files):
    upload(("a.jpg", photograph()))
    file = ImagingFile.objects.get()
    stored = storage.path_of(file.sha256, files).read_bytes()
    assert b"Exif" not in stored and b"ADA" not in stored
    original = clara.get(reverse("lesions:imaging_download", args=[file.public_id]))
    assert original.getvalue() == stored
    assert original["Content-Disposition"].startswith("attachment")
    assert original["X-Content-Type-Options"] == "nosniff" and "sandbox" in original["Content-Security-Policy"]
    assert "no-store" in original["Cache-Control"]


def test_the_header_in_the_table_does_not_name_the_person(upload, patient):
    IdentityFactory(patient=patient, family_name="Sample", given_name="Ada")
    upload(("a.dcm", dicom_file()))
    assert "Sample" not in str(ImagingFile.objects.get().header)


def test_photographs_of_a_visit_bear_its_date_and_a_report_does_not(upload, patient):
    visit = VisitFactory(patient=patient, visit_date=datetime.date(2026, 5, 12))
    upload(("a.jpg", photograph()), ("r.pdf", pdf()), visit=visit.public_id)
    dates = {study.modality: str(study.study_date or "") for study in ImagingStudy.objects.filter(visit=visit)}
    assert dates == {"XC": "2026-05-12", "OT": ""}


def test_a_study_is_linked_to_a_lesion_and_what_was_missing_is_added(upload, clara, patient):
    lesion = Lesion(
        patient=patient, number=1, site="HAND.D1.PULP", laterality="R", first_recorded=datetime.date(2026, 5, 12),
        diagnostic_basis=("EXAM",),
    )  # fmt: skip
    lesion.save()
    upload(real("US1_J2KR.dcm"))
    study = ImagingStudy.objects.get()
    typed = {"version": study.version, "modality": "US", "study_date": "2004-08-26", "body_region": "HAND.D1"}
    page = clara.post(study.get_absolute_url(), {**typed, "laterality": "R", "lesions": [lesion.pk]}, follow=True)
    study.refresh_from_db()
    assert list(study.lesions.all()) == [lesion] and study.body_region == "HAND.D1"
    assert page.context["missing"] == []
    late = clara.post(study.get_absolute_url(), {**typed, "laterality": "L"})
    assert late.status_code == 409


# Refused


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("empty.dcm", b""),
        ("cut.dcm", dicom_file()[:-20]),
        ("page.jpg", b"<html><script>alert(1)</script>" + bytes(200)),
        ("named.png", photograph()),
        ("acting.pdf", pdf(b"/OpenAction 3 0 R")),
        ("bomb.zip", b"PK\x03\x04" + bytes(200)),
        ("drawing.svg", b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>" + bytes(100)),
    ],
)
def test_a_hostile_file_is_refused_by_name_and_reason_and_leaves_nothing(upload, files, name, content):
    page = upload((name, content))
    (outcome,) = page.context["outcomes"]
    assert page.status_code == 200 and outcome.state == "refused" and outcome.name == name and outcome.text
    assert name in page.content.decode()
    assert not on_disk(files) and not ImagingStudy.objects.exists() and not ImagingFile.objects.exists()


def test_no_file_chosen_is_told_beside_the_field(upload):
    assert "Choose at least one file" in upload().content.decode()


def test_without_consent_to_images_only_reports_are_kept(upload, north, files):
    bare = PatientFactory(clinic=north, images_consent=False)
    page = upload(("a.jpg", photograph()), ("r.pdf", pdf()), patient=bare)
    assert "No consent to images" in page.content.decode()
    assert [file.name for file in ImagingFile.objects.all()] == ["r.pdf"]


def test_a_save_that_fails_leaves_no_file(upload, files, monkeypatch):
    def fail(**_about):
        raise OSError("no space")

    monkeypatch.setattr(imaging, "after_save", fail)
    page = upload(("a.jpg", photograph()))
    assert "could not be stored" in page.content.decode()
    assert not on_disk(files) and not ImagingFile.objects.exists()


def test_a_signed_visit_takes_no_files(upload, patient, files):
    visit = VisitFactory(patient=patient, state="SIGNED")
    page = upload(("a.jpg", photograph()), visit=visit.public_id)
    assert "unlock it first" in page.content.decode() and not on_disk(files)


def test_a_date_before_birth_is_not_taken_over_and_told(upload, north):
    young = PatientFactory(clinic=north, images_consent=True, birth_date="2010")
    page = upload(real("US1_J2KR.dcm"), patient=young)
    assert ImagingStudy.objects.get().study_date is None
    assert "before birth" in page.content.decode()


# Who


def test_what_belongs_to_another_clinic_is_not_there(upload, client_of, stranger, patient):
    upload(("a.jpg", photograph()))
    study, file = ImagingStudy.objects.get(), ImagingFile.objects.get()
    foreign = client_of(stranger)
    addresses = [reverse("lesions:imaging_add", args=[patient.public_id]), study.get_absolute_url()]
    addresses += [
        reverse(f"lesions:imaging_{it}", args=[file.public_id]) for it in ("preview", "thumbnail", "download")
    ]
    assert [foreign.get(address).status_code for address in addresses] == [404] * len(addresses)
    removal = foreign.post(reverse("lesions:imaging_remove", args=[file.public_id]), {"reason": "x"})
    assert removal.status_code == 404 and ImagingFile.objects.exists()


def test_a_study_of_another_clinic_cannot_be_chosen(upload, south, north, files, client_of, stranger):
    theirs = PatientFactory(clinic=south, images_consent=True)
    study = ImagingStudy(patient=theirs, modality="CR")
    study.save()
    assert upload(("a.jpg", photograph()), study=study.public_id).status_code == 404
    assert not ImagingFile.objects.exists()


def test_a_monitor_sees_the_picture_but_not_the_name_nor_the_original(upload, client_of, monitor):
    upload(("ada-sample.jpg", photograph()))
    file, watcher = ImagingFile.objects.get(), client_of(monitor)
    assert watcher.get(reverse("lesions:imaging_preview", args=[file.public_id])).status_code == 200
    assert "ada-sample" not in watcher.get(file.study.get_absolute_url()).content.decode()
    assert watcher.get(reverse("lesions:imaging_download", args=[file.public_id])).status_code == 403


def test_a_file_uploaded_in_error_is_removed_with_a_reason(upload, clara, files):
    upload(("a.jpg", photograph()))
    file = ImagingFile.objects.get()
    address = reverse("lesions:imaging_remove", args=[file.public_id])
    clara.post(address, {"reason": " "})
    assert ImagingFile.objects.exists() and on_disk(files)
    clara.post(address, {"reason": "Wrong patient"})
    assert not ImagingFile.objects.exists() and not on_disk(files)
    assert Event.objects.get(model="lesions.imagingfile", action="delete").reason == "Wrong patient"
