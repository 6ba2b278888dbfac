"""PDF files that act or hide, archives of every bad kind, and names meant for another place."""

from __future__ import annotations

import io
import struct
import warnings
import zipfile
import zlib
from collections.abc import Callable
from typing import Any

from tests.lesions.imaging.hostile.case import TAKEN, Case
from tests.lesions.imaging.hostile.picture_cases import picture
from tests.lesions.imaging.imaging_files import dicom_file

SCRIPT = b"<< /S /JavaScript /JS (app.alert\\(1\\)) >>"


def pdf(inside: bytes = b"", objects: bytes = b"", end: bytes = b"") -> bytes:
    head = b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R " + inside + b" >>\nendobj\n"
    pages = b"2 0 obj\n<< /Type /Pages /Kids [] /Count 0 >>\nendobj\n"
    return head + pages + objects + b"trailer << /Root 1 0 R " + end + b">>\nstartxref\n9\n%%EOF\n"


def stream(content: bytes, says: bytes = b"/Type /ObjStm /N 1 /First 4 /Filter /FlateDecode") -> bytes:
    return b"3 0 obj\n<< " + says + b" >>\nstream\n" + content + b"\nendstream\nendobj\n"


def packed(content: bytes) -> bytes:
    return zlib.compress(content, 9)


def hidden(content: bytes, filters: bytes, more: bytes = b"") -> bytes:
    return pdf(objects=stream(content, b"/Type /ObjStm /N 1 /First 4 /Filter " + filters + b" " + more))


def predicted(content: bytes, columns: int = 3) -> bytes:
    """PNG-predicted rows of three bytes: a filter byte in front of each tears every name apart."""
    rows = [content[at : at + columns] for at in range(0, len(content), columns)]
    return packed(b"".join(b"\0" + row for row in rows))


def many_pages(count: int) -> bytes:
    kids = b"".join(b"%d 0 obj\n<< /Type /Page /Parent 2 0 R >>\nendobj\n" % (n + 10) for n in range(count))
    return pdf(objects=kids)


def zipped(*files: tuple[str | zipfile.ZipInfo, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with warnings.catch_warnings(action="ignore"), zipfile.ZipFile(out, "w", method) as archive:
        for name, content in files:
            archive.writestr(name, content, compress_type=method)
    return out.getvalue()


def link(name: str, to: bytes) -> bytes:
    entry = zipfile.ZipInfo(name)
    entry.external_attr = 0o120777 << 16
    return zipped((entry, to))


def patched(content: bytes, mark: bytes, place: int, value: bytes) -> bytes:
    changed = bytearray(content)
    at = content.index(mark) + place
    changed[at : at + len(value)] = value
    return bytes(changed)


def overlapping(count: int = 26) -> bytes:
    """Many directory entries that all point at one packed megabyte."""
    content = zipped(("0.dcm", bytes(range(256)) * 4096))
    start = content.index(b"PK\x01\x02")
    one, end = content[start : content.index(b"PK\x05\x06")], content[content.index(b"PK\x05\x06") :]
    directory = b"".join(one.replace(b"0.dcm", b"%c.dcm" % (n + 65)) for n in range(count))
    sizes = struct.pack("<HHII", count, count, len(directory), start)
    return content[:start] + directory + end[:8] + sizes + end[20:]


def forty_two(levels: int = 4) -> bytes:
    inner = zipped(("0.dcm", bytes(2**24)))
    for _level in range(levels):
        inner = zipped(*[(f"{n}.zip", inner) for n in range(4)])
    return inner


def report(said: str, title: str, make: Callable[[], bytes]) -> Case:
    return Case(title, "report.pdf", make, said)


def archive(said: str, title: str, make: Callable[[], bytes], **more: Any) -> Case:
    return Case(title, "study.zip", make, said, **more)


PDF_CASES = [
    report(r"/JavaScript|/OpenAction", "a script when it opens", lambda: pdf(b"/OpenAction " + SCRIPT)),
    report("/JS", "a script on a key", lambda: pdf(b"/AA << /K << /JS 5 0 R >> >>")),
    report("/Launch", "starts a program", lambda: pdf(b"/A << /S /Launch /F (cmd.exe) >>")),
    report("/EmbeddedFile", "a file inside", lambda: pdf(b"/Names << /EmbeddedFiles 3 0 R >>")),
    report("/RichMedia", "a film inside", lambda: pdf(b"/X << /Subtype /RichMedia >>")),
    report("active content", "a script spelled with escapes", lambda: pdf(b"/X << /S /J#61va#53cript >>")),
    report("/JavaScript", "a script in an object stream", lambda: pdf(objects=stream(packed(b"4 0 " + SCRIPT)))),
    report(
        "/JavaScript",
        "a script behind a megabyte of nothing",
        lambda: pdf(objects=stream(packed(bytes(2**20 - 6) + SCRIPT))),
    ),
    report(
        "cannot be looked into",
        "an object stream packed twice",
        lambda: hidden(packed(packed(b"4 0 " + SCRIPT)), b"[/FlateDecode /FlateDecode]"),
    ),
    report(
        "cannot be looked into",
        "an object stream in hexadecimal",
        lambda: hidden((b"4 0 " + SCRIPT).hex().encode() + b">", b"/ASCIIHexDecode"),
    ),
    report(
        "cannot be looked into",
        "an object stream whose filter is said elsewhere",
        lambda: hidden((b"4 0 " + SCRIPT).hex().encode() + b">", b"9 0 R"),
    ),
    report(
        "cannot be looked into",
        "an object stream under a predictor",
        lambda: hidden(predicted(b"4 0 " + SCRIPT), b"/FlateDecode", b"/DecodeParms << /Predictor 12 /Columns 3 >>"),
    ),
    report(
        "too large when unpacked", "an object stream bomb", lambda: pdf(objects=stream(packed(bytes(2**28 + 2**20))))
    ),
    report("encrypted", "encrypted", lambda: pdf(end=b"/Encrypt 9 0 R ")),
    report(
        "/JavaScript",
        "a script hidden by a later revision",
        lambda: pdf(b"/X " + SCRIPT) + b"1 0 obj\n<< >>\nendobj\ntrailer << /Prev 9 >>\nstartxref\n9\n%%EOF\n",
    ),
    report("not accepted", "something before its beginning", lambda: b"MZ" + pdf()),
    report("incomplete", "no end", lambda: pdf()[:-20]),
    report("incomplete", "only the mark", lambda: b"%PDF-1.7"),
    report(TAKEN, "10,000 pages, none of them rendered here", lambda: many_pages(10_000)),
    report(TAKEN, "a cross-reference table that points at itself, never followed here", lambda: pdf(end=b"/Prev 9 ")),
    report(TAKEN, "a plain report", lambda: pdf(objects=stream(packed(b"4 0 << /Type /Page >>")))),
    Case("a PDF named as DICOM", "report.dcm", pdf, r"ends in \.dcm, but the content is PDF"),
]

ZIP_CASES = [
    *[
        archive(
            "place outside itself",
            f"leads outside: {name}",
            lambda name=name: zipped(("good.dcm", dicom_file()), (name, b"x")),
        )
        for name in (
            "../evil.dcm",
            "a/../../evil.dcm",
            "/etc/evil.dcm",
            "..\\evil.dcm",
            "C:\\evil.dcm",
            "\\\\host\\evil.dcm",
        )
    ],
    archive("holds a link", "a link", lambda: link("scan.dcm", b"/etc/passwd")),
    archive("too large when unpacked", "a bomb", lambda: zipped(("bomb.dcm", bytes(2**26)))),
    archive("inside an archive", "archives in archives in archives", forty_two),
    archive("more than 2000 files", "10,000 files", lambda: zipped(*[(f"{n}.dcm", b"") for n in range(10_000)])),
    archive("same name twice", "a name twice", lambda: zipped(("a.dcm", b"1"), ("a.dcm", b"2"))),
    archive("damaged|twice", "entries over each other", overlapping),
    archive("encrypted", "encrypted", lambda: patched(zipped(("a.dcm", b"1")), b"PK\x01\x02", 8, b"\x01")),
    archive(
        "incomplete or damaged",
        "a size that lies",
        lambda: patched(zipped(("a.dcm", bytes(range(256)) * 40)), b"PK\x01\x02", 24, struct.pack("<I", 100)),
    ),
    archive(
        "unpacked|damaged",
        "a size of 4 GB",
        lambda: patched(zipped(("a.dcm", bytes(range(256)))), b"PK\x01\x02", 24, struct.pack("<I", 2**32 - 2)),
    ),
    archive(
        "incomplete or damaged",
        "a checksum that is wrong",
        lambda: patched(zipped(("a.dcm", bytes(300))), b"PK\x01\x02", 16, b"abcd"),
    ),
    archive(
        "incomplete or damaged",
        "a packing nobody knows",
        lambda: patched(zipped(("a.dcm", bytes(300))), b"PK\x01\x02", 10, b"\x63"),
    ),
    archive("incomplete or damaged", "cut short", lambda: zipped(("a.dcm", dicom_file()))[:-30]),
    archive("incomplete or damaged", "only the mark", lambda: b"PK\x03\x04" + bytes(200)),
    archive("not accepted", "nothing inside", zipped),
    archive("no files", "only a list of contents", lambda: zipped(("DICOMDIR", b"x"))),
    archive("not accepted|is empty", "a program inside", lambda: zipped(("setup.exe", b"MZ" + bytes(200)))),
    archive(
        "holds no picture|incomplete|not accepted",
        "a hostile file inside",
        lambda: zipped(("scan.dcm", dicom_file(pixels=b""))),
    ),
    Case(
        "an archive named as DICOM",
        "study.dcm",
        lambda: zipped(("a.dcm", dicom_file())),
        r"ends in \.dcm, but the content is ZIP",
    ),
    *[
        Case(
            f"{what} in disguise",
            name,
            lambda inner=inner: zipped((inner, b"<x/>")),
            r"ends in \." + name.rpartition(".")[2],
        )
        for what, name, inner in (
            ("a Word document", "report.docx", "word/document.xml"),
            ("a jar", "viewer.jar", "META-INF/MANIFEST.MF"),
            ("an app", "values.xlsx", "AndroidManifest.xml"),
        )
    ],
]

# Names of a harmless photograph: it is taken, under a name of its own.
NAMES = [
    "../../../etc/passwd.png",
    "..\\..\\windows\\win.png",
    "/etc/cron.d/x.png",
    "a\0b.png",
    "\u202egnp.exe.png",
    "x" * 300 + ".png",
    "CON.png",
    "CON",
    "nul.png",
    "no ending",
    " .png",
    "…",
    "<script>alert(1)<\u2215script>.png",
    "a\r\nSet-Cookie: b=1.png",
    "'; DROP TABLE lesions_imagingfile; --.png",
    "=cmd|'calc'!A1.png",
    "%2e%2e%2fpasswd.png",
    "👩🏽\u200d⚕️.png",
    "é́.png",
]
NAME_CASES = [Case(f"the name {name[:40]!r}", name, lambda: picture("PNG"), TAKEN) for name in NAMES]
