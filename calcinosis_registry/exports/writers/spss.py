"""SPSS .sav, one per table: numbers with value labels, dates, user-missing values; written a few thousand rows at once.

The layout is the documented system file (little-endian, uncompressed, UTF-8); the zip compresses.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from calcinosis_registry.exports.writers import readme
from calcinosis_registry.exports.writers.missing import Gap, NotApplicable
from calcinosis_registry.exports.writers.spool import Spool
from calcinosis_registry.exports.writers.statistics import write_each
from calcinosis_registry.exports.writers.variables import Rules, Variable, cut, numbers, texts, variables_of

if TYPE_CHECKING:
    from calcinosis_registry.cohorts.dataset import Dataset

RESERVED = frozenset({"ALL", "AND", "BY", "EQ", "GE", "GT", "LE", "LT", "NE", "NOT", "OR", "TO", "WITH"})
RULES = Rules(name=64, text=32_767, reserved=RESERVED)
NOT_APPLICABLE, UNKNOWN = -998, -999  # declared as missing; no item of the codebook can hold them
SECONDS_TO_1970 = 141_428 * 86_400  # SPSS counts from 14 October 1582
_SYSTEM_MISSING = -1.7976931348623157e308
_LOWEST = struct.unpack("<d", struct.pack("<Q", 0xFFEFFFFFFFFFFFFE))[0]
_TEXT, _NUMBER, _DATE = 1, 5, 39  # of a format: A, F and SDATE (yyyy/mm/dd)
_SEGMENT = 255  # bytes of a text in one segment; 252 of them are counted as its width
_LONGEST_LABEL, _LONGEST_VALUE_LABEL = 255, 120


def write(folder: Path, dataset: Dataset, about: dict[str, Any]) -> dict[str, int]:
    """One .sav per table, variables.csv, README.txt; {table: rows}."""
    counts = write_each(folder, dataset, "sav", write_table)
    readme.write(folder, about, "spss", SAID, EXAMPLE)
    return counts


SAID = (
    "An empty cell (system-missing) was not answered.",
    f"{NOT_APPLICABLE} is declared missing and means: not applicable, its condition was answered otherwise.",
    f"{UNKNOWN} is declared missing and means: answered “unknown”.",
    "Codes are numbers with value labels; variables.csv says the code of the register for each number.",
    "A set of codes is one 0/1 variable per code.",
    f"A text longer than {RULES.text} bytes goes on in a second variable; blanks at the end of a text are not kept.",
    "Names are at most 64 characters long; variable labels are cut at 255 bytes, value labels at 120.",
)
EXAMPLE = """GET FILE='visits.sav'.
FREQUENCIES VARIABLES=calcinosis_present.
* Tables are linked: patients by patient, visits by patient and visit_no.
MATCH FILES /FILE=* /TABLE='patients.sav' /BY patient."""


def write_table(path: Path, spool: Spool) -> list[Variable]:
    variables = variables_of(spool, RULES)
    with path.open("wb") as file:
        _header(file, spool, variables)
        layout = _layout(variables)
        for batch in spool.batches():
            absent = NotApplicable(spool.table.columns, batch)
            file.write(_rows(variables, batch, absent, layout))
    return variables


def _rows(variables: list[Variable], batch: Any, absent: NotApplicable, layout: Any) -> bytes:
    import numpy as np

    block = np.zeros(batch.num_rows, dtype=layout)
    for place, one in enumerate(variables):
        if one.is_text:
            cells = [_padded(cell, one.width) for cell in texts(one, batch, limit=RULES.text)]
            block[f"f{place}"] = np.array(cells, dtype=layout[f"f{place}"])
            continue
        values, gaps = numbers(one, batch, absent)
        if one.is_date:
            values = values * 86_400.0 + SECONDS_TO_1970
        for gap, said in (
            (Gap.NOT_ANSWERED, _SYSTEM_MISSING),
            (Gap.NOT_APPLICABLE, NOT_APPLICABLE),
            (Gap.UNKNOWN, UNKNOWN),
        ):
            values = np.where(gaps == gap, said, values)
        block[f"f{place}"] = values
    return block.tobytes()


def _layout(variables: list[Variable]) -> Any:
    import numpy as np

    return np.dtype([(f"f{n}", f"S{8 * _elements(one)}" if one.is_text else "<f8") for n, one in enumerate(variables)])


def _segments(width: int) -> list[int]:
    """The widths of the segments of a text: one up to 255 bytes, more beyond."""
    if width <= _SEGMENT:
        return [width]
    count = (width + 251) // 252
    return [_SEGMENT] * (count - 1) + [width - 252 * (count - 1)]


def _elements(one: Variable) -> int:
    """How many groups of eight bytes a variable takes in a row."""
    return sum(-(-width // 8) for width in _segments(one.width)) if one.is_text else 1


def _padded(text: bytes, width: int) -> bytes:
    """Blanks up to the end; every 255 bytes of a long text are followed by one byte that is not counted."""
    cells = []
    for size in _segments(width):
        room = -(-size // 8) * 8
        part, text = (text, b"") if len(_segments(width)) == 1 else (text[:_SEGMENT], text[_SEGMENT:])
        cells.append(part.ljust(room))
    return b"".join(cells)


def _header(file: BinaryIO, spool: Spool, variables: list[Variable]) -> None:
    label = cut(spool.table.label, 64).encode()
    product = b"@(#) SPSS DATA FILE calcinosis registry"
    size = sum(_elements(one) for one in variables)
    file.write(struct.pack("<4s60siiiiid", b"$FL2", product.ljust(60), 2, size, 0, 0, spool.rows, 100.0))
    file.write(struct.pack("<9s8s64s3x", b"01 Jan 00", b"00:00:00", label.ljust(64)))  # the same data, the same bytes
    for number, one in enumerate(variables):
        for record in _variable(one, number):
            file.write(record)
    place = 1
    for one in variables:
        file.write(_value_labels(one, place))
        place += _elements(one)
    for record in _extensions(spool, variables):
        file.write(record)
    file.write(struct.pack("<ii", 999, 0))


def _variable(one: Variable, number: int) -> Iterator[bytes]:
    """The records of a variable: one per segment, then one per further group of eight bytes."""
    label = cut(one.label, _LONGEST_LABEL).encode()
    told = struct.pack("<i", len(label)) + label + b"\0" * (-len(label) % 4) if label else b""
    if not one.is_text:
        gaps = _gaps(one)
        form = _format(_DATE, 10) if one.is_date else _format(_NUMBER, 8 + (one.digits and 1 + one.digits), one.digits)
        head = struct.pack("<iiiiii8s", 2, 0, bool(label), len(gaps), form, form, _short(number, 0))
        yield head + told + struct.pack(f"<{len(gaps)}d", *gaps)
        return
    for segment, width in enumerate(_segments(one.width)):
        form = _format(_TEXT, width)
        yield struct.pack("<iiiiii8s", 2, width, bool(label), 0, form, form, _short(number, segment)) + told
        for _more in range(-(-width // 8) - 1):
            yield struct.pack("<iiiiii8s", 2, -1, 0, 0, _format(_TEXT, 29, 1), _format(_TEXT, 29, 1), b" " * 8)


def _format(kind: int, width: int, digits: int = 0) -> int:
    return kind << 16 | width << 8 | digits


def _short(number: int, segment: int) -> bytes:
    """The name of the record, which nobody sees: ``V0000A00``; the real names stand in a record of their own."""
    return (f"V{number:04d}" + (f"S{segment:02X}" if segment else "")).encode().ljust(8)


def _gaps(one: Variable) -> list[float]:
    found = [NOT_APPLICABLE] if one.may_not_apply else []
    return [float(gap) for gap in (*found, *([UNKNOWN] if one.unknown else []))]


def _value_labels(one: Variable, place: int) -> bytes:
    labels = [(float(number), words) for number, words in one.labels]
    if one.may_not_apply and not one.is_text:
        labels.append((NOT_APPLICABLE, readme.not_applicable()))
    if one.unknown:
        labels.append((UNKNOWN, one.unknown))
    if not labels:
        return b""
    found = struct.pack("<ii", 3, len(labels))
    for number, words in labels:
        said = cut(words, _LONGEST_VALUE_LABEL).encode()
        found += struct.pack("<dB", number, len(said)) + said + b" " * (-(1 + len(said)) % 8)
    return found + struct.pack("<iii", 4, 1, place)


def _extensions(spool: Spool, variables: list[Variable]) -> Iterator[bytes]:
    yield _extension(3, 4, struct.pack("<8i", 20, 0, 0, -1, 1, 1, 2, 65001))
    yield _extension(4, 8, struct.pack("<3d", _SYSTEM_MISSING, -_SYSTEM_MISSING, _LOWEST))
    shown = []
    for one in variables:
        scale = 3 if not (one.is_text or one.labels) else 1
        for width in _segments(one.width) if one.is_text else [8]:
            shown += [scale, min(max(width, 8), 40), 0 if one.is_text else 1]
    yield _extension(11, 4, struct.pack(f"<{len(shown)}i", *shown))
    names = "\t".join(f"{_short(n, 0).decode().strip()}={one.name}" for n, one in enumerate(variables))
    yield _extension(13, 1, names.encode())
    long = [(n, one) for n, one in enumerate(variables) if one.width > _SEGMENT]
    if long:
        told = "".join(f"{_short(n, 0).decode().strip()}={one.width:05d}\0\t" for n, one in long)
        yield _extension(14, 1, told.encode())
    yield _extension(16, 8, struct.pack("<qq", 1, spool.rows))
    yield _extension(20, 1, b"UTF-8")


def _extension(kind: int, size: int, content: bytes) -> bytes:
    return struct.pack("<iiii", 7, kind, size, len(content) // size) + content
