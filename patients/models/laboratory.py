"""Laboratory results: the value as reported is kept beside the converted one (clinical-model 4.5)."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as __

from calcinosis_registry.codebook import codelists
from calcinosis_registry.codebook.items import Need, Privacy, choice, clinical
from calcinosis_registry.quality.findings import Finding
from patients import units
from patients.models.patient import PatientRecord

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

SOURCE = "clinical-model 4.5"
ADULT = 18
LIMIT = __("As the laboratory's report prints it, in the reported unit.")


def analytes() -> list[tuple[str, str]]:
    return codelists.choices(Path(__file__).parent.parent / "data" / "analytes.csv")


def reported_units() -> list[tuple[str, str]]:
    """Every unit that some analyte is accepted in; which one is the analyte's own is checked beside it."""
    every = dict.fromkeys(unit for one in units.ANALYTES.values() for unit in one.factors)
    return [(unit, units.words(unit)) for unit in every]


def _number(
    label: StrOrPromise, section: str = "Result", need: Need = Need.OPTIONAL, help_text: StrOrPromise = ""
) -> models.DecimalField:
    return clinical(
        models.DecimalField(
            label, max_digits=12, decimal_places=4, null=need is Need.OPTIONAL, blank=need is Need.OPTIONAL,
            help_text=help_text,
        ),
        section=section, privacy=Privacy.CLINICAL, source=SOURCE, need=need,
    )  # fmt: skip


class LaboratoryResult(PatientRecord):
    """``value_original`` in ``unit_original`` as reported; ``value`` in the analyte's canonical UCUM unit."""

    analyte = clinical(
        models.CharField(__("analyte"), max_length=32, choices=analytes),
        section="Result", privacy=Privacy.CLINICAL, source=SOURCE, need=Need.ALWAYS,
    )  # fmt: skip
    collected_on = clinical(
        models.DateField(__("collected")),
        section="Result", privacy=Privacy.DATE, source=SOURCE, need=Need.ALWAYS,
    )  # fmt: skip
    comparator = choice(__("comparator"), [("<", "<"), (">", ">")], section="Result", source=SOURCE)
    value_original = _number(__("value"), need=Need.ALWAYS)
    unit_original = clinical(
        models.CharField(__("unit"), max_length=24, choices=reported_units),
        section="Result", privacy=Privacy.CLINICAL, source=SOURCE, need=Need.ALWAYS,
    )  # fmt: skip
    lower_limit = _number(__("lower limit of the laboratory"), "Limits", help_text=LIMIT)
    upper_limit = _number(__("upper limit of the laboratory"), "Limits", help_text=LIMIT)
    value = models.DecimalField(__("value, canonical unit"), max_digits=14, decimal_places=5, editable=False)

    class Meta:
        verbose_name = __("laboratory result")
        ordering = ["-collected_on", "analyte"]
        indexes = [models.Index(fields=["patient", "analyte", "collected_on"], name="lab_patient_analyte_date")]

    def __str__(self) -> str:
        value = f"{self.comparator}{self.value_original.normalize():f}"
        return f"{self.get_analyte_display()} {value} {units.words(self.unit_original)}"

    @property
    def unit(self) -> str:
        return units.analyte(self.analyte).ucum

    def clean(self) -> None:
        super().clean()
        errors = {}
        if self.analyte in units.ANALYTES and self.value_original is not None:
            try:
                converted = units.to_canonical(self.analyte, Decimal(self.value_original), self.unit_original)
            except ValueError as error:
                errors["unit_original"] = str(error)
            else:
                low, high = units.hard_range(self.analyte)
                if not units.within(converted, (low, high)):
                    errors["value_original"] = _("%(value)s %(unit)s is outside the possible %(low)s to %(high)s.") % {
                        "value": units.shown(converted), "unit": units.words(self.unit), "low": low, "high": high,
                    }  # fmt: skip
                self.value = round(converted, 5)
        if self.lower_limit is not None and self.upper_limit is not None and self.lower_limit > self.upper_limit:
            errors["upper_limit"] = _("The upper limit is below the lower one.")
        if errors:
            raise ValidationError(errors)

    def findings(self) -> Iterator[Finding]:
        yield from super().findings()
        age = self.patient.age_on(self.collected_on)
        limits = units.soft_range(self.analyte, adult=age is None or age >= ADULT)
        if not units.within(self.value, limits):
            message = _("%(name)s %(value)s %(unit)s is unusual: is it right, and is a metabolic cause excluded?")
            values = {
                "name": self.get_analyte_display(), "value": units.shown(self.value), "unit": units.words(self.unit),
            }  # fmt: skip
            yield Finding("lab_soft_range", message % values, "value_original")
