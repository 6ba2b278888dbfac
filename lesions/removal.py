"""Excised: by which procedure? Asked in the lesion's row of the visit page, so that nobody has to leave it.

A procedure that is recorded already can be pointed at; one that is not is recorded there, with its kind and date. The
same kind and date at several lesions is one operation.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import Any

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as __

from calcinosis_registry.codebook.fields import PartialDateFormField
from calcinosis_registry.codebook.partial_dates import PartialDate
from calcinosis_registry.records.widgets import Dropdown, PartialDateInput
from lesions import agreement
from lesions.models import Lesion, LesionObservation, LesionStatus, Procedure
from lesions.models.columns import procedure_choices
from lesions.models.procedure import REMOVING
from lesions.services import Removal
from patients.models import Patient

FIELDS = ("removal", "removal_on")


class Procedures:
    """The patient's procedures that can have removed a lesion, read once for all rows of a page."""

    def __init__(self, patient: Patient) -> None:
        self.patient = patient

    @cached_property
    def recorded(self) -> list[Procedure]:
        rows = Procedure.objects.filter(patient=self.patient, code__in=REMOVING)
        return list(rows.select_related("visit").prefetch_related("lesions").order_by("-performed_on", "-id"))

    def on(self, lesion: Lesion) -> list[Procedure]:
        return [one for one in self.recorded if lesion.pk and lesion in one.lesions.all()]

    @cached_property
    def choices(self) -> list[tuple[str, Any]]:
        """What can be pointed at (a signed visit's procedure no longer takes a lesion), then what can be recorded."""
        open_ = [one for one in self.recorded if one.visit is None or not one.visit.is_locked]
        known = [(one.public_id, f"{one}, {one.performed_on}{self._at(one)}") for one in open_]
        fresh = [pair for pair in procedure_choices() if pair[0] in REMOVING]
        return [
            ("", _("Choose")),
            *([(_("Recorded already"), known)] if known else []),
            (_("Record it here"), fresh),
        ]

    def _at(self, procedure: Procedure) -> str:
        labels = ", ".join(one.label for one in procedure.lesions.all())
        return f" ({labels})" if labels else ""

    def chosen(self, key: str) -> Procedure | None:
        return next((one for one in self.recorded if one.public_id == key), None)


class AsksRemoval(forms.BaseForm):
    """Mixed into the form of an observation. ``procedures`` is set by the page."""

    procedures: Procedures
    instance: LesionObservation
    removal: Removal | None = None

    def ask_removal(self, procedures: Procedures) -> None:
        self.procedures = procedures
        self.fields["removal"] = forms.ChoiceField(
            label=__("Removed by"), required=False, choices=lambda: procedures.choices, widget=Dropdown
        )
        self.fields["removal_on"] = PartialDateFormField(
            label=__("Date of that procedure"), required=False, widget=PartialDateInput
        )

    @cached_property
    def changed_data(self) -> list[str]:
        """A procedure says something only of a lesion that is excised."""
        names: list[str] = super().changed_data
        excised = self["status_change"].value() == LesionStatus.EXCISED
        return names if excised else [name for name in names if name not in FIELDS]

    @property
    def explained_by(self) -> Procedure | None:
        """The procedure that says so already."""
        if "removal" not in self.fields:
            return None
        day = self.instance.visit.visit_date
        done = self.procedures.on(self.instance.lesion)
        return next((one for one in done if day is None or agreement.removed_by([one], day)), None)

    def check_removal(self, values: dict[str, Any]) -> None:
        """Adds the errors beside the two fields; sets ``removal`` to what is to be saved."""
        chosen, day = values.get("removal") or "", self.instance.visit.visit_date
        asked = "removal" in self.fields and values.get("status_change") == LesionStatus.EXCISED
        if not asked or "removal" in self.errors or day is None:
            return
        if not chosen:
            if self.explained_by is None:
                self.add_error("removal", _("Which procedure removed it? Choose it, or record it here."))
            return
        known = self.procedures.chosen(chosen)
        procedure = known or self._record(chosen, values.get("removal_on"))
        if procedure is None or self.errors.keys() & set(FIELDS):
            return
        if not agreement.removed_by([procedure], day):
            message = _("That is after the visit (%(day)s).") % {"day": day}
            self.add_error("removal" if known else "removal_on", message)
            return
        self.removal = Removal(procedure, [self.instance.lesion])

    def _record(self, code: str, performed_on: PartialDate | None) -> Procedure | None:
        if "removal_on" in self.errors:
            return None
        if performed_on is None:
            self.add_error("removal_on", _("When? A year, a month, a day, or “unknown”."))
            return None
        visit = self.instance.visit
        procedure = Procedure(patient=visit.patient, visit=visit, code=code)
        procedure.performed_on = performed_on
        try:
            procedure.verify()
        except ValidationError as error:
            for name, messages in error.message_dict.items():
                field = {"performed_on": "removal_on", NON_FIELD_ERRORS: None}.get(name, "removal")
                for message in messages:
                    self.add_error(field, message)
            return None
        return procedure


def gathered(removals: Iterable[Removal | None]) -> list[Removal]:
    """One entry per procedure: the same kind and date at several lesions is one operation."""
    found: dict[tuple[str, str], Removal] = {}
    for one in removals:
        if one is None:
            continue
        done = one.procedure
        key = ("recorded", done.public_id) if done.pk else (done.code, str(done.performed_on))
        if key in found:
            found[key].lesions += one.lesions
        else:
            found[key] = Removal(done, list(one.lesions))
    return list(found.values())
