"""The files of a study by series: what one machine made in one go has one SeriesInstanceUID. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from lesions.models import ImagingFile


@dataclass
class Series:
    """``number``, ``description``, ``modality`` as the headers say, "" where they say nothing. ``dicom``: is it one of
    DICOM files, and not what came beside them (photographs, reports)?"""

    number: str
    description: str
    modality: str
    dicom: bool
    files: list[ImagingFile] = field(default_factory=list)


def series_of(files: Iterable[ImagingFile]) -> list[Series]:
    """In the order of their numbers, the images of each in theirs; what is no DICOM comes last."""
    found: dict[str, Series] = {}
    for file in files:
        header = file.header
        uid = header.get("series_instance_uid", "")
        if uid not in found:
            number, description = header.get("series_number", ""), header.get("series_description", "")
            found[uid] = Series(number, description, header.get("modality", ""), bool(uid))
        found[uid].files.append(file)
    for one in found.values():
        one.files.sort(key=lambda file: (_whole(file.header.get("instance_number", "")), file.pk))
    return sorted(found.values(), key=lambda one: (not one.dicom, _whole(one.number), one.files[0].pk))


def _whole(text: str) -> int:
    """A number of the header; what has none comes after those that have."""
    return int(text) if text.isdecimal() and len(text) < 12 else 10**12
