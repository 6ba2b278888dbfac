"""What a person types, made plain or refused with words: numbers in ASCII digits, text without signs nobody sees.

Python's own int() and Decimal() take 1_000, ３ and NaN for numbers; a pasted name may bring signs that turn it round.
"""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

_WHOLE = re.compile(r"[+-]?[0-9]{1,40}")
_DECIMAL = re.compile(r"[+-]?[0-9]{1,40}(?:\.[0-9]{1,40})?")
# Zero width space, word joiner, byte order mark, soft hyphen: they come with pasted text and mean nothing in it.
_MEANINGLESS = dict.fromkeys((0x200B, 0x2060, 0xFEFF, 0x00AD))
# They turn the direction of what follows, so that a text reads otherwise than it is stored.
_TURNING = frozenset(chr(one) for one in (*range(0x202A, 0x202F), *range(0x2066, 0x206A)))
_UNREADABLE = "\ufffd"  # stands where bytes were no text
_IN_NOTES = "\n\t"


def _number(value: Any, pattern: re.Pattern[str], message: Any) -> Any:
    """``value`` with a decimal point; ValidationError for anything that is not digits, also for minus nothing."""
    if not isinstance(value, str) or not (text := value.strip().replace(",", ".")):
        return value
    if not pattern.fullmatch(text) or (text.startswith("-") and not Decimal(text)):
        raise ValidationError(message, code="invalid")
    return text


class UnitMixin:
    """``unit``: what the number counts; the message says it, because "3 cm" is the usual mistake."""

    def __init__(self, *, unit: Any = "", **kwargs: Any) -> None:
        if unit:
            said = _("Enter the number alone; it is in %(unit)s.") % {"unit": unit}
            kwargs["error_messages"] = {"invalid": said, **(kwargs.get("error_messages") or {})}
        super().__init__(**kwargs)


class DecimalCommaField(UnitMixin, forms.DecimalField):
    """Decimal comma and point are both understood: 12,5 and 12.5."""

    def to_python(self, value: Any) -> Any:
        return super().to_python(_number(value, _DECIMAL, self.error_messages["invalid"]))


class WholeNumberField(UnitMixin, forms.IntegerField):
    """Digits only: neither 3.0 nor 1_000."""

    def to_python(self, value: Any) -> Any:
        return super().to_python(_number(value, _WHOLE, self.error_messages["invalid"]))


_ROW = re.compile(r"[0-9]{1,18}")  # a row's number; a longer one is none, and SQLite cannot even be asked


class RowField(forms.ModelChoiceField):
    """One row by its number as the page wrote it: neither "1 " nor 1e0 nor a number no table reaches."""

    def to_python(self, value: Any) -> Any:
        if value not in self.empty_values and not isinstance(value, models.Model):
            if not _ROW.fullmatch(str(value)):
                raise ValidationError(self.error_messages["invalid_choice"], code="invalid_choice")
        return super().to_python(value)


class RowsField(forms.ModelMultipleChoiceField):
    """Several rows by their numbers."""

    def clean(self, value: Any) -> Any:
        wrong = [one for one in value or () if not isinstance(one, models.Model) and not _ROW.fullmatch(str(one))]
        if isinstance(value, list | tuple) and wrong:
            raise ValidationError(
                self.error_messages["invalid_pk_value"], code="invalid_pk_value", params={"pk": str(wrong[0])[:40]}
            )
        return super().clean(value)


class WordsField(forms.CharField):
    """Text in one form of Unicode (NFC), line ends as one sign, so that both ends count the same length.

    ``lines``: may it have several? A sign that cannot be seen is refused, naming it; NUL is refused by Django.
    """

    default_error_messages = {
        "unseen": _("It holds a sign that cannot be seen (%(sign)s). Please type it instead of pasting it."),
        "unreadable": _("It holds a sign that could not be read (�). Please type it again."),
        "lines": _("It must be one line."),
    }

    def __init__(self, *, lines: bool = False, **kwargs: Any) -> None:
        self.lines = lines
        super().__init__(**kwargs)

    def to_python(self, value: Any) -> str | None:
        text = super().to_python(value)
        if not text:
            return text
        text = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n").translate(_MEANINGLESS))
        for sign in text:
            if sign == "\0" or (self.lines and sign in _IN_NOTES):
                continue
            if sign in _TURNING or unicodedata.category(sign) in ("Cc", "Cs", "Zl", "Zp"):
                self._refuse(sign)
        if _UNREADABLE in text:
            raise ValidationError(self.error_messages["unreadable"], code="unreadable")
        return text.strip() if self.strip else text

    def _refuse(self, sign: str) -> None:
        if sign == "\n":
            raise ValidationError(self.error_messages["lines"], code="lines")
        raise ValidationError(self.error_messages["unseen"], code="unseen", params={"sign": f"U+{ord(sign):04X}"})
