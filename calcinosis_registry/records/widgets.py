"""The controls of clinical forms. A page has hundreds of them: they are written in Python, which costs a tenth of the
template engine. Every value is escaped here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from django import forms
from django.forms.widgets import ChoiceWidget
from django.utils.functional import Promise
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
        own_id = conditional_escape(own["id"]) if own.get("id") else ""
        look = f"chips {conditional_escape(own['class'])}" if own.get("class") else "chips"
        told = {key: one for key, one in own.items() if key not in ("class", "id")}
        # What every chip of these has in common is written once.
        start = f'<input type="{self.input_type}" name="{conditional_escape(name)}" value="'
        of_all, marks = _attributes(told), "data-marks" in own
        chips = []
        for _group, place, answer, label, chosen in _answers(self, value):
            value_, label_, mark = _said(answer, label, marks)
            chip_id = f"{own_id}_{place}"
            points_at, id_ = (f' for="{chip_id}"', f' id="{chip_id}"') if own_id else ("", "")
            checked = " checked" if chosen else ""
            chips.append(
                f'<label class="chip"{points_at} data-value="{value_}">{start}{value_}"{of_all}{id_}{checked}>'
                f'{mark}<span class="chip-text" data-text="{label_}">{label_}</span></label>'
            )
        div_id = f' id="{own_id}"' if own_id else ""
        return mark_safe(f'<div{div_id} class="{look}">{"".join(chips)}</div>')


def _answers(widget: ChoiceWidget, value: Any) -> Iterator[tuple[str, str, str, str, bool]]:
    """(group, place among the choices, value, label, is it chosen) of each: what Django's optgroups tell."""
    chosen, found = set(widget.format_value(value) or ()), False
    for place, (answer, label) in enumerate(widget.choices):
        inside = isinstance(label, list | tuple)
        ones = [(f"{place}_{n}", *one) for n, one in enumerate(label)] if inside else [(f"{place}", answer, label)]
        group = answer if inside else ""
        for where, one, words in ones:
            text = "" if one is None else str(one)
            picked = text in chosen and (widget.allow_multiple_selected or not found)
            found = found or picked
            yield group, where, text, str(words) if isinstance(words, Promise) else words, picked


@lru_cache(maxsize=8192, typed=True)  # typed: markup that is safe is not the same text that is not
def _said(answer: str, label: str, marks: bool) -> tuple[str, str, str]:
    """Value and label as they are written, and the mark of the status. Forms say the same few thousand things."""
    return conditional_escape(answer), conditional_escape(label), status_mark(answer) if marks and answer else ""


class ChipsRadio(_Chips, forms.RadioSelect):
    """One answer."""


class ChipsCheckbox(_Chips, forms.CheckboxSelectMultiple):
    """Any number of answers."""


class Dropdown(forms.Select):
    """One of many answers; the list of sites alone has more than a hundred."""

    def render(self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None) -> SafeString:
        lines, group = [], ""
        for named, _place, answer, label, chosen in _answers(self, value):
            if named != group:
                lines.append("</optgroup>" if group else "")
                lines.append(f'<optgroup label="{conditional_escape(named)}">' if named else "")
                group = named
            value_, label_, _mark = _said(answer, label, False)
            lines.append(f'<option value="{value_}"{" selected" if chosen else ""}>{label_}</option>')
        lines.append("</optgroup>" if group else "")
        own_attrs = _attributes(self.build_attrs(self.attrs, attrs))
        return mark_safe(f'<select name="{conditional_escape(name)}"{own_attrs}>{"".join(lines)}</select>')


class Written(forms.Widget):
    """Mixed into a control of Django's that is one element: what its template says, without the template."""

    def render(self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None) -> SafeString:
        told = self.get_context(name, value, attrs)["widget"]
        own, shown = _attributes(told["attrs"]), told["value"]
        if "type" not in told:
            text = conditional_escape(shown) if shown else ""
            return mark_safe(f'<textarea name="{conditional_escape(name)}"{own}>\n{text}</textarea>')
        first = {"type": told["type"], "name": name} | ({} if shown is None else {"value": str(shown)})
        return mark_safe(f"<input{_attributes(first)}{own}>")


class Line(Written, forms.TextInput):
    """Some words."""


class Words(Written, forms.Textarea):
    """Several lines."""


class Hidden(Written, forms.HiddenInput):
    """What the page carries."""


class Checkbox(Written, forms.CheckboxInput):
    """Yes, or nothing said."""


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
