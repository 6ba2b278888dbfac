"""Photographs that are bombs, films, other formats, two files at once, or say more than they show."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
from PIL import Image, PngImagePlugin

from tests.lesions.imaging.hostile.case import TAKEN, Case

HARMED = "could not be decoded: it is incomplete or damaged"
SECRET = b"SECRET-OF-ADA"
SCRIPT = b"<script>alert(document.cookie)</script>"


def picture(kind: str, size: tuple[int, int] = (60, 40), mode: str = "RGB", **options: Any) -> bytes:
    out = io.BytesIO()
    Image.linear_gradient("L").resize(size).convert(mode).save(out, kind, **options)
    return out.getvalue()


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(
    width: int, height: int, *between: bytes, depth: int = 8, colour: int = 0, pixels: bytes | None = None
) -> bytes:
    """A PNG chunk by chunk; ``pixels`` packed, None for black."""
    row = 1 + (width * depth * {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[colour] + 7) // 8
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
    packed = zlib.compress(bytes(row * height), 9) if pixels is None else pixels
    return b"\x89PNG\r\n\x1a\n" + head + b"".join(between) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


def black(side: int) -> bytes:
    """``side`` × ``side`` in one bit each, packed without ever being whole in memory."""
    packer, row = zlib.compressobj(9), bytes(1 + (side + 7) // 8)
    packed = b"".join(packer.compress(row) for _ in range(side)) + packer.flush()
    return png(side, side, depth=1, pixels=packed)


def apng(frames: int) -> bytes:
    still = png(4, 4)
    body, end = still[:-12], still[-12:]
    place = body.index(b"IDAT") - 4
    control = chunk(b"acTL", struct.pack(">II", frames, 0))
    more = [
        chunk(b"fcTL", struct.pack(">IIIIIHHBB", 2 * n, 4, 4, 0, 0, 1, 10, 0, 0))
        + chunk(b"fdAT", struct.pack(">I", 2 * n + 1) + zlib.compress(bytes(20)))
        for n in range(frames)
    ]
    return body[:place] + control + body[place:] + b"".join(more) + end


def located(**more: Any) -> bytes:
    exif = Image.Exif()
    exif[0x010F] = SECRET.decode()
    exif.get_ifd(0x8825).update({1: "N", 2: (47.0, 22.0, 33.0), 3: "E", 4: (8.0, 32.0, 1.0)})
    return picture("JPEG", exif=exif.tobytes(), comment=SECRET, **more)


def segment(mark: int, data: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, mark, len(data) + 2) + data


def with_segments(*segments: bytes, size: tuple[int, int] = (60, 40)) -> bytes:
    plain = picture("JPEG", size)
    return plain[:2] + b"".join(segments) + plain[2:]


def looping_exif() -> bytes:
    """64 kB of EXIF whose every directory's next is itself, entries pointing back at their own directory."""
    entry = struct.pack("<HHII", 0x8769, 4, 1, 8)
    directory = struct.pack("<H", 1) + entry + struct.pack("<I", 8)
    return with_segments(segment(0xE1, b"Exif\0\0II*\0\x08\0\0\0" + directory + bytes(60_000)))


def foreign_thumbnail() -> bytes:
    small = picture("JPEG", (16, 16), "L", comment=SECRET)
    first = struct.pack("<HI", 0, 14)
    second = (
        struct.pack("<H", 2) + struct.pack("<HHII", 0x0201, 4, 1, 44) + struct.pack("<HHII", 0x0202, 4, 1, len(small))
    )
    tiff = b"II*\0\x08\0\0\0" + first + second + struct.pack("<I", 0)
    return with_segments(segment(0xE1, b"Exif\0\0" + tiff.ljust(44, b"\0") + small))


def profile(size: int) -> bytes:
    data = struct.pack(">I", size) + bytes(size - 4)
    parts = [data[at : at + 65_000] for at in range(0, size, 65_000)]
    return with_segments(
        *[segment(0xE2, b"ICC_PROFILE\0" + bytes([n, len(parts)]) + one) for n, one in enumerate(parts, start=1)]
    )


def many_scans(scans: int) -> bytes:
    """A progressive JPEG whose last scan comes again and again: each costs a pass over the whole picture."""
    out = io.BytesIO()
    Image.new("L", (6000, 6000), 90).save(out, "JPEG", progressive=True)
    plain = out.getvalue()
    last = plain.rindex(b"\xff\xda")
    return plain[:-2] + plain[last:-2] * scans + b"\xff\xd9"


def declared(width: int, height: int) -> bytes:
    content = bytearray(picture("JPEG"))
    at = content.index(b"\xff\xc0")
    content[at + 5 : at + 9] = struct.pack(">HH", height, width)
    return bytes(content)


def zipped(name: str, content: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(name, content)
    return out.getvalue()


def noted(content: bytes) -> bytes:
    text = PngImagePlugin.PngInfo()
    text.add_text("Author", SECRET.decode())
    text.add_itxt("XML:com.adobe.xmp", f"<x:xmpmeta>{SECRET.decode()}</x:xmpmeta>")
    return picture("PNG", pnginfo=text) + content


def sixteen_bit() -> bytes:
    out = io.BytesIO()
    Image.fromarray((np.arange(2400, dtype=np.uint16) * 27).reshape(40, 60)).save(out, "PNG")
    return out.getvalue()


def jpeg(said: str, title: str, make: Callable[[], bytes], **more: Any) -> Case:
    return Case(title, "photo.jpg", make, said, **more)


def png_case(said: str, title: str, make: Callable[[], bytes], **more: Any) -> Case:
    return Case(title, "photo.png", make, said, **more)


PICTURE_CASES = [
    # bombs
    jpeg("is empty", "an empty photograph", lambda: b""),
    png_case("88|limit", "88 million pixels in a quarter of a megabyte", lambda: black(9400)),
    png_case("limit", "2,500 million pixels", lambda: png(50_000, 50_000, depth=1, pixels=zlib.compress(bytes(10**6)))),
    jpeg("limit", "a JPEG that declares 65,500 × 65,500", lambda: declared(65_500, 65_500)),
    jpeg("more than 100 passes", "a progressive JPEG of 3,000 scans", lambda: many_scans(3000)),
    png_case(HARMED, "a picture without width", lambda: png(0, 10, pixels=zlib.compress(b"\0"))),
    png_case(TAKEN, "1 × 65,535 pixels", lambda: png(1, 65_535)),
    png_case(TAKEN, "65,535 × 1 pixels", lambda: png(65_535, 1)),
    png_case(HARMED, "fewer pixels than declared", lambda: png(900, 900, pixels=zlib.compress(bytes(500)))),
    png_case(TAKEN, "far more pixels than declared", lambda: png(20, 20, pixels=zlib.compress(bytes(2**26)))),
    png_case(
        f"{HARMED}|{TAKEN}",
        "a note that unpacks to a gigabyte",
        lambda: png(4, 4, chunk(b"zTXt", b"n\0\0" + zlib.compress(bytes(2**26)))),
    ),
    png_case(
        f"{HARMED}|too large when unpacked",
        "a hundred notes of a megabyte",
        lambda: png(4, 4, *[chunk(b"zTXt", b"n%d\0\0" % n + zlib.compress(bytes(2**20 - 9))) for n in range(100)]),
    ),
    png_case(
        f"{HARMED}|{TAKEN}",
        "a colour profile that unpacks to 64 MB",
        lambda: png(4, 4, chunk(b"iCCP", b"p\0\0" + zlib.compress(bytes(2**26))), colour=2),
    ),
    png_case("animated", "a film of 10,000 frames", lambda: apng(10_000)),
    png_case(
        "animated",
        "a film of 2 frames",
        lambda: picture("PNG", save_all=True, append_images=[Image.new("RGB", (60, 40))]),
    ),
    jpeg(TAKEN, "EXIF that points at itself", looping_exif),
    jpeg(TAKEN, "a colour profile of 4 MB", lambda: profile(4 * 10**6)),
    jpeg(
        HARMED, "65 thousand markers and no picture", lambda: b"\xff\xd8" + b"\xff\xfe\x00\x02" * 65_000 + b"\xff\xd9"
    ),
    # damaged
    jpeg(HARMED, "half a JPEG", lambda: picture("JPEG", (600, 400))[:3000]),
    png_case(HARMED, "half a PNG", lambda: picture("PNG")[:-40]),
    png_case(HARMED, "a PNG whose checksum is wrong", lambda: png(4, 4)[:41] + b"\xff" + png(4, 4)[42:]),
    jpeg(HARMED, "a JPEG of noise", lambda: b"\xff\xd8\xff\xe0" + bytes(range(256)) * 20),
    jpeg(
        f"{HARMED}|{TAKEN}",
        "a JPEG with tables of zeros",
        lambda: picture("JPEG").replace(b"\xff\xdb\0\x43\0", b"\xff\xdb\0\x43\x0f"),
    ),
    # says more than it shows
    jpeg(TAKEN, "GPS, maker and comment", located, gone=(SECRET, b"Exif")),
    jpeg(TAKEN, "the thumbnail of another picture", foreign_thumbnail, gone=(SECRET, b"Exif")),
    png_case(TAKEN, "author and XMP", lambda: noted(b""), gone=(SECRET, b"xmpmeta")),
    jpeg(TAKEN, "CMYK", lambda: picture("JPEG", mode="CMYK")),
    png_case(TAKEN, "16 bit", sixteen_bit),
    jpeg(TAKEN, "progressive", lambda: picture("JPEG", progressive=True)),
    # two files at once
    png_case(TAKEN, "a PNG with a script behind it", lambda: noted(SCRIPT), gone=(b"script", SECRET)),
    jpeg(
        TAKEN,
        "a JPEG with a zip behind it",
        lambda: picture("JPEG") + zipped("run.class", SCRIPT),
        gone=(b"PK\x03\x04", b"script"),
    ),
    jpeg(
        TAKEN,
        "a JPEG with a page in its comment",
        lambda: with_segments(segment(0xFE, b"<html>" + SCRIPT)),
        gone=(b"script",),
    ),
    Case(
        "a GIF that is a jar",
        "photo.gif",
        lambda: b"GIF89a" + bytes(40) + zipped("A.class", b"x"),
        "GIF is not accepted",
    ),
    # other kinds of file
    jpeg("GIF", "a GIF named JPEG", lambda: picture("GIF", mode="P")),
    jpeg("HEIC", "HEIC", lambda: bytes(4) + b"ftypheic" + bytes(200)),
    png_case("WebP", "WebP", lambda: b"RIFF\0\0\0\0WEBPVP8 " + bytes(200)),
    png_case("TIFF", "TIFF", lambda: picture("TIFF")),
    png_case("BMP", "BMP", lambda: picture("BMP")),
    png_case(
        "SVG",
        "SVG",
        lambda: b"<?xml version='1.0'?><svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>".ljust(200),
    ),
    png_case("EPS", "EPS", lambda: b"%!PS-Adobe-3.0 EPSF-3.0\n(/etc/passwd) (r) file" + bytes(100)),
    jpeg("not accepted", "a page", lambda: b"<!DOCTYPE html><html>" + SCRIPT + bytes(100)),
    jpeg("not accepted", "a Windows program", lambda: b"MZ\x90\x00" + bytes(300)),
    png_case(r"ends in \.png, but the content is JPEG", "a JPEG named PNG", lambda: picture("JPEG")),
    Case("a photograph named as a program", "photo.jpg.exe", lambda: picture("JPEG"), r"ends in \.exe"),
]
