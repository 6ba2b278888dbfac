"""A picture whose file does not say that it shows nobody leaves once a clinician looked through it, and said so."""

from __future__ import annotations

import csv
import hashlib
import io
import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db.models import QuerySet
from django.urls import reverse
from PIL import Image

from calcinosis_registry.audit.models import Event
from calcinosis_registry.exports import pictures
from calcinosis_registry.exports.services import ExportRefused, take
from lesions.models import ImagingFile
from tests.cohorts.register import patients
from tests.exports.made import export, files
from tests.factories import ImagingFileFactory
from tests.lesions.imaging.imaging_files import dicom_file, element

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("with_images", "store")]
STATEMENT = "No name, number, face or other identifying mark is visible"


@pytest.fixture
def clara(client_of, clinician):
    return client_of(clinician)


@pytest.fixture
def stella(client_of, stranger):
    """A clinician of another clinic."""
    return client_of(stranger)


@pytest.fixture
def sent(north, clara):
    """``sent(name, bytes)``: a file a clinician uploaded for a patient who consents to the use of pictures."""

    def sent(name: str, content: bytes) -> ImagingFile:
        (patient,) = patients(north, 1, images_consent=True)
        address = reverse("lesions:imaging_add", args=[patient.public_id])
        page = clara.post(address, {"files": SimpleUploadedFile(name, content)}, follow=True)
        assert page.status_code == 200
        return ImagingFile.objects.get(study__patient=patient)

    return sent


def photograph() -> bytes:
    out = io.BytesIO()
    picture, exif = Image.new("RGB", (40, 30), "brown"), Image.Exif()
    exif[0x010E] = "Sample Ada"
    picture.save(out, "JPEG", exif=exif, comment=b"Sample Ada")
    return out.getvalue()


def cleared(browser, file: ImagingFile, **sent: str):
    return browser.post(reverse("lesions:imaging_clear", args=[file.public_id]), {"said": "on"} | sent, follow=True)


def taken_back(browser, file: ImagingFile, reason: str = "a ring with a name"):
    return browser.post(reverse("lesions:imaging_unclear", args=[file.public_id]), {"reason": reason}, follow=True)


def told(made) -> dict:
    return json.loads(files(made)["manifest.json"])["images"]


def pictures_of(made) -> dict[str, bytes]:
    return {name: content for name, content in files(made).items() if name.startswith("images/")}


def test_a_photograph_leaves_when_somebody_looked_through_it_and_as_the_file_that_was_written_anew(
    clara, clinician, cohort, researcher, sent
):
    file = sent("Sample Ada.jpg", photograph())
    before = export(cohort, researcher, include_images=True)
    assert not pictures_of(before) and "nobody looked through it" in told(before)["which"][0]["why"]
    page = cleared(clara, file).content.decode()
    assert STATEMENT in page and f"Said by {clinician}" in page and "Take it back" in page
    made = export(cohort, researcher, include_images=True)
    ((name, content),) = pictures_of(made).items()
    (row,) = csv.DictReader(io.StringIO(files(made)["images.csv"].decode()))
    file.refresh_from_db()
    assert name.endswith(".jpg") and row["sha256"] == hashlib.sha256(content).hexdigest() == file.sha256
    assert (row["file"], row["burned_in_annotation"], row["according_to"]) == (name, "NO", "person")
    picture = Image.open(io.BytesIO(content))
    assert picture.size == (40, 30) and not picture.getexif() and "comment" not in picture.info
    pixels = told(made)["pixel_data"]
    assert (told(made)["pictures"], pixels["according_to_people"], pixels["according_to_the_file"]) == (1, 1, 0)
    assert pixels["method_of_people"]["code"] == "113101" and made.images == 1
    for content in files(made).values():
        assert b"Sample" not in content and str(clinician).encode() not in content


def test_without_the_choice_and_in_the_anonymous_profile_a_cleared_picture_stays(clara, cohort, researcher, sent):
    cleared(clara, sent("hand.jpg", photograph()))
    assert not pictures_of(export(cohort, researcher))
    with pytest.raises(ExportRefused, match="never anonymous"):
        export(cohort, researcher, include_images=True, profile="anonymous")


@pytest.mark.parametrize("burned_in", [b"", b"YES"])
def test_a_radiograph_that_does_not_say_so_itself_leaves_by_a_persons_word(burned_in, clara, cohort, researcher, sent):
    tag = element(0x00280301, "CS", burned_in) if burned_in else b""
    pixels = element(0x7FE00010, "OW", bytes(range(24)))
    file = sent("hand.dcm", dicom_file(pixels=tag + pixels, name=b"", number=b""))
    assert not pictures_of(export(cohort, researcher, include_images=True))
    cleared(clara, file)
    assert [name.rpartition(".")[2] for name in pictures_of(export(cohort, researcher, include_images=True))] == ["png"]


def test_only_the_picture_that_was_looked_through_leaves(clara, cohort, researcher, sent):
    cleared(clara, sent("hand.jpg", photograph()))
    sent("other.jpg", photograph())
    made = export(cohort, researcher, include_images=True)
    assert len(pictures_of(made)) == 1 and told(made)["left_out"] == 1


def test_the_word_is_given_by_a_clinician_of_the_clinic_who_makes_the_statement(
    clara, stella, client_of, assistant, cohort, researcher, sent
):
    file = sent("hand.jpg", photograph())
    assert cleared(stella, file).status_code == 404 and taken_back(stella, file).status_code == 404
    assert cleared(client_of(assistant), file).status_code == 403
    assert "make the statement" in cleared(clara, file, said="").content.decode()
    assert not pictures_of(export(cohort, researcher, include_images=True))
    cleared(clara, file)
    assert "said so already" in cleared(clara, file).content.decode()
    event = Event.objects.filter(model="lesions.imagingfile", object_id=str(file.pk)).latest("pk")
    assert STATEMENT in event.reason and set(event.changes) >= {"cleared_by", "cleared_at", "cleared_sha256"}


def test_what_is_taken_back_stays_here_and_closes_a_file_not_taken_yet(clara, cohort, researcher, sent):
    file = sent("hand.jpg", photograph())
    cleared(clara, file)
    made = export(cohort, researcher, include_images=True)
    assert take(export=made, by=researcher, now=made.created_at).exists()
    assert "Say why" in taken_back(clara, file, " ").content.decode()
    assert take(export=made, by=researcher, now=made.created_at).exists()
    assert "the picture stays here" in taken_back(clara, file).content.decode()
    assert Event.objects.filter(model="lesions.imagingfile").latest("pk").reason == "a ring with a name"
    with pytest.raises(ExportRefused, match="picture in this file was taken back"):
        take(export=made, by=researcher, now=made.created_at)
    assert not pictures_of(export(cohort, researcher, include_images=True))
    assert "taken back already" in taken_back(clara, file).content.decode()


def test_a_picture_removed_as_an_error_closes_a_file_not_taken_yet(clara, cohort, researcher, sent):
    file = sent("hand.jpg", photograph())
    cleared(clara, file)
    made = export(cohort, researcher, include_images=True)
    clara.post(reverse("lesions:imaging_remove", args=[file.public_id]), {"reason": "another person's"})
    with pytest.raises(ExportRefused, match="taken back since"):
        take(export=made, by=researcher, now=made.created_at)


def test_the_word_is_of_the_bytes_that_were_looked_at(clara, cohort, researcher, sent):
    file = sent("hand.jpg", photograph())
    cleared(clara, file)
    QuerySet(ImagingFile).filter(pk=file.pk).update(cleared_sha256="0" * 64)
    made = export(cohort, researcher, include_images=True)
    assert not pictures_of(made) and "nobody looked through it" in told(made)["which"][0]["why"]


def test_bytes_that_changed_on_the_disk_do_not_leave(clara, cohort, researcher, sent, settings):
    file = sent("hand.jpg", photograph())
    cleared(clara, file)
    (stored,) = [one for one in settings.FILES_DIR.rglob(f"{file.sha256}*") if one.name.startswith(file.sha256)][:1]
    content = stored.read_bytes()
    stored.chmod(0o600)
    stored.write_bytes(content[:-1] + b"?")
    made = export(cohort, researcher, include_images=True)
    assert not pictures_of(made) and told(made)["reasons"] == {"the pixels cannot be read": 1}


def test_a_picture_taken_back_while_the_file_is_made_stops_it(clara, cohort, researcher, sent, monkeypatch):
    file = sent("hand.jpg", photograph())
    cleared(clara, file)
    real = pictures.write

    def slow(*args):
        taken = real(*args)
        taken_back(clara, file)
        return taken

    monkeypatch.setattr(pictures, "write", slow)
    with pytest.raises(ExportRefused, match="taken back while"):
        export(cohort, researcher, include_images=True)


def test_a_report_and_a_recognizable_picture_cannot_be_cleared(clara, sent):
    file = sent("hand.jpg", photograph())
    for more, why in (({"kind_of_file": "PDF"}, "names the person"), ({"has_preview": False}, "cannot be shown")):
        made = ImagingFileFactory(study=file.study, **({"has_preview": True} | more))
        assert why in cleared(clara, made).content.decode()
    face = sent("hand.dcm", dicom_file(name=b"", number=b""))
    QuerySet(ImagingFile).filter(pk=face.pk).update(header=face.header | {"recognizable": True})
    assert "can be recognized" in cleared(clara, face).content.decode()
    assert not ImagingFile.objects.exclude(cleared_at=None).exists()
