"""DICOM files no honest device writes, and odd ones that some do (trust-cases 3.2, hostile corpus)."""

from __future__ import annotations

import struct
from collections.abc import Callable

from tests.lesions.imaging.hostile.case import TAKEN, Case
from tests.lesions.imaging.imaging_files import BIG_ENDIAN, IMPLICIT, deflated, dicom_file, element, nested, plain, us

RLE, JPEG, JPEG_LS, JPEG_2000 = (
    "1.2.840.10008.1.2.5",
    "1.2.840.10008.1.2.4.50",
    "1.2.840.10008.1.2.4.80",
    "1.2.840.10008.1.2.4.90",
)
MPEG_4 = "1.2.840.10008.1.2.4.102"
UNDECODABLE = r"\(7FE0,0010\) could not be decoded"


def fragments(*parts: bytes) -> bytes:
    """Encapsulated Pixel Data: an empty offset table, the fragments, the delimiter."""
    items = b"".join(struct.pack("<HHI", 0xFFFE, 0xE000, len(one)) + one for one in (b"", *parts))
    return element(0x7FE00010, "OB", b"", 0xFFFFFFFF) + items + struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)


def rle(header: tuple[int, ...], data: bytes) -> bytes:
    return struct.pack("<16I", *(header + (0,) * (16 - len(header)))) + data


def implicit(**changes: bytes) -> bytes:
    """The same elements without their types."""
    body, elements = b"", b"".join(plain(**changes).values())
    while elements:
        long = elements[4:6] in (b"OB", b"OW", b"SQ", b"UN", b"UT")
        (length,) = struct.unpack_from("<I" if long else "<H", elements, 8 if long else 6)
        start = 12 if long else 8
        body += elements[:4] + struct.pack("<I", length) + elements[start : start + length]
        elements = elements[start + length :]
    return body


def without_pixels(sop_class: bytes, *more: bytes) -> bytes:
    return dicom_file(sop_class=element(0x00080016, "UI", sop_class), groups=b"".join(more), pixels=b"")


def encapsulated_pdf() -> bytes:
    pdf = b"%PDF-1.7 << /OpenAction << /S /JavaScript /JS (app.alert(1)) >> >>"
    return without_pixels(b"1.2.840.10008.5.1.4.1.1.104.1", element(0x00420011, "OB", pdf))


def dicomdir() -> bytes:
    item = element(0x00041500, "CS", b"..\\..\\..\\ETC\\PASSWD")
    sequence = element(0x00041220, "SQ", struct.pack("<HHI", 0xFFFE, 0xE000, len(item)) + item)
    return without_pixels(b"1.2.840.10008.1.3.10", sequence)


def palette(entries: int, first: int, bits: int, data: bytes, pixels: bytes = bytes([255] * 24)) -> bytes:
    described = struct.pack("<HHH", entries, first, bits)
    tables = b"".join(element(0x00281101 + n, "US", described) for n in range(3))
    tables += b"".join(element(0x00281201 + n, "OW", data) for n in range(3))
    return dicom_file(
        photometric=element(0x00280004, "CS", b"PALETTE COLOR"),
        palette=tables,
        pixels=element(0x7FE00010, "OW", pixels),
    )


def compressed(syntax: str, *parts: bytes, **changes: bytes) -> bytes:
    return dicom_file(syntax=syntax, pixels=fragments(*parts), **changes)


def jpeg_that_lies() -> bytes:
    """A baseline JPEG of 4 × 6 whose frame header declares 65,500 × 65,500."""
    import io

    from PIL import Image

    out = io.BytesIO()
    Image.new("L", (6, 4), 90).save(out, "JPEG")
    content = bytearray(out.getvalue())
    at = content.index(b"\xff\xc0")
    content[at + 5 : at + 9] = struct.pack(">HH", 65_500, 65_500)
    return compressed(JPEG, bytes(content) + b"\0" * (len(content) % 2))


def j2k_that_lies() -> bytes:
    import io

    from PIL import Image

    out = io.BytesIO()
    Image.new("L", (6, 4), 90).save(out, "JPEG2000", no_jp2=True)
    content = bytearray(out.getvalue())
    at = content.index(b"\xff\x4f\xff\x51")
    for place in (8, 12, 24, 28):
        content[at + place : at + place + 4] = struct.pack(">I", 60_000)
    return compressed(JPEG_2000, bytes(content) + b"\0" * (len(content) % 2))


def named(charset: bytes, name: bytes) -> bytes:
    return dicom_file(
        sop_class=element(0x00080005, "CS", charset) + plain()["sop_class"],
        patient_name=element(0x00100010, "PN", name),
    )


def changed(said: str, title: str, **changes: bytes) -> Case:
    return Case(title, "scan.dcm", lambda: dicom_file(**changes), said)


def made(said: str, title: str, make: Callable[[], bytes], **more: object) -> Case:
    return Case(title, "scan.dcm", make, said, **more)  # type: ignore[arg-type]


DS, IS, CS, UI, PIXELS = 0x00281053, 0x00280008, 0x00080060, 0x00080018, 0x7FE00010

DICOM_CASES = [
    # the file format
    made("is empty", "an empty file", lambda: b""),
    made("not accepted", "text named as DICOM", lambda: b"This is only a letter. " * 50),
    made("not accepted", "no preamble", lambda: dicom_file()[128:]),
    made("not accepted", "DICM is missing", lambda: dicom_file().replace(b"DICM", b"DICK")),
    made(r"\(0002,0010\) is missing", "no group 2", lambda: bytes(128) + b"DICM" + b"".join(plain().values())),
    made(r"\(0002,0010\) is missing", "only the mark", lambda: bytes(128) + b"DICM"),
    made(r"\(0002,0010\) 1.2.3 is not", "a private transfer syntax", lambda: dicom_file(syntax="1.2.3")),
    made("not accepted", "a film", lambda: dicom_file(syntax=MPEG_4)),
    made("big endian", "big endian", lambda: dicom_file(syntax=BIG_ENDIAN)),
    made("no valid type", "implicit, labelled explicit", lambda: dicom_file(body=implicit())),
    made(
        "incomplete|damaged",
        "explicit, labelled implicit",
        lambda: dicom_file(syntax=IMPLICIT, body=b"".join(plain().values())),
    ),
    made(TAKEN, "implicit, and says so", lambda: dicom_file(syntax=IMPLICIT, body=implicit())),
    # lengths and structure
    *[
        made("incomplete|missing|not accepted", f"cut at {end} bytes", lambda end=end: dicom_file()[:end])
        for end in (131, 132, 133, 200, 300, 400, 450)
    ],
    made("incomplete", "cut in the last byte", lambda: dicom_file()[:-1]),
    made("damaged|incomplete", "more behind its end", lambda: dicom_file() + b"PK\x03\x04" + bytes(20)),
    changed("should have", "an element of 4 GB", pixels=element(PIXELS, "OW", bytes(24), 0xFFFFFFF0)),
    changed("does not agree", "native pixels of no length", pixels=element(PIXELS, "OW", bytes(24), 0xFFFFFFFF)),
    changed("no length", "text of no length", palette=element(0x00281199, "UT", b"x", 0xFFFFFFFF)),
    changed("incomplete", "a sequence that never ends", sequence=element(0x00081115, "SQ", b"", 0xFFFFFFFF)),
    changed("nested", "3,000 sequences in each other", sequence=nested(3000)),
    changed("20000 elements", "20,001 elements", sequence=b"".join(us(0x00090000 + n, n) for n in range(1, 20_002))),
    changed("repeated", "a tag twice", modality=element(CS, "CS", b"DX") + element(CS, "CS", b"US")),
    changed(TAKEN, "tags out of order", study_date=element(0x00100010, "PN", b"A^B"), patient_name=b""),
    changed(TAKEN, "an odd length", body_part=struct.pack("<HH2sH", 0x18, 0x15, b"CS", 3) + b"ARM"),
    changed("valid type", "a type that does not exist", modality=b"\x08\x00\x60\x00??\x02\x00DX"),
    changed("misplaced|damaged", "a delimiter on its own", sequence=struct.pack("<HHI", 0xFFFE, 0xE00D, 0)),
    changed(TAKEN, "100 MB under a private tag", groups=element(0x00291010, "OB", bytes(100 * 10**6))),
    # identifiers
    changed(r"\(0008,0018\)", "a UID of 65 characters", sop_instance=element(UI, "UI", b"1." + b"2" * 63)),
    changed(r"\(0008,0018\)", "a UID of letters", sop_instance=element(UI, "UI", b"1.2.abc")),
    changed(r"\(0008,0018\)", "a UID that is a path", sop_instance=element(UI, "UI", b"../../etc/passwd")),
    changed(r"\(0008,0018\)", "no SOP Instance UID", sop_instance=b""),
    changed(r"\(0020,000D\)", "no Study Instance UID", study=b""),
    # no picture
    made("holds no picture", "a DICOMDIR that leads outside", dicomdir),
    made("holds no picture", "an encapsulated PDF with a script", encapsulated_pdf),
    made("holds no picture", "a structured report", lambda: without_pixels(b"1.2.840.10008.5.1.4.1.1.88.11")),
    changed("holds no picture", "floating point pixels", pixels=element(0x7FE00008, "OW", b"\0\0\xc0\x7f" * 24)),
    # size by arithmetic
    changed(
        "MB unpacked",
        "65,535 × 65,535 × 1,000 of 128 bytes",
        rows=us(0x00280010, 65535),
        columns=us(0x00280011, 65535),
        frames=element(IS, "IS", b"1000"),
        pixels=element(PIXELS, "OW", bytes(128)),
    ),
    changed("MB unpacked", "a thousand million frames", frames=element(IS, "IS", b"1000000000")),
    changed(r"\(0028,0008\)", "1e9 frames", frames=element(IS, "IS", b"1e9")),
    changed(r"\(0028,0008\)", "no frames", frames=element(IS, "IS", b"0")),
    changed(r"\(0028,0008\)", "fewer than no frames", frames=element(IS, "IS", b"-2")),
    changed(r"has 24 bytes", "a second frame that is not there", frames=element(IS, "IS", b"2")),
    changed(r"Rows.*UL", "Rows as UL", rows=element(0x00280010, "UL", struct.pack("<I", 4))),
    changed(r"Rows.*DS", "Rows as text", rows=element(0x00280010, "DS", b"4")),
    changed(r"Rows.*SS", "Rows below zero", rows=element(0x00280010, "SS", struct.pack("<h", -4))),
    changed(r"Rows.*4 bytes", "two Rows", rows=element(0x00280010, "US", struct.pack("<HH", 4, 4))),
    changed(r"Rows.*value 0", "no Rows", rows=us(0x00280010, 0)),
    changed(r"Columns.*missing", "Columns missing", columns=b""),
    changed(r"\(0028,0100\)", "7 bits", allocated=us(0x00280100, 7)),
    changed(r"\(0028,0101\)", "more bits stored than there are", stored=us(0x00280101, 16)),
    changed(r"\(0028,0002\)", "three samples of grey", samples=us(0x00280002, 3)),
    changed(r"\(0028,0004\)", "an unknown colour space", photometric=element(0x00280004, "CS", b"HSV")),
    # values
    changed("decoded|" + TAKEN, "a sign that is neither", representation=us(0x00280103, 7)),
    changed(TAKEN, "a high bit above all bits", high=us(0x00280102, 200)),
    changed(TAKEN, "a slope that is no number", window=element(0x00281052, "DS", b"0") + element(DS, "DS", b"NaN")),
    changed(TAKEN, "a slope without end", window=element(0x00281052, "DS", b"-1e308") + element(DS, "DS", b"1e308")),
    changed(
        TAKEN, "a window of no width", window=element(0x00281050, "DS", b"Infinity") + element(0x00281051, "DS", b"0")
    ),
    changed(TAKEN, "a spacing that is no number", spacing=element(0x00280030, "DS", b"NaN\\-1")),
    changed(TAKEN, "a 31 February", study_date=element(0x00080020, "DA", b"20240231")),
    made(TAKEN, "a character set that does not exist", lambda: named(b"KLINGON", b"\xff\xfe^\x80")),
    made(TAKEN, "ISO 2022 that is not", lambda: named(b"\\ISO 2022 IR 87", b"Yamada^\x1b$B\xff\xff\xff")),
    made(TAKEN, "GB18030 that is not", lambda: named(b"GB18030", b"\x81^\xff\xff")),
    made(TAKEN, "NUL and escapes in a name", lambda: named(b"ISO_IR 192", b"A\0\x1b[31m<script>^B\xe2\x80\xae")),
    # compressed pictures that lie
    made("incomplete or damaged", "no fragment", lambda: compressed(JPEG)),
    made(
        "incomplete or damaged",
        "fewer fragments than frames",
        lambda: compressed(JPEG, b"\xff\xd8", frames=element(IS, "IS", b"9")),
    ),
    made(UNDECODABLE, "a JPEG of nothing", lambda: compressed(JPEG, b"\xff\xd8\xff\xd9")),
    made("could not be", "a JPEG that declares 65,500 × 65,500", jpeg_that_lies, ends_by_limit=True),
    made("could not be", "a JPEG 2000 that declares 60,000 × 60,000", j2k_that_lies, ends_by_limit=True),
    made(UNDECODABLE, "a JPEG-LS of noise", lambda: compressed(JPEG_LS, b"\xff\xd8\xff\xf7" + bytes(range(200)))),
    made(
        "could not be",
        "a JPEG 2000 of noise",
        lambda: compressed(JPEG_2000, b"\xff\x4f\xff\x51" + bytes(range(200))),
        ends_by_limit=True,
    ),
    made(UNDECODABLE, "RLE of 4 thousand million segments", lambda: compressed(RLE, rle((2**32 - 1, 64), bytes(40)))),
    made(UNDECODABLE, "RLE that points behind its end", lambda: compressed(RLE, rle((1, 2**31), bytes(40)))),
    made(UNDECODABLE, "RLE that runs short", lambda: compressed(RLE, rle((1, 64), b"\x00\x05"))),
    made("decoded|" + TAKEN, "a palette shorter than its pixels", lambda: palette(4, 0, 16, bytes(8))),
    made("could not be decoded", "a palette that is not there", lambda: palette(65535, 0, 16, b"")),
    made("decoded|" + TAKEN, "a palette that begins behind its pixels", lambda: palette(2, 65000, 8, bytes(4))),
    # deflated
    made("too large when unpacked", "deflated: half a megabyte of half a gigabyte", lambda: deflated(bytes(2**29))),
    made("no end", "deflated and cut short", lambda: deflated()[:-30]),
    made("something follows", "deflated, with a tail", lambda: deflated() + b"MZ\x90\0"),
    made("has 24 bytes", "deflated lies", lambda: deflated(frames=element(IS, "IS", b"2"))),
    made(TAKEN, "deflated", deflated),
    # other kinds of file in front
    *[
        Case(
            f"a preamble of {what}",
            "scan.dcm",
            lambda head=head: dicom_file(preamble=head.ljust(128, b" ")),
            TAKEN,
            (head,),
        )
        for what, head in (
            ("a Windows program", b"MZ\x90\x00\x03PROGRAM"),
            ("a Linux program", b"\x7fELF\x02\x01\x01PROGRAM"),
            ("a page", b"<html><script>alert(1)</script>"),
            ("a shell script", b"#!/bin/sh\nrm -rf /\n"),
            ("a PDF", b"%PDF-1.7\n/OpenAction"),
            ("a TIFF", b"II*\0\x08\0\0\0TIFF"),
        )
    ],
    Case("DICOM named as a photograph", "scan.jpg", dicom_file, r"ends in \.jpg, but the content is DICOM"),
    Case("DICOM named as a program", "scan.dcm.pdf", dicom_file, r"ends in \.pdf, but the content is DICOM"),
]
