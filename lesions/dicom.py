"""DICOM files: what the header says, and a picture a browser can show. Every defect is a :class:`Refused` sentence.

Sources: DICOM PS3.3 C.7.6.3 (image pixel), C.8.5.5 (ultrasound regions), C.7.6.16.2 (functional groups).
pydicom, numpy and Pillow are imported inside functions: they are heavy.
"""

from __future__ import annotations

import datetime
import functools
import io
import mmap
import re
import warnings
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from calcinosis_registry.codebook import codelists
from lesions.dicom_pixels import shown_pixels
from lesions.dicom_spacing import calibration_type, pixel_spacing, placed_regions, said, value_of
from lesions.dicom_structure import PIXEL_DATA, Element, Structure, check_structure, tag_text
from lesions.refusal import Refused
from lesions.refusal import gettext_noop as _

if TYPE_CHECKING:
    from pydicom import Dataset

MAX_DECODED_BYTES = 512 * 2**20
MAX_FILE_BYTES = 512 * 10**6

_BODY_PARTS = Path(__file__).parent / "data" / "dicom_body_parts.csv"
_COLOURS = frozenset({"RGB", "YBR_FULL", "YBR_FULL_422", "YBR_RCT", "YBR_ICT"})
_ONE_SAMPLE = frozenset({"MONOCHROME1", "MONOCHROME2", "PALETTE COLOR"})
_UIDS = {
    0x00080016: "SOP Class UID",
    0x00080018: "SOP Instance UID",
    0x0020000D: "Study Instance UID",
    0x0020000E: "Series Instance UID",
}
_HEADER_KEYWORDS = (
    *("SpecificCharacterSet", "Modality", "StudyDate", "SeriesDate", "AcquisitionDate", "StudyTime"),
    *("BodyPartExamined", "Laterality", "ImageLaterality", "ViewPosition", "ViewCodeSequence"),
    *("PatientName", "PatientID", "PatientBirthDate", "Manufacturer", "ManufacturerModelName", "BurnedInAnnotation"),
    "RecognizableVisualFeatures",
    *("PixelSpacing", "ImagerPixelSpacing", "PixelSpacingCalibrationType", "SequenceOfUltrasoundRegions"),
    *("SharedFunctionalGroupsSequence", "SeriesNumber", "SeriesDescription", "InstanceNumber"),
)


@dataclass(frozen=True)
class Geometry:
    """The size of the picture as the header declares it, checked before anything is decoded."""

    rows: int
    columns: int
    frames: int
    samples: int
    bits: int
    photometric: str


@dataclass(frozen=True, kw_only=True)
class DicomHeader:
    """What a DICOM header says. Text is "" and other values None where it says nothing (or nothing readable).

    ``pixel_spacing``: mm between rows, mm between columns; ``pixel_spacing_from``: PixelSpacing (in the patient),
    ImagerPixelSpacing (at the detector, so magnified) or SequenceOfUltrasoundRegions; ``calibration_type``: GEOMETRY or
    FIDUCIAL where the header says that magnification was corrected; ``regions``: left, top, right, bottom in pixels, mm
    between rows, mm between columns of each ultrasound region with a scale. ``body_part`` is the header's own term,
    ``region`` the register's site code where the term names exactly one. ``laterality``: R, L or "". ``burned_in``:
    does the header say that names are written in the pixels (None: not said, which is no permission)?
    ``recognizable``: does it say that the picture shows somebody recognizably (None: not said, or an older reading)?
    """

    modality: str
    study_date: datetime.date | None
    study_time: datetime.time | None
    body_part: str
    region: str
    laterality: str
    view: str
    study_instance_uid: str
    series_instance_uid: str
    sop_instance_uid: str
    patient_name: str
    patient_id: str
    patient_birth_date: datetime.date | None
    rows: int
    columns: int
    frames: int
    photometric: str
    transfer_syntax: str
    pixel_spacing: tuple[float, float] | None
    pixel_spacing_from: str
    device: str
    burned_in: bool | None
    warnings: list[str] = field(default_factory=list)
    calibration_type: str = ""
    regions: list[list[float]] = field(default_factory=list)
    series_number: str = ""
    series_description: str = ""
    instance_number: str = ""
    recognizable: bool | None = None

    def as_json(self) -> dict[str, Any]:
        """Plain values: dates and times in ISO form."""
        return {
            name: value.isoformat() if hasattr(value, "isoformat") else value for name, value in asdict(self).items()
        }

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> DicomHeader:
        """The inverse of :meth:`as_json`."""
        read = dict(values)
        for name, kind in (
            ("study_date", datetime.date),
            ("patient_birth_date", datetime.date),
            ("study_time", datetime.time),
        ):
            read[name] = kind.fromisoformat(read[name]) if read[name] else None
        read["pixel_spacing"] = tuple(read["pixel_spacing"]) if read["pixel_spacing"] else None
        return cls(**read)


def read_header(path: Path) -> DicomHeader:
    """Check the whole file and read its header; decodes no pixels. Raises :class:`Refused`."""
    with _quietly():
        structure, geometry, uids = _check(path)
        return _header(_dataset(path, [*_HEADER_KEYWORDS]), structure, geometry, uids)


def checked(path: Path) -> tuple[Structure, Geometry]:
    """Structure and size of a file that was checked whole, before any parser sees it. Raises :class:`Refused`."""
    structure, geometry, _uids = _check(path)
    return structure, geometry


def render_preview(path: Path, max_side: int = 1600, frame: int = 0) -> bytes:
    """One frame (0 = first) as PNG bytes, at most ``max_side`` pixels wide and high. Raises :class:`Refused`."""
    from PIL import Image

    with _quietly():
        structure, geometry, _uids = _check(path)
        if not 0 <= frame < geometry.frames:
            raise Refused(
                _("The file has %(frames)s frames; frame %(frame)s was asked for."),
                frames=geometry.frames,
                frame=frame + 1,
            )
        try:
            shown = shown_pixels(
                path, geometry.photometric, geometry.bits, frame, max_side, transfer_syntax=structure.transfer_syntax
            )
            picture = Image.fromarray(shown)
        except (Refused, MemoryError):
            raise
        except Exception as problem:  # decoders fail in their own many ways; all mean the same here
            raise Refused(
                _("Pixel Data (7FE0,0010) could not be decoded: damaged or in an unsupported form.")
            ) from problem
    picture.thumbnail((max_side, max_side), Image.Resampling.LANCZOS)
    png = io.BytesIO()
    picture.save(png, "PNG", compress_level=4)
    return png.getvalue()


def _quietly() -> warnings.catch_warnings:
    """pydicom warns about every oddity of the file; the person sees our own warnings instead."""
    return warnings.catch_warnings(action="ignore")


# Checks before any parser


def _check(path: Path) -> tuple[Structure, Geometry, dict[str, str]]:
    with path.open("rb") as file:
        size = file.seek(0, io.SEEK_END)
        if size > MAX_FILE_BYTES:
            raise Refused(_("The file is larger than %(limit)s MB."), limit=MAX_FILE_BYTES // 10**6)
        if size < 132:
            raise Refused(_("The file is incomplete: it ends before the DICOM header."))
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            structure = check_structure(data)
            uids = {name: _uid(data, structure, tag, name) for tag, name in _UIDS.items()}
            return structure, _geometry(data, structure), uids


def _text(data: mmap.mmap, element: Element | None, limit: int = 64) -> str:
    if element is None or element.length > limit + 1:
        return ""
    return data[element.start : element.start + element.length].strip(b"\0 ").decode("ascii", "replace")


def _uid(data: mmap.mmap, structure: Structure, tag: int, name: str) -> str:
    uid = _text(data, structure.elements.get(tag))
    if not re.fullmatch(r"[0-9]+(\.[0-9]+)+", uid):
        raise Refused(_("%(name)s %(tag)s is missing or not a valid UID."), name=name, tag=tag_text(tag))
    return uid


def _whole_number(data: mmap.mmap, structure: Structure, tag: int, name: str, default: int | None = None) -> int:
    """One US value. UN is allowed: gateways write it for any element they do not know."""
    element = structure.elements.get(tag)
    if element is None and default is not None:
        return default
    if element is None or element.length == 0:
        raise Refused(_("%(name)s %(tag)s is missing."), name=name, tag=tag_text(tag))
    if element.vr not in ("US", "UN", "") or element.length != 2:
        raise Refused(
            _("%(name)s %(tag)s must be one whole number (US); it is %(vr)s with %(length)s bytes."),
            name=name,
            tag=tag_text(tag),
            vr=element.vr or "US",
            length=element.length,
        )
    return int.from_bytes(data[element.start : element.start + 2], "little")


def _geometry(data: mmap.mmap, structure: Structure) -> Geometry:
    def number(tag: int, name: str, allowed: tuple[int, ...] | range, default: int | None = None) -> int:
        value = _whole_number(data, structure, tag, name, default)
        if value not in allowed:
            raise Refused(_("%(name)s %(tag)s has the value %(value)s."), name=name, tag=tag_text(tag), value=value)
        return value

    rows = number(0x00280010, "Rows", range(1, 65536))
    columns = number(0x00280011, "Columns", range(1, 65536))
    bits = number(0x00280100, "Bits Allocated", (1, 8, 16, 32))
    number(0x00280101, "Bits Stored", range(1, bits + 1))
    photometric = _text(data, structure.elements.get(0x00280004))
    if photometric not in _COLOURS | _ONE_SAMPLE:
        raise Refused(_("Photometric Interpretation (0028,0004) %(value)s is not accepted."), value=photometric or "-")
    samples = number(0x00280002, "Samples per Pixel", (3,) if photometric in _COLOURS else (1,), default=1)
    frames = _frames(data, structure)
    geometry = Geometry(rows, columns, frames, samples, bits, photometric)
    _check_size(structure, geometry)
    return geometry


def _frames(data: mmap.mmap, structure: Structure) -> int:
    element = structure.elements.get(0x00280008)
    if element is None or element.length == 0:
        return 1
    text = _text(data, element, limit=12).lstrip("+")
    if not (text.isascii() and text.isdigit() and int(text) > 0):
        raise Refused(_("Number of Frames (0028,0008) is not a whole number above 0."))
    return int(text)


def _check_size(structure: Structure, geometry: Geometry) -> None:
    """Arithmetic in Python's integers, which do not overflow."""
    samples_per_frame = geometry.rows * geometry.columns * geometry.samples
    if geometry.photometric == "YBR_FULL_422" and not structure.encapsulated:
        samples_per_frame = geometry.rows * geometry.columns * 2  # two pixels share their colour samples
    expected = (samples_per_frame * geometry.frames * geometry.bits + 7) // 8
    if expected > MAX_DECODED_BYTES:
        raise Refused(
            _("%(rows)s × %(columns)s pixels × %(frames)s frames need %(size)s MB unpacked; the limit is %(limit)s."),
            size=expected // 2**20,
            rows=geometry.rows,
            columns=geometry.columns,
            frames=geometry.frames,
            limit=MAX_DECODED_BYTES // 2**20,
        )
    if structure.encapsulated:
        if structure.fragments < geometry.frames:
            raise Refused(_("The compressed picture in Pixel Data (7FE0,0010) is incomplete or damaged."))
    elif structure.elements[PIXEL_DATA].length not in (expected, expected + expected % 2):
        raise Refused(
            _("Pixel Data (7FE0,0010) has %(length)s bytes; rows, columns and frames make %(expected)s."),
            length=structure.elements[PIXEL_DATA].length,
            expected=expected,
        )


# The header


def _dataset(path: Path, keywords: list[str]) -> Dataset:
    """The named elements; large values stay on disk."""
    from pydicom import dcmread

    try:
        return dcmread(path, stop_before_pixels=True, specific_tags=keywords, defer_size=2**20)
    except MemoryError:
        raise
    except Exception as problem:
        raise Refused(_("The DICOM header could not be read: it is damaged.")) from problem


def _header(dataset: Dataset, structure: Structure, geometry: Geometry, uids: dict[str, str]) -> DicomHeader:
    spacing, spacing_from = pixel_spacing(dataset)
    study_date = next(
        filter(None, (_date(dataset, name) for name in ("StudyDate", "SeriesDate", "AcquisitionDate"))), None
    )
    body_part = said(dataset, "BodyPartExamined").upper()
    side = said(dataset, "ImageLaterality") or said(dataset, "Laterality")
    return DicomHeader(
        modality=said(dataset, "Modality").upper(),
        study_date=study_date,
        study_time=_time(said(dataset, "StudyTime")),
        body_part=body_part,
        region=_regions().get(body_part, ""),
        laterality=side if side in ("R", "L") else "",
        view=said(dataset, "ViewPosition") or _view_code(dataset),
        study_instance_uid=uids["Study Instance UID"],
        series_instance_uid=uids["Series Instance UID"],
        sop_instance_uid=uids["SOP Instance UID"],
        patient_name=said(dataset, "PatientName"),
        patient_id=said(dataset, "PatientID"),
        patient_birth_date=_date(dataset, "PatientBirthDate"),
        rows=geometry.rows,
        columns=geometry.columns,
        frames=geometry.frames,
        photometric=geometry.photometric,
        transfer_syntax=structure.transfer_syntax,
        pixel_spacing=spacing,
        pixel_spacing_from=spacing_from,
        device=" ".join(filter(None, (said(dataset, "Manufacturer"), said(dataset, "ManufacturerModelName")))),
        burned_in={"YES": True, "NO": False}.get(said(dataset, "BurnedInAnnotation").upper()),
        warnings=[] if study_date else [_("The header has no readable study date.")],
        calibration_type=calibration_type(dataset),
        regions=placed_regions(dataset, geometry.rows, geometry.columns),
        series_number=said(dataset, "SeriesNumber"),
        series_description=said(dataset, "SeriesDescription"),
        instance_number=said(dataset, "InstanceNumber"),
        recognizable={"YES": True, "NO": False}.get(said(dataset, "RecognizableVisualFeatures").upper()),
    )


def _date(dataset: Dataset, keyword: str) -> datetime.date | None:
    digits = said(dataset, keyword).replace(".", "")  # 1996.08.22 is the form before DICOM 3.0
    try:
        return datetime.date.fromisoformat(digits) if re.fullmatch(r"[0-9]{8}", digits) else None
    except ValueError:
        return None


def _time(text: str) -> datetime.time | None:
    found = re.fullmatch(r"([01]\d|2[0-3]):?([0-5]\d)?:?([0-5]\d)?(\.\d+)?", text)
    if not found:
        return None
    hour, minute, second = (int(part or 0) for part in found.groups()[:3])
    return datetime.time(hour, minute, second)


@functools.cache
def _regions() -> dict[str, str]:
    return dict(codelists.choices(_BODY_PARTS, "dicom", "site_code"))


def _view_code(dataset: Dataset) -> str:
    codes = value_of(dataset, "ViewCodeSequence")
    return said(codes[0], "CodeMeaning") if codes else ""
