"""What the doctor adds to a letter. Nothing of it is kept."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _


class LetterForm(forms.Form):
    recipient = forms.CharField(
        label=_("To"), max_length=400, widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("Name and address, a line each."),
    )  # fmt: skip
    greeting = forms.CharField(label=_("Greeting"), max_length=120, initial=_("Dear colleague,"))
    remarks = forms.CharField(
        label=_("Your assessment"), max_length=2000, required=False, widget=forms.Textarea(attrs={"rows": 6}),
        help_text=_("Stands after what the register knows. Not kept by the register."),
    )  # fmt: skip
    closing = forms.CharField(label=_("Closing"), max_length=120, initial=_("With kind regards"))
