"""The zip: tables, codebook, manifest. Made of a Dataset in a folder of its own."""

from __future__ import annotations

import hashlib
import json
import zipfile
from pathlib import Path
from typing import Any

from calcinosis_registry.cohorts.dataset import Dataset
from calcinosis_registry.exports.writers import FORMATS, codebook, csv

_OLDEST = (1980, 1, 1, 0, 0, 0)  # of a zip: the same data make the same bytes
YEARS = "Dates are given as years. Ages from 90 on say 90. Pseudonyms are others than in coded files."
DATES = (
    "Dates are shifted back by 1 to 364 days, the same for all dates of a patient in this project, so intervals "
    "between full dates are exact. A date known to the year or month is given as its earliest and latest day: its "
    "middle was shifted and cut to the same precision again. Ages from 90 on say 90."
)


def write(folder: Path, dataset: Dataset, format: str, about: dict[str, Any]) -> dict[str, int]:
    """Write the tables and codebook.csv into ``folder``; {table: rows}. Raises ValueError (too long for XLSX)."""
    counts = FORMATS[format].write(folder, dataset, about)
    csv.write_table(folder / "codebook.csv", codebook.HEADER, codebook.rows(dataset))
    return counts


def manifest(folder: Path, counts: dict[str, int], about: dict[str, Any]) -> None:
    """Write manifest.json: ``about``, the rows of each table, and the checksum of each file."""
    files = [{"name": name, "bytes": path.stat().st_size, "sha256": checksum(path)} for name, path in inside(folder)]
    content = about | {"dates": YEARS if about["profile"] == "anonymous" else DATES, "rows": counts, "files": files}
    (folder / "manifest.json").write_text(json.dumps(content, ensure_ascii=False, indent=1), encoding="utf-8")


def inside(folder: Path) -> list[tuple[str, Path]]:
    """Every file of the folder and its folders, in the order of their names."""
    return sorted((path.relative_to(folder).as_posix(), path) for path in folder.rglob("*") if path.is_file())


def pack(folder: Path, target: Path) -> None:
    """All files of the folder as one zip, in the order of their names."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, path in inside(folder):
            entry = zipfile.ZipInfo(name, _OLDEST)
            # A picture is packed already.
            entry.compress_type = zipfile.ZIP_STORED if path.suffix == ".png" else zipfile.ZIP_DEFLATED
            entry.external_attr = 0o600 << 16
            with path.open("rb") as source, archive.open(entry, "w", force_zip64=True) as sink:
                while block := source.read(1 << 20):
                    sink.write(block)


def checksum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
