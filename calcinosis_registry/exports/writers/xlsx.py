"""XLSX: sheets as XML made column by column in Arrow, not cell by cell in Python; text stays text, never a formula.

A table longer than a sheet goes on in the next one; a text longer than a cell goes on in the sheet long_texts.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from calcinosis_registry.exports.writers import codebook, readme, xlsx_parts
from calcinosis_registry.exports.writers.spool import batches

if TYPE_CHECKING:
    import pyarrow as pa

    from calcinosis_registry.cohorts.dataset import Dataset

MOST_ROWS = 1_048_575  # of a sheet, below its heading
MOST_COLUMNS = 16_384
LONGEST_TEXT = 32_767  # characters of a cell
_LONGEST_NAME = 31
_SPEED = 1  # of deflate: three times as fast as the default, a fifth larger


def write(folder: Path, dataset: Dataset, about: dict[str, Any]) -> dict[str, int]:
    """One book, the codebook as a sheet, README.txt; {table: rows}. Raises ValueError past 16,384 columns."""
    counts = {}
    with Book(folder / "tables.xlsx") as book:
        for table in dataset.tables.values():
            counts[table.name] = book.sheet(table.name, table.schema, batches(table))
        book.text_sheet("codebook", codebook.HEADER, codebook.rows(dataset))
    readme.write(folder, about, "Excel workbook", [*SAID, *book.said], EXAMPLE)
    return counts


SAID = (
    "One sheet per table; the sheet codebook says what the columns mean. Several codes in one cell are joined by “;”.",
    "Dates are real dates; a date before 1 March 1900 is text, for spreadsheets do not know it.",
    "No text runs as a formula. An empty cell was not answered, or not asked because its condition was not met.",
)
EXAMPLE = """Excel, LibreOffice: open tables.xlsx.
pandas: pandas.read_excel("tables.xlsx", sheet_name=None, keep_default_na=False)
R:      readxl::read_excel("tables.xlsx", sheet = "visits")"""


class Book:
    """An .xlsx being written; ``said``: what did not fit where it belongs, and where it is."""

    def __init__(self, path: Path) -> None:
        self._zip = zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=_SPEED, strict_timestamps=False)
        self._names: list[str] = []
        self._long: list[tuple[str, str, str, str, str]] = []
        self.said: list[str] = []

    def __enter__(self) -> Book:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_error: Any) -> None:
        if kind is None:
            if self._long:
                self.said.append(
                    "A text longer than 32,767 characters is cut in its cell and stands whole in the sheet long_texts, "
                    "in pieces."
                )
                self.text_sheet("long_texts", ("sheet", "row", "column", "piece", "text"), self._long)
            for name, content in xlsx_parts.around(self._names):
                self._entry(name, content)
        self._zip.close()

    def sheet(self, name: str, schema: pa.Schema, some: Iterable[pa.RecordBatch]) -> int:
        """Write a table, on as many sheets as it needs; the number of its rows."""
        if len(schema) > MOST_COLUMNS:
            raise ValueError(f"{name} has more columns than a sheet can hold: choose CSV or Parquet")
        total, turn = 0, 0
        for turn, sheet in enumerate(_sheets(some), start=1):
            total += self._sheet(name if turn == 1 else f"{name[:26]} ({turn})", schema, sheet)
        if turn > 1:
            self.said.append(f"{name} is longer than a sheet ({MOST_ROWS:,} rows) and goes on in {turn - 1} more.")
        return total

    def text_sheet(self, name: str, header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
        import pyarrow as pa

        schema = pa.schema([(one, pa.string()) for one in header])
        columns = [list(cells) for cells in zip(*rows, strict=True)] or [[] for _one in header]
        self._sheet(
            name, schema, [pa.RecordBatch.from_arrays([pa.array(c, pa.string()) for c in columns], schema=schema)]
        )

    def _sheet(self, name: str, schema: pa.Schema, some: Iterable[pa.RecordBatch]) -> int:
        self._names.append(name[:_LONGEST_NAME])
        inside = f"xl/worksheets/sheet{len(self._names)}.xml"
        count = 0
        with self._zip.open(xlsx_parts.entry(inside), "w", force_zip64=True) as sink:
            sink.write(xlsx_parts.sheet_head(schema.names))
            for batch in some:
                batch = self._cut(name, count, batch)
                sink.write(xlsx_parts.rows(batch))
                count += batch.num_rows
            sink.write(xlsx_parts.SHEET_END)
        return count

    def _entry(self, name: str, content: bytes) -> None:
        self._zip.writestr(xlsx_parts.entry(name), content)

    def _cut(self, sheet: str, before: int, batch: pa.RecordBatch) -> pa.RecordBatch:
        """The batch without texts too long for a cell; the whole of them is kept for the last sheet."""
        import pyarrow as pa
        import pyarrow.compute as pc

        for place, field in enumerate(batch.schema):
            cells = batch.column(place)
            if not pa.types.is_string(field.type) or sheet == "long_texts":
                continue
            if (pc.max(pc.binary_length(cells)).as_py() or 0) <= LONGEST_TEXT:
                continue  # in bytes, which are at least as many
            for row, text in enumerate(cells.to_pylist()):
                if text and len(text) > LONGEST_TEXT:
                    self._keep(sheet, before + row + 2, field.name, text)
            batch = batch.set_column(place, field, pc.utf8_slice_codeunits(cells, 0, LONGEST_TEXT))
        return batch

    def _keep(self, sheet: str, row: int, column: str, text: str) -> None:
        for piece, start in enumerate(range(0, len(text), LONGEST_TEXT), start=1):
            self._long.append((sheet, str(row), column, str(piece), text[start : start + LONGEST_TEXT]))


def _sheets(some: Iterable[pa.RecordBatch]) -> Iterator[Iterator[pa.RecordBatch]]:
    """The batches, cut where a sheet is full: one iterator per sheet, at least one."""
    waiting = iter(some)
    left: list[Any] = []

    def one_sheet() -> Iterator[Any]:
        room = MOST_ROWS
        while room:
            batch = left.pop() if left else next(waiting, None)
            if batch is None:
                return
            if batch.num_rows > room:
                left.append(batch.slice(room))
                batch = batch.slice(0, room)
            room -= batch.num_rows
            yield batch

    yield one_sheet()
    while True:
        following = left.pop() if left else next(waiting, None)
        if following is None:
            return
        left.append(following)
        yield one_sheet()
