"""Rows as text, column by column: each distinct value of some rows is put into words once, and Arrow joins the pieces.

For formats that write every cell with its name (XML, JSON): row by row in Python they took many times as long.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from calcinosis_registry.cohorts.columns import Column
from calcinosis_registry.exports.writers.missing import NotApplicable, conditions

if TYPE_CHECKING:
    import pyarrow as pa

    from calcinosis_registry.cohorts.dataset import Table

AT_ONCE = 512  # rows in words at once: a writer holds as many of every table


@dataclass(frozen=True)
class Piece:
    """How the cells of a column are said. None: nothing is said, and nothing stands between the pieces beside it."""

    column: Column
    value: Callable[[Any], str | None]
    unanswered: str | None = None
    not_applicable: str | None = None


def slices(table: Table) -> Iterator[pa.RecordBatch]:
    for batch in table.batches():
        for start in range(0, batch.num_rows, AT_ONCE):
            yield batch.slice(start, AT_ONCE)


def joined(columns: Sequence[Column], pieces: Sequence[Piece], batch: pa.RecordBatch, between: str) -> list[str]:
    """One text per row. ``columns`` are those of the batch: what does not apply is read off them."""
    import pyarrow.compute as pc

    if not pieces:
        return [""] * batch.num_rows
    absent = NotApplicable(columns, batch)
    said = [_said(one, batch.column(one.column.name), absent) for one in pieces]
    return pc.binary_join_element_wise(*said, between, null_handling="skip").to_pylist()  # type: ignore[no-any-return]


def _said(piece: Piece, cells: pa.Array, absent: NotApplicable) -> pa.Array:
    import numpy as np
    import pyarrow as pa

    encoded = cells.dictionary_encode()
    words = [piece.value(one) for one in encoded.dictionary.to_pylist()]
    indices = encoded.indices
    if cells.null_count:
        indices = indices.fill_null(len(words))
        if piece.not_applicable != piece.unanswered and conditions(piece.column):
            empty = indices.to_numpy(zero_copy_only=False)
            excluded = (empty == len(words)) & absent.of(piece.column)
            indices = pa.array(np.where(excluded, len(words) + 1, empty))
    return pa.array([*words, piece.unanswered, piece.not_applicable], pa.string()).take(indices)
