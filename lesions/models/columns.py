"""The kinds of column the models of this app are made of, and their code lists read from data files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.db import models
from django.utils.translation import gettext_lazy as __

from calcinosis_registry.codebook import codelists
from calcinosis_registry.codebook.fields import PartialDateField
from calcinosis_registry.codebook.items import Privacy, clinical

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

DATA = Path(__file__).parent.parent / "data"
SITES, ASPECTS = DATA / "sites.csv", DATA / "aspects.csv"
DRUGS, PROCEDURES = DATA / "drugs.csv", DATA / "procedures.csv"
COMPLICATIONS, MODALITIES = DATA / "complications.csv", DATA / "modalities.csv"
DATE_HELP = __("Year, year-month, full date or “unknown”.")
CARE = "CARE"  # the group of procedures.csv that has models of its own: wound care, physiotherapy, prevention


class Grade(models.TextChoices):
    NONE = "0", __("None")
    MILD = "1", __("Mild")
    MODERATE = "2", __("Moderate")
    SEVERE = "3", __("Severe")


def site_choices() -> list[tuple[str, str]]:
    return codelists.choices(SITES)


def aspect_choices() -> list[tuple[str, str]]:
    return codelists.choices(ASPECTS)


def drug_choices() -> list[tuple[str, str]]:
    return [*codelists.choices(DRUGS), ("OTHER", __("Other"))]  # type: ignore[list-item]


def procedure_choices() -> list[tuple[str, str]]:
    return [(row["code"], row["label"]) for row in codelists.read(PROCEDURES) if row["group"] != CARE]


def complication_choices() -> list[tuple[str, str]]:
    """Without death: that is recorded on the patient, with its relation to calcinosis."""
    return [pair for pair in codelists.choices(COMPLICATIONS) if pair[0] != "DEATH"]


def modality_choices() -> list[tuple[str, str]]:
    return codelists.choices(MODALITIES)


def in_group(path: Path, *groups: str) -> tuple[str, ...]:
    """The codes of a list whose ``group`` is one of these, in file order."""
    return tuple(row["code"] for row in codelists.read(path) if row["group"] in groups)


def in_class(path: Path, name: str) -> tuple[str, ...]:
    """The codes of a list of drugs whose ``class`` is this, in file order."""
    return tuple(row["code"] for row in codelists.read(path) if row["class"] == name)


def row_of(path: Path, code: str) -> dict[str, str]:
    """The row of a code; empty for a code the list does not have."""
    return next((row for row in codelists.read(path) if row["code"] == code), {})


def when(label: StrOrPromise, *, help_text: StrOrPromise = DATE_HELP, **meaning: Any) -> PartialDateField:
    """A partial date."""
    return clinical(PartialDateField(label, help_text=help_text), **{"privacy": Privacy.DATE, **meaning})


def text(label: StrOrPromise, length: int, *, help_text: StrOrPromise = "", **meaning: Any) -> models.CharField:
    """Free words; they leave the register only by explicit choice."""
    field: models.CharField = models.CharField(label, max_length=length, blank=True, help_text=help_text)
    return clinical(field, **{"privacy": Privacy.FREE_TEXT, **meaning})


def whole(
    label: StrOrPromise, *, help_text: StrOrPromise = "", editable: bool = True, **meaning: Any
) -> models.IntegerField:
    """A whole number."""
    field: models.IntegerField = models.IntegerField(
        label, null=True, blank=True, help_text=help_text, editable=editable
    )
    return clinical(field, **{"privacy": Privacy.CLINICAL, **meaning})


def measure(
    label: StrOrPromise,
    digits: int,
    places: int,
    *,
    help_text: StrOrPromise = "",
    editable: bool = True,
    **meaning: Any,
) -> models.DecimalField:
    """A measured number of ``digits`` in all, ``places`` of them after the point."""
    field: models.DecimalField = models.DecimalField(
        label, max_digits=digits, decimal_places=places, null=True, blank=True, help_text=help_text, editable=editable
    )
    return clinical(field, **{"privacy": Privacy.CLINICAL, **meaning})


def mark(
    label: StrOrPromise, *, help_text: StrOrPromise = "", editable: bool = True, **meaning: Any
) -> models.BooleanField:
    """A tick: set or not; for answers that may be unknown use ``yes_no_unknown``."""
    field: models.BooleanField = models.BooleanField(label, default=False, help_text=help_text, editable=editable)
    return clinical(field, **{"privacy": Privacy.CLINICAL, **meaning})
