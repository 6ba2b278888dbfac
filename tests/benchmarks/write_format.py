"""A process of its own that writes one format of a dataset kept by test_export_formats.py, as many times as wanted.

python -m tests.benchmarks.write_format FOLDER FORMAT COPIES: prints rows, seconds and the memory writing took, as JSON.
"""

from __future__ import annotations

import json
import os
import pickle
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import django
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import parquet

BATCH = 8192  # rows, as a snapshot gives them
ABOUT = {
    "software": {"name": "calcinosis registry", "version": "0"}, "made_at": "2026-11-23T05:00:00+00:00",
    "project": {"title": "Bench", "id": "B"}, "cohort": {"name": "everyone", "in_words": "Every patient."},
    "profile": "coded", "export": "B",
}  # fmt: skip


def keep(dataset: Any, folder: Path) -> None:
    """The dataset as Parquet files and what its columns say."""
    told = [(table.name, table.label, table.columns, table.kinds) for table in dataset.tables.values()]
    (folder / "told.pickle").write_bytes(pickle.dumps(told))
    for table in dataset.tables.values():
        parquet.write_table(table.arrow(), folder / f"{table.name}.parquet")


def kept(folder: Path, copies: int) -> Any:
    """The dataset with every patient so many times, each time under another pseudonym, in their order."""
    from calcinosis_registry.cohorts.dataset import Dataset, Table

    def table(name: str, label: str, columns: Any, kinds: Any) -> Table:
        once = parquet.read_table(folder / f"{name}.parquet")

        def read(names: Any) -> pa.RecordBatchReader:
            return pa.RecordBatchReader.from_batches(once.select(names).schema, copied(once.select(names)))

        return Table(name, label, columns, read, kinds)

    def copied(once: pa.Table) -> Iterator[pa.RecordBatch]:
        at_once = max(1, BATCH // max(once.num_rows, 1))
        for start in range(0, copies, at_once):
            some = [copy_of(once, number) for number in range(start, min(start + at_once, copies))]
            yield from pa.concat_tables(some).combine_chunks().to_batches(BATCH)

    def copy_of(once: pa.Table, number: int) -> pa.Table:
        return once.set_column(0, "patient", pc.binary_join_element_wise(f"P{number:06d}", once["patient"], ""))

    tables = [table(*one) for one in pickle.loads((folder / "told.pickle").read_bytes())]
    return Dataset({one.name: one for one in tables}, (), False, False)


def megabytes() -> float:
    """The most this process ever held: getrusage would tell the parent's too."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]) / 1024


def main(folder: Path, format: str, copies: int) -> None:
    from calcinosis_registry.exports.writers import FORMATS

    with tempfile.TemporaryDirectory(dir=folder) as warm, tempfile.TemporaryDirectory(dir=folder) as place:
        for one in (warm, place):
            (Path(one) / "parts").mkdir()
        FORMATS[format].write(Path(warm) / "parts", kept(folder, 1), dict(ABOUT))  # libraries are loaded
        before, start, worked = megabytes(), time.perf_counter(), time.process_time()
        counts = FORMATS[format].write(Path(place) / "parts", kept(folder, copies), dict(ABOUT))
        figures = {
            "rows": sum(counts.values()), "seconds": time.perf_counter() - start,
            "processor": time.process_time() - worked, "peak_mb": megabytes(), "before_mb": before,
            "file_mb": sum(path.stat().st_size for path in (Path(place) / "parts").iterdir()) / 2**20,
        }  # fmt: skip
    print(json.dumps(figures))


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "calcinosis_registry.settings")
    django.setup()
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
