"""The register's tables as PostgreSQL has them, told by the models: known without asking any server."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.apps import apps
from django.db import models
from django.db.backends.postgresql.base import DatabaseWrapper
from django.db.migrations.recorder import MigrationRecorder

from calcinosis_registry.operations.transfer.columns import NULL, Column, Convert, Unfit, kind_of

MIGRATIONS = MigrationRecorder.Migration._meta.db_table
# What `migrate` itself writes into an empty database; and its table without a model (createcachetable).
MADE_BY_MIGRATE = (MIGRATIONS, "django_content_type", "auth_permission")
CACHE = {"cache_key": "varchar(255)", "value": "text", "expires": "timestamp with time zone"}


class TransferRefused(Exception):
    """Why nothing was moved, in words for an operator."""


@dataclass(frozen=True)
class Table:
    """``counted``: its first column takes numbers from a sequence."""

    name: str
    columns: tuple[Column, ...]
    key: str
    counted: bool
    key_is_text: bool

    @cached_property
    def _said(self) -> list[Convert]:
        return [column.kind.said for column in self.columns]

    @cached_property
    def _sent(self) -> list[Convert]:
        return [column.kind.sent for column in self.columns]

    def line(self, values: Sequence[Any]) -> bytes:
        """A row for COPY, found fit before."""
        return (
            b"\t".join([NULL if raw is None else to(raw) for to, raw in zip(self._sent, values, strict=True)]) + b"\n"
        )

    def said(self, values: Sequence[Any]) -> bytes:
        """A row for its checksum, the same text whichever database it comes from. Raises Unfit."""
        return (
            b"\t".join([NULL if raw is None else to(raw) for to, raw in zip(self._said, values, strict=True)]) + b"\n"
        )

    def heard(self, line: bytes) -> bytes:
        """The same of a row as PostgreSQL's COPY gives it back."""
        if not any(column.kind.heard for column in self.columns):
            return line
        fields: list[bytes | bytearray] = [*line.removesuffix(b"\n").split(b"\t")]
        for place, column in enumerate(self.columns):
            if column.kind.heard and fields[place] != NULL:
                fields[place] = column.kind.heard(bytes(fields[place]))
        return b"\t".join(fields) + b"\n"

    def faults(self, values: Sequence[Any]) -> Iterable[tuple[str, str]]:
        """(column, why PostgreSQL would not take its value) of a row."""
        for column, raw in zip(self.columns, values, strict=True):
            try:
                if raw is not None:
                    column.kind.said(raw)
            except Unfit as unfit:
                yield column.name, str(unfit)


@dataclass
class Sum:
    """Rows of a table in the order of its key, and the checksum of their texts."""

    rows: int = 0
    sha256: str = ""

    def __post_init__(self) -> None:
        self._digest = hashlib.sha256()

    def add(self, line: bytes) -> None:
        self.rows += 1
        self._digest.update(line)

    def done(self) -> Sum:
        self.sha256 = self._digest.hexdigest()
        return self


def all_tables() -> dict[str, Table]:
    """{name: table} of everything the register keeps, its migrations and its shared cache included."""
    # Asked for the names of its types; it is never connected.
    postgresql = DatabaseWrapper({"OPTIONS": {}, "TIME_ZONE": None}, "types")
    everything: list[type[models.Model]] = [*apps.get_models(include_auto_created=True), MigrationRecorder.Migration]
    found = {model._meta.db_table: _of(model, postgresql) for model in everything if model._meta.managed}
    columns = tuple(Column(name, kind_of(kind)) for name, kind in CACHE.items())
    return found | {"registry_cache": Table("registry_cache", columns, "cache_key", counted=False, key_is_text=True)}


def _of(model: type[models.Model], postgresql: DatabaseWrapper) -> Table:
    fields = [field for field in model._meta.concrete_fields if not field.generated]
    columns = tuple(Column(one.column, kind_of(str(one.db_type(postgresql)))) for one in fields)
    key: Any = model._meta.pk
    return Table(
        model._meta.db_table, columns, key.column,
        counted=isinstance(key, models.AutoField), key_is_text=isinstance(key, models.CharField),
    )  # fmt: skip
