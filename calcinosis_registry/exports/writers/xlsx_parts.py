"""The XML inside an .xlsx. Rows are made by string expressions over whole columns: no Python per cell."""

from __future__ import annotations

import datetime
import re
import zipfile
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    import pyarrow as pa

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
SHEET_END = b"</sheetData></worksheet>"
_BOLD, _DAY = 1, 2  # of the styles below
_FIRST_DAY = datetime.date(1900, 3, 1)  # spreadsheets believe in a 29 February 1900
_DAYS_TO_1970 = 25_569
_EMPTY = "<c/>"  # cells have no address: each stands where it stands


def entry(name: str) -> zipfile.ZipInfo:
    """A part dated 1980: the same data make the same bytes."""
    inside = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
    inside.compress_type = zipfile.ZIP_DEFLATED
    return inside


def sheet_head(names: Sequence[str]) -> bytes:
    """Heading in bold, first row and column frozen."""
    cells = "".join(f'<c s="{_BOLD}" t="inlineStr"><is><t>{escape(name)}</t></is></c>' for name in names)
    return (
        f'{_XML}<worksheet xmlns="{_MAIN}"><sheetViews><sheetView workbookViewId="0">'
        '<pane xSplit="1" ySplit="1" topLeftCell="B2" activePane="bottomRight" state="frozen"/>'
        "</sheetView></sheetViews>"
        f'<sheetFormatPr defaultRowHeight="15"/><cols><col min="1" max="{max(len(names), 1)}" width="16" '
        f'customWidth="1"/></cols><sheetData><row>{cells}</row>'
    ).encode()


def rows(batch: pa.RecordBatch) -> bytes:
    """``<row>…</row>`` of every row."""
    import pyarrow.compute as pc

    if not batch.num_rows:
        return b""
    cells = [_cells(column) for column in batch.columns]
    joined = pc.binary_join_element_wise("<row>", *cells, "</row>", "")
    return _bytes(joined)


def _cells(column: Any) -> Any:
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_string(column.type):
        found = _each(column, _texts)
    elif pa.types.is_date(column.type):
        found = _each(column, _days)
    else:
        found = pc.binary_join_element_wise("<c><v>", column.cast("string"), "</v></c>", "")
    return pc.fill_null(found, _EMPTY)


def _each(column: Any, make: Any) -> Any:
    """The cells of the different values, put where they stand: most columns repeat a few."""
    import pyarrow.compute as pc

    encoded = column.dictionary_encode()
    return pc.take(make(encoded.dictionary), encoded.indices)


def _texts(values: Any) -> Any:
    import pyarrow.compute as pc

    found = values
    held = _bytes(values)
    for mark, written in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
        if mark.encode() in held:
            found = pc.replace_substring(found, mark, written)
    if _AWKWARD.search(held):
        found = _without_awkward(found)
    plain = pc.binary_join_element_wise('<c t="inlineStr"><is><t>', found, "</t></is></c>", "")
    if not _BLANK.search(held):
        return plain
    kept = pc.binary_join_element_wise('<c t="inlineStr"><is><t xml:space="preserve">', found, "</t></is></c>", "")
    return pc.if_else(pc.match_substring_regex(values, r"^\s|\s$|[\n\t]|  "), kept, plain)


_BLANK = re.compile(rb"[ \t\n]")  # at an end it would be lost
# What XML cannot hold is written as spreadsheets write it, and what looks like that is kept from being read so.
_AWKWARD = re.compile(rb"[\x00-\x08\x0b-\x1f]|\xef\xbf[\xbe\xbf]|_x[0-9A-Fa-f]{4}_")
_LOOKS_LIKE_IT = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")
_CONTROLS = {number: f"_x{number:04X}_" for number in (*range(32), 0xFFFE, 0xFFFF) if number not in (9, 10)}


def _without_awkward(values: Any) -> Any:
    import pyarrow as pa

    said = (
        None if one is None else _LOOKS_LIKE_IT.sub("_x005F_", one).translate(_CONTROLS) for one in values.to_pylist()
    )
    return pa.array(said, pa.string())


def _bytes(values: Any) -> bytes:
    """The text of a string array, end to end."""
    offsets, data = values.buffers()[1:]
    if data is None:
        return b""
    first, last = (int.from_bytes(memoryview(offsets)[at : at + 4], "little") for at in _ends(values))
    return bytes(memoryview(data)[first:last])


def _ends(values: Any) -> tuple[int, int]:
    return 4 * values.offset, 4 * (values.offset + len(values))


def _days(values: Any) -> Any:
    import pyarrow as pa
    import pyarrow.compute as pc

    serial = pc.add(values.cast("int32"), _DAYS_TO_1970).cast("string")
    known = pc.binary_join_element_wise(f'<c s="{_DAY}"><v>', serial, "</v></c>", "")
    plain = pc.strftime(values, format="%Y-%m-%d") if pa.types.is_timestamp(values.type) else values.cast("string")
    early = pc.binary_join_element_wise('<c t="inlineStr"><is><t>', plain, "</t></is></c>", "")
    return pc.if_else(pc.less(values, pa.scalar(_FIRST_DAY)), early, known)


def around(names: Sequence[str]) -> Iterator[tuple[str, bytes]]:
    """Everything but the sheets: (name, content)."""
    sheets = range(1, len(names) + 1)
    listed = "".join(
        f'<sheet name="{escape(name)}" sheetId="{n}" r:id="rId{n}"/>' for n, name in zip(sheets, names, strict=True)
    )
    yield (
        "xl/workbook.xml",
        _part(
            f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><bookViews><workbookView/></bookViews>'
            f"<sheets>{listed}</sheets></workbook>"
        ),
    )
    last = len(names) + 1
    yield (
        "xl/_rels/workbook.xml.rels",
        _relations(*((f"worksheets/sheet{n}.xml", "worksheet") for n in sheets), ("styles.xml", "styles")),
    )
    yield "_rels/.rels", _relations(("xl/workbook.xml", "officeDocument"))
    yield "xl/styles.xml", _part(_STYLES)
    parts = [(f"/xl/worksheets/sheet{n}.xml", "worksheet") for n in range(1, last)]
    parts += [("/xl/workbook.xml", "sheet.main"), ("/xl/styles.xml", "styles")]
    told = "".join(f'<Override PartName="{name}" ContentType="{_TYPE}.{kind}+xml"/>' for name, kind in parts)
    yield (
        "[Content_Types].xml",
        _part(
            f'<Types xmlns="{_PACKAGE}/content-types">'
            '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
            f"{told}</Types>"
        ),
    )


def _relations(*targets: tuple[str, str]) -> bytes:
    told = "".join(
        f'<Relationship Id="rId{n}" Type="{_OFFICE}/{kind}" Target="{target}"/>'
        for n, (target, kind) in enumerate(targets, start=1)
    )
    return _part(f'<Relationships xmlns="{_PACKAGE}/relationships">{told}</Relationships>')


def _part(content: str) -> bytes:
    return (_XML + content).encode()


_STYLES = (
    f'<styleSheet xmlns="{_MAIN}"><numFmts count="1"><numFmt numFmtId="164" formatCode="yyyy\\-mm\\-dd"/></numFmts>'
    '<fonts count="2"><font><sz val="11"/><name val="Calibri"/></font>'
    '<font><b/><sz val="11"/><name val="Calibri"/></font></fonts>'
    '<fills count="2"><fill><patternFill patternType="none"/></fill>'
    '<fill><patternFill patternType="gray125"/></fill></fills>'
    '<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>'
    '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>'
    '<cellXfs count="3"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>'
    '<xf numFmtId="0" fontId="1" fillId="0" borderId="0" xfId="0" applyFont="1"/>'
    '<xf numFmtId="164" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/></cellXfs>'
    '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>'
)
