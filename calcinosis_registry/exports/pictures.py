"""The pictures of a coded export: pixels, nothing else of the file.

Not one header leaves: a picture is put together from the tiles that the limited process made of the pixels
(lesions/raster.py); a photograph is the file that process wrote anew. What is written *in* the pixels nobody here can
take away, so a picture leaves where its file says that nothing is (DICOM: Burned In Annotation NO) and is of a kind
that looks into the body, or where a clinician looked through it and said so (lesions/clearing.py). What stays here the
manifest lists with the reason (docs/decisions/0029).
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from calcinosis_registry.cohorts.dataset import Dataset
from calcinosis_registry.cohorts.pseudonyms import Cipher
from calcinosis_registry.cohorts.snapshot.building import Tell
from calcinosis_registry.exports.package import checksum
from calcinosis_registry.exports.writers import csv
from lesions import calibration, preparing, storage
from lesions.models import FileKind, ImagingFile, ImagingStudy
from lesions.models.imaging import INSIDE
from lesions.raster import Broken
from lesions.refusal import Refused
from patients.models import Patient

FOLDER = "images"
HEADER = (
    "file", "patient", "imaging_no", "frame", "width", "height", "kind", "slope", "intercept", "inverted",
    "mm_per_row", "mm_per_column", "scale_from", "burned_in_annotation", "according_to", "sha256",
)  # fmt: skip
CHUNK = 500
NOBODY_SAID = ", and nobody looked through it"
# PS3.15 E.3.1: who looked through a picture did what this code of CID 7050 calls.
CLEAN_PIXELS = {"code": "113101", "scheme": "DCM", "meaning": "Clean Pixel Data Option"}
ENDINGS = {"image/jpeg": ".jpg", "image/png": ".png"}
NO_CONSENT = "the person does not consent to the use of pictures"
PATIENCE = 60  # seconds somebody else may take to make the tiles of the same picture


@dataclass
class Taken:
    """What became of the files: ``written`` pictures, and the others with the reason."""

    written: int = 0
    people: set[int] = field(default_factory=set)  # keys of the patients of whom there is a picture
    files: dict[int, str] = field(default_factory=dict)  # {key of a file that leaves: its public id}
    by_people: int = 0  # pictures that leave because somebody looked through them
    left_out: list[dict[str, Any]] = field(default_factory=list)

    @property
    def told(self) -> dict[str, Any]:
        """For the manifest."""
        reasons = Counter(one["why"] for one in self.left_out)
        # Who refused is nobody's business: that is counted, not listed.
        which = [one for one in self.left_out if one["why"] != NO_CONSENT]
        by_file = self.written - self.by_people
        pixels = {"burned_in_annotation": "NO", "according_to_the_file": by_file, "according_to_people": self.by_people}
        if self.by_people:
            pixels["method_of_people"] = CLEAN_PIXELS
        told = {"pictures": self.written, "left_out": len(self.left_out), "reasons": reasons, "which": which}
        return told | {"pixel_data": pixels}


def why_not(file: ImagingFile, *, consents: bool) -> str:
    """Why the picture stays here; "" when it may leave."""
    if not consents:
        return NO_CONSENT
    if file.kind_of_file == FileKind.PDF:
        return "a report: its pages name the person"
    header = file.header or {}
    if header.get("recognizable"):
        return "the file says that a face or a body can be recognized in the picture"
    if file.clears_itself or file.is_cleared:
        return ""
    if file.kind_of_file != FileKind.DICOM or not {header.get("modality"), file.study.modality} <= INSIDE:
        return "a photograph, or a picture of a kind that may show a face" + NOBODY_SAID
    if header.get("burned_in"):
        return "the file says that names are written in the picture" + NOBODY_SAID
    return "the file does not say whether names are written in the picture" + NOBODY_SAID


def may_still_leave(keys: Iterable[int]) -> bool:
    """Are all of these files there, consented to and clear as they were when they were written?"""
    wanted = set(keys)
    files = ImagingFile.objects.filter(pk__in=wanted).select_related("study__patient")
    return sum(not why_not(one, consents=one.study.patient.images_consent is True) for one in files) == len(wanted)


def taken_back(held: Iterable[str], cipher: Cipher) -> bool:
    """Is one of the files an export holds, by what its project calls them, removed since or not clear any more?"""
    missing = set(held)
    files = ImagingFile.objects.select_related("study").order_by("pk") if missing else ImagingFile.objects.none()
    for file in files.iterator():
        if not missing:
            break
        if (name := cipher.picture(file.public_id)) in missing and not why_not(file, consents=True):
            missing.discard(name)
    return bool(missing)


def write(folder: Path, dataset: Dataset, tell: Tell) -> Taken:
    """Pictures under ``images/`` and images.csv, which says what each shows. Raises OSError (a full disk)."""
    taken, lines = Taken(), []
    (folder / FOLDER).mkdir()
    studies = _studies(dataset)
    keys = sorted(studies)
    hundredth = max(1, len(keys) // 100)
    for start in range(0, len(keys), CHUNK):
        some = keys[start : start + CHUNK]
        consenting = _consenting(some)
        files = ImagingFile.objects.filter(study__in=some).select_related("study").order_by("study_id", "pk")
        places: Counter[int] = Counter()
        for file in files:
            if not places[file.study_id] and (start + len(places)) % hundredth == 0:  # telling writes: not each file
                tell(_("pictures"), start + len(places), len(keys))
            places[file.study_id] += 1
            patient, number = studies[file.study_id]
            why = why_not(file, consents=file.study.patient_id in consenting)
            name = f"{patient}-{number}-{places[file.study_id]}"
            try:
                if not why:
                    found = _pictures(folder, file, name, patient, number)
                    lines += found
                    taken.people.add(file.study.patient_id)
                    taken.files[file.pk] = file.public_id
                    taken.by_people += 0 if file.clears_itself else len(found)
            except (Refused, Broken, preparing.Busy, FileNotFoundError):
                why = "the pixels cannot be read"
            if why:
                taken.left_out.append({"patient": patient, "imaging_no": number, "file": name, "why": why})
    taken.written = len(lines)
    csv.write_table(folder / "images.csv", HEADER, lines)
    return taken


def _studies(dataset: Dataset) -> dict[int, tuple[str, int]]:
    """{key of a study: pseudonym and number} of the studies whose rows leave."""
    if "imaging" not in dataset.tables:
        return {}
    rows = dataset.tables["imaging"].read(["patient", "imaging_no"]).read_all()
    cells = (rows[name].to_pylist() for name in ("__pk", "patient", "imaging_no"))
    return {pk: (patient, number) for pk, patient, number in zip(*cells, strict=True)}


def _consenting(studies: Sequence[int]) -> set[int]:
    asked = ImagingStudy.objects.filter(pk__in=studies).values("patient")
    return set(Patient.objects.filter(pk__in=asked, images_consent=True).values_list("pk", flat=True))


def _pictures(folder: Path, file: ImagingFile, name: str, patient: str, number: int) -> list[Sequence[Any]]:
    """Write every frame; their lines of images.csv. Raises what :func:`lesions.preparing.prepare` does, or Broken; then
    no frame is left, for a picture without its line would leave with nobody asked."""
    try:
        if file.kind_of_file == FileKind.PHOTO:
            return [_photograph(folder, file, name, patient, number)]
        return _frames(folder, file, name, patient, number)
    except BaseException:
        for written in (folder / FOLDER).glob(f"{name}-*.*"):
            written.unlink()
        raise


def _photograph(folder: Path, file: ImagingFile, name: str, patient: str, number: int) -> Sequence[Any]:
    """The file the limited process wrote anew on arrival, pixels only (lesions/photograph.py): not encoded again."""
    shown = f"{FOLDER}/{name}-1{ENDINGS[file.media_type]}"
    shutil.copyfile(storage.path_of(file.sha256, settings.FILES_DIR), folder / shown)
    if (sha256 := checksum(folder / shown)) != file.sha256:
        raise Broken("not the bytes that were looked through")
    pixels = (file.width, file.height, "photograph, 8 bits", None, None, None, None, None, None)
    return (shown, patient, number, 1, *pixels, "NO", "person", sha256)


def _frames(folder: Path, file: ImagingFile, name: str, patient: str, number: int) -> list[Sequence[Any]]:
    from PIL import Image

    raster = preparing.prepare_patiently(file=file, seconds=PATIENCE)
    looks, look_of = raster.about["looks"], raster.about["look_of"]
    scale = next(iter(calibration.of_header(file.header or {})), None)
    mm = (scale.row_mm, scale.column_mm, scale.source.value) if scale and scale.box is None else (None, None, None)
    grey = raster.about["kind"] == "grey"
    lines: list[Sequence[Any]] = []
    for frame in range(raster.about["frames"]):
        picture = Image.fromarray(raster.pixels(frame))
        shown = f"{FOLDER}/{name}-{frame + 1}.png"
        picture.save(folder / shown, "PNG", compress_level=4)
        look = looks[look_of[frame]]
        values = (look["slope"], look["intercept"], int(look["inverted"])) if grey else (None, None, None)
        kind = "grey, 16 bits" if grey else "colour, 8 bits"
        size = (picture.width, picture.height)
        said = ("NO", "file" if file.clears_itself else "person", checksum(folder / shown))
        lines.append((shown, patient, number, frame + 1, *size, kind, *values, *mm, *said))
    return lines
