"""The filter of the patient list, and the one-page registration built from the record forms."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.forms.boundfield import BoundField
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as __

from calcinosis_registry.clinics.models import Clinic, new_public_id
from calcinosis_registry.codebook.fields import PartialDateFormField
from calcinosis_registry.codebook.items import item_fields, item_of
from calcinosis_registry.identity.models import Identity
from calcinosis_registry.records.forms import ChipsRadio, PartialDateInput, RecordForm, form_field, record_fields
from calcinosis_registry.records.models import Record
from calcinosis_registry.records.widgets import Dropdown
from patients import units
from patients.listing import ORDERS, WORK
from patients.models import Antibody, Consent, Diagnosis, LaboratoryResult, Patient, Status, Visit
from patients.models.diagnosis import diseases, key_antibodies, subsets
from patients.models.laboratory import analytes
from patients.questions import AGES, ORIGINS, STATES

ANY = ("", __("Any"))


class PatientFilter(forms.Form):
    """What the list is narrowed to and sorted by; nothing in it identifies a person, so it may stand in the URL."""

    work = forms.ChoiceField(label=__("To do"), required=False, choices=[ANY, *WORK], widget=Dropdown)
    status = forms.ChoiceField(label=__("Status"), required=False, choices=[ANY, *Status.choices], widget=Dropdown)
    disease = forms.ChoiceField(
        label=__("Disease"), required=False, choices=lambda: [ANY, *diseases()], widget=Dropdown
    )
    subset = forms.ChoiceField(
        label=__("SSc subset"), required=False, choices=lambda: [ANY, *subsets()], widget=Dropdown
    )
    clinic = forms.ModelChoiceField(
        Clinic.objects.none(), label=__("Clinic"), required=False, to_field_name="public_id", empty_label=ANY[1]
    )
    sort = forms.ChoiceField(
        label=__("Sort by"), required=False, choices=[(name, order.label) for name, order in ORDERS.items()],
        widget=Dropdown,
    )  # fmt: skip
    ulcer = forms.BooleanField(label=__("Ulcerated lesion"), required=False)

    def __init__(self, data: Mapping[str, Any], *, clinics: QuerySet[Clinic]) -> None:
        super().__init__(data)
        if len(clinics) > 1:
            self.fields["clinic"].queryset = clinics  # type: ignore[attr-defined]
        else:
            del self.fields["clinic"]


class QueryFilter(forms.Form):
    """What the list of data queries is narrowed to."""

    state = forms.ChoiceField(label=__("State"), required=False, choices=STATES)
    origin = forms.ChoiceField(label=__("Asked by"), required=False, choices=[ANY, *ORIGINS])
    age = forms.ChoiceField(label=__("Age"), required=False, choices=[ANY, *AGES])
    clinic = forms.ModelChoiceField(
        Clinic.objects.none(), label=__("Clinic"), required=False, to_field_name="public_id", empty_label=ANY[1]
    )

    def __init__(self, data: Mapping[str, Any], *, clinics: QuerySet[Clinic]) -> None:
        super().__init__(data)
        if len(clinics) > 1:
            self.fields["clinic"].queryset = clinics  # type: ignore[attr-defined]
        else:
            del self.fields["clinic"]


class AskForm(forms.Form):
    """A question about a record; the fields are those a person enters."""

    field = forms.ChoiceField(label=__("About"), required=False)
    message = forms.CharField(
        label=__("Question"), max_length=400, widget=forms.Textarea(attrs={"rows": 3, "maxlength": 400}),
        help_text=__("No names: everybody of the clinic reads it."),
    )  # fmt: skip

    def __init__(self, data: Mapping[str, Any] | None, *, record: Record, initial: dict[str, Any]) -> None:
        super().__init__(data, initial=initial)
        names = {one.name: one for one in type(record)._meta.concrete_fields}
        asked = [(name, _capital(names[name].verbose_name)) for name in record_fields(type(record)) if name in names]
        self.fields["field"].choices = [("", _("The whole record")), *asked]  # type: ignore[attr-defined]


def _capital(label: Any) -> str:
    return str(label)[:1].upper() + str(label)[1:]


def _fields_of(model: Any, *sections: str) -> list[str]:
    return [one.name for one in item_fields(model) if one.editable and one.item.section in sections]  # type: ignore[attr-defined]


def _part(model: Any, *sections: str) -> type[RecordForm]:
    """The record form of a kind, narrowed to what registration asks for."""
    names = _fields_of(model, *sections)
    return forms.modelform_factory(  # type: ignore[return-value]
        model,
        form=RecordForm,
        fields=names,
        formfield_callback=form_field,  # type: ignore[arg-type]
    )


ConsentPart = _part(Consent, "Consent", "Scopes")
PersonPart = _part(Patient, "Person")
DiseasePart = _part(Diagnosis, "Disease", "Calcinosis", "Dates", "ACR/EULAR 2013", "Ever")
IdentityPart = forms.modelform_factory(
    Identity,
    fields=_fields_of(Identity, "Identity"),
    formfield_callback=form_field,  # type: ignore[arg-type]
)
FOLDED = frozenset({"ACR/EULAR 2013", "Ever"})


class MissedVisitForm(RecordForm):
    """When the visit should have been, why it was not, and the new appointment."""

    class Meta:
        model = Visit
        fields = ["visit_date", "missed_reason", "next_visit_due"]
        formfield_callback = form_field
        labels = {"visit_date": __("planned for")}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["missed_reason"].required = True
        self.fields["missed_reason"].help_text = __("“unknown” where it is not known.")

    def clean_visit_date(self) -> datetime.date:
        day: datetime.date = self.cleaned_data["visit_date"]
        if Visit.objects.filter(patient=self.instance.patient, visit_date=day).exists():
            raise forms.ValidationError(_("A visit of %(date)s is recorded already."), params={"date": day})
        return day


class LaboratoryForm(RecordForm):
    """The units offered are those of the test; what its report should say stands below (records.js)."""

    class Meta:
        model = LaboratoryResult
        fields = record_fields(LaboratoryResult)
        formfield_callback = form_field

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        tests: Any = self.fields["analyte"]
        tests.choices = [("", _("Choose the test")), *((code, _named(one)) for code, one in units.ANALYTES.items())]
        self.fields["unit_original"].widget.attrs |= {
            "data-narrowed-by": "analyte",
            "data-allowed": json.dumps({code: list(one.factors) for code, one in units.ANALYTES.items()}),
        }
        self.fields["analyte"].widget.attrs["data-notes"] = json.dumps(
            {code: str(_expected(one)) for code, one in units.ANALYTES.items()}
        )


def _named(one: units.Analyte) -> str:
    """The test as laboratories know it: LOINC of its mass and of its molar result."""
    codes = " / ".join(dict.fromkeys(code for code in (one.loinc_other, one.loinc_mass, one.loinc_molar) if code))
    name = dict(analytes())[one.code]
    return f"{name} (LOINC {codes})" if codes else name


def _expected(one: units.Analyte) -> str:
    """What is accepted, and what is asked about; never a reference range."""
    low, high = (f"{limit}" if limit is not None else "…" for limit in one.hard)
    soft_low, soft_high = (f"{limit}" if limit is not None else "…" for limit in one.soft)
    said = _("Accepted: %(units)s. Possible: %(low)s to %(high)s %(unit)s; asked about outside %(from)s to %(to)s.") % {
        "units": ", ".join(map(units.words, one.factors)), "low": low, "high": high,
        "unit": units.words(one.ucum), "from": soft_low, "to": soft_high,
    }  # fmt: skip
    adults = _("Under 18 years nothing is asked.") if one.adult_only_soft else ""
    return f"{said} {adults} {_('These are no reference ranges: give those of the laboratory below.')}".replace(
        "  ", " "
    )


class AntibodiesPart(forms.Form):
    """The key antibodies of clinical-model 12.2, each answered or left out, with one date for all."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        results = Antibody._meta.get_field("result").flatchoices
        for code, label in key_antibodies():
            self.fields[code] = forms.ChoiceField(label=label, choices=results, widget=ChipsRadio, required=False)
        self.fields["tested_on"] = PartialDateFormField(
            label=_("Tested"),
            required=False,
            widget=PartialDateInput,
            help_text=_("The same date for all; change single ones later."),
        )

    def antibodies(self, patient: Patient) -> list[Antibody]:
        """One unsaved row per answered antibody."""
        values = dict(self.cleaned_data)
        tested_on = values.pop("tested_on", None)
        return [
            Antibody(patient=patient, antibody=code, result=result, tested_on=tested_on)
            for code, result in values.items()
            if result
        ]


class StartPart(forms.Form):
    """The clinic, where there is a choice; the future patient's id, so that a form sent twice makes one patient."""

    public_id = forms.RegexField(r"^[a-z0-9]{16}$", widget=forms.HiddenInput, initial=new_public_id)
    clinic = forms.ModelChoiceField(Clinic.objects.none(), label=__("Clinic"), to_field_name="public_id")
    another_person = forms.BooleanField(label=__("This is another person"), required=False)

    def __init__(self, *args: Any, clinics: QuerySet[Clinic], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.clinics = list(clinics)
        if len(self.clinics) > 1:
            self.fields["clinic"].queryset = clinics  # type: ignore[attr-defined]
        else:
            del self.fields["clinic"]

    def renew(self) -> None:
        """Another future patient: this one's id was used."""
        self.data = {**self.data.dict(), "public_id": new_public_id()}  # type: ignore[attr-defined]

    @property
    def chosen_clinic(self) -> Clinic:
        return self.cleaned_data.get("clinic") or self.clinics[0]


@dataclass
class Card:
    """A card of the page: groups of (heading, fields, folded, open)."""

    title: str
    hint: str
    groups: list[tuple[str, list[BoundField], bool, bool]]

    @property
    def wrong(self) -> int:
        return sum(1 for _heading, fields, _folded, _open in self.groups for field in fields if field.errors)


class Registration:
    """The parts of the registration, valid together or not at all; to a template it looks like one form."""

    def __init__(
        self, data: Mapping[str, Any] | None = None, *, clinics: QuerySet[Clinic], form_version: str = ""
    ) -> None:  # fmt: skip
        self.patient = patient = Patient()
        self.start = StartPart(data, clinics=clinics)
        self.consent = ConsentPart(data, prefix="consent", instance=Consent(patient=patient, form_version=form_version))
        scope = self.consent.fields["registry"]
        scope.required = True
        scope.error_messages["required"] = _("Without consent to the registry nothing can be entered.")
        self.identity = IdentityPart(data, prefix="identity")
        self.person = PersonPart(data, prefix="person", instance=patient)
        self.disease = DiseasePart(data, prefix="disease", instance=Diagnosis(patient=patient))
        self.antibodies = AntibodiesPart(data, prefix="antibodies")

    @property
    def parts(self) -> list[forms.BaseForm]:
        return [self.start, self.consent, self.identity, self.person, self.disease, self.antibodies]

    @property
    def titled_parts(self) -> list[tuple[str, forms.BaseForm]]:
        titles = [_("Consent"), _("Identity"), _("Person"), _("Disease"), _("Key antibodies")]
        return list(zip(titles, self.parts[1:], strict=True))

    def is_valid(self) -> bool:
        # The person first: consent and disease are compared with the date of birth. That the registry scope is needed
        # is said once, beside it.
        self.person.is_valid()
        self.patient.registry_consent = True
        return [part.is_valid() for part in self.parts].count(False) == 0  # each says what is wrong with it

    @property
    def errors(self) -> dict[str, Any]:
        return {f"{part.prefix}-{name}": errors for part in self.parts for name, errors in part.errors.items()}

    def non_field_errors(self) -> list[Any]:
        return [error for part in self.parts for error in part.non_field_errors()]

    def __iter__(self) -> Iterator[BoundField]:
        for part in self.parts:
            yield from part

    def cards(self) -> list[Card]:
        """The page in its order: consent first."""
        return [
            Card(_("Consent"), _("Nothing is entered before the consent."), _groups(self.consent)),
            Card(_("Identity"), _("Kept apart from the clinical data; never exported."), _groups(self.identity)),
            Card(_("Person"), _("Dates as far as they are known."), _groups(self.person)),
            Card(_("Disease"), _("A year, a month or “unknown” is enough for a date."), _groups(self.disease)),
            Card(_("Key antibodies"), _("Leave out what you do not know."), [("", list(self.antibodies), False, True)]),
        ]


def _groups(part: forms.ModelForm) -> list[tuple[str, list[BoundField], bool, bool]]:
    sections: dict[str, list[BoundField]] = {}
    for field in part._meta.model._meta.concrete_fields:
        if item_of(field) and field.name in part.fields:
            sections.setdefault(field.item.section, []).append(part[field.name])
    return [
        (_(name), fields, name in FOLDED, any(one.errors or one.value() for one in fields))
        for name, fields in sections.items()
    ]
