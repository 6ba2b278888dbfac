"""Traced models: every write leaves its event in the same transaction, by a bulk path.

Plain ``queryset.update()`` leaves no history, so it is refused here. Row and event stand or fall together with what is
around them, so no savepoint of their own is needed.
"""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Iterable, Sequence
from decimal import Decimal
from functools import cache
from typing import Any, NoReturn

from django.core.exceptions import ValidationError
from django.db import DataError, models, transaction
from django.utils.translation import gettext as _

from calcinosis_registry.audit import trail
from calcinosis_registry.audit.models import Action, Event


class Outdated(ValidationError):
    """The row is not the one that was read: somebody else saved it meanwhile. Nothing was written."""

    def __init__(self) -> None:
        super().__init__(_("Somebody else saved this record meanwhile. Nothing of theirs was overwritten."))


class TracedQuerySet(models.QuerySet):
    def update(self, **kwargs: Any) -> NoReturn:
        raise TypeError(f"update() leaves no history: save {self.model.__name__} rows, or use bulk_update()")

    def bulk_create(self, objs: Iterable[Any], *args: Any, **kwargs: Any) -> list:
        with transaction.atomic(savepoint=False):
            created = super().bulk_create(list(objs), *args, **kwargs)
            trail.write(_created(one) for one in created)
            for one in created:
                one.remember()
        return created

    def bulk_update(self, objs: Iterable[Any], fields: Sequence[str], batch_size: int | None = None) -> int:
        objs = list(objs)
        _refuse_cut_text(objs, [self.model._meta.get_field(name) for name in fields])
        with transaction.atomic(savepoint=False):
            # Model-level bulk_update calls update() on the rows it has locked; the plain queryset does that for us.
            rows: models.QuerySet[Any] = models.QuerySet(self.model, using=self.db)
            as_read = self.model.still_as_read(objs, fields)
            count = (rows if as_read is None else rows.filter(as_read)).bulk_update(objs, fields, batch_size)
            if as_read is not None and count != len(objs):
                raise Outdated
            trail.write(told for one in objs if (told := _changed(one)) is not None)
            for one in objs:
                one.remember()
        return count

    def delete(self) -> tuple[int, dict[str, int]]:
        with transaction.atomic(savepoint=False):
            if self.model.delete is not Traced.delete:
                return _one_by_one(self)
            doomed = [_deleted(one) for one in self]
            gone = super().delete()
            trail.write(doomed)
        return gone


@cache
def _columns(model: type[models.Model]) -> tuple[str, ...]:
    return tuple(field.attname for field in model._meta.concrete_fields)


class Traced(models.Model):
    """Base of every model whose changes are kept. ``trail_patient`` names the patient an event is about."""

    objects = TracedQuerySet.as_manager()
    trail_patient = ""
    # Columns derived from other traced rows: their change is no event of its own.
    MAINTAINED: tuple[str, ...] = ()

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        with transaction.atomic(savepoint=False):
            adding = self._state.adding
            told = None if adding else _changed(self)
            super().save(*args, **kwargs)
            trail.write([_created(self)] if adding else [told] if told else [])
        self.remember()

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        with transaction.atomic(savepoint=False):
            told = _deleted(self)
            gone = super().delete(*args, **kwargs)
            trail.write([told])
        return gone

    @classmethod
    def from_db(cls, db: str | None, field_names: Any, values: Any) -> Any:
        instance = super().from_db(db, field_names, values)
        instance.remember()
        return instance

    def remember(self) -> None:
        """Keep the values as stored, to tell a later change from."""
        read = self.__dict__
        self._stored = {
            name: read[name] for name in _columns(type(self)) if name in read
        }  # deferred ones are not there

    @classmethod
    def still_as_read(cls, objs: Sequence[Any], fields: Sequence[str]) -> models.Q | None:
        """What the rows of a bulk update must still be, so that no other save is overwritten; None: anything."""
        return None

    def refresh_from_db(self, *args: Any, **kwargs: Any) -> None:
        super().refresh_from_db(*args, **kwargs)
        self.remember()

    def changed_fields(self) -> dict[str, list[Any]]:
        """{field: [stored, now]} for what differs from the stored row; everything filled for a new one."""
        stored = getattr(self, "_stored", None)
        changes: dict[str, list[Any]] = {}
        for field in self._meta.concrete_fields:
            if field.primary_key or (stored is not None and field.attname not in stored):
                continue
            now = self.__dict__.get(field.attname)
            before = stored[field.attname] if stored is not None else None
            if before != now and not (stored is None and now in (None, "", ())):
                changes[field.name] = [_plain(field, before), _plain(field, now)]
        return changes


def _refuse_cut_text(objs: Sequence[Any], fields: Iterable[Any]) -> None:
    """A bulk update casts its values, and for PostgreSQL to cast is to cut: 121 characters become 120 in silence."""
    for field in fields:
        if isinstance(field, models.CharField) and field.max_length:
            for one in objs:
                value = field.get_prep_value(getattr(one, field.attname))
                if value is not None and len(value) > field.max_length:
                    raise DataError(f"{one._meta.label_lower}.{field.name}: more than {field.max_length} characters")


# Bookkeeping columns say nothing that the event itself does not say.
UNTOLD = frozenset({"public_id", "version"})


def _one_by_one(rows: models.QuerySet) -> tuple[int, dict[str, int]]:
    """A model with a delete() of its own takes parts with it, whose events that delete() writes."""
    gone: Counter[str] = Counter()
    for one in rows:
        gone.update(one.delete()[1])
    return gone.total(), dict(gone)


def _told(one: Traced) -> dict[str, list[Any]]:
    hidden = UNTOLD.union(one.MAINTAINED)
    return {name: values for name, values in one.changed_fields().items() if name not in hidden}


def _created(one: Traced) -> Event:
    one._stored = None  # type: ignore[assignment]
    return trail.event(Action.CREATE, about=one, changes=_told(one))


def _changed(one: Traced) -> Event | None:
    changes = _told(one)
    return trail.event(Action.CHANGE, about=one, changes=changes) if changes else None


def _deleted(one: Traced) -> Event:
    kept = {
        name: [values[0] if values[0] is not None else values[1], None] for name, values in _everything(one).items()
    }
    return trail.event(Action.DELETE, about=one, changes=kept)


def _everything(one: Traced) -> dict[str, list[Any]]:
    stored = one._stored
    one._stored = None  # type: ignore[assignment]
    values = _told(one)
    one._stored = stored
    return values


def _plain(field: models.Field, value: Any) -> Any:
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, Decimal | datetime.date | datetime.datetime | float):
        return str(value)
    return field.get_prep_value(value)
