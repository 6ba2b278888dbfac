"""The codebook as rows: every item of every record with all that is declared about it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

from django.db import models
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as __

from calcinosis_registry.codebook.fields import CodesField, PartialDateField
from calcinosis_registry.codebook.items import Item, codebook_models, item_fields, item_key

# What a value is, in words a researcher knows. The first class that fits wins: DateTimeField before DateField.
TYPES: tuple[tuple[type[models.Field], Any], ...] = (
    (PartialDateField, __("date, as far as known")),
    (CodesField, __("set of codes")),
    (models.BooleanField, __("yes or no")),
    (models.DateTimeField, __("date and time")),
    (models.DateField, __("date")),
    (models.DecimalField, __("number")),
    (models.IntegerField, __("whole number")),
    (models.JSONField, __("structured")),
)


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One item in plain values. ``codes``: (code, label) pairs; ``possible``, ``plausible``: "low to high" or ""."""

    key: str
    record: str
    section: str
    label: str
    meaning: str
    type: str
    unit: str
    codes: tuple[tuple[str, str], ...]
    possible: str
    plausible: str
    condition: str
    terms: str
    privacy: str
    need: str
    source: str
    verified: bool


COLUMNS = (
    "key", "record", "section", "label", "meaning", "type", "unit", "codes", "possible", "plausible", "condition",
    "terms", "privacy", "need", "source", "verified",
)  # fmt: skip


# What datasets hold and nobody enters: the apps above tell of their calculated values here, in their AppConfig.ready().
CALCULATED: list[Callable[[], list[Entry]]] = []


def entries() -> list[Entry]:
    """Every item, grouped by record in the order of declaration; calculated values at the end of theirs."""
    told = [entry(field) for model in codebook_models() for field in item_fields(model)]
    order = {record: place for place, record in enumerate(dict.fromkeys(one.record for one in told))}
    return sorted([*told, *calculated().values()], key=lambda one: order.get(one.record, len(order)))


def calculated() -> dict[str, Entry]:
    """{key: calculated value}."""
    return {one.key: one for tell in CALCULATED for one in tell()}


def by_record() -> dict[str, list[Entry]]:
    """{record in words: its items}."""
    found: dict[str, list[Entry]] = {}
    for one in entries():
        found.setdefault(one.record, []).append(one)
    return found


def entry(field: models.Field) -> Entry:
    """Everything declared about one codebook field."""
    item: Item = field.item  # type: ignore[attr-defined]
    return Entry(
        key=item_key(field),
        record=_capital(field.model._meta.verbose_name),
        section=str(_(item.section)),
        label=_capital(field.verbose_name),
        meaning=str(field.help_text),
        type=type_of(field),
        unit=item.unit,
        codes=tuple(codes_of(field)),
        possible=_range(item.possible),
        plausible=_range(item.plausible),
        condition=_condition(field.model, item),
        terms="; ".join(f"{system} {code}" for system, code in item.codes.items()),
        privacy=item.privacy.value,
        need=item.need.value,
        source=item.source,
        verified=item.verified,
    )


def codes_of(field: models.Field) -> Iterator[tuple[str, str]]:
    """(code, label) pairs of a coded field, in list order; nothing for other fields."""
    pairs = field.codes if isinstance(field, CodesField) else (field.flatchoices if field.choices else [])
    for code, label in pairs:
        yield str(code), str(label)


def type_of(field: models.Field) -> str:
    if field.choices:
        return _("one code")
    return str(next((words for kind, words in TYPES if isinstance(field, kind)), _("text")))


def flat(one: Entry) -> dict[str, str]:
    """The entry as one row of text, codes as ``F = Female | M = Male``."""
    values = asdict(one) | {
        "codes": " | ".join(f"{code} = {label}" for code, label in one.codes),
        "verified": "yes" if one.verified else "no",
    }
    return {name: str(values[name]) for name in COLUMNS}


def _condition(model: type[models.Model], item: Item) -> str:
    """``Status is Dead``: when the item is asked at all."""
    parts = []
    for name, wanted in item.only_if.items():
        asked: Any = model._meta.get_field(name)
        labels = dict(codes_of(asked))
        values = wanted if isinstance(wanted, tuple | list | set | frozenset) else (wanted,)
        words = [_yes_no(value) if isinstance(value, bool) else labels.get(str(value), str(value)) for value in values]
        told = _(" or ").join(_("empty") if word == "" else word for word in words)
        parts.append(_("%(label)s is %(values)s") % {"label": _capital(asked.verbose_name), "values": told})
    return _(" and ").join(parts)


def _yes_no(value: bool) -> str:
    return _("yes") if value else _("no")


def _range(limits: tuple[Any, Any] | None) -> str:
    return _("%(low)s to %(high)s") % {"low": limits[0], "high": limits[1]} if limits else ""


def _capital(words: Any) -> str:
    words = str(words)
    return words[:1].upper() + words[1:]
