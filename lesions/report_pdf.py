"""PDF reports: kept as they are, so refused when they can act: scripts, launches, embedded files.
Drawn only in the limited process (report_pages.py), and only the drawing reaches a browser.

Names are looked for in the plain file and in everything that inflates (object streams, ISO 32000-1 7.5.7), with their
#xx escapes (7.3.5). What cannot be looked into is refused: an encrypted file, and an object stream whose filter is not
the one that all common producers use.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from pathlib import Path

from lesions.refusal import Refused
from lesions.refusal import gettext_noop as _

MAX_INFLATED_BYTES = 256 * 2**20
_CHUNK = 2**20
_DICTIONARY = 4096  # bytes in front of a stream: longer than the dictionary of any object stream
_OVERLAP = 64  # bytes: the longest name with every letter escaped fits


def _any_of(*names: str) -> re.Pattern[bytes]:
    """A pattern of PDF names, each letter plain or as its #xx escape."""
    spelled = ("".join(f"(?:{letter}|#(?i:{ord(letter):02x}))" for letter in name) for name in names)
    return re.compile(f"/({'|'.join(spelled)})(?![A-Za-z0-9])".encode())


_LONG_NAMES = ("JavaScript", "Launch", "EmbeddedFile", "EmbeddedFiles", "RichMedia", "OpenAction")
_ACTIVE_ANYWHERE = _any_of(*_LONG_NAMES)
_ACTIVE_OUTSIDE = _any_of("JS", *_LONG_NAMES)  # a name so short occurs by chance in compressed bytes
_ENCRYPTED = _any_of("Encrypt")
# An object stream has /First (7.5.7); alone or listed, Flate without parameters is what we can read (7.4).
_HOLDS_OBJECTS, _FILTER = _any_of("First"), _any_of("Filter")
_ALTERED = _any_of("DecodeParms", "DP", "FDecodeParms", "FFilter", "Crypt")
_PLAIN_FLATE = re.compile(rb"\s*(?:/FlateDecode|/Fl|\[\s*/(?:FlateDecode|Fl)\s*\])(?![A-Za-z0-9#])")
_STREAM = re.compile(rb"stream\r?\n.*?endstream", re.DOTALL)
_STREAM_START = re.compile(rb"(?<!end)stream\r?\n")


def check(path: Path) -> None:
    """Raises :class:`Refused` unless the file is a complete PDF without anything that acts."""
    data = path.read_bytes()
    if not data.startswith(b"%PDF-"):
        raise Refused(_("This is not a PDF: the mark %(mark)s at its beginning is missing."), mark="%PDF-")
    if b"%%EOF" not in data[-2048:] or b"startxref" not in data:
        raise Refused(_("The PDF is incomplete: its end is missing."))
    outside = _STREAM.sub(b" ", data)
    if _ENCRYPTED.search(outside):
        raise Refused(_("The PDF is encrypted; please upload it without a password."))
    _refuse(_ACTIVE_OUTSIDE, outside)
    _refuse(_ACTIVE_ANYWHERE, data)
    _check_object_streams(data)
    for content in _inflated(data):
        _refuse(_ACTIVE_ANYWHERE, content)


def _refuse(names: re.Pattern[bytes], data: bytes) -> None:
    if found := names.search(data):
        name = "/" + found[1].decode("ascii")
        raise Refused(_("The PDF holds active content (%(name)s); please print it to a plain PDF."), name=name)


def _check_object_streams(data: bytes) -> None:
    """Objects may hide in a stream that another filter, or a predictor, keeps from being searched."""
    for start in _STREAM_START.finditer(data):
        about = data[max(0, start.start() - _DICTIONARY) : start.start()]
        about = about[about.rfind(b"obj") + 3 :]
        if not _HOLDS_OBJECTS.search(about):
            continue
        named = _FILTER.search(about)
        if _ALTERED.search(about) or (named and not _PLAIN_FLATE.match(about, named.end())):
            raise Refused(_("The PDF holds objects that cannot be looked into; please print it to a plain PDF."))


def _inflated(data: bytes) -> Iterator[bytes]:
    """Every stream that begins like zlib data, in overlapping pieces, whatever its dictionary claims."""
    room = MAX_INFLATED_BYTES
    for start in _STREAM_START.finditer(data):
        head = data[start.end() : start.end() + 2]
        if len(head) < 2 or head[0] & 0x0F != 8 or int.from_bytes(head) % 31:
            continue
        inflater, tail, packed = zlib.decompressobj(), b"", data[start.end() :]
        while packed and not inflater.eof:
            try:
                piece = inflater.decompress(packed, _CHUNK)
            except zlib.error:
                break  # not zlib data after all, or damaged from here on
            packed = inflater.unconsumed_tail
            room -= len(piece)
            if room < 0:
                raise Refused(_("The PDF could not be read: too large when unpacked."))
            yield tail + piece
            tail = piece[-_OVERLAP:]
