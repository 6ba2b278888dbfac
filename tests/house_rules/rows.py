"""A row of any model, whatever it means: enough for an address that leads to it."""

from __future__ import annotations

import datetime
from typing import Any

from django.db import models
from django.utils import timezone

from calcinosis_registry.codebook.items import item_of
from lesions.models import SecondReading


def a_row(model: type[models.Model], near: dict[type[models.Model], models.Model]) -> models.Model:
    """The row of ``near``, else one with its required columns filled, past save() and its rules, and kept there."""
    if model in near:
        return near[model]
    row = model()
    for field in model._meta.concrete_fields:
        other = field.remote_field.model if field.is_relation else None
        if other is not None and (not field.null or (other in near and other is not model)):
            setattr(row, field.name, a_row(other, near))
        elif not field.null and not field.has_default() and field.value_from_object(row) in (None, ""):
            if not field.primary_key:
                setattr(row, field.name, _value(field))
    if isinstance(row, SecondReading) and row.is_read:
        row.ended_at = timezone.now()  # the database says so too
    row.save_base(raw=True)
    near[model] = row
    return row


def _value(field: models.Field) -> Any:
    item = item_of(field)
    if item is not None and item.possible:
        return item.possible[0]
    if field.choices:
        return field.flatchoices[0][0]
    if isinstance(field, models.DateTimeField):
        return timezone.now()
    if isinstance(field, models.DateField):
        return datetime.date(2026, 5, 12)
    if isinstance(field, models.DecimalField | models.IntegerField):
        return 1
    return "" if field.blank else "x"
