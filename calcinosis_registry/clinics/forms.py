"""Forms about accounts, clinics and the trail."""

from __future__ import annotations

import zoneinfo
from functools import cache
from typing import Any

from django import forms
from django.apps import apps
from django.contrib.auth.password_validation import validate_password
from django.http import QueryDict
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as __

from calcinosis_registry.accounts.models import User
from calcinosis_registry.audit.models import Action
from calcinosis_registry.audit.traced import Traced
from calcinosis_registry.clinics.models import Clinic, Invitation
from calcinosis_registry.clinics.policy import grants
from calcinosis_registry.clinics.roles import Permission, Role

CONTINENTS = frozenset(
    {"Africa", "America", "Antarctica", "Arctic", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific"}
)


class DateInput(forms.DateInput):
    input_type = "date"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%d")


class InvitationForm(forms.ModelForm):
    class Meta:
        model = Invitation
        fields = ["email", "name", "clinic", "role", "valid_until"]
        widgets = {"valid_until": DateInput()}

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        clinics = self.fields["clinic"]
        theirs = Clinic.objects.visible_to(user, Permission.MANAGE_ACCOUNTS)
        clinics.queryset = theirs.filter(closed_at__isnull=True)  # type: ignore[attr-defined]
        everywhere = None in grants(user).get(Permission.MANAGE_ACCOUNTS, set())
        clinics.required = not everywhere
        clinics.empty_label = __("All clinics (admin)") if everywhere else None  # type: ignore[attr-defined]
        self.fields["valid_until"].help_text = __("Leave empty for a role without an end.")

    def clean_email(self) -> str:
        return self.cleaned_data["email"].lower()

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        if "clinic" in values and values["clinic"] is None and values.get("role") != Role.ADMIN:
            self.add_error("clinic", _("Only an admin's role may span all clinics."))
        until = values.get("valid_until")
        if until and until < timezone.localdate():
            self.add_error("valid_until", _("That day is over."))
        return values


class AcceptForm(forms.Form):
    """Name and password of a new account; the password is checked against name and address, too."""

    name = forms.CharField(label=__("Your name"), max_length=150, widget=forms.TextInput({"autocomplete": "name"}))
    password = forms.CharField(
        label=__("Password"), strip=False, widget=forms.PasswordInput({"autocomplete": "new-password"}),
        help_text=__("At least 12 characters; a sentence is easy to remember."),
    )  # fmt: skip
    again = forms.CharField(
        label=__("Password again"), strip=False, widget=forms.PasswordInput({"autocomplete": "new-password"})
    )

    def __init__(self, *args: Any, email: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.email = email

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        password, again = values.get("password"), values.get("again")
        if password and again and password != again:
            self.add_error("again", _("The two passwords differ."))
        if password:
            try:
                validate_password(password, User(email=self.email, name=values.get("name", "")))
            except forms.ValidationError as error:
                self.add_error("password", error)
        return values


class ClinicForm(forms.ModelForm):
    """The code is in every registry number given out, so it stays. ``was``: the name as the page showed it."""

    was = forms.CharField(required=False, strip=False, widget=forms.HiddenInput)

    class Meta:
        model = Clinic
        fields = ["name", "code", "time_zone", "unlock_by_two"]
        widgets = {"time_zone": forms.Select}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.stored = self.fields["was"].initial = self.instance.name
        own = str(__("That of the register")) + f" ({timezone.get_default_timezone_name()})"
        self.fields["time_zone"].widget.choices = [("", own), *((one, one.replace("_", " ")) for one in _zones())]
        if self.instance.pk:
            self.fields["code"].disabled = True
            self.fields["code"].help_text = __("Registry numbers begin with it; it stays.")

    def clean(self) -> dict[str, Any]:
        """Somebody else's name is not overwritten unseen."""
        values = super().clean() or {}
        was, name = values.get("was"), values.get("name")
        if self.instance.pk and was and name and self.stored not in (was, name):
            said = _("Somebody else changed it meanwhile to “%(name)s”. Save again to put yours in its place.")
            self.add_error("name", said % {"name": self.stored})
            self.data = {**self.data.dict(), "was": self.stored} if isinstance(self.data, QueryDict) else self.data
        return values


@cache
def _zones() -> list[str]:
    """Places, by continent: Europe/Zurich. The rest are older names and fixed offsets."""
    return sorted(one for one in zoneinfo.available_timezones() if one.split("/")[0] in CONTINENTS)


def _kinds() -> list[tuple[str, str]]:
    """(label, name) of every model whose changes are events."""
    found = [
        (one._meta.label_lower, str(capfirst(str(one._meta.verbose_name))))
        for one in apps.get_models()
        if issubclass(one, Traced)
    ]  # fmt: skip
    return sorted(found, key=lambda pair: pair[1].casefold())


class TrailForm(forms.Form):
    """What to look for in the trail; everything may be empty."""

    person = forms.CharField(label=__("Who"), required=False, max_length=200)
    patient = forms.CharField(label=__("Patient (registry number)"), required=False, max_length=24)
    action = forms.ChoiceField(label=__("What"), required=False, choices=[("", __("Everything")), *Action.choices])
    record = forms.ChoiceField(label=__("Record"), required=False, choices=lambda: [("", __("Every kind")), *_kinds()])
    number = forms.IntegerField(
        label=__("Its number"), required=False, min_value=1, max_value=2**62,
        widget=forms.TextInput({"inputmode": "numeric", "size": 8}),
    )  # fmt: skip
    since = forms.DateField(label=__("From"), required=False, widget=DateInput())
    until = forms.DateField(label=__("Until"), required=False, widget=DateInput())
    before = forms.IntegerField(required=False, min_value=1, max_value=2**62, widget=forms.HiddenInput)
    after = forms.IntegerField(required=False, min_value=1, max_value=2**62, widget=forms.HiddenInput)
