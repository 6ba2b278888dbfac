"""What a question may be about: every shareable codebook item, its kind of answer, and what can be asked of it."""

from __future__ import annotations

import datetime
import enum
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import Any

from django.db import models
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as __

from calcinosis_registry.codebook.catalogue import codes_of, entry
from calcinosis_registry.codebook.fields import CodesField, PartialDateField
from calcinosis_registry.codebook.items import item_fields, item_key
from calcinosis_registry.cohorts.structure import SHAREABLE, Level, levels
from lesions.sites import descendants


class Kind(enum.StrEnum):
    CODE = "code"
    CODES = "codes"
    BOOLEAN = "boolean"
    NUMBER = "number"
    DATE = "date"
    PARTIAL_DATE = "partial_date"
    TEXT = "text"


class Operator(models.TextChoices):
    IS = "is", __("is")
    IS_NOT = "is not", __("is never")
    ANY_OF = "any of", __("is any of")
    AT_LEAST = "at least", __("is at least")
    AT_MOST = "at most", __("is at most")
    BETWEEN = "between", __("is between")
    BEFORE = "before", __("is before")
    AFTER = "after", __("is after")
    ANSWERED = "answered", __("is answered")
    NOT_ANSWERED = "not answered", __("is not answered")


O = Operator  # noqa: E741
_WORDS = (O.IS, O.IS_NOT, O.ANY_OF, O.ANSWERED, O.NOT_ANSWERED)
_DATES = (O.BEFORE, O.AFTER, O.BETWEEN, O.ANSWERED, O.NOT_ANSWERED)
OPERATORS: dict[Kind, tuple[Operator, ...]] = {
    Kind.CODE: _WORDS,
    Kind.CODES: _WORDS,
    Kind.TEXT: _WORDS,
    Kind.BOOLEAN: (O.IS, O.IS_NOT),
    Kind.NUMBER: (O.IS, O.IS_NOT, O.AT_LEAST, O.AT_MOST, O.BETWEEN, O.ANSWERED, O.NOT_ANSWERED),
    Kind.DATE: _DATES,
    Kind.PARTIAL_DATE: _DATES,
}
WITHOUT_VALUE = (O.ANSWERED, O.NOT_ANSWERED)
WITH_TWO = (O.BETWEEN,)


# Items whose codes lie inside each other: asking for the hand asks for every place in it.
PLACES = frozenset({"lesion.site", "imagingstudy.body_region"})


@dataclass(frozen=True)
class Askable:
    """One item a condition may name."""

    key: str
    level: Level
    field: models.Field
    kind: Kind

    @property
    def label(self) -> str:
        words = str(self.field.verbose_name)
        return words[:1].upper() + words[1:]

    @property
    def meaning(self) -> str:
        """What the codebook says of it, for the list to choose from."""
        return entry(self.field).meaning

    @property
    def unit(self) -> str:
        return self.field.item.unit  # type: ignore[attr-defined]

    @property
    def codes(self) -> dict[str, str]:
        return {"yes": _("Yes"), "no": _("No")} if self.kind is Kind.BOOLEAN else dict(codes_of(self.field))

    def with_inside(self, value: Any) -> tuple[str, ...]:
        """The asked codes; of places also all that lie inside them."""
        asked = value if isinstance(value, tuple) else (value,)
        if self.key not in PLACES:
            return asked
        return tuple(dict.fromkeys(one for code in asked for one in (code, *(s.code for s in descendants(code)))))

    def value(self, operator: Operator, given: Any) -> Any:
        """The typed value (a pair for "between", a tuple for "any of"). Raises ValueError saying what is wrong."""
        if operator in WITHOUT_VALUE:
            return None
        if operator is O.ANY_OF:
            chosen = given if isinstance(given, list | tuple) else [given]
            if not chosen:
                raise ValueError(_("choose at least one value"))
            return tuple(self._one(value) for value in chosen)
        if operator is O.IS_NOT and isinstance(given, list | tuple) and len(given) > 1:
            return tuple(self._one(value) for value in given)
        if operator in WITH_TWO:
            if not isinstance(given, list | tuple) or len(given) != 2:
                raise ValueError(_("give two values, from and to"))
            low, high = (self._one(value) for value in given)
            if low > high:
                raise ValueError(_("the first value is above the second"))
            return low, high
        return self._one(given)

    def _one(self, given: Any) -> Any:
        if given is None or isinstance(given, dict | list | tuple) or str(given).strip() == "":
            raise ValueError(_("a value is missing"))
        text = str(given).strip()
        if self.kind is Kind.BOOLEAN:
            return _boolean(text)
        if self.kind in (Kind.CODE, Kind.CODES):
            if text not in self.codes:
                raise ValueError(_("“%(value)s” is not one of its codes") % {"value": text})
            return text
        if self.kind is Kind.NUMBER:
            return _number(text)
        return _day(text) if self.kind in (Kind.DATE, Kind.PARTIAL_DATE) else text

    def words(self, value: Any) -> str:
        """A typed value as people read it."""
        if isinstance(value, tuple):
            return _(" or ").join(self.words(one) for one in value)
        if isinstance(value, bool):
            return _("Yes") if value else _("No")
        text = self.codes.get(value, value) if isinstance(value, str) else value
        return f"{text} {self.unit}".strip() if self.kind is Kind.NUMBER else f"“{text}”"


def _boolean(text: str) -> bool:
    if text.lower() not in ("yes", "no", "true", "false"):
        raise ValueError(_("answer yes or no, not “%(value)s”") % {"value": text})
    return text.lower() in ("yes", "true")


def _number(text: str) -> Decimal:
    try:
        number = Decimal(text.replace(",", "."))
    except InvalidOperation:
        raise ValueError(_("“%(value)s” is not a number") % {"value": text}) from None
    if not number.is_finite() or abs(number.adjusted()) > 12:
        raise ValueError(_("“%(value)s” is not a number that can be compared") % {"value": text})
    return number


def _day(text: str) -> datetime.date:
    try:
        return datetime.date.fromisoformat(text)
    except ValueError:
        raise ValueError(_("“%(value)s” is not a date such as 2026-03-12") % {"value": text}) from None


@cache
def askable() -> dict[str, Askable]:
    """{``patient.sex_at_birth``: Askable}; identity, bookkeeping and free text cannot be asked."""
    return {one.key: one for level in levels().values() for one in _of_level(level)}


def _of_level(level: Level) -> Iterable[Askable]:
    for field in item_fields(level.model):
        if field.item.privacy in SHAREABLE:  # type: ignore[attr-defined]
            yield Askable(item_key(field), level, field, kind_of(field))


def kind_of(field: models.Field) -> Kind:
    if isinstance(field, PartialDateField):
        return Kind.PARTIAL_DATE
    if isinstance(field, CodesField):
        return Kind.CODES
    if isinstance(field, models.BooleanField):
        return Kind.BOOLEAN
    if isinstance(field, models.DateField):
        return Kind.DATE
    if isinstance(field, models.DecimalField | models.IntegerField):
        return Kind.NUMBER
    return Kind.CODE if field.choices else Kind.TEXT
