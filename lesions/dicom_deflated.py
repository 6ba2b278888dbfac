"""DICOM files deflated as a whole (PS3.5 A.5), inflated within bounds before anything else reads them.

pydicom inflates such a file in one piece and without a limit: half a megabyte becomes half a gigabyte of memory.
"""

from __future__ import annotations

import mmap
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

from lesions.dicom_structure import EXPLICIT, deflated_from
from lesions.refusal import Refused
from lesions.refusal import gettext_noop as _

MAX_RATIO = 100  # as in an archive: pictures pack ten times, bombs a thousand
MAX_INFLATED_BYTES = 512 * 10**6
_SMALL = 2**20  # up to this size the ratio says nothing
_CHUNK = 2**20


def inflate(path: Path, target: Path) -> Path | None:
    """Write the file, readable as explicit little endian, to ``target``; None where it is not deflated.

    Raises :class:`Refused`: larger than 512 MB or a hundred times its size, cut short, or followed by something else.
    """
    with path.open("rb") as file:
        if path.stat().st_size < 132:
            return None
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            begin = deflated_from(data)
            if begin is None:
                return None
            with target.open("xb") as inflated:
                inflated.write(bytes(128) + b"DICM" + _meta())
                for piece in _pieces(data, begin):
                    inflated.write(piece)
    return target


def _meta() -> bytes:
    syntax = EXPLICIT.encode() + b"\0" * (len(EXPLICIT) % 2)
    element = struct.pack("<HH2sH", 0x0002, 0x0010, b"UI", len(syntax)) + syntax
    return struct.pack("<HH2sHI", 0x0002, 0x0000, b"UL", 4, len(element)) + element


def _pieces(data: mmap.mmap, begin: int) -> Iterator[bytes]:
    room = max(_SMALL, min(MAX_INFLATED_BYTES, MAX_RATIO * (len(data) - begin)))
    inflater, offset = zlib.decompressobj(-zlib.MAX_WBITS), begin
    packed = b""
    try:
        while not inflater.eof:
            packed = inflater.unconsumed_tail or data[offset : offset + _CHUNK]
            if not inflater.unconsumed_tail:
                offset += len(packed)
            piece = inflater.decompress(packed, _CHUNK)
            if not packed and not piece:
                raise Refused(_("The file is incomplete: its deflated part has no end."))
            room -= len(piece)
            if room < 0:
                raise Refused(_("The file could not be read: too large when unpacked."))
            yield piece
    except zlib.error as problem:
        raise Refused(_("The file is incomplete or damaged: its deflated part cannot be read.")) from problem
    rest = inflater.unused_data + data[offset : offset + 2]
    if len(rest) > 1 or rest.strip(b"\0"):  # one zero byte makes the length even
        raise Refused(_("The file is damaged: something follows its deflated part."))
