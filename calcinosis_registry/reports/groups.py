"""What patients can be grouped by: any coded item that a patient has one answer to, or the clinic."""

from __future__ import annotations

from django.db.models import Model
from django.utils.translation import gettext as _

from calcinosis_registry.cohorts.items import Kind, askable
from patients.models import Diagnosis, Patient

CLINIC = "clinic"
TABLES: dict[type[Model], str] = {Patient: "patients", Diagnosis: "diagnoses"}


def choices() -> list[tuple[str, str]]:
    """(key, label) of everything patients can be grouped by."""
    found = [(CLINIC, _("Clinic"))]
    for key, item in askable().items():
        if item.level.model in TABLES and item.kind is Kind.CODE:
            found.append((key, item.label))
    return found


def chosen(given: str) -> str:
    """What was asked for, if patients can be grouped by it; else "": free text makes no report of its own."""
    return given if given in dict(choices()) else ""
