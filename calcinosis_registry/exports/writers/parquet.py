"""Parquet: one typed file per table; label, unit, codes and the meaning of an empty cell stand with each column."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from calcinosis_registry.cohorts.columns import Column
from calcinosis_registry.exports.writers import readme
from calcinosis_registry.exports.writers.spool import batches

if TYPE_CHECKING:
    import pyarrow as pa

    from calcinosis_registry.cohorts.dataset import Dataset, Table


def write(folder: Path, dataset: Dataset, about: dict[str, Any]) -> dict[str, int]:
    """One .parquet per table and README.txt; {table: rows}."""
    from pyarrow import parquet  # heavy

    counts = {}
    for table in dataset.tables.values():
        counts[table.name] = 0
        schema = described(table, about)
        with parquet.ParquetWriter(folder / f"{table.name}.parquet", schema, compression="zstd") as writer:
            for batch in batches(table):
                writer.write_batch(batch.replace_schema_metadata(schema.metadata).cast(schema))
                counts[table.name] += batch.num_rows
    readme.write(folder, about, "Parquet", SAID, EXAMPLE)
    return counts


SAID = (
    "Columns are typed: dates are date32, whole numbers int64, decimals exact. An empty cell is null.",
    "Each field carries metadata: label, unit, kind, codes (JSON: code to label), missing, item.",
    "Yes and no of a Boolean item are 1 and 0. Several codes in one cell are joined by “;” in the order of the list.",
    "Nothing of the dataset is left out.",
)
EXAMPLE = """Python:  pandas.read_parquet("visits.parquet", dtype_backend="pyarrow")
         pyarrow.parquet.read_schema("visits.parquet").field("weight_kg").metadata
R:       arrow::read_parquet("visits.parquet")
DuckDB:  SELECT * FROM 'visits.parquet' JOIN 'patients.parquet' USING (patient)"""


def described(table: Table, about: dict[str, Any]) -> pa.Schema:
    """The schema of a table with what the codebook says of each column."""
    import pyarrow as pa

    fields = [
        pa.field(one.name, one.arrow_type, metadata={name: text for name, text in _about(one).items() if text})
        for one in table.columns
    ]
    project = about.get("project", {}).get("title", "")
    said = {"table": table.name, "label": table.label, "project": project, "profile": str(about.get("profile", ""))}
    return pa.schema(fields, metadata=said)


def _about(column: Column) -> dict[str, str]:
    codes = json.dumps(dict(column.codes), ensure_ascii=False) if column.codes else ""
    item = column.about.key if column.about is not None else column.calculated
    return {
        "label": column.label, "unit": column.unit, "kind": column.kind.value, "codes": codes,
        "missing": column.missing, "item": item,
    }  # fmt: skip
