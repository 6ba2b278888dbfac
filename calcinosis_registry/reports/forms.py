"""Who gets the monthly e-mail, and when."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from calcinosis_registry.accounts.models import User
from calcinosis_registry.records.typed import RowsField
from calcinosis_registry.reports.models import LAST_DAY


class ScheduleForm(forms.Form):
    people = RowsField(
        label=_("Who gets it"), queryset=User.objects.none(), required=False, widget=forms.CheckboxSelectMultiple,
        help_text=_("Everybody with a role at the clinic that reads its reports. Nobody chosen: no e-mail."),
    )  # fmt: skip
    day = forms.IntegerField(
        label=_("Day of the month"), min_value=1, max_value=LAST_DAY, initial=1, help_text=_("1 to 28")
    )

    def __init__(self, *args: Any, readers: list[User], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["people"].queryset = User.objects.filter(pk__in=[one.pk for one in readers])  # type: ignore[attr-defined]
