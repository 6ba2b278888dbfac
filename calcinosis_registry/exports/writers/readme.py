"""README.txt of a zip: what is in it, what the format could not carry, how to open it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _

COMMON = (
    "One table per kind of record; every row belongs to a patient. patient is a pseudonym of this project; visit_no, "
    "lesion_no, … link the tables within a patient.",
    "codebook.csv says what every column means, its unit, its codes, its limits and when it is asked. manifest.json "
    "says who made the file, of which cohort, why, and the checksum of each file.",
)
SHIFTED = (
    "Dates are shifted back by 1 to 364 days, the same for all dates of a patient in this project: intervals are "
    "exact, calendar days are not real. A date known to the month or year is given as earliest, latest and precision."
)
PICTURES = (
    "images.csv lists the pictures under images/ by patient and imaging_no. A grey picture holds the values of the "
    "study: stored number × slope + intercept; inverted 1: high values are dark. A photograph is 8 bits and has no "
    "scale. No header of a file is in it. burned_in_annotation NO: nothing in the picture tells who it is of, "
    "according_to the file itself, or to a person of the clinic who looked through it. "
    "manifest.json says which pictures were left out, and why."
)
YEARS = "Dates are given as years."


def dates(about: dict[str, Any]) -> str:
    """What was done to them."""
    return YEARS if about.get("profile") == "anonymous" else SHIFTED


def write(folder: Path, about: dict[str, Any], title: str, said: Iterable[str], example: str) -> None:
    """README.txt; the same sentences go into the manifest as its notes."""
    said = list(said)
    about["notes"] = said
    project, cohort = about.get("project", {}), about.get("cohort", {})
    lines = [title, "=" * len(title), ""]
    lines += [f"{name}: {one}" for name, one in _headings(about, project, cohort) if one]
    pictures = (PICTURES,) if about.get("images") else ()
    lines += ["", "What is in it", "-------------", *(f"- {one}" for one in (*COMMON, dates(about), *pictures))]
    lines += ["", "This format", "-----------", *(f"- {one}" for one in said)]
    lines += ["", "How to read it", "--------------", *(f"    {line}" for line in example.splitlines())]
    (folder / "README.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")


def _headings(about: dict[str, Any], project: dict[str, Any], cohort: dict[str, Any]) -> Iterable[tuple[str, Any]]:
    return (
        ("Project", project.get("title")), ("Cohort", cohort.get("name")), ("Profile", about.get("profile")),
    )  # fmt: skip


def not_applicable() -> str:
    return _("Not applicable")
