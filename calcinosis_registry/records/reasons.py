"""Why a saved value changes: asked once on a page, kept with the old value in the trail."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.html import conditional_escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as __

from calcinosis_registry.codebook.items import item_fields
from calcinosis_registry.records.conflict import because_of
from calcinosis_registry.records.typed import WordsField

# One press each; anything else is typed.
USUAL = (__("Correction of a typing error"), __("New information"))


class ReasonInput(forms.TextInput):
    """A line of text, with the usual reasons as chips that fill it in (static/registry/reason.js)."""

    def render(self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None) -> SafeString:
        line = super().render(name, value, {"autocomplete": "off", **(attrs or {})}, renderer)
        chips = "".join(
            f'<button type="button" class="chip" data-fill="{conditional_escape(name)}">'
            f'<span class="chip-text">{conditional_escape(reason)}</span></button>'
            for reason in USUAL
        )
        return mark_safe(f'{line}<span class="chips" data-reasons hidden>{chips}</span>')


def reason_field() -> forms.CharField:
    return WordsField(
        label=__("Why the change"), required=False, max_length=400, widget=ReasonInput,
        help_text=__("Needed when a saved answer changes; kept with the old value."),
    )  # fmt: skip


def overwritten(record: models.Model) -> list[str]:
    """Labels of the answers that are saved and would now be others. Filling in what was empty overwrites nothing."""
    changes = record.changed_fields() if record.pk and hasattr(record, "changed_fields") else {}
    maintained = getattr(record, "MAINTAINED", ())
    related = getattr(record, "form_relations", ())
    relations = [field for field in type(record)._meta.concrete_fields if field.name in related]
    return [
        str(field.verbose_name)
        for field in [*item_fields(type(record)), *relations]
        if field.editable
        and field.name in changes
        and field.name not in maintained
        and _answered(record._stored[field.attname])  # type: ignore[attr-defined]
    ]


def _answered(value: Any) -> bool:
    """0 is an answer; a box that is not ticked is none."""
    return value is not None and value is not False and value not in ("", ())


def relinked(form: Any) -> list[str]:
    """Labels of the lists on a form (the lesions of a treatment) that were saved and would now be others."""
    fields = {name: field for name, field in form.fields.items() if isinstance(field, forms.ModelMultipleChoiceField)}
    changed = []
    for name, field in fields.items() if form.instance.pk else ():
        was, now = form.initial.get(name) or [], form.cleaned_data.get(name)
        if was and now is not None and {one.pk for one in was} != {one.pk for one in now}:
            changed.append(str(field.label))
    return changed


def demand(form: Any, records: Iterable[models.Model], *, also: Iterable[str] = ()) -> None:
    """Add an error to the form's reason where saved answers of these records change and no reason is given.

    ``also``: labels of saved answers that stand in no field of these records and change with them.
    """
    if "reason" not in form.fields or "reason" in form.errors or because_of(form.data).strip():
        return
    labels = list(dict.fromkeys([*(label for record in records for label in overwritten(record)), *also]))
    if labels:
        more = f" {_('and others')}" if len(labels) > 3 else ""
        problem = _("Say why a saved answer changes: %(what)s.") % {"what": ", ".join(labels[:3]) + more}
        form.add_error("reason", ValidationError(problem, code="reason"))
