"""What an export is asked for with."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from calcinosis_registry.cohorts.models import Cohort, Freeze
from calcinosis_registry.exports.models import Profile
from calcinosis_registry.exports.writers import FORMATS


def _formats() -> list[tuple[str, Any]]:
    return [(name, format_html('{} <span class="sub">{}</span>', one.label, one.note)) for name, one in FORMATS.items()]


def _profiles() -> list[tuple[str, Any]]:
    """What stands before the colon of a profile's label is its name."""
    found = []
    for profile in Profile:
        name, _sign, note = str(profile.label).partition(": ")
        found.append((profile.value, format_html('{} <span class="sub">{}</span>', name, note)))
    return found


class ExportForm(forms.Form):
    def __init__(self, *args: Any, cohort: Cohort, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        frozen: Any = self.fields["freeze"]
        frozen.queryset = Freeze.objects.filter(cohort=cohort, ended_at__isnull=True)
        if not frozen.queryset.exists():
            del self.fields["freeze"]
        if cohort.project is None or not cohort.project.images:
            del self.fields["include_images"]

    format = forms.ChoiceField(label=_("Format"), choices=_formats, widget=forms.RadioSelect, initial="csv")
    profile = forms.ChoiceField(
        label=_("Profile"), choices=_profiles, widget=forms.RadioSelect, initial=Profile.CODED.value
    )
    freeze = forms.ModelChoiceField(
        label=_("Rows"), queryset=Freeze.objects.none(), required=False, to_field_name="public_id",
        empty_label=_("As they are now"), help_text=_("A frozen cohort gives the same rows whenever it is asked."),
    )  # fmt: skip
    reason = forms.CharField(
        label=_("What the file is for"), max_length=400, help_text=_("Kept in the ledger and trail.")
    )
    include_text = forms.BooleanField(
        label=_("With free text"), required=False, help_text=_("People type names into text. Only when it is needed.")
    )
    include_images = forms.BooleanField(
        label=_("With pictures"), required=False,
        help_text=_(
            "Pixels only, of people who consent to it: pictures whose file says that no name is written in them, and "
            "those a clinician looked through and cleared. The manifest lists the others, and why."
        ),
    )  # fmt: skip
    all_visits = forms.BooleanField(
        label=_("With unsigned visits"), required=False, help_text=_("Values nobody has signed for yet.")
    )
