"""Walk a DICOM file's bytes and refuse what no honest file contains, before any parser sees it.

pydicom accepts truncated files, shortens over-long elements and recurses without limit; this walk reads lengths only,
keeps no values and needs constant memory. Source: DICOM PS3.5 section 7 (data elements, sequences), Annex A.4
(encapsulation), PS3.10 section 7 (file format).
"""

from __future__ import annotations

import functools
import struct
from dataclasses import dataclass
from mmap import mmap

from lesions.refusal import Refused
from lesions.refusal import gettext_noop as _

MAX_ELEMENTS = 20_000
MAX_DEPTH = 16
MAX_FRAGMENTS = 100_000

PIXEL_DATA = 0x7FE00010
TRANSFER_SYNTAX = 0x00020010
_ITEM, _ITEM_END, _SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
_UNDEFINED = 0xFFFFFFFF
_LONG_VRS = frozenset({"OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV"})
_SHORT_VRS = frozenset(
    {"AE", "AS", "AT", "CS", "DA", "DS", "DT", "FD", "FL", "IS", "LO", "LT", "PN", "SH", "SL", "SS", "ST", "TM", "UI"}
    | {"UL", "US"}
)
_IMPLICIT, EXPLICIT = "1.2.840.10008.1.2", "1.2.840.10008.1.2.1"
DEFLATED, _BIG_ENDIAN = "1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.2"
# RLE; JPEG baseline, extended, lossless (two); JPEG-LS (two); JPEG 2000 (two)
_ENCAPSULATED = frozenset(
    ["1.2.840.10008.1.2.5", *(f"1.2.840.10008.1.2.4.{last}" for last in (50, 51, 57, 70, 80, 81, 90, 91))]
)


@dataclass(frozen=True)
class Element:
    """Where one element's value lies: ``start`` and ``length`` in bytes; ``vr`` is "" where it is implicit."""

    tag: int
    vr: str
    start: int
    length: int


@dataclass(frozen=True)
class Structure:
    """A complete file: its transfer syntax, top-level elements by tag, and the number of compressed fragments."""

    transfer_syntax: str
    elements: dict[int, Element]
    fragments: int

    @property
    def encapsulated(self) -> bool:
        return self.transfer_syntax in _ENCAPSULATED


def tag_text(tag: int) -> str:
    """A tag as people write it: 0x00280010 -> "(0028,0010)"."""
    return f"({tag >> 16:04X},{tag & 0xFFFF:04X})"


def check_structure(data: mmap | bytes) -> Structure:
    """Walk the whole file. Raises :class:`Refused` for anything cut short, over-long, too deep, repeated, unknown."""
    walk = _Walk(data)
    meta, body = _meta(walk)
    syntax = _accepted(_transfer_syntax(data, meta))
    elements: dict[int, Element] = {}
    walk.encapsulated = syntax in _ENCAPSULATED
    walk.dataset(body, len(data), implicit=syntax == _IMPLICIT, depth=0, found=elements)
    if PIXEL_DATA not in elements:
        raise Refused(_("The file holds no picture: Pixel Data (7FE0,0010) is missing."))
    return Structure(syntax, elements, walk.fragments)


def deflated_from(data: mmap | bytes) -> int | None:
    """Where the deflated data set begins; None for a file that is not deflated as a whole. Raises Refused."""
    meta, body = _meta(_Walk(data))
    return body if _transfer_syntax(data, meta) == DEFLATED else None


def _meta(walk: _Walk) -> tuple[dict[int, Element], int]:
    if walk.data[128:132] != b"DICM":
        raise Refused(_("This is not a DICOM file: the mark DICM at byte 128 is missing."))
    meta: dict[int, Element] = {}
    return meta, walk.file_meta(meta)


def _transfer_syntax(data: mmap | bytes, meta: dict[int, Element]) -> str:
    element = meta.get(TRANSFER_SYNTAX)
    if element is None:
        raise Refused(_("The file is incomplete: Transfer Syntax UID (0002,0010) is missing."))
    value = data[element.start : element.start + min(element.length, 64)]
    return value.rstrip(b"\0 ").decode("ascii", "replace")


def _accepted(syntax: str) -> str:
    if syntax == DEFLATED:  # inflated within bounds before it comes here (dicom_deflated)
        raise Refused(_("The file is deflated as a whole (transfer syntax (0002,0010)); export it uncompressed."))
    if syntax == _BIG_ENDIAN:
        raise Refused(_("The file is big endian (transfer syntax (0002,0010)); export it little endian."))
    if syntax not in _ENCAPSULATED and syntax not in (_IMPLICIT, EXPLICIT):
        raise Refused(_("The transfer syntax (0002,0010) %(syntax)s is not accepted."), syntax=syntax)
    return syntax


@functools.cache
def _sequence_tags() -> frozenset[int]:
    from pydicom._dicom_dict import DicomDictionary

    return frozenset(tag for tag, entry in DicomDictionary.items() if entry[0] == "SQ")


class _Walk:
    """The position-free state of one walk: how much was seen. Offsets are bytes from the start of the file."""

    def __init__(self, data: mmap | bytes) -> None:
        self.data = data
        self.seen = 0
        self.fragments = 0
        self.encapsulated = False

    def file_meta(self, found: dict[int, Element]) -> int:
        """Group 0002, always explicit little endian. Returns where the data set begins."""
        offset = 132
        while offset + 2 <= len(self.data) and self.data[offset : offset + 2] == b"\x02\x00":
            element = self._element(offset, len(self.data), implicit=False)
            found[element.tag] = element
            offset = element.start + element.length
        return offset

    def dataset(
        self,
        offset: int,
        end: int,
        *,
        implicit: bool,
        depth: int,
        found: dict[int, Element] | None = None,
        open_end: bool = False,
    ) -> int:
        """Walk elements up to ``end``, or, with ``open_end``, up to an item delimiter. Returns the next offset."""
        seen_here: dict[int, Element] = {} if found is None else found
        while offset < end:
            element = self._element(offset, end, implicit=implicit)
            if open_end and element.tag == _ITEM_END:
                return element.start
            if element.tag >> 16 == 0xFFFE or element.tag in seen_here:
                text = _("The file is damaged: element %(tag)s is repeated or misplaced.")
                raise Refused(text, tag=tag_text(element.tag))
            seen_here[element.tag] = element
            offset = self._value(element, end, implicit=implicit, depth=depth)
        if open_end:
            raise Refused(_("The file is incomplete: a sequence item is not closed."))
        return offset

    def _element(self, offset: int, end: int, *, implicit: bool) -> Element:
        self.seen += 1
        if self.seen > MAX_ELEMENTS:
            raise Refused(_("The header has more than %(limit)s elements."), limit=MAX_ELEMENTS)
        group, number, short = self._unpack("<HH4s", offset, end)
        tag, vr, start = group << 16 | number, "", offset + 8
        if implicit or group == 0xFFFE:
            (length,) = struct.unpack("<I", short)
        else:
            vr = short[:2].decode("latin-1")
            if vr in _LONG_VRS:
                (length,) = self._unpack("<I", start, end)
                start += 4
            elif vr in _SHORT_VRS:
                (length,) = struct.unpack("<H", short[2:])
            else:
                raise Refused(_("The file is damaged: element %(tag)s has no valid type (VR)."), tag=tag_text(tag))
        if length != _UNDEFINED and start + length > end:
            raise Refused(
                _("The file is incomplete: element %(tag)s should have %(length)s bytes, %(left)s are left."),
                tag=tag_text(tag),
                length=length,
                left=end - start,
            )
        return Element(tag, vr, start, length)

    def _value(self, element: Element, end: int, *, implicit: bool, depth: int) -> int:
        """Step over one value, walking into sequences. Returns the offset behind it."""
        undefined = element.length == _UNDEFINED
        if element.tag == PIXEL_DATA:
            # nested Pixel Data (an icon) may be native in a compressed file, never the other way round
            if undefined != self.encapsulated and (undefined or depth == 0):
                raise Refused(_("Pixel Data (7FE0,0010) does not agree with the transfer syntax (0002,0010)."))
            return self._fragments(element.start, end) if undefined else element.start + element.length
        is_sequence = element.vr == "SQ" or (implicit and element.tag in _sequence_tags())
        if undefined and not is_sequence and element.vr not in ("UN", ""):
            raise Refused(_("The file is damaged: element %(tag)s has no length."), tag=tag_text(element.tag))
        if not (undefined or is_sequence):
            return element.start + element.length
        # PS3.5 6.2.2 note 2: inside an UN of undefined length everything is implicit VR
        inner_end = end if undefined else element.start + element.length
        return self._sequence(element.start, inner_end, implicit or element.vr == "UN", depth + 1, undefined)

    def _sequence(self, offset: int, end: int, implicit: bool, depth: int, open_end: bool) -> int:
        if depth > MAX_DEPTH:
            raise Refused(_("The header is nested more than %(limit)s levels deep."), limit=MAX_DEPTH)
        while offset < end:
            item = self._element(offset, end, implicit=True)
            if open_end and item.tag == _SEQUENCE_END:
                return item.start
            if item.tag != _ITEM:
                raise Refused(_("The file is damaged: a sequence holds %(tag)s."), tag=tag_text(item.tag))
            undefined = item.length == _UNDEFINED
            item_end = end if undefined else item.start + item.length
            offset = self.dataset(item.start, item_end, implicit=implicit, depth=depth, open_end=undefined)
        if open_end:
            raise Refused(_("The file is incomplete: a sequence is not closed."))
        return offset

    def _fragments(self, offset: int, end: int) -> int:
        """The compressed picture: an offset table, then fragments, then a delimiter (PS3.5 A.4)."""
        count = -1  # the first item is the offset table
        while offset < end:
            group, number, length = self._unpack("<HHI", offset, end)
            tag = group << 16 | number
            if tag == _SEQUENCE_END:
                self.fragments = count
                return offset + 8
            count += 1
            if tag != _ITEM or offset + 8 + length > end or count > MAX_FRAGMENTS:
                raise Refused(_("The compressed picture in Pixel Data (7FE0,0010) is incomplete or damaged."))
            offset += 8 + length
        raise Refused(_("The compressed picture in Pixel Data (7FE0,0010) is incomplete or damaged."))

    def _unpack(self, layout: str, offset: int, end: int) -> tuple:
        if offset + struct.calcsize(layout) > end:
            raise Refused(_("The file is incomplete: it ends in the middle of an element."))
        return struct.unpack_from(layout, self.data, offset)
