"""R: the CSV files and read.R, in base R: factors, dates, labels, units, and why a cell is empty."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from calcinosis_registry.cohorts.columns import Column, Kind
from calcinosis_registry.exports.writers import csv, readme

if TYPE_CHECKING:
    from calcinosis_registry.cohorts.dataset import Dataset, Table

_CLASSES = {
    Kind.NUMBER: "integer", Kind.INTEGER: "integer", Kind.BOOLEAN: "integer", Kind.DECIMAL: "numeric",
    Kind.DATE: "Date",
}  # fmt: skip


def write(folder: Path, dataset: Dataset, about: dict[str, Any]) -> dict[str, int]:
    """One .csv per table, read.R, README.txt; {table: rows}."""
    counts = csv.write_tables(folder, dataset)
    (folder / "read.R").write_text(program(dataset), encoding="utf-8")
    readme.write(folder, about, "R", SAID, EXAMPLE)
    return counts


SAID = (
    "read.R needs no package. It makes a data frame of each file, all in the list registry.",
    'Codes are factors whose levels are the labels; attr(x, "codes") has the codes of the register in their order.',
    'A Boolean item is TRUE or FALSE. Several codes in one cell stay text, joined by “;”: has(x, "XRAY") asks for one.',
    'NA was not answered, or not asked because its condition was not met (attr(x, "missing")); “Unknown” is a level.',
    "A line break is one newline, however it was typed.",
)
EXAMPLE = """setwd("folder of this zip")
source("read.R", encoding = "UTF-8")
table(registry$visits$calcinosis_present, useNA = "ifany")
attributes(registry$visits$weight_kg)[c("label", "unit")]
merge(registry$visits, registry$patients, by = "patient")"""


def program(dataset: Dataset) -> str:
    """The script, for the folder it is sourced in."""
    lines = [_READER]
    for table in dataset.tables.values():
        lines += _table(table)
    return "\n".join(lines) + "\n"


_READER = r"""# Reads the tables beside this script. Base R; set the working directory to its folder first.
registry <- list()

# One table: text as it was before it was made safe for spreadsheets, then the type of each column.
.read <- function(file, classes) {
  x <- read.csv(file, colClasses = "character", na.strings = "", encoding = "UTF-8", check.names = FALSE)
  stopifnot(identical(names(x), names(classes)))
  for (name in names(classes)) {
    value <- sub("^'('*[=+@\t\r-])", "\\1", x[[name]])
    x[[name]] <- switch(classes[[name]],
      integer = as.integer(value), numeric = as.numeric(value), Date = as.Date(value), value)
  }
  x
}

# What the codebook says of a column; a coded one becomes a factor, a code nobody knows a level of its own.
.about <- function(x, label, unit = "", missing = "", codes = NULL, yes_no = FALSE) {
  if (yes_no) x <- x == 1L
  if (!is.null(codes)) {
    codes <- c(codes, setdiff(na.omit(unique(x)), codes))
    shown <- if (is.null(names(codes))) codes else ifelse(names(codes) == "", codes, names(codes))
    twice <- shown %in% shown[duplicated(shown)]
    shown[twice] <- paste0(shown[twice], " (", codes[twice], ")")
    x <- factor(x, levels = unname(codes), labels = shown)
    attr(x, "codes") <- unname(codes)
  }
  attr(x, "label") <- label
  if (nzchar(unit)) attr(x, "unit") <- unit
  if (nzchar(missing)) attr(x, "missing") <- missing
  x
}

# Does a cell with several codes hold this one?
has <- function(x, code) vapply(strsplit(x, ";", fixed = TRUE), function(one) code %in% one, logical(1))
"""


def _table(table: Table) -> Iterator[str]:
    classes = ", ".join(f"{one.name} = {_quoted(_CLASSES.get(one.kind, 'character'))}" for one in table.columns)
    yield f"\nregistry${table.name} <- .read({_quoted(table.name + '.csv')}, c({classes}))"
    yield f'attr(registry${table.name}, "label") <- {_quoted(table.label)}'
    for one in table.columns:
        told = [_quoted(one.label)]
        told += [f"{name} = {_quoted(text)}" for name, text in (("unit", one.unit), ("missing", one.missing)) if text]
        told += _coding(one)
        where = f"registry${table.name}${one.name}"
        yield f"{where} <- .about({where}, {', '.join(told)})"


def _coding(column: Column) -> list[str]:
    if column.kind is Kind.BOOLEAN:
        return ["yes_no = TRUE"]
    if column.kind is not Kind.CODE:
        return []
    codes = ", ".join(f"{_quoted(label)} = {_quoted(code)}" for code, label in column.codes)
    return [f"codes = c({codes})"]


def _quoted(text: str) -> str:
    """An R string in ASCII: the script reads the same in every locale."""
    plain = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\r", "\\r")
    return '"' + "".join(one if ord(one) < 128 else f"\\U{ord(one):08x}" for one in plain) + '"'
