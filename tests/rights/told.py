"""A person of whom everything is told, and the person's erasure."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.db import connection, models
from django.utils import timezone

from calcinosis_registry.accounts.models import User
from calcinosis_registry.audit import trail
from calcinosis_registry.audit.traced import Traced, _created
from calcinosis_registry.clinics.models import Clinic
from calcinosis_registry.cohorts.models import Cohort, ResearchProject
from calcinosis_registry.rights.holdings import keys_to_persons, number_columns
from calcinosis_registry.rights.models import Basis, ErasureRequest
from calcinosis_registry.rights.services import (
    confirm_erasure,
    request_erasure,
)
from lesions import storage
from lesions.models import ImagingFile
from patients.models import Patient
from tests.factories import (
    CohortFactory,
    UserFactory,
    project_of,
)
from tests.house_rules.rows import a_row

CANARY = "Kanarie"


def planted(patient: Patient) -> Iterator[str]:
    """A row of every kind about this patient, a word of its own in each text column, each told to the trail."""
    near: dict[Any, Any] = {Patient: patient, Clinic: patient.clinic, User: UserFactory()}
    near[ResearchProject] = project_of(near[User], patient.clinic)
    near[Cohort] = CohortFactory(owner=near[User], project=near[ResearchProject])
    for model in (*keys_to_persons(), *number_columns()):
        row = a_row(model, near)
        for field in model._meta.concrete_fields:
            if isinstance(field, models.CharField | models.TextField) and _is_free(field):
                word = f"{CANARY}{patient.pk}{model.__name__}{field.name}"[: field.max_length or 99]
                setattr(row, field.name, word)
                yield word
        if hasattr(row, "sha256"):
            row.sha256 = f"{patient.pk:064x}"
        if model in number_columns():
            setattr(row, number_columns()[model], patient.registry_number)
        row.save_base(raw=True)
        if isinstance(row, Traced):
            trail.write([_created(row)])


def _is_free(field: models.Field) -> bool:
    kept = {"registry_number", "patient", "sha256", "original_sha256", "public_id"}
    return not field.choices and field.name not in kept and type(field) in (models.CharField, models.TextField) and (
        (field.max_length or 99) > 30
    )  # fmt: skip


def everything() -> bytes:
    """The whole database: on SQLite its very bytes, free pages included."""
    if connection.vendor == "sqlite":
        return connection.connection.serialize()
    found = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT t::text FROM "{table}" t')
            found += [row[0] for row in cursor.fetchall()]
    return "\n".join(found).encode()


def asked(patient: Patient, by: User) -> ErasureRequest:
    reason = f"{CANARY} asked by letter"
    return request_erasure(patient=patient, basis=Basis.CONSENT, reason=reason, by=by, now=timezone.now())


def erased(patient: Patient, first: User, second: User) -> ErasureRequest:
    return confirm_erasure(asked=asked(patient, first), by=second, now=timezone.now())


def stored(patient: Patient, folder: Path, text: bytes) -> ImagingFile:
    """A file of this patient, its previews and its tiles beside it."""
    aside = folder.parent / "aside"
    aside.write_bytes(text)
    sha256 = storage.store(aside, folder)
    aside.unlink()
    for kind in (*storage.RENDERED, storage.REMADE):
        storage.store_preview(sha256, folder, text, kind)
    near: dict[Any, Any] = {Patient: patient, Clinic: patient.clinic, User: UserFactory()}
    file = a_row(ImagingFile, near)
    file.sha256 = sha256
    file.save_base(raw=True)
    return file
