"""A table read once and kept on disk as Arrow batches, for writers that go over it twice or must know it beforehand.

However big the cohort, a few thousand rows are in memory at once.
"""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from calcinosis_registry.cohorts.columns import Kind

if TYPE_CHECKING:
    import pyarrow as pa

    from calcinosis_registry.cohorts.dataset import Table


def batches(table: Table) -> Iterator[pa.RecordBatch]:
    """The rows of a table as typed batches; none where it is empty."""
    for batch in table.batches():
        if batch.num_rows:
            yield batch


@dataclass
class Spool:
    """``widths``: longest text of a column in UTF-8 bytes; ``limits``: smallest and largest whole number;
    ``strangers``: codes met that the code list does not know (any more)."""

    table: Table
    path: Path
    rows: int = 0
    widths: dict[str, int] = field(default_factory=dict)
    limits: dict[str, tuple[int, int]] = field(default_factory=dict)
    strangers: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def batches(self) -> Iterator[pa.RecordBatch]:
        import pyarrow as pa
        from pyarrow import ipc

        with pa.memory_map(str(self.path)) as source:
            reader = ipc.open_file(source)
            for number in range(reader.num_record_batches):
                yield reader.get_batch(number)


@contextlib.contextmanager
def spooled(table: Table, folder: Path) -> Iterator[Spool]:
    """The table, read once, in a temporary file beside ``folder``."""
    from pyarrow import OSFile, ipc

    with tempfile.TemporaryDirectory(dir=folder.parent, prefix="spool-") as place:
        spool = Spool(table, Path(place) / "rows.arrow")
        with OSFile(str(spool.path), "wb") as sink, ipc.new_file(sink, table.schema) as writer:
            for batch in batches(table):
                writer.write_batch(batch)
                _learn(spool, batch)
        yield spool


def _learn(spool: Spool, batch: pa.RecordBatch) -> None:
    import pyarrow as pa
    import pyarrow.compute as pc

    spool.rows += batch.num_rows
    for column, cells in zip(spool.table.columns, batch.columns, strict=True):
        name = column.name
        if pa.types.is_integer(cells.type):
            low, high = pc.min_max(cells).as_py().values()
            if low is not None:
                before = spool.limits.get(name, (low, high))
                spool.limits[name] = (min(low, before[0]), max(high, before[1]))
        elif pa.types.is_string(cells.type):
            longest = pc.max(pc.binary_length(cells)).as_py() or 0
            spool.widths[name] = max(longest, spool.widths.get(name, 0))
            if column.kind in (Kind.CODE, Kind.CODES):
                known = {code for code, _label in column.codes} | set(spool.strangers.get(name, ()))
                strange = {code for cell in _said(cells) for code in parts(column.kind, cell)} - known
                if strange:
                    spool.strangers[name] = (*spool.strangers.get(name, ()), *sorted(strange))


def _said(cells: Any) -> list[str]:
    return [cell for cell in cells.unique().to_pylist() if cell is not None]


def parts(kind: Kind, cell: str) -> list[str]:
    """The codes in one cell."""
    return cell.split(";") if kind is Kind.CODES else [cell]
