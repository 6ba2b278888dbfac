"""One form for every clinical record, built from its codebook items: sections, units, chips, help, conditions."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from typing import Any

from crispy_forms.helper import FormHelper
from crispy_forms.layout import HTML, Div, Field, Fieldset, Layout
from django import forms
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import models
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from calcinosis_registry.codebook.fields import CodesField, PartialDateField
from calcinosis_registry.codebook.items import Item, Need, item_fields, item_of
from calcinosis_registry.records import reasons
from calcinosis_registry.records.conflict import Choice, Shown, ShownField, differing
from calcinosis_registry.records.models import Record
from calcinosis_registry.records.typed import DecimalCommaField, RowField, RowsField, WholeNumberField, WordsField
from calcinosis_registry.records.widgets import (
    Checkbox,
    ChipsCheckbox,
    ChipsRadio,
    Dropdown,
    Line,
    PartialDateInput,
    UnitInput,
    Words,
    Written,
)

CHIPS_UP_TO = 7  # product.md: segmented chips instead of dropdowns for up to seven answers
FIELD_TEMPLATE = "components/field.html"


class IsoDateInput(Written, forms.DateInput):
    input_type = "date"

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(format="%Y-%m-%d", **kwargs)


def form_field(field: models.Field, **kwargs: Any) -> forms.Field | None:
    """The form field of a model field: the widget follows from type, codes and unit, unless the form names one."""
    item = item_of(field)
    if isinstance(field, CodesField):
        return field.formfield(**{"widget": ChipsCheckbox, **kwargs})
    if field.choices:
        pairs = list(field.flatchoices)
        many = len(pairs) > CHIPS_UP_TO
        typed = field.formfield(**{"widget": Dropdown if many else ChipsRadio, **kwargs})
        if not many and isinstance(typed, forms.TypedChoiceField):
            typed.choices = pairs  # no "---------" chip: a chip can be cleared instead
        return typed
    if isinstance(field, PartialDateField):
        return field.formfield(**{"widget": PartialDateInput, **kwargs})
    if isinstance(field, models.DateField) and not isinstance(field, models.DateTimeField):
        said = {"invalid": _("Enter a date that exists as year-month-day: 2026-05-12.")}
        return field.formfield(**{"widget": IsoDateInput, "error_messages": said, **kwargs})
    if isinstance(field, models.DecimalField):
        number = {"form_class": DecimalCommaField, "unit": item.unit if item else ""}
        return field.formfield(**{**number, "widget": _number(item, "decimal"), **kwargs})
    if isinstance(field, models.IntegerField):
        number = {"form_class": WholeNumberField, "unit": item.unit if item else ""}
        return field.formfield(**{**number, "widget": _number(item, "numeric"), **kwargs})
    if isinstance(field, models.TextField):
        words = {"form_class": WordsField, "lines": True}
        return field.formfield(**{**words, "widget": Words(attrs={"rows": 3}), **kwargs})
    if isinstance(field, models.ManyToManyField):
        return field.formfield(**{"form_class": RowsField, **kwargs})
    if isinstance(field, models.ForeignKey):
        return field.formfield(**{"form_class": RowField, "widget": Dropdown, **kwargs})
    if isinstance(field, models.CharField):
        return field.formfield(**{"form_class": WordsField, "widget": Line, **kwargs})
    if isinstance(field, models.BooleanField):
        return field.formfield(**{"widget": Checkbox, **kwargs})
    return field.formfield(**kwargs)


def _number(item: Item | None, mode: str) -> UnitInput:
    attrs = {"inputmode": mode, "autocomplete": "off"}
    if item is not None and item.unit:
        attrs["data-unit"] = item.unit
    return UnitInput(attrs=attrs)


class RecordForm(forms.ModelForm):
    """Base of every record form. The instance comes with its patient (and visit) set by the view.

    ``version`` is what the person was shown: a record saved by somebody else meanwhile is not overwritten.
    """

    version = ShownField(required=False)
    # Is a reason asked when a saved record changes? Which fields does the page itself show and hide?
    asks_reason = True
    always_shown: frozenset[str] = frozenset()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["version"].initial = Shown(self)
        for name in self._meta.model.form_relations:
            if name in self.fields:
                self._limit_to_patient(self.fields[name])
        for field in item_fields(self._meta.model):
            if field.name in self.fields:
                self._describe(field.name, self.fields[field.name], field.item)  # type: ignore[attr-defined]
        # A form with a prefix is part of a page, which asks once.
        if self.instance.pk and self.asks_reason and not self.prefix:
            self.fields["reason"] = reasons.reason_field()

    @cached_property
    def helper(self) -> FormHelper:
        """The layout, made when the form is drawn: a form that is only validated needs none."""
        helper = FormHelper(self)
        helper.form_tag = False
        helper.layout = self._layout()
        return helper

    def _limit_to_patient(self, field: forms.Field) -> None:
        """Only this patient's lesions, studies, courses: another patient's id is an invalid choice."""
        rows = field.queryset.model._default_manager.filter(patient=self.instance.patient.pk)  # type: ignore[attr-defined]
        field.queryset = rows  # type: ignore[attr-defined]
        if isinstance(field, forms.ModelMultipleChoiceField):
            field.widget = ChipsCheckbox()
            field.widget.choices = field.choices
            field.help_text = ""

    def _describe(self, name: str, field: forms.Field, item: Item) -> None:
        field.required = item.need is Need.ALWAYS and not item.only_if
        if item.only_if and name not in self.always_shown:
            field.widget.attrs["data-only-if"] = json.dumps(
                {name: [str(one) for one in _as_tuple(wanted)] for name, wanted in item.only_if.items()}
            )
        if not item.verified:
            field.label = _("%(label)s (unverified)") % {"label": field.label}

    def _layout(self) -> Layout:
        sections: dict[str, list[str]] = {}
        for field in item_fields(self._meta.model):
            if field.name in self.fields:
                sections.setdefault(str(field.item.section), []).append(field.name)  # type: ignore[attr-defined]
        relations = [name for name in self._meta.model.form_relations if name in self.fields]
        parts: list[Any] = [Field("version")]
        if relations:
            parts.append(Div(*[Field(name, template=FIELD_TEMPLATE) for name in relations], css_class="form-section"))
        for section, names in sections.items():
            parts.append(
                Fieldset(
                    _(section), *[Field(name, template=FIELD_TEMPLATE) for name in names], css_class="form-section"
                )
            )
        if "reason" in self.fields:
            parts.append(Div(Field("reason", template=FIELD_TEMPLATE), css_class="form-section"))
        return Layout(*parts) if len(parts) > 1 else Layout(HTML(""))

    def beside(self) -> dict[str, list[str]]:
        """{name: what an untouched page would send} of inputs its save writes that are no fields of this form."""
        return {}

    def choices_beside(self, seen: Mapping[str, list[str] | None]) -> list[Choice]:
        """Where those inputs, as typed, differ from what is saved now. ``seen``: what the page showed of them."""
        return []

    def changed_records(self) -> list[Record]:
        """The records whose saved answers need a reason to change; a page of several forms looks at them itself."""
        return [self.instance]

    def _update_errors(self, errors: ValidationError) -> None:
        """What the form says beside a field already, the model need not say again.

        What the model says of a field that is not on the form is said of the whole form.
        """
        if hasattr(errors, "error_dict"):
            said: dict[str, list[Any]] = {}
            for name, messages in errors.error_dict.items():
                if name not in self.errors:
                    said.setdefault(name if name in self.fields else NON_FIELD_ERRORS, []).extend(messages)
            errors = ValidationError(said)
        super()._update_errors(errors)  # type: ignore[misc]

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc]
        if self.asks_reason:
            reasons.demand(self, self.changed_records(), also=reasons.relinked(self))
        if hasattr(self.instance, "check_links") and "lesions" in self.cleaned_data:
            try:
                self.instance.check_links(self.cleaned_data["lesions"])
            except ValidationError as error:
                self.add_error(None, error)

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        other = bool(self.instance.pk) and values.get("version") != self.instance.version
        self.conflict = other and (any(differing(self)) or bool(self.choices_beside({})))
        if self.conflict:
            self.add_error(
                None,
                _(
                    "Somebody else saved this record while you were writing. "
                    "Nothing of theirs was overwritten; yours is below."
                ),
            )
        return values


def _as_tuple(value: Any) -> tuple:
    return tuple(value) if isinstance(value, tuple | list | set | frozenset) else (value,)


def record_fields(model: type[Record]) -> list[str]:
    """Names of what a person enters for a record: its editable codebook items and its relations."""
    items = [field.name for field in item_fields(model) if field.editable]
    return [*items, *model.form_relations]


# Kinds whose form does more than its items say; the apps above add theirs in their AppConfig.ready().
OWN_FORMS: dict[type[Record], type[RecordForm]] = {}


@cache
def record_form_class(model: type[Record]) -> type[RecordForm]:
    """The form of a record kind."""
    if model in OWN_FORMS:
        return OWN_FORMS[model]
    factory: Any = forms.modelform_factory  # the stubs do not know the callback's keywords
    return factory(model, form=RecordForm, fields=record_fields(model), formfield_callback=form_field)
