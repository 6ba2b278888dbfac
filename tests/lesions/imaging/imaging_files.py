"""Files for the imaging tests: the real samples, and small DICOM files built byte by byte so that they can be wrong."""

from __future__ import annotations

import os
import struct
import zlib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
SHARED = Path(os.environ.get("REGISTRY_SHARED", ROOT.parent / "shared")) / "data" / "dicom"

EXPLICIT, IMPLICIT, DEFLATED, BIG_ENDIAN = (
    "1.2.840.10008.1.2.1",
    "1.2.840.10008.1.2",
    "1.2.840.10008.1.2.1.99",
    "1.2.840.10008.1.2.2",
)
LONG = {"OB", "OW", "SQ", "UN", "UT"}


def sample(name: str) -> Path:
    """A real file, or a skipped test where the samples are not at hand."""
    path = SHARED / name
    if not path.exists():
        pytest.skip(f"the real DICOM sample {name} is not here (REGISTRY_SHARED)")
    return path


def element(tag: int, vr: str, value: bytes, length: int | None = None) -> bytes:
    """One explicit little endian element; ``length`` to lie about it."""
    value += (b" " if vr in ("CS", "DA", "LO", "PN", "IS", "DS") else b"\0") * (len(value) % 2)
    size = len(value) if length is None else length
    head = struct.pack("<HH2s", tag >> 16, tag & 0xFFFF, vr.encode())
    return head + (struct.pack("<HI", 0, size) if vr in LONG else struct.pack("<H", size)) + value


def us(tag: int, value: int) -> bytes:
    return element(tag, "US", struct.pack("<H", value))


def plain(**changes: bytes) -> dict[str, bytes]:
    """The elements of a 4 × 6 greyscale picture, in tag order; ``changes`` replace one, b"" leaves it out."""
    elements = {
        "sop_class": element(0x00080016, "UI", b"1.2.840.10008.5.1.4.1.1.1"),
        "sop_instance": element(0x00080018, "UI", b"1.2.3.4.1"),
        "study_date": element(0x00080020, "DA", b"20240229"),
        "modality": element(0x00080060, "CS", b"DX"),
        "series_description": b"",
        "sequence": b"",
        "patient_name": element(0x00100010, "PN", b"Sample^Ada"),
        "body_part": element(0x00180015, "CS", b"HAND"),
        "study": element(0x0020000D, "UI", b"1.2.3.4.2"),
        "series": element(0x0020000E, "UI", b"1.2.3.4.3"),
        "series_number": b"",
        "instance_number": b"",
        "laterality": element(0x00200062, "CS", b"L"),
        "samples": us(0x00280002, 1),
        "photometric": element(0x00280004, "CS", b"MONOCHROME2"),
        "frames": b"",
        "rows": us(0x00280010, 4),
        "columns": us(0x00280011, 6),
        "spacing": element(0x00280030, "DS", b"0.2\\0.1"),
        "allocated": us(0x00280100, 8),
        "stored": us(0x00280101, 8),
        "high": us(0x00280102, 7),
        "representation": us(0x00280103, 0),
        "window": b"",
        "palette": b"",
        "groups": b"",
        "pixels": element(0x7FE00010, "OW", bytes(range(0, 240, 10))),
    }
    return elements | changes


def dicom_file(
    *, syntax: str = EXPLICIT, preamble: bytes = bytes(128), body: bytes | None = None, **changes: bytes
) -> bytes:
    meta = element(0x00020010, "UI", syntax.encode())
    meta = element(0x00020000, "UL", struct.pack("<I", len(meta))) + meta
    return preamble + b"DICM" + meta + (b"".join(plain(**changes).values()) if body is None else body)


def deflated(body: bytes | None = None, *, level: int = 9, **changes: bytes) -> bytes:
    """The same file deflated as a whole (PS3.5 A.5: no zlib header)."""
    packer = zlib.compressobj(level, zlib.DEFLATED, -zlib.MAX_WBITS)
    inside = b"".join(plain(**changes).values()) if body is None else body
    packed = packer.compress(inside) + packer.flush()
    return dicom_file(syntax=DEFLATED, body=packed + b"\0" * (len(packed) % 2))


def nested(levels: int) -> bytes:
    """A sequence in a sequence in a sequence …, all of undefined length."""
    opening = element(0x00081115, "SQ", b"", 0xFFFFFFFF) + struct.pack("<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF)
    closing = struct.pack("<HHI", 0xFFFE, 0xE00D, 0) + struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)
    return opening * levels + closing * levels
