"""Merged: into which lesion? Asked in the lesion's row of the visit page, among the lesions that stand there too."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as __

from calcinosis_registry.records.widgets import Dropdown
from lesions.models import Lesion, LesionObservation, LesionStatus

FIELD = "merged_into"


class AsksMerge(forms.BaseForm):
    """Mixed into the form of an observation. ``ask_merge`` is called by the page, which knows the other lesions."""

    instance: LesionObservation

    def ask_merge(self, lesions: Iterable[Lesion]) -> None:
        """``lesions``: all that stand on the page; another patient's id is an invalid choice."""
        others = {one.public_id: one for one in lesions if one.pk and one.pk != self.instance.lesion.pk}
        known = self.instance.merged_into_id or self.instance.lesion.merged_into_id
        self._others = others
        self.fields[FIELD] = forms.ChoiceField(
            label=__("Merged into"),
            required=False,
            choices=[("", _("Choose")), *((key, str(one)) for key, one in others.items())],
            widget=Dropdown,
            initial=next((key for key, one in others.items() if one.pk == known), ""),
        )

    @cached_property
    def changed_data(self) -> list[str]:
        """Another lesion says something only where the answer is “merged”."""
        names: list[str] = super().changed_data
        merged = FIELD in self.fields and self["status_change"].value() == LesionStatus.MERGED
        return names if merged else [name for name in names if name != FIELD]

    def check_merge(self, values: dict[str, Any]) -> None:
        """Adds the error beside the field, or says on the observation into which lesion it merged."""
        if FIELD not in self.fields or FIELD in self.errors or values.get("status_change") != LesionStatus.MERGED:
            return
        chosen = self._others.get(values.get(FIELD) or "")
        if chosen is None:
            self.add_error(FIELD, _("Into which lesion did it merge?"))
        else:
            self.instance.merged_into = chosen
