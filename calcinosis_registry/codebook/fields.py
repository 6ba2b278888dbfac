"""Two column types ordinary Django lacks: a partial date and a set of codes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from calcinosis_registry.codebook.partial_dates import PartialDate


class PartialDateFormField(forms.CharField):
    """Text as typed → PartialDate; the message says what is accepted."""

    default_error_messages = {
        "invalid": _("Enter a year (1987), a year and month (1987-03), a full date (1987-03-12) or “unknown”.")
    }

    def to_python(self, value: Any) -> PartialDate | None:
        if isinstance(value, PartialDate) or value in self.empty_values:
            return value or None
        try:
            return PartialDate.parse(str(value))
        except ValueError as error:
            raise ValidationError(self.error_messages["invalid"], code="invalid") from error


class PartialDateField(models.CharField):
    """A :class:`PartialDate` stored as sortable ISO text (``1987``, ``1987-03``, ``1987-03-12``, ``unknown``)."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.update(max_length=10, null=True, blank=kwargs.get("blank", True))
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> tuple:
        name, path, args, kwargs = super().deconstruct()
        for implied in ("max_length", "null"):
            kwargs.pop(implied, None)
        return name, path, args, kwargs

    def from_db_value(self, value: str | None, *_args: Any) -> PartialDate | None:
        return None if value is None else PartialDate.parse(value)

    def to_python(self, value: Any) -> PartialDate | None:
        if value in (None, "") or isinstance(value, PartialDate):
            return value or None
        try:
            return PartialDate.parse(str(value))
        except ValueError as error:
            raise ValidationError(PartialDateFormField.default_error_messages["invalid"], code="invalid") from error

    def get_prep_value(self, value: Any) -> str | None:
        value = self.to_python(value)
        return None if value is None else str(value)

    def run_validators(self, value: Any) -> None:
        super().run_validators(str(value))

    def value_to_string(self, obj: models.Model) -> str:
        return str(self.value_from_object(obj) or "")

    def formfield(self, **kwargs: Any) -> forms.Field:
        # CharField.formfield would pass max_length and empty_value, which mean nothing for an interval.
        made: Any = models.Field.formfield(self, **{"form_class": PartialDateFormField, **kwargs})
        return made


class CodesField(models.CharField):
    """A set of codes out of a list, in list order, as a tuple; stored as ``|A|B|`` so that one LIKE finds a code.

    ``codes`` is a list of (code, label) or a callable returning one. It is not part of migrations.
    """

    def __init__(self, *args: Any, codes: list | Callable[[], list] | None = None, **kwargs: Any) -> None:
        self._codes = codes or []
        kwargs.setdefault("max_length", 400)
        kwargs.update(blank=True, default="")
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> tuple:
        name, path, args, kwargs = super().deconstruct()
        for implied in ("blank", "default"):
            kwargs.pop(implied, None)
        return name, path, args, kwargs

    @property
    def codes(self) -> list[tuple[str, str]]:
        return list(self._codes() if callable(self._codes) else self._codes)

    def get_default(self) -> tuple[str, ...]:
        return ()

    def from_db_value(self, value: str | None, *_args: Any) -> tuple[str, ...]:
        return tuple(code for code in (value or "").split("|") if code)

    def to_python(self, value: Any) -> tuple[str, ...]:
        if isinstance(value, str):
            return tuple(code for code in value.split("|") if code)
        return tuple(value or ())

    def get_prep_value(self, value: Any) -> str:
        codes = self.to_python(value)
        return f"|{'|'.join(codes)}|" if codes else ""

    def validate(self, value: Iterable[str], model_instance: models.Model) -> None:
        known = {code for code, _label in self.codes}
        for code in value:
            if code not in known:
                message = _("%(code)s is not one of the codes.")
                raise ValidationError(message, code="invalid_choice", params={"code": code})

    def run_validators(self, value: Any) -> None:
        super().run_validators(self.get_prep_value(value))

    def value_to_string(self, obj: models.Model) -> str:
        return ";".join(self.value_from_object(obj))

    def formfield(self, **kwargs: Any) -> forms.Field:
        return forms.MultipleChoiceField(
            choices=lambda: self.codes,
            required=False,
            label=kwargs.pop("label", str(self.verbose_name).capitalize()),
            help_text=kwargs.pop("help_text", self.help_text),
            widget=kwargs.pop("widget", forms.CheckboxSelectMultiple),
        )


@CodesField.register_lookup
class HasCode(models.Lookup):
    """``diagnostic_basis__has="XRAY"``: the set holds this code."""

    lookup_name = "has"

    def get_prep_lookup(self) -> str:
        return f"%|{self.rhs}|%"

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, list]:
        left, left_params = self.process_lhs(compiler, connection)
        return f"{left} LIKE %s", [*left_params, self.rhs]
