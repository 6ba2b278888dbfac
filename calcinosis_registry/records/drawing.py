"""One field of a form: label, control with its error beside, help below. A visit page has more than a hundred, so it is
written in Python as the controls are (widgets.py). Everything is escaped here; the ids are those Django's
aria-describedby names.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.template.loader import render_to_string
from django.utils.html import conditional_escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _


def drawn(field: forms.BoundField, wrapper_class: str = "", form_show_labels: Any = True) -> SafeString:
    """``wrapper_class``: a class beside its own; ``form_show_labels`` False: the label is for screen readers only."""
    control = mark_safe(str(field))
    if field.is_hidden:
        return control
    errors: Any = field.form.errors.get(field.name)
    own_id, label = conditional_escape(field.auto_id), conditional_escape(field.label)
    more = f" {conditional_escape(wrapper_class)}" if wrapper_class else ""
    looks = f'"field{" has-error" if errors else ""}{more}" id="div_{own_id}"'
    error = f" {_error(errors, own_id)}" if errors else ""
    below = _below(field, own_id)
    need = f' <span class="field-need">{conditional_escape(_("required"))}</span>' if field.field.required else ""
    if field.widget_type == "checkbox":
        name = f'<label for="{conditional_escape(field.id_for_label)}">{label}</label>'
        return mark_safe(f'<div class={looks}><div class="field-check">{control}{name}</div>{error}{below}</div>')
    if field.use_fieldset:
        told = field.aria_describedby
        about = f' aria-describedby="{conditional_escape(told)}"' if told else ""
        legend = f'<legend class="field-label">{label}{need}</legend>'
        return mark_safe(f"<fieldset class={looks}{about}>{legend}{control}{error}{below}</fieldset>")
    unseen = " visually-hidden" if form_show_labels is False else ""
    points_at = conditional_escape(field.id_for_label)
    name = f'<label class="field-label{unseen}" for="{points_at}">{label}{need}</label>'
    return mark_safe(f'<div class={looks}>{name}<div class="field-line">{control}{error}</div>{below}</div>')


def _error(errors: Iterable[str], own_id: str) -> str:
    said = " ".join(conditional_escape(one) for one in errors)
    return f'<span class="field-error" id="{own_id}_error">{said}</span>'


def _below(field: forms.BoundField, own_id: str) -> str:
    """Open questions about the field, and its help, which is ours and may hold markup."""
    asked = getattr(field, "questions", None)
    questions = render_to_string("components/questions.html", {"questions": asked}) if asked else ""
    help_ = f'<span class="field-help" id="{own_id}_helptext">{field.help_text}</span>' if field.help_text else ""
    return questions + help_
