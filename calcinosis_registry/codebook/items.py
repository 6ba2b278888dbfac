"""clinical(): declare a field's meaning once, beside the field.

``clinical()`` hangs one frozen :class:`Item` on an ordinary Django field and returns that field, so Django, the admin,
history and migrations see what they know. Forms, the visit page, plausibility and completeness checks, cohorts, exports
and the codebook page all read the Item.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

from django.apps import apps
from django.core.exceptions import ImproperlyConfigured
from django.db import models
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

F = TypeVar("F", bound=models.Field)


class Privacy(enum.StrEnum):
    """What may leave the register with a coded or anonymous export (trust.md, "Who sees what")."""

    CLINICAL = "clinical"  # leaves as it is
    DATE = "date"  # leaves shifted (coded) or as a year (anonymous)
    QUASI = "quasi"  # a quasi-identifier: counted for k
    FREE_TEXT = "free_text"  # leaves only by explicit choice
    IDENTITY = "identity"  # never leaves
    INTERNAL = "internal"  # bookkeeping; never leaves


class Need(enum.StrEnum):
    """When an answer is asked for."""

    OPTIONAL = "optional"
    COMPLETE = "complete"  # Save accepts the gap; Complete asks for it
    ALWAYS = "always"  # Save asks for it


@dataclass(frozen=True, kw_only=True)
class Item:
    """One codebook entry.

    ``possible``: hard limits, inclusive, in ``unit``; refused, and a database constraint.
    ``plausible``: soft limits, inclusive; accepted with a warning that becomes a data query.
    ``only_if``: {field name: value or tuple of values} of the same record; otherwise the field does not apply.
    ``codes``: {system: code} such as {"LOINC": "2000-8"}; only codes the clinical model states.
    ``verified``: False where the clinical model marks it uncertain; the screen then says so.
    """

    section: str
    privacy: Privacy
    source: str
    unit: str = ""
    possible: tuple[float | Decimal, float | Decimal] | None = None
    plausible: tuple[float | Decimal, float | Decimal] | None = None
    only_if: Mapping[str, Any] = dataclass_field(default_factory=dict)
    codes: Mapping[str, str] = dataclass_field(default_factory=dict)
    need: Need = Need.OPTIONAL
    verified: bool = True

    def applies(self, values: Mapping[str, Any]) -> bool:
        """Does the field apply to a record with these values? Multi-select values match on any code."""
        return all(_matches(values.get(name), wanted) for name, wanted in self.only_if.items())


def _matches(value: Any, wanted: Any) -> bool:
    wanted_values = wanted if isinstance(wanted, tuple | list | set | frozenset) else (wanted,)
    if isinstance(value, tuple | list | set | frozenset):
        return any(one in wanted_values for one in value)
    return value in wanted_values


def clinical(field: F, *, section: str, privacy: Privacy, source: str, **meaning: Any) -> F:
    """Hang an :class:`Item` on ``field`` and return the field. ImproperlyConfigured when a limit makes no sense."""
    item = Item(section=section, privacy=privacy, source=source, **meaning)
    for limits in (item.possible, item.plausible):
        if limits is not None and limits[0] > limits[1]:
            raise ImproperlyConfigured(f"{field.verbose_name}: limits {limits} are the wrong way round")
    field.item = item  # type: ignore[attr-defined]
    return field


def item_of(field: models.Field) -> Item | None:
    """The Item on a field, or None where the field is not a codebook item (keys, relations)."""
    return getattr(field, "item", None)


def item_fields(model: type[models.Model]) -> tuple[models.Field, ...]:
    """The codebook fields of a model, in declaration order."""
    return _item_fields(model)


@cache
def _item_fields(model: type[models.Model]) -> tuple[models.Field, ...]:
    return tuple(field for field in model._meta.concrete_fields if item_of(field) is not None)


def codebook_models() -> Iterator[type[models.Model]]:
    """Every model that holds codebook items, in app and declaration order."""
    for model in apps.get_models():
        if item_fields(model):
            yield model


@cache
def labels(field: models.Field) -> dict[Any, Any]:
    """{code: label} of a field with choices or codes. Code lists are files of this version, so they are read once;
    labels stay as lazy as they were given."""
    if hasattr(field, "codes"):
        return dict(field.codes)
    return dict(field.flatchoices)


def item_key(field: models.Field) -> str:
    """The item's public name, ``model.field``: what cohorts, exports and the codebook page call it."""
    return f"{field.model._meta.model_name}.{field.name}"


class YesNoUnknown(models.TextChoices):
    """The tri-state answer: never force a false No (clinical-model 12.1)."""

    YES = "Y", _("Yes")
    NO = "N", _("No")
    UNKNOWN = "U", _("Unknown")


def yes_no_unknown(label: StrOrPromise, *, help_text: StrOrPromise = "", **meaning: Any) -> models.CharField:
    """A tri-state codebook field; blank means not answered yet."""
    return clinical(
        models.CharField(label, max_length=1, choices=YesNoUnknown.choices, blank=True, help_text=help_text),
        **{"privacy": Privacy.CLINICAL, **meaning},
    )


def choice(
    label: StrOrPromise,
    choices: type[models.TextChoices] | list | Callable[[], list],
    *,
    help_text: StrOrPromise = "",
    **meaning: Any,
) -> models.CharField:
    """A single-choice codebook field stored as its code; blank is not answered yet. Callable: small migrations."""
    pairs = choices.choices if isinstance(choices, type) else choices  # type: ignore[attr-defined]
    return clinical(
        models.CharField(label, max_length=32, choices=pairs, blank=True, help_text=help_text),
        **{"privacy": Privacy.CLINICAL, **meaning},
    )
