"""Pictures leave by explicit choice: pixels only, of people who consent, and none that may show a name."""

from __future__ import annotations

import csv
import hashlib
import io
import json

import numpy as np
import pytest
from django.core.management import call_command
from django.db.models import QuerySet
from PIL import Image

from calcinosis_registry.cohorts.freezing import freeze
from calcinosis_registry.exports.models import Export
from calcinosis_registry.exports.services import ExportRefused, take
from calcinosis_registry.jobs.models import Job
from calcinosis_registry.jobs.services import run_next
from lesions import dicom, preparing, storage
from lesions.models import ImagingFile
from tests.cohorts.register import patients
from tests.exports.made import export, files, table
from tests.factories import ImagingFileFactory, ImagingStudyFactory
from tests.lesions.imaging.imaging_files import dicom_file, element

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("with_images", "store")]
CLEAN = element(0x00280301, "CS", b"NO")
VALUES = np.arange(0, 240, 10).reshape(4, 6)


@pytest.fixture
def pictured(north, store, tmp_path):
    """``pictured(bytes)``: a patient with a study and this file of it."""

    def pictured(content: bytes, *, consents: bool = True, kind: str = "DICOM", modality: str = "DX"):
        (patient,) = patients(north, 1, images_consent=consents)
        path = tmp_path / "sent"
        path.write_bytes(content)
        header = dicom.read_header(path).as_json() if kind == "DICOM" else {}
        ImagingFileFactory(
            study=ImagingStudyFactory(patient=patient, modality=modality),
            sha256=storage.store(path, store), kind_of_file=kind,
            media_type="application/dicom" if kind == "DICOM" else "image/png", header=header, has_preview=True,
            name="Sample Ada 1971.dcm",
        )  # fmt: skip
        return patient

    return pictured


def drawn() -> bytes:
    sink = io.BytesIO()
    Image.fromarray(np.zeros((4, 6), np.uint8)).save(sink, "PNG")
    return sink.getvalue()


def test_the_pixels_of_a_file_that_says_it_shows_no_name_leave_without_a_header(cohort, researcher, pictured):
    pictured(dicom_file(pixels=element(0x00280301, "CS", b"NO") + _pixels()))
    inside = files(made := export(cohort, researcher, include_images=True))
    (name,) = [one for one in inside if one.startswith("images/")]
    (told,) = csv.DictReader(io.StringIO(inside["images.csv"].decode()))
    picture = np.asarray(Image.open(io.BytesIO(inside[name])))
    assert np.array_equal(picture * float(told["slope"]) + float(told["intercept"]), VALUES)
    (row,) = table(made, "imaging")
    assert (told["patient"], told["imaging_no"]) == (row["patient"], row["imaging_no"]) and told["file"] == name
    assert (told["mm_per_row"], told["mm_per_column"]) == ("0.2", "0.1")
    manifest = json.loads(inside["manifest.json"])
    pixels = {"burned_in_annotation": "NO", "according_to_the_file": 1, "according_to_people": 0}
    told_of = {"pictures": 1, "left_out": 0, "reasons": {}, "which": [], "pixel_data": pixels}
    assert manifest["images"] == told_of and made.images == 1
    assert (told["burned_in_annotation"], told["according_to"]) == ("NO", "file")
    listed = {one["name"]: one["sha256"] for one in manifest["files"]}
    assert listed[name] == told["sha256"] == hashlib.sha256(inside[name]).hexdigest()
    for content in inside.values():
        assert not any(canary in content for canary in (b"Sample", b"20240229", b"1.2.3.4"))
    assert "images.csv lists the pictures" in inside["README.txt"].decode()


def _pixels() -> bytes:
    return element(0x7FE00010, "OW", VALUES.astype(np.uint8).tobytes())


@pytest.mark.parametrize(
    ("content", "choices", "why"),
    [
        (dicom_file(), {}, "does not say whether names"),
        (dicom_file(pixels=element(0x00280301, "CS", b"YES") + _pixels()), {}, "says that names are written"),
        (dicom_file(modality=element(0x00080060, "CS", b"XC"), pixels=CLEAN + _pixels()), {}, "a photograph"),
        (dicom_file(modality=element(0x00080060, "CS", b"ES"), pixels=CLEAN + _pixels()), {}, "a photograph"),
        (dicom_file(modality=b"", pixels=CLEAN + _pixels()), {}, "a photograph"),
        (dicom_file(pixels=CLEAN + _pixels()), {"modality": "XC"}, "a photograph"),
        (dicom_file(pixels=CLEAN + element(0x00280302, "CS", b"YES") + _pixels()), {}, "can be recognized"),
        (drawn(), {"kind": "PHOTO"}, "nobody looked through it"),
    ],
)
def test_a_picture_that_may_show_somebody_stays_here_and_the_manifest_says_why(
    content, choices, why, cohort, researcher, pictured
):
    pictured(content, **choices)
    inside = files(made := export(cohort, researcher, include_images=True))
    assert made.images == 0 and not [one for one in inside if one.startswith("images/")]
    told = json.loads(inside["manifest.json"])["images"]
    assert told["pictures"] == 0 and told["left_out"] == 1 and why in told["which"][0]["why"]
    assert made.patients == 1


def test_pictures_need_the_coded_profile_live_rows_and_a_project_that_names_them(cohort, researcher, project, pictured):
    pictured(dicom_file(pixels=CLEAN + _pixels()))
    with pytest.raises(ExportRefused, match="never anonymous"):
        export(cohort, researcher, include_images=True, profile="anonymous")
    frozen = freeze(cohort=cohort, label="first", by=researcher)
    with pytest.raises(ExportRefused, match="frozen cohort keeps values"):
        export(cohort, researcher, include_images=True, freeze=frozen)
    project.images = False
    project.save()
    cohort.project.refresh_from_db()
    with pytest.raises(ExportRefused, match="not in the scope of this project"):
        export(cohort, researcher, include_images=True)
    assert not Export.objects.exists()


def test_the_page_offers_them_where_the_project_has_them_and_the_worker_makes_them(
    client_of, cohort, researcher, project, pictured
):
    pictured(dicom_file(pixels=CLEAN + _pixels()))
    browser = client_of(researcher)
    address = f"/exports/of/{cohort.public_id}/"
    assert "With pictures" in browser.get(address).content.decode()
    told = {"format": "csv", "profile": "coded", "reason": "reading", "include_images": "on"}
    job = Job.objects.get(public_id=browser.post(address, told)["Location"].strip("/").split("/")[-1])
    assert run_next() and not Job.objects.exclude(state="done").exists()
    page = browser.get(Job.objects.get(pk=job.pk).result).content.decode()
    assert "<dt>Pictures</dt><dd>1</dd>" in page
    project.images = False
    project.save()
    assert "With pictures" not in browser.get(address).content.decode()


def test_a_withdrawn_consent_to_pictures_closes_the_file(cohort, researcher, pictured):
    patient = pictured(dicom_file(pixels=CLEAN + _pixels()))
    made = export(cohort, researcher, include_images=True)
    assert take(export=made, by=researcher, now=made.created_at).exists()
    patient.images_consent = False
    patient.save()
    with pytest.raises(ExportRefused, match="withdrew the consent"):
        take(export=made, by=researcher, now=made.created_at)


def test_the_command_takes_them_too(cohort, researcher, pictured, tmp_path):
    pictured(dicom_file(pixels=CLEAN + _pixels()))
    call_command("export", cohort="everyone", user=researcher.email, out=tmp_path / "out", images=True)
    assert len(list((tmp_path / "out" / "images").glob("*.png"))) == 1


def test_who_refuses_pictures_is_counted_and_not_named(cohort, researcher, pictured):
    pictured(dicom_file(pixels=CLEAN + _pixels()), consents=False)
    inside = files(made := export(cohort, researcher, include_images=True))
    told = json.loads(inside["manifest.json"])["images"]
    assert made.images == 0 and not [one for one in inside if one.startswith("images/")]
    reasons = {"the person does not consent to the use of pictures": 1}
    assert (told["pictures"], told["left_out"], told["reasons"], told["which"]) == (0, 1, reasons, [])


@pytest.mark.parametrize("damage", [b"\xff" * 4, b"\x78\x01\x03\x00\x00\x00\x00\x01"])  # no zlib, and zlib of nothing
def test_a_picture_with_one_damaged_frame_stays_whole_and_the_others_leave(damage, cohort, researcher, pictured, store):
    two = element(0x7FE00010, "OW", np.concatenate([VALUES, VALUES]).astype(np.uint8).tobytes())
    damaged = pictured(dicom_file(frames=element(0x00280008, "IS", b"2"), pixels=CLEAN + two))
    pictured(dicom_file(pixels=CLEAN + _pixels()))
    file = ImagingFile.objects.get(study__patient=damaged)
    start = preparing.prepare(file=file).starts[1]
    with storage.path_of(file.sha256, store, storage.REMADE).open("r+b") as tiles:
        tiles.seek(start)
        tiles.write(damage)
    inside = files(made := export(cohort, researcher, include_images=True))
    told = json.loads(inside["manifest.json"])["images"]
    assert made.images == len([one for one in inside if one.startswith("images/")]) == 1
    assert told["reasons"] == {"the pixels cannot be read": 1} and told["left_out"] == 1


def test_a_file_asked_for_with_pictures_is_looked_into_whatever_was_counted(cohort, researcher, pictured):
    patient = pictured(dicom_file(pixels=CLEAN + _pixels()))
    made = export(cohort, researcher, include_images=True)
    QuerySet(Export).filter(pk=made.pk).update(images=0)
    made.refresh_from_db()
    patient.images_consent = False
    patient.save()
    with pytest.raises(ExportRefused, match="withdrew the consent"):
        take(export=made, by=researcher, now=made.created_at)


def test_how_far_it_is_is_told_of_a_study_not_of_each_file(cohort, researcher, pictured):
    patient = pictured(drawn(), kind="PHOTO")
    ImagingFileFactory(study=ImagingFile.objects.get(study__patient=patient).study, kind_of_file="PHOTO")
    told: list[tuple[str, int, int]] = []
    export(cohort, researcher, include_images=True, tell=lambda *one: told.append(one))
    assert [one for one in told if one[0] == "pictures"] == [("pictures", 0, 1)]
