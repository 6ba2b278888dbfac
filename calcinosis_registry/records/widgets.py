"""The controls of clinical forms. A page has hundreds of them: they are written in Python, which costs a tenth of the
template engine. Every value is escaped here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.forms.widgets import ChoiceWidget
from django.utils.html import conditional_escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from calcinosis_registry.records.marks import status_mark


def _attributes(attrs: Mapping[str, Any]) -> str:
    """`` name="value"`` of each attribute; True gives the name alone, False nothing."""
    told = []
    for name, value in attrs.items():
        if value is True:
            told.append(f" {name}")
        elif value is not False:
            told.append(f' {name}="{conditional_escape(value)}"')
    return "".join(told)


class _Chips(ChoiceWidget):
    """Choices as chips. attrs: class "is-scale" or "is-small", data-marks (draw status marks), data-alert (checked is
    red)."""

    def render(self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None) -> SafeString:
        own = self.build_attrs(self.attrs, attrs)
        marks = "data-marks" in own
        chips = [
            _chip(option, marks=marks)
            for _group, options, _index in self.optgroups(name, self.format_value(value), attrs)
            for option in options
        ]
        div_id = f' id="{conditional_escape(own["id"])}"' if own.get("id") else ""
        look = f"chips {conditional_escape(own['class'])}" if own.get("class") else "chips"
        return mark_safe(f'<div{div_id} class="{look}">{"".join(chips)}</div>')


def _chip(option: dict[str, Any], *, marks: bool) -> str:
    attrs = {key: one for key, one in option["attrs"].items() if key != "class"}
    value, label = conditional_escape(str(option["value"])), conditional_escape(option["label"])
    points_at = f' for="{conditional_escape(attrs["id"])}"' if attrs.get("id") else ""
    kind, name = option["type"], conditional_escape(option["name"])
    mark = status_mark(str(option["value"])) if marks and option["value"] else ""
    return (
        f'<label class="chip"{points_at} data-value="{value}">'
        f'<input type="{kind}" name="{name}" value="{value}"{_attributes(attrs)}>'
        f'{mark}<span class="chip-text" data-text="{label}">{label}</span></label>'
    )


class ChipsRadio(_Chips, forms.RadioSelect):
    """One answer."""


class ChipsCheckbox(_Chips, forms.CheckboxSelectMultiple):
    """Any number of answers."""


class Dropdown(forms.Select):
    """One of many answers; the list of sites alone has more than a hundred."""

    def render(self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None) -> SafeString:
        lines = []
        for group, options, _index in self.optgroups(name, self.format_value(value), attrs):
            own = [
                f'<option value="{conditional_escape(str(one["value"]))}"{_attributes(one["attrs"])}>'
                f"{conditional_escape(one['label'])}</option>"
                for one in options
            ]
            if group:
                own = [f'<optgroup label="{conditional_escape(group)}">', *own, "</optgroup>"]
            lines += own
        own_attrs = _attributes(self.build_attrs(self.attrs, attrs))
        return mark_safe(f'<select name="{conditional_escape(name)}"{own_attrs}>{"".join(lines)}</select>')


class UnitInput(forms.TextInput):
    """A number with its unit (attrs data-unit) inside. Text with a decimal keyboard: a number input would refuse the
    comma, and change what was typed."""

    def render(self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None) -> SafeString:
        own = self.build_attrs(self.attrs, attrs)
        own = {key: one for key, one in own.items() if key not in ("step", "min", "max")}
        unit = f'<span class="unit">{conditional_escape(own["data-unit"])}</span>' if own.get("data-unit") else ""
        usual = {"inputmode": "decimal", "autocomplete": "off"}
        return mark_safe(f'<span class="unit-input">{_input(name, self.format_value(value), own, usual)}{unit}</span>')


class PartialDateInput(forms.TextInput):
    """A year, a month or a day as text."""

    def render(self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None) -> SafeString:
        own = {key: one for key, one in self.build_attrs(self.attrs, attrs).items() if key != "class"}
        usual = {
            "class": "partial-date", "spellcheck": "false", "autocomplete": "off",
            "placeholder": _("YYYY, YYYY-MM or YYYY-MM-DD"),
            "title": _("A year, a month, a day, or the word unknown"),
        }  # fmt: skip
        return mark_safe(_input(name, self.format_value(value), own, usual))


def _input(name: str, typed: Any, attrs: Mapping[str, Any], usual: Mapping[str, str]) -> str:
    """A text input. ``usual``: attributes where ``attrs`` says nothing else."""
    first = {"type": "text", **{key: one for key, one in usual.items() if not attrs.get(key)}, "name": name}
    if typed is not None:
        first["value"] = str(typed)
    return f"<input{_attributes(first)}{_attributes(attrs)}>"
