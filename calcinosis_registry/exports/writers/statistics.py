"""What the statistics packages have in common: one file per table, and variables.csv that says what is what."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from calcinosis_registry.exports.writers import csv
from calcinosis_registry.exports.writers.spool import Spool, spooled
from calcinosis_registry.exports.writers.variables import VARIABLES, Variable, described

if TYPE_CHECKING:
    from calcinosis_registry.cohorts.dataset import Dataset


def write_each(
    folder: Path, dataset: Dataset, ending: str, write_table: Callable[[Path, Spool], list[Variable]]
) -> dict[str, int]:
    """``write_table`` writes one file and tells its variables; {table: rows}."""
    counts: dict[str, int] = {}
    told: list[tuple[str, ...]] = []
    for table in dataset.tables.values():
        path = folder / f"{table.name}.{ending}"
        with spooled(table, folder) as spool:
            variables = write_table(path, spool)
            counts[table.name] = spool.rows
            told += described(path.name, table.name, variables)
    csv.write_table(folder / "variables.csv", VARIABLES, told)
    return counts
