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

from calcinosis_registry.exports.writers import csv, fhir, odm, parquet, phenopackets, r, redcap, sas, spss, stata, xlsx

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
    "csv": FileFormat(__("CSV"), csv.write, __("For any program: one text file per table.")),
    "xlsx": FileFormat(
        __("Excel workbook"), xlsx.write, __("To look at: one sheet per table, opens in LibreOffice too.")
    ),
    "spss": FileFormat(__("SPSS (.sav)"), spss.write, __("For SPSS users: value labels, missing values declared.")),
    "stata": FileFormat(
        __("Stata (.dta)"), stata.write, __("For Stata users: value labels, .a and .u for empty cells.")
    ),
    "sas": FileFormat(__("SAS (.xpt)"), sas.write, __("For SAS users: transport files and a program with formats.")),
    "r": FileFormat(__("R"), r.write, __("For R users: a script gives factors, dates and labels; no package needed.")),
    "parquet": FileFormat(__("Parquet"), parquet.write, __("For Python, R, Spark, DuckDB: typed, small and fast.")),
    "odm": FileFormat(
        __("CDISC ODM 1.3.2"), odm.write, __("For trial data systems: metadata and data in one XML file.")
    ),
    "fhir": FileFormat(__("FHIR R4"), fhir.write, __("For hospital systems: bulk data, one NDJSON file per resource.")),
    "phenopackets": FileFormat(
        __("Phenopackets v2"), phenopackets.write, __("For rare-disease discovery: coarse, HPO and ORPHA terms.")
    ),
    "redcap": FileFormat(
        __("REDCap project"), redcap.write, __("For REDCap: data dictionary and data, ready to import.")
    ),
}
