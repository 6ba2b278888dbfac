"""What PostgreSQL refuses to store SQLite refuses too, whichever way it comes: else a register could not move."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.apps import apps
from django.core.exceptions import ValidationError
from django.db import DatabaseError, connection, models, transaction
from django.db.migrations.recorder import MigrationRecorder

from calcinosis_registry.clinics.models import Clinic
from calcinosis_registry.jobs.models import Job
from tests.factories import ClinicFactory, UserFactory

pytestmark = pytest.mark.django_db

BAD: dict[str, tuple[type[models.Model], str, Any]] = {
    "text longer than its column": (Clinic, "name", "x" * 121),
    "NUL in text": (Clinic, "name", "a\0b"),
    "half a surrogate pair in text": (Clinic, "name", "a\ud800"),
    "NUL in text without a limit": (Job, "problem", "a\0b"),
    "a number too large": (Clinic, "next_number", 2**31),
    "a number below zero": (Clinic, "next_number", -1),
    "NUL hidden in JSON": (Job, "arguments", {"a": ["b\0"]}),
    "NUL hidden in a name of JSON": (Job, "arguments", {"a\0": 1}),
    "half a surrogate pair hidden in JSON": (Job, "arguments", {"a": {"b": "\udfff"}}),
    "no number in JSON": (Job, "arguments", {"a": float("nan")}),
}
GOOD: dict[str, tuple[type[models.Model], str, Any]] = {
    "the longest text": (Clinic, "name", "😀" * 120),
    "the largest number": (Clinic, "next_number", 2**31 - 1),
    "what only looks like a NUL": (Job, "arguments", {"a": "\\u0000 \\ud800", "😀": "\\\\u0000"}),
}


def row(model: type[models.Model]) -> Any:
    return ClinicFactory() if model is Clinic else Job.objects.create(kind="export", title="x", owner=UserFactory())


def by_save(one: Any, name: str) -> None:
    one.save()


def by_bulk_create(one: Any, name: str) -> None:
    rows: models.QuerySet[Any] = models.QuerySet(type(one))
    rows.filter(pk=one.pk).delete()
    rows.bulk_create([one])


def by_bulk_update(one: Any, name: str) -> None:
    type(one)._default_manager.bulk_update([one], [name])


def by_update(one: Any, name: str) -> None:
    models.QuerySet(type(one)).filter(pk=one.pk).update(**{name: getattr(one, name)})


def by_plain_sql(one: Any, name: str) -> None:
    field = one._meta.get_field(name)
    value = field.get_db_prep_save(getattr(one, name), connection)
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE {one._meta.db_table} SET {name} = %s WHERE id = %s", [value, one.pk])


PATHS: tuple[Callable[[Any, str], None], ...] = (by_save, by_bulk_create, by_bulk_update, by_update, by_plain_sql)


@pytest.mark.parametrize("what", BAD)
def test_no_path_stores(what: str):
    model, name, value = BAD[what]
    one = row(model)
    for path in PATHS:
        setattr(one, name, value)
        with pytest.raises((DatabaseError, UnicodeEncodeError)), transaction.atomic():
            path(one, name)
    assert getattr(model._default_manager.get(pk=one.pk), name) != value


@pytest.mark.parametrize("what", GOOD)
def test_every_path_stores(what: str):
    model, name, value = GOOD[what]
    for path in PATHS:
        one = row(model)
        setattr(one, name, value)
        path(one, name)
        assert getattr(model._default_manager.get(pk=one.pk), name) == value


def test_forms_refuse_the_same_numbers():
    clinic = ClinicFactory()
    for number in (2**31, -1):
        clinic.next_number = number
        with pytest.raises(ValidationError, match="next_number"):
            clinic.clean_fields()


def test_every_column_of_text_or_small_numbers_has_its_limits_in_sqlite():
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL's types are such limits")
    with connection.cursor() as cursor:
        cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'table'")
        tables = dict(cursor.fetchall())
    without = []
    for model in [*apps.get_models(include_auto_created=True), MigrationRecorder.Migration]:
        for field in model._meta.local_concrete_fields:
            if rule := (field.db_check(connection) or ""):
                if rule not in tables[model._meta.db_table]:
                    without.append(f"{model._meta.db_table}.{field.column}")
            elif isinstance(field, models.CharField | models.TextField | models.PositiveIntegerField):
                without.append(f"{model._meta.db_table}.{field.column}")
    assert not without
