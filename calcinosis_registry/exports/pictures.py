"""The pictures of a coded export: every pixel written anew, nothing else of the file.

Not one header leaves: a picture is put together from the tiles that the limited process made of the pixels
(lesions/raster.py). What is written *in* the pixels nobody here can take away, so a picture leaves only where its file
says that nothing is (DICOM: Burned In Annotation NO), and only of a kind that looks into the body: a photograph sent as
DICOM is a photograph. What stays here the manifest lists with the reason (docs/decisions/0029).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _

from calcinosis_registry.cohorts.dataset import Dataset
from calcinosis_registry.cohorts.snapshot.building import Tell
from calcinosis_registry.exports.package import checksum
from calcinosis_registry.exports.writers import csv
from lesions import calibration, preparing
from lesions.models import FileKind, ImagingFile, ImagingStudy
from lesions.models.columns import MODALITIES, in_group
from lesions.raster import Broken
from lesions.refusal import Refused
from patients.models import Patient

FOLDER = "images"
HEADER = (
    "file", "patient", "imaging_no", "frame", "width", "height", "kind", "slope", "intercept", "inverted",
    "mm_per_row", "mm_per_column", "scale_from", "sha256",
)  # fmt: skip
CHUNK = 500
INSIDE = frozenset(in_group(MODALITIES, "XRAY", "US", "CT", "MRI"))  # pictures of what no passer-by would recognize
NO_CONSENT = "the person does not consent to the use of pictures"
PATIENCE = 60  # seconds somebody else may take to make the tiles of the same picture


@dataclass
class Taken:
    """What became of the files: ``written`` pictures, and the others with the reason."""

    written: int = 0
    people: set[int] = field(default_factory=set)  # keys of the patients of whom there is a picture
    left_out: list[dict[str, Any]] = field(default_factory=list)

    @property
    def told(self) -> dict[str, Any]:
        """For the manifest."""
        reasons = Counter(one["why"] for one in self.left_out)
        # Who refused is nobody's business: that is counted, not listed.
        which = [one for one in self.left_out if one["why"] != NO_CONSENT]
        return {"pictures": self.written, "left_out": len(self.left_out), "reasons": reasons, "which": which}


def why_not(file: ImagingFile, *, consents: bool) -> str:
    """Why the picture stays here; "" when it may leave."""
    if not consents:
        return NO_CONSENT
    if file.kind_of_file != FileKind.DICOM:
        return "no header says that nothing is written in the picture, and nobody can confirm it"
    header = file.header or {}
    if not {header.get("modality"), file.study.modality} <= INSIDE:
        return "a photograph, or a picture of a kind that may show a face"
    if header.get("recognizable"):
        return "the file says that a face or a body can be recognized in the picture"
    burned_in = header.get("burned_in")
    if burned_in is False:
        return ""
    if burned_in:
        return "the file says that names are written in the picture"
    return "the file does not say whether names are written in the picture"


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
                    lines += _pictures(folder, file, name, patient, number)
                    taken.people.add(file.study.patient_id)
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
        return _frames(folder, file, name, patient, number)
    except BaseException:
        for written in (folder / FOLDER).glob(f"{name}-*.png"):
            written.unlink()
        raise


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
        lines.append((shown, patient, number, frame + 1, *size, kind, *values, *mm, checksum(folder / shown)))
    return lines
