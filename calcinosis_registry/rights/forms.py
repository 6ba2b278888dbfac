from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from calcinosis_registry.records.widgets import ChipsRadio
from calcinosis_registry.rights.models import Basis


class FileForm(forms.Form):
    reason = forms.CharField(
        label=_("Who asked, and how you know them"), max_length=400,
        help_text=_("For example: the patient, in person. Kept in the ledger."),
    )  # fmt: skip


class ErasureForm(forms.Form):
    basis = forms.ChoiceField(label=_("Ground"), choices=Basis.choices, widget=ChipsRadio)
    reason = forms.CharField(
        label=_("What the person said"), max_length=400, help_text=_("Erased with the rest.")
    )  # fmt: skip
