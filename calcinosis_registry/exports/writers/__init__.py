"""One module per format: a dataset in, files out. A format is what stands in FORMATS, and nowhere else.

A writer puts files with names of its own into ``folder`` (codebook.csv and manifest.json are not its business) and
returns {table: rows}. ``about`` is what the manifest says of project, cohort, profile and software. It raises
ValueError, in words for people, when the format cannot hold the dataset. Heavy libraries are imported where
they are used.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext_lazy as __

from calcinosis_registry.exports.writers import csv, xlsx

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

    from calcinosis_registry.cohorts.dataset import Dataset

Write = Callable[[Path, "Dataset", dict[str, Any]], dict[str, int]]


@dataclass(frozen=True)
class FileFormat:
    """``label`` and ``note``: what the format is called, and what a researcher should know before choosing it."""

    label: StrOrPromise
    write: Write
    note: StrOrPromise = ""


# {what the command line and the ledger call it: the format}, in the order of the page.
FORMATS: dict[str, FileFormat] = {
    "csv": FileFormat(__("CSV"), csv.write, __("One text file per table: opens everywhere.")),
    "xlsx": FileFormat(__("Excel workbook"), xlsx.write, __("One sheet per table; at most 1,048,575 rows each.")),
}
