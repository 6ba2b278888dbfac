"""The record kinds a person can add to a patient, by their name in the URL."""

from __future__ import annotations

from calcinosis_registry.records.models import Record, record_kinds
from patients.models import Patient, PatientRecord, VisitRecord


def kinds() -> dict[str, type[Record]]:
    """{kind: model} of every record with a page of its own; new models appear by themselves."""
    models: list[type[Record]] = [Patient, *record_kinds(PatientRecord)]
    return {model.kind(): model for model in models if getattr(model, "own_page", True)}


def visit_kinds() -> list[type[VisitRecord]]:
    """The kinds that belong to one visit, in declaration order: the visit page walks these."""
    return [model for model in record_kinds(VisitRecord) if getattr(model, "own_page", True)]  # type: ignore[misc]
