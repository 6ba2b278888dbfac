"""What an export is asked for with."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from calcinosis_registry.exports.models import Format, Profile


class ExportForm(forms.Form):
    format = forms.ChoiceField(label=_("Format"), choices=Format.choices, widget=forms.RadioSelect, initial=Format.CSV)
    profile = forms.ChoiceField(label=_("Profile"), choices=Profile.choices, initial=Profile.CODED)
    reason = forms.CharField(
        label=_("What the file is for"), max_length=400, help_text=_("Kept in the ledger and trail.")
    )
    include_text = forms.BooleanField(
        label=_("With free text"), required=False, help_text=_("People type names into text. Only when it is needed.")
    )
    all_visits = forms.BooleanField(
        label=_("With unsigned visits"), required=False, help_text=_("Values nobody has signed for yet.")
    )
