"""A register of any size in a minute: some patients entered as people enter them, then copied inside the database.

A copy has keys and public ids of its own, so every rule and index holds; it has no events, for the trail only grows by
being told. ``NOR-90001`` is copied as ``NOR-900010a3``.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from django.apps import apps
from django.core.management.color import no_style
from django.db import connection, models, transaction

from calcinosis_registry.cohorts.models import FrozenPatient
from calcinosis_registry.identity.models import Identity
from calcinosis_registry.quality.models import DataQuery
from patients.models import Patient

DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
NOT_COPIED = ("audit", "exports", "contenttypes", "sessions", "rights")
FROZEN = (FrozenPatient,)  # who is in a frozen cohort never changes
UNLIKE = ("public_id", "registry_number", "family_key")  # every copy has its own
BY_NUMBER = (Identity, DataQuery)  # linked by the registry number


def copies_of_every_patient(copies: int, only: Collection[type[models.Model]] = ()) -> int:
    """Copy every patient so many times (at most 46,655); returns the number of rows written. ``only``: these tables."""
    tables = [one for one in _patient_tables() if not only or one in only]
    offset = max(model._base_manager.aggregate(most=models.Max("pk"))["most"] or 0 for model in tables) + 1
    # One transaction: kinds of record point at each other both ways, and keys are looked at when it ends.
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE copies (n bigint, suffix varchar(3))")
        cursor.executemany("INSERT INTO copies VALUES (%s, %s)", [(n, _suffix(n)) for n in range(1, copies + 1)])
        written = 0
        for model in tables:
            cursor.execute(_copy(model, set(tables), offset))
            written += cursor.rowcount
        cursor.execute("DROP TABLE copies")
        for statement in connection.ops.sequence_reset_sql(no_style(), tables):
            cursor.execute(statement)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return written


def _suffix(number: int) -> str:
    return DIGITS[number // 1296] + DIGITS[number // 36 % 36] + DIGITS[number % 36]


def _patient_tables() -> Iterator[type[models.Model]]:
    """Patient, then every model that refers, through others, to a patient; what is referred to comes first."""
    found: dict[type[models.Model], None] = {Patient: None, **dict.fromkeys(BY_NUMBER)}
    candidates = [
        one
        for one in apps.get_models(include_auto_created=True)
        if one._meta.app_label not in NOT_COPIED and one not in FROZEN
    ]
    for _round in range(6):
        for model in candidates:
            if any(field.related_model in found for field in _references(model) if field.related_model is not model):
                found.setdefault(model)
    yield from found


def _references(model: type[models.Model]) -> list[models.Field]:
    return [one for one in model._meta.concrete_fields if one.is_relation]


def _copy(model: type[models.Model], copied: set[type[models.Model]], offset: int) -> str:
    quote = connection.ops.quote_name
    columns, values = [], []
    for field in model._meta.concrete_fields:
        column = quote(field.column)
        columns.append(column)
        own_key = field.primary_key and not field.is_relation
        if own_key or field.related_model in copied or (model, field.name) == (DataQuery, "object_id"):
            values.append(f"t.{column} + c.n * {offset}")
        elif field.name in UNLIKE or (model, field.name) == (DataQuery, "patient"):
            values.append(f"t.{column} || c.suffix")
        else:
            values.append(f"t.{column}")
    table = quote(model._meta.db_table)
    return f"INSERT INTO {table} ({', '.join(columns)}) SELECT {', '.join(values)} FROM {table} t CROSS JOIN copies c"
