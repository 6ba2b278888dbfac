"""One lesion on all its pictures, by date; and pieces of pictures cut out around what was drawn.

Pure reading of rows the caller was allowed to read.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from lesions import calibration
from lesions.models import ImagingFile, ImagingMeasure, ImagingStudy, MeasureKind

LEAST_MM = 30.0  # a piece shows at least so much around a lesion, so that small ones keep their surroundings
AROUND = 2.6  # times the longest side of what was drawn
LEAST_SHARE = 0.22  # of the picture's width, where there are no millimetres


@dataclass(frozen=True)
class Piece:
    """Part of a picture: ``box`` is left, top, width, height in its pixels; ``side_mm`` the width where it is known."""

    file: ImagingFile
    box: tuple[float, float, float, float]
    side_mm: float | None
    drawn: tuple[ImagingMeasure, ...]

    @property
    def view_box(self) -> str:
        return " ".join(f"{one:.2f}" for one in self.box)

    @property
    def stroke(self) -> float:
        """A line of about 1.5 pixels where the piece is shown 240 wide."""
        return self.box[2] * 1.5 / 240

    @property
    def ring(self) -> float:
        """The radius of a mark."""
        return self.box[2] * 9 / 240


@dataclass
class Sight:
    """A study the lesion is marked on or linked to, with its pieces, oldest first."""

    study: ImagingStudy
    measures: list[ImagingMeasure] = field(default_factory=list)
    pieces: list[Piece] = field(default_factory=list)


def sights(
    studies: Iterable[ImagingStudy], files: Iterable[ImagingFile], measures: Iterable[ImagingMeasure]
) -> list[Sight]:
    """By date; studies without one first. ``files``: with a preview; ``measures``: of the lesion, with their file."""
    found = {study.pk: Sight(study) for study in studies}
    pictures: dict[int, list[ImagingFile]] = {}
    for file in files:
        pictures.setdefault(file.study_id, []).append(file)
    for one in measures:
        if one.study_id in found:
            found[one.study_id].measures.append(one)
    sides = [side for sight in found.values() for one in sight.measures if (side := _needed_mm(one))]
    common = max([LEAST_MM, *sides])
    for sight in found.values():
        sight.pieces = _pieces(sight.measures, pictures.get(sight.study.pk, []), common)
    return sorted(found.values(), key=lambda one: (str(one.study.study_date or ""), one.study.pk))


def _pieces(measures: Sequence[ImagingMeasure], files: Sequence[ImagingFile], common_mm: float) -> list[Piece]:
    """One for each frame something was drawn on; the first picture whole where nothing was."""
    by_frame: dict[tuple[int, int], list[ImagingMeasure]] = {}
    for one in measures:
        if one.is_drawn and one.file is not None and one.file.has_preview:
            by_frame.setdefault((one.file_id, one.frame), []).append(one)  # type: ignore[arg-type]
    # The preview is of the first frame: what was drawn on another one is listed, but has no piece of that picture.
    cut = [_cut(drawn, common_mm) for (_file, frame), drawn in by_frame.items() if frame == 0]
    if cut or not files:
        return cut
    first = files[0]
    return [Piece(first, (0, 0, first.width or 1, first.height or 1), None, ())]


def _cut(drawn: Sequence[ImagingMeasure], common_mm: float) -> Piece:
    file = drawn[0].file
    xs = [float(x) for one in drawn for x, _y in one.points]
    ys = [float(y) for one in drawn for _x, y in one.points]
    extent = max(max(xs) - min(xs), max(ys) - min(ys))
    each = mm_per_pixel(drawn)
    width, height = file.width or 1, file.height or 1  # type: ignore[union-attr]
    wanted = common_mm / each if each else max(extent * AROUND, LEAST_SHARE * width)
    side = min(max(wanted, extent * 1.2, 8.0), float(max(width, height)))
    left, top = ((min(found) + max(found)) / 2 - side / 2 for found in (xs, ys))
    return Piece(file, (left, top, side, side), each and side * each, tuple(drawn))  # type: ignore[arg-type]


def mm_per_pixel(drawn: Sequence[ImagingMeasure]) -> float | None:
    """Along the rows, by what the first calibrated of these rests on; None without any."""
    for one in drawn:
        if one.scale is not None and one.scale.value:
            ends = [(float(x), float(y)) for x, y in one.scale.points]
            return calibration.of_known_length(ends, float(one.scale.value)).column_mm
        found = calibration.of_header(one.file.header)  # type: ignore[union-attr]
        if by := calibration.fitting(found, [(float(x), float(y)) for x, y in one.points]):
            return by.column_mm
    return None


def _needed_mm(one: ImagingMeasure) -> float:
    """The side of a piece that shows this measurement with what is around it."""
    if not one.is_drawn or one.measured == MeasureKind.AREA or one.value is None:
        return 0.0
    return float(one.value) * AROUND
