from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from calcinosis_registry.clinics.models import Clinic
from calcinosis_registry.identity.models import NUMBER_SIGNS


class OfferForm(forms.Form):
    to = forms.ModelChoiceField(
        Clinic.objects.none(), label=_("Which clinic follows the person from now on?"), to_field_name="public_id",
        empty_label=_("Choose"),
        error_messages={"invalid_choice": _("Choose another clinic that is open.")},
    )  # fmt: skip
    reason = forms.CharField(
        label=_("Why"), max_length=400,
        help_text=_("For example: moved house. Both clinics read it, in the trail too: no names."),
    )  # fmt: skip
    agreed = forms.BooleanField(
        label=_("The person knows which clinic the record goes to, and agrees"),
        error_messages={"required": _("A record moves only when the person knows and agrees.")},
    )

    def __init__(self, *args: Any, from_clinic: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        open_ones = Clinic.objects.filter(closed_at__isnull=True).exclude(pk=from_clinic)
        self.fields["to"].queryset = open_ones  # type: ignore[attr-defined]


class AcceptForm(forms.Form):
    hospital_number = forms.CharField(
        label=_("Hospital number here"), max_length=40, required=False, validators=[NUMBER_SIGNS],
        help_text=_("The person's number at your clinic. That of the other clinic is not taken over."),
    )  # fmt: skip
    ours = forms.BooleanField(
        label=_("I know the person, and our clinic follows them from now on"),
        error_messages={"required": _("Only the clinic that follows a person takes the record over.")},
    )


class DeclineForm(forms.Form):
    why = forms.CharField(
        label=_("Why not"), max_length=400, help_text=_("The clinic that offered the record reads it: no names.")
    )  # fmt: skip
