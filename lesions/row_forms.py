"""The forms of one lesion in the visit page: its row, what is asked rarely, a lesion found at the visit."""

from __future__ import annotations

import json
from typing import Any

from django import forms
from django.db import models
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from calcinosis_registry.records.forms import ChipsRadio, RecordForm, form_field, record_fields
from calcinosis_registry.records.widgets import Checkbox, Dropdown, Hidden
from lesions import merging, removal
from lesions.merging import AsksMerge
from lesions.models import Lesion, LesionObservation, LesionStatus, SizeMethod
from lesions.models.columns import DRUGS, in_class
from lesions.models.observation import INFECTED
from lesions.removal import AsksRemoval

ANTIBIOTICS = in_class(DRUGS, "Antibiotic")
# What a lesion already known can be at a visit, and the acts that change which lesions there are, in the same answer.
ANSWERS = ("STABLE", "LARGER", "SMALLER", "RESOLVED", "EXTRUDED_COMPLETE", "EXCISED", "NOT_ASSESSED")
ACTS = ("SPLIT", "MERGED")
FEATURES = ("ulcerated", "drainage", "infection", "flare")
NONE_OF_THESE = {"ulcerated": "N", "drainage": "NONE", "infection": "NONE", "flare": "N"}
IN_FRONT = (
    "status_change",
    "length_mm",
    "width_mm",
    "size_method",
    "count_estimate",
    *FEATURES,
    "ulcer_size_mm",
    "ulcer_not_measured",
)
ALWAYS_THERE = frozenset({*IN_FRONT, *removal.FIELDS, merging.FIELD, "version", "none_of_these"})


def row_field(field: models.Field, **kwargs: Any) -> forms.Field | None:
    """The form field of an observation in a row: status with its shapes, features small, the method a short list."""
    if field.name == "size_method":
        return field.formfield(widget=Dropdown, choices=SizeMethod.choices, **kwargs)
    if field.name == "status_change":
        kwargs["widget"] = ChipsRadio
    made = form_field(field, **kwargs)
    if made is not None and field.name == "status_change":
        _offer(made, (*ANSWERS, *ACTS))
        made.widget.attrs["data-marks"] = True
    if made is not None and field.name in FEATURES:
        made.widget.attrs["class"] = "is-small"
    return made


def _offer(field: Any, codes: tuple[str, ...]) -> None:
    """Let a status be one of ``codes``; the acts stand apart (``act_chips``)."""
    labels = dict(LesionStatus.choices) | {"EXTRUDED_COMPLETE": _("Extruded")}
    field.choices = [(code, labels[code]) for code in codes]
    field.widget.choices = [(code, labels[code]) for code in codes if code not in ACTS]


class ObservationForm(AsksMerge, AsksRemoval, RecordForm):
    """One lesion's row. ``none_of_these`` records No for ulcer, drainage, infection and flare where unanswered.

    What is asked rarely is not in this form, and is left alone on saving.
    """

    none_of_these = forms.BooleanField(label=_("None of these"), required=False, widget=Checkbox)
    asks_reason = False
    always_shown = frozenset(IN_FRONT)  # the row shows and hides these itself

    class Meta:
        model = LesionObservation
        fields = list(IN_FRONT)
        formfield_callback = row_field

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # New or recurred at this very visit: not offered, but it stays when the visit is saved again.
        told = dict.fromkeys((self.instance.status_change, self._stood()))
        if (stand := [one for one in told if one and one not in (*ANSWERS, *ACTS)]) and "status_change" in self.fields:
            _offer(self.fields["status_change"], (*stand, *ANSWERS, *ACTS))

    def _stood(self) -> str:
        """The status sent from a page, or kept in a draft, that is older than somebody else's save: it may have stood
        there. Nothing is saved of it, it can only be compared with what stands now."""
        version = str(self.data.get(self.add_prefix("version"), "")).partition(":")[0] if self.is_bound else ""
        if not self.instance.pk or version in ("", str(self.instance.version)):
            return ""
        typed = str(self.data.get(self.add_prefix("status_change"), ""))
        return typed if typed in LesionStatus.values else ""

    def clean(self) -> dict[str, Any]:
        values = super().clean()
        if values.get("none_of_these"):
            for name, answer in NONE_OF_THESE.items():
                values[name] = values.get(name) or answer
        self.check_removal(values)
        self.check_merge(values)
        return values

    @property
    def is_act(self) -> bool:
        """Does the row say that the lesion split or merged?"""
        return self["status_change"].value() in ACTS

    def act_chips(self) -> SafeString:
        """The acts, as chips of the same answer."""
        bound = self["status_change"]
        labels = dict(LesionStatus.choices)
        widget = ChipsRadio(attrs={"class": "is-small", "data-marks": True}, choices=[(c, labels[c]) for c in ACTS])
        return widget.render(bound.html_name, bound.value(), {"id": f"{bound.id_for_label}-act"})

    @property
    def folded(self) -> list[forms.BoundField]:
        """What is asked rarely."""
        return [self[name] for name in self.fields if name not in ALWAYS_THERE]


class WholeObservationForm(ObservationForm):
    """With what is asked rarely."""

    class Meta(ObservationForm.Meta):
        fields = [name for name in record_fields(LesionObservation) if name not in ("lesion", merging.FIELD)]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["antibiotic"]
        field.queryset = field.queryset.filter(agent__in=ANTIBIOTICS)
        field.widget.attrs["data-only-if"] = json.dumps({"infection": list(INFECTED)})
        field.help_text = _("One that is not listed yet: save and add it as a treatment, then choose it here.")


class NewLesionForm(RecordForm):
    """Where and what; its size and features stand in the observation form beside it."""

    class Meta:
        model = Lesion
        fields = [
            "site", "laterality", "aspect", "site_text", "lesion_kind", "target", "first_noticed", "diagnostic_basis",
            "visibility", "ssc_xray_morphology", "ssc_clinical_morphology", "mdi_types", "map_x", "map_y", "lineage",
            "parent",
        ]  # fmt: skip
        formfield_callback = form_field
        widgets = {"map_x": Hidden, "map_y": Hidden}


class NewObservationForm(ObservationForm):
    """The first observation of a lesion: its status is given."""

    class Meta(ObservationForm.Meta):
        fields = [name for name in WholeObservationForm.Meta.fields if name != "status_change"]
