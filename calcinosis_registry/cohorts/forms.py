"""The builder's rows as they are typed, and the form of a research project."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as __

from calcinosis_registry.accounts.models import User
from calcinosis_registry.clinics.models import Clinic
from calcinosis_registry.clinics.roles import Permission
from calcinosis_registry.cohorts.builder import DefinitionError, describe
from calcinosis_registry.cohorts.columns import scope_items
from calcinosis_registry.cohorts.models import Cohort, ResearchProject
from calcinosis_registry.records.typed import RowField, RowsField


class DateInput(forms.DateInput):
    input_type = "date"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%d")


class CohortForm(forms.ModelForm):
    """The name, and the project whose clinics are counted. ``was``: a digest of what the page was opened with."""

    was = forms.CharField(required=False, widget=forms.HiddenInput)

    class Meta:
        model = Cohort
        fields = ["name", "project"]
        field_classes = {"project": RowField}

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        standing = [self.instance.name, self.instance.project_id, self.instance.definition]
        self.stored = sha256(json.dumps(standing, sort_keys=True).encode()).hexdigest() if self.instance.pk else ""
        self.initial.setdefault("was", self.stored)
        projects = self.fields["project"]
        projects.queryset = ResearchProject.objects.visible_to(user, Permission.COUNT_COHORTS)  # type: ignore[attr-defined]
        projects.empty_label = _("No project: protected counts")  # type: ignore[attr-defined]
        projects.help_text = _("Exact counts and exports need an approved project.")
        self.fields["name"].help_text = _("Needed to keep the cohort.")

    def clean(self) -> dict[str, Any]:
        """A question saved from another tab is not overwritten unseen."""
        values = super().clean() or {}
        if self.stored and values.get("was") not in ("", self.stored):
            said = _("“%(name)s” was changed in another tab meanwhile: %(asks)s — Save again to put this in its place.")
            self.add_error(None, said % {"name": self.instance.name, "asks": _sentence_of(self.instance)})
            self.data = {**self.data.dict(), "was": self.stored} if isinstance(self.data, QueryDict) else self.data
        return values


def _sentence_of(cohort: Cohort) -> str:
    try:
        return describe(cohort.definition)
    except DefinitionError as error:
        return " ".join(error.problems)


def _whole(keys: Mapping[str, str]) -> str:
    """What stands for every item of a record as it is today: ``lesion.*``."""
    return next(iter(keys)).split(".")[0] + ".*"


class EachItem(forms.CheckboxSelectMultiple):
    """Every item of the codebook, a fold for each kind of record."""

    template_name = "cohorts/item_choice.html"


class ProjectForm(forms.ModelForm):
    """A request; nothing leaves before an admin of every clinic asked for has approved it."""

    items_wanted = forms.ChoiceField(
        label=__("Items in scope"),
        choices=[("all", __("every item of the codebook")), ("chosen", __("only the items chosen below"))],
        initial="all",
        required=False,
        widget=forms.RadioSelect,
        help_text=__("Members may ask about, see and take only what is in scope. Ask for no more than you need."),
    )
    items = forms.MultipleChoiceField(label=__("Items"), required=False, widget=EachItem)

    clinics = RowsField(label=__("Clinics"), queryset=Clinic.objects.all(), widget=forms.CheckboxSelectMultiple)
    members = forms.CharField(
        label=__("Other members"),
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=__("E-mail addresses of accounts here, separated by commas. You are a member yourself."),
    )

    class Meta:
        model = ResearchProject
        fields = [
            "title", "purpose", "ethics_reference", "clinics", "items_wanted", "items", "images", "members",
            "valid_from", "valid_until",
        ]  # fmt: skip
        widgets = {"valid_from": DateInput(), "valid_until": DateInput(), "purpose": forms.Textarea(attrs={"rows": 4})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offered = [
            (title, [(_whole(keys), _("everything of this record")), *keys.items()])
            for title, keys in scope_items().items()
        ]
        self.fields["items"].choices = offered  # type: ignore[attr-defined]
        self.fields["images"].label = _("Pictures of imaging studies too")
        self.fields["images"].help_text = _(
            "Pixels only, without any header, of patients who consent to it. Ask for them only when they are looked at."
        )

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if cleaned.pop("items_wanted", "") != "chosen":
            cleaned["items"] = None
        elif "items" in cleaned:
            chosen = set(cleaned["items"])
            cleaned["items"] = [
                key for keys in scope_items().values() for key in keys if key in chosen or _whole(keys) in chosen
            ]
        return cleaned

    def clean_members(self) -> list[User]:
        addresses = [one for one in re.split(r"[\s,;]+", self.cleaned_data["members"].lower()) if one]
        found = {person.email.lower(): person for person in User.objects.filter(email__in=addresses, is_active=True)}
        unknown = [one for one in addresses if one not in found]
        if unknown:
            raise ValidationError(_("No open account here: %(names)s.") % {"names": ", ".join(unknown)})
        return list(found.values())

    def clean_valid_until(self) -> Any:
        until = self.cleaned_data["valid_until"]
        if until and until < timezone.localdate():
            raise ValidationError(_("That day is over."))
        return until


class MemberForm(forms.Form):
    """Somebody to let into a project."""

    email = forms.EmailField(label=__("E-mail address"), help_text=__("Of an account here."))
    until = forms.DateField(
        label=__("Until"), required=False, widget=DateInput, help_text=__("Empty: as long as the project lasts.")
    )
    because = forms.CharField(label=__("Why"), max_length=400, help_text=__("Kept in the audit trail."))

    def clean_email(self) -> User:
        found = User.objects.filter(email__iexact=self.cleaned_data["email"], is_active=True).first()
        if found is None:
            raise ValidationError(_("No open account here: %(names)s.") % {"names": self.cleaned_data["email"]})
        return found


class TimeForm(forms.Form):
    """Another last day of somebody in a project, or none."""

    until = MemberForm.base_fields["until"]
    because = MemberForm.base_fields["because"]
