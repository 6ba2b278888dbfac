"""The zip: tables, codebook, manifest. Made of a Dataset in a folder of its own."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _

from calcinosis_registry.codebook.catalogue import Entry, calculated, entry
from calcinosis_registry.cohorts.columns import Column
from calcinosis_registry.cohorts.dataset import Dataset
from calcinosis_registry.exports.writers import csv, xlsx

CODEBOOK = (
    "table", "column", "label", "meaning", "type", "unit", "codes", "possible", "plausible", "condition", "terms",
    "item", "source", "verified",
)  # fmt: skip
_OLDEST = (1980, 1, 1, 0, 0, 0)  # of a zip: the same data make the same bytes
DATES = (
    "Dates are shifted back by 1 to 364 days, the same for all dates of a patient in this project, so intervals "
    "between full dates are exact. A date known to the year or month is given as its earliest and latest day: its "
    "middle was shifted and cut to the same precision again. Ages from 90 on say 90."
)


def write(folder: Path, dataset: Dataset, format: str) -> dict[str, int]:
    """Write the tables and codebook.csv into ``folder``; {table: rows}. Raises ValueError (too long for XLSX)."""
    if format == "xlsx":
        tables = [(table.name, table.header, table.rows()) for table in dataset.tables.values()]
        counts = xlsx.write(folder / "tables.xlsx", [*tables, ("codebook", CODEBOOK, codebook_rows(dataset))])
        counts.pop("codebook")
    else:
        counts = {
            table.name: csv.write(folder / f"{table.name}.csv", table.header, table.rows())
            for table in dataset.tables.values()
        }
    csv.write(folder / "codebook.csv", CODEBOOK, codebook_rows(dataset))
    return counts


def codebook_rows(dataset: Dataset) -> Iterator[tuple[str, ...]]:
    """One row per column of every table."""
    known = calculated()
    for table in dataset.tables.values():
        for column in table.columns:
            about = entry(column.field) if column.field is not None else known.get(column.calculated)
            yield (table.name, column.name, column.label, *_meaning(column, about))


def _meaning(column: Column, about: Entry | None) -> tuple[str, ...]:
    if about is None:
        return ("", "", column.unit, "", "", "", "", "", "", "", "")
    codes = " | ".join(f"{code} = {label}" for code, label in about.codes)
    verified = _("yes") if about.verified else _("no")
    return (
        about.meaning, about.type, about.unit, codes, about.possible, about.plausible, about.condition, about.terms,
        about.key, about.source, verified,
    )  # fmt: skip


def smallest_group(dataset: Dataset) -> dict[str, Any]:
    """k: how many patients share the rarest combination of sex and age, 0 without patients."""
    by = ["sex_at_birth", "age_at_registration"]
    table = dataset.tables["patients"]
    places = [table.header.index(name) for name in by]
    groups = Counter(tuple(row[place] for place in places) for row in table.rows())
    return {"size": min(groups.values(), default=0), "by": by}


def manifest(folder: Path, counts: dict[str, int], about: dict[str, Any]) -> None:
    """Write manifest.json: ``about``, the rows of each table, and the checksum of each file."""
    files = [
        {"name": path.name, "bytes": path.stat().st_size, "sha256": checksum(path)} for path in sorted(folder.iterdir())
    ]
    content = about | {"dates": DATES, "rows": counts, "files": files}
    (folder / "manifest.json").write_text(json.dumps(content, ensure_ascii=False, indent=1), encoding="utf-8")


def pack(folder: Path, target: Path) -> None:
    """All files of the folder as one zip, in the order of their names."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.iterdir()):
            inside = zipfile.ZipInfo(path.name, _OLDEST)
            inside.compress_type = zipfile.ZIP_DEFLATED
            inside.external_attr = 0o600 << 16
            with path.open("rb") as source, archive.open(inside, "w", force_zip64=True) as sink:
                while block := source.read(1 << 20):
                    sink.write(block)


def checksum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
