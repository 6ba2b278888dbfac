"""A record as people read it: labelled values in sections, and its history in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db import models
from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _

from calcinosis_registry.audit.models import Event
from calcinosis_registry.codebook.fields import CodesField
from calcinosis_registry.codebook.items import Item, item_fields, labels
from calcinosis_registry.records.models import Record


@dataclass(frozen=True)
class Shown:
    """One labelled value; ``text`` is "" where nothing was answered."""

    name: str
    label: str
    text: str
    unit: str = ""


def shown(record: Record, *, empty: bool = False) -> dict[str, list[Shown]]:
    """{section: labelled values} of a record; what was not answered only when ``empty``."""
    sections: dict[str, list[Shown]] = {}
    for field in item_fields(type(record)):
        item: Item = field.item  # type: ignore[attr-defined]
        text = words(field, getattr(record, field.name))
        if text or empty:
            label = str(field.verbose_name)
            one = Shown(field.name, label[:1].upper() + label[1:], text, item.unit if text else "")
            sections.setdefault(str(_(item.section)), []).append(one)
    return sections


def words(field: models.Field, value: Any) -> str:
    """A stored value in words: labels instead of codes, "" for nothing."""
    if value is None or value == "" or value == ():
        return ""
    if isinstance(field, CodesField):
        return ", ".join(str(labels(field).get(code, code)) for code in value)
    if field.choices:
        return str(labels(field).get(value, value))
    if isinstance(value, bool):
        return _("Yes") if value else _("No")
    if isinstance(field, models.DateField):
        return value if isinstance(value, str) else date_format(value, "Y-m-d")
    if isinstance(field, models.DecimalField):
        return number_format(value, use_l10n=False).rstrip("0").rstrip(".") if "." in str(value) else str(value)
    return str(value)


@dataclass(frozen=True)
class Told:
    """One event in words: what changed, from what to what."""

    event: Event
    changes: list[tuple[str, str, str]]


def history(record: Record) -> list[Told]:
    """The record's events, newest first, with field labels and values in words."""
    return [told(type(record), event) for event in Event.objects.of_record(type(record), record.pk)]


def told(model: type[models.Model], event: Event) -> Told:
    fields = {field.name: field for field in model._meta.concrete_fields}
    changes = []
    for name, values in event.changes.items():
        field = fields.get(name)
        if field is None or not isinstance(values, list):
            changes.append((name, "", str(values)))
            continue
        before, after = (words(field, _parsed(field, value)) for value in values)
        changes.append((str(field.verbose_name), before, after))
    return Told(event, changes)


def _parsed(field: models.Field, value: Any) -> Any:
    if isinstance(field, CodesField) and isinstance(value, str):
        return field.to_python(value)
    return value
