"""What a signature under a visit covers, in a canonical form: the visit, every record entered at it, and their parts.

Which columns these are follows from the models: a new field, or a new kind of record, enters by itself. A value that
is blank or the field's fixed default is left out, so that a column added later does not break an older signature.
Not covered: bookkeeping, what is derived from other rows, and what a record says may change after signing.
"""

from __future__ import annotations

import datetime
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Any

from django.apps import apps
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext as _

from calcinosis_registry.audit.traced import Traced
from calcinosis_registry.records.display import words
from calcinosis_registry.records.models import record_kinds
from patients.models import PatientRecord, Signature, Visit

# Raised when the form itself changes (a renamed column, another way to write a value): older content is then
# translated in ``standing_content`` before it is compared.
SERIALISATION = 1
UNSEALED = 0
# {"lesions.lesionobservation:33": {field: value}}
Content = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class Part:
    """One kind of row at a visit. ``visit``: the way from it to the visit."""

    model: type[Any]
    visit: str
    fields: tuple[models.Field, ...]

    @property
    def label(self) -> str:
        return self.model._meta.label_lower

    @property
    def columns(self) -> list[tuple[str, Any]]:
        """(name, fixed default) of each field."""
        return [(one.name, NO_DEFAULT if callable(one.default) else one.default) for one in self.fields]


@cache
def parts() -> tuple[Part, ...]:
    """The visit, the kinds of record, and the rows that belong to a record (links to lesions, ratings, files)."""
    found = [Part(Visit, "pk", _covered(Visit, {"state", "signed_by", "signed_at"}))]
    for model in record_kinds(PatientRecord):
        found.append(Part(model, "visit", _covered(model, model.open_after_signing)))
        for relation in model._meta.get_fields(include_hidden=True):
            part: Any = relation.related_model if relation.one_to_many else None
            if part is not None and issubclass(part, Traced) and not issubclass(part, PatientRecord):
                open_: frozenset[str] = getattr(part, "open_after_signing", frozenset())
                if _owner(part) is model:
                    found.append(Part(part, f"{relation.field.name}__visit", _covered(part, open_)))  # type: ignore[union-attr]
    return tuple(found)


def _owner(part: type[models.Model]) -> type[models.Model]:
    """The record a row is a part of; a link between a record and a lesion is part of the record."""
    keys = [one.related_model for one in part._meta.concrete_fields if one.is_relation]
    owners = [one for one in keys if isinstance(one, type) and issubclass(one, PatientRecord)]
    return next((one for one in owners if one._meta.model_name != "lesion"), owners[0])


def _covered(model: type[Any], open_: Iterable[str]) -> tuple[models.Field, ...]:
    skipped = {"public_id", "version", *getattr(model, "MAINTAINED", ()), *open_}
    return tuple(one for one in model._meta.concrete_fields if not one.primary_key and one.name not in skipped)


def contents_of(visits: Sequence[int], kinds: Iterable[type[models.Model]] | None = None) -> dict[int, Content]:
    """{visit: its content as it stands now}. ``kinds``: the record kinds known to be there, where the caller knows."""
    wanted = None if kinds is None else {*kinds, Visit}
    found: dict[int, Content] = {pk: {} for pk in visits}
    for part in parts():
        owner = part.model if part.visit in ("pk", "visit") else _owner(part.model)
        if wanted is not None and owner not in wanted:
            continue
        label, columns = part.label, part.columns
        rows = part.model._default_manager.filter(**{f"{part.visit}__in": visits}).order_by()
        for pk, visit, *values in rows.values_list("pk", part.visit, *(one.attname for one in part.fields)):
            found[visit][f"{label}:{pk}"] = _told(columns, values)
    return found


def _told(columns: Sequence[tuple[str, Any]], values: Sequence[Any]) -> dict[str, Any]:
    """Written for speed: a check of the whole register comes by here for every value."""
    told = {}
    for (name, default), value in zip(columns, values, strict=True):
        if value is None or (type(value) in EMPTY_IS_BLANK and not value) or value == default:
            continue
        told[name] = value if type(value) in AS_THEY_ARE else _plain(value)
    return told


EMPTY_IS_BLANK = frozenset({str, tuple, list})
AS_THEY_ARE = frozenset({str, int, bool, list, dict})
NO_DEFAULT = object()  # equal to nothing that is stored


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return format(value.normalize(), "f")
    if isinstance(value, datetime.datetime):
        return value.astimezone(datetime.UTC).isoformat()
    return list(value) if isinstance(value, tuple) else str(value)


def canonical(content: Content) -> bytes:
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


@dataclass(frozen=True)
class Difference:
    """One value that is not what was signed. ``record`` is ``lesions.lesionobservation:33``."""

    record: str
    title: str
    field: str
    label: str
    signed: str
    now: str


def differences(signature: Signature, now: Content) -> list[Difference]:
    """What is not as it was signed: changed, removed and added values."""
    if hashlib.sha256(canonical(now)).hexdigest() == signature.digest:
        return []  # almost always, and the content need not be read
    before = signature.written()
    # Files may join a study later: a file that was not there at signing is not covered.
    later = {key for key in now.keys() - before.keys() if getattr(_model(key), "joins_after_signing", False)}
    found = []
    for key in sorted((before.keys() | now.keys()) - later):
        found += _row_differences(key, before.get(key), now.get(key))
    return found


def _row_differences(key: str, before: Mapping[str, Any] | None, now: Mapping[str, Any] | None) -> list[Difference]:
    model = _model(key)
    title = str(model._meta.verbose_name) if model else key.partition(":")[0]
    title = title[:1].upper() + title[1:]
    if before is None:
        return [Difference(key, title, "", "", _("was not there"), _("is there"))]
    if now is None:
        return [Difference(key, title, "", "", _("was there"), _("is gone"))]
    fields = {one.name: one for one in model._meta.concrete_fields} if model else {}
    return [
        Difference(
            key, title, name, str(getattr(fields.get(name), "verbose_name", name)),
            _words(fields.get(name), before.get(name)), _words(fields.get(name), now.get(name)),
        )
        for name in sorted(before.keys() | now.keys()) if before.get(name) != now.get(name)
    ]  # fmt: skip


def _words(field: models.Field | None, value: Any) -> str:
    if value is None and field is not None and not callable(field.default):
        value = field.default  # left out of the content
    if field is None or field.is_relation or value is None or isinstance(value, dict):
        return "–" if value is None else str(value)
    try:
        return words(field, field.to_python(value)) or "–"
    except ValidationError:  # nothing the register would have stored
        return str(value)


def _model(key: str) -> type[Any] | None:
    try:
        return apps.get_model(key.partition(":")[0])
    except (LookupError, ValueError):
        return None
