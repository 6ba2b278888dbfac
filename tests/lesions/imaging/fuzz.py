"""Seeded mutations of small files through the readers of the parsing process: ``python -m … kind first count folder``.

One process reads many files, so that a hundred thousand take minutes. It writes the number of the file it is at beside
its results: where a decoder in C takes the process down, that number says which file it was.
"""

from __future__ import annotations

import io
import json
import random
import resource
import struct
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

BATCH = 500


def dicom_bases() -> list[bytes]:
    from tests.lesions.imaging.hostile import dicom_cases as made
    from tests.lesions.imaging.imaging_files import IMPLICIT, deflated, dicom_file, element, nested, us

    window = element(0x00281050, "DS", b"100") + element(0x00281051, "DS", b"50")
    return [
        dicom_file(window=window, sequence=nested(3)),
        dicom_file(syntax=IMPLICIT, body=made.implicit()),
        made.palette(256, 0, 16, bytes(range(256)) * 2),
        made.compressed(made.RLE, made.rle((1, 64), b"\x17" + bytes(range(24)))),
        made.compressed(made.JPEG, coded("JPEG")),
        made.compressed(made.JPEG_2000, coded("JPEG2000", no_jp2=True)),
        deflated(),
        dicom_file(
            photometric=element(0x00280004, "CS", b"RGB"),
            samples=us(0x00280002, 3) + us(0x00280006, 0),
            pixels=element(0x7FE00010, "OW", bytes(72)),
        ),
    ]


def coded(kind: str, mode: str = "L", **options: object) -> bytes:
    from PIL import Image

    out = io.BytesIO()
    Image.linear_gradient("L").resize((6, 4)).convert(mode).save(out, kind, **options)
    return out.getvalue() + b"\0" * (len(out.getvalue()) % 2)


def jpeg_bases() -> list[bytes]:
    from tests.lesions.imaging.hostile import picture_cases as made

    plain = [made.picture("JPEG"), made.picture("JPEG", progressive=True), made.picture("JPEG", mode="CMYK")]
    return [*plain, made.located(), made.profile(2000), made.foreign_thumbnail()]


def png_bases() -> list[bytes]:
    from tests.lesions.imaging.hostile import picture_cases as made

    plain = [made.picture("PNG", mode=mode) for mode in ("1", "L", "P", "RGB", "RGBA")]
    return [*plain, made.sixteen_bit(), made.noted(b""), made.apng(2)]


def pdf_bases() -> list[bytes]:
    from tests.lesions.imaging.hostile import document_cases as made

    return [made.pdf(objects=made.stream(made.packed(b"4 0 << /Type /Page >>"))), made.many_pages(3), made.pdf()]


BASES: dict[str, Callable[[], list[bytes]]] = {
    "dicom": dicom_bases, "jpeg": jpeg_bases, "png": png_bases, "pdf": pdf_bases,
}  # fmt: skip
TELLING = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF)


def mutated(base: bytes, choose: random.Random) -> bytes:
    """One to eight changes: bits, bytes, telling numbers, pieces left out, repeated or cut off."""
    data = bytearray(base)
    for _change in range(choose.choice((1, 1, 2, 3, 8))):
        at, length = choose.randrange(len(data)), choose.randrange(1, 17)
        kind = choose.randrange(7)
        if kind == 0:
            data[at] ^= 1 << choose.randrange(8)
        elif kind == 1:
            data[at] = choose.randrange(256)
        elif kind in (2, 3):
            number = struct.pack(choose.choice("<>") + "I", choose.choice(TELLING))
            size = choose.choice((2, 4))
            data[at : at + size] = number[-size:] if choose.random() < 0.5 else number[:size]
        elif kind == 4:
            del data[at : at + length]
        elif kind == 5:
            data[at:at] = data[at : at + length] * choose.choice((1, 2, 50))
        else:
            del data[max(1, at) :]
        if not data:
            return base[:1]
    return bytes(data)


def of_seed(kind: str, seed: int, bases: list[bytes] | None = None) -> bytes:
    """The file of that number, the same on every run."""
    choose = random.Random(seed)
    return mutated(choose.choice(bases or BASES[kind]()), choose)


def main(kind: str, first: int, count: int, folder: Path) -> None:
    from lesions import ingest_worker, worker_limits

    bases, results, source = BASES[kind](), Counter[str](), folder / "source"
    out = folder / "out"
    out.mkdir(exist_ok=True)
    limit = worker_limits.MEMORY_BYTES[kind]
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    for number in range(first, first + count):
        source.write_bytes(of_seed(kind, number, bases))
        (folder / "at").write_text(str(number))
        answer = ingest_worker._answer({"task": "ingest", "kind": kind, "source": str(source), "folder": str(out)})
        json.dumps(answer)
        if "refused" in answer:
            text, values = answer["refused"]
            assert text % values if values else text
        results["refused" if "refused" in answer else "read"] += 1
        for left in out.iterdir():
            left.unlink()
    (folder / "results").write_text(json.dumps(results))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4]))
