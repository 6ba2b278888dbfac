"""Why a cell is empty, as far as the codebook can tell: not answered, not applicable, or answered "unknown".

"Not applicable" is said only where the item's condition stands in the same table and was answered otherwise. Where the
item it depends on was not answered either, the cell is not answered.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from calcinosis_registry.cohorts.columns import Column, Kind

if TYPE_CHECKING:
    import pyarrow as pa

# The codes by which a code list says that nobody knows. "Not done" and "not assessed" are answers and stay values.
UNKNOWN = frozenset({"U", "UNKNOWN"})


class Gap(enum.IntEnum):
    NOT_ANSWERED = 1
    NOT_APPLICABLE = 2
    UNKNOWN = 3


def conditions(column: Column) -> Mapping[str, Any]:
    """{name of an item of the same record: the value, or values, under which this one is asked}."""
    return column.field.item.only_if if column.field is not None else {}  # type: ignore[attr-defined]


class NotApplicable:
    """Which cells of a batch do not apply, by the name of the column; worked out once per batch and item."""

    def __init__(self, columns: Sequence[Column], batch: pa.RecordBatch) -> None:
        self._columns = {one.name: (place, one) for place, one in enumerate(columns)}
        self._batch = batch
        self._known: dict[str, Any] = {}

    def of(self, column: Column) -> Any:
        """A boolean numpy array: True where the item was not to be answered (whether or not a value stands there)."""
        import numpy as np

        key = column.field.name if column.field is not None else column.name
        if key not in self._known:
            found = np.zeros(self._batch.num_rows, dtype=bool)
            self._known[key] = found  # an item that depends on itself ends here
            for name, wanted in conditions(column).items():
                found = found | self._excluded(name, wanted)
            self._known[key] = found
        return self._known[key]

    def _excluded(self, name: str, wanted: Any) -> Any:
        import numpy as np

        if name not in self._columns:
            return np.zeros(self._batch.num_rows, dtype=bool)
        place, control = self._columns[name]
        values = wanted if isinstance(wanted, tuple | list | set | frozenset) else (wanted,)
        accepted = {str(int(one)) if isinstance(one, bool) else str(one) for one in values}
        cells = self._batch.column(place).dictionary_encode()
        known = [_met(control.kind, str(cell), accepted) for cell in cells.dictionary.to_pylist()]
        # An empty cell excludes nothing by itself; the last place stands for it.
        excluded = np.array([not one for one in known] + [False], dtype=bool)
        indices = cells.indices.fill_null(len(known)).to_numpy(zero_copy_only=False)
        empty_is_wanted = "" in accepted
        found = excluded[indices]
        return found if empty_is_wanted else found | (self.of(control) & (indices == len(known)))


def _met(kind: Kind, cell: str, accepted: set[str]) -> bool:
    return not accepted.isdisjoint(cell.split(";") if kind is Kind.CODES else [cell])
