"""The visit page's forms: the visit, a row per open lesion, new lesions, and one form per kind of visit record.

Every name below comes from the codebook items of the models; this module only says which of them stand in front.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from functools import cached_property
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from calcinosis_registry.quality.models import DataQuery
from calcinosis_registry.records.forms import ChipsRadio, RecordForm, form_field, record_fields, record_form_class
from calcinosis_registry.records.reasons import demand
from lesions import agreement, removal
from lesions.lineage import Undo, undo_of
from lesions.missing import Missing, missing_at
from lesions.models import Lesion, LesionObservation, SizeMethod, Visibility
from lesions.patient_file import kinds_at
from lesions.removal import Procedures
from lesions.row_forms import NewLesionForm, NewObservationForm, ObservationForm, WholeObservationForm
from lesions.services import NewLesion, VisitEntry
from lesions.visit_rows import Known
from patients.kinds import visit_kinds
from patients.models import NRS_FIELDS, Visit, VisitRecord, VisitType

NOT_DONE = "ND"
NEW_PREFIX = re.compile(r"^new-(\d+)-site$")


class RatingField(forms.TypedChoiceField):
    """0 to 10, or "not done"."""

    def __init__(self, **kwargs: Any) -> None:
        choices = [(str(n), str(n)) for n in range(11)] + [(NOT_DONE, _("Not done"))]
        kwargs["widget"] = ChipsRadio(attrs={"class": "is-scale"})
        super().__init__(choices=choices, required=False, empty_value=None, coerce=_rating, **kwargs)


def _rating(value: str) -> int | str:
    return value if value == NOT_DONE else int(value)


class VisitForm(RecordForm):
    """The visit's own answers; a rating and its "not done" are one control."""

    class Meta:
        model = Visit
        fields = [name for name in record_fields(Visit) if not name.endswith("_not_done") and name != "missed_reason"]
        formfield_callback = form_field

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in NRS_FIELDS:
            self.fields[name] = RatingField(label=self.fields[name].label)
            if getattr(self.instance, _not_done(name)):
                self.initial[name] = NOT_DONE
        if self.instance.visit_type == VisitType.BASELINE:
            self.fields.pop("global_change", None)

    def changed_records(self) -> list[Any]:
        return []  # the page asks for all of its forms together

    def clean(self) -> dict[str, Any]:
        values = super().clean()
        for name in NRS_FIELDS:
            skipped = values.get(name) == NOT_DONE
            setattr(self.instance, _not_done(name), skipped)
            if skipped:
                values[name] = None
        return values


def _not_done(name: str) -> str:
    return f"{name.removesuffix('_nrs')}_not_done"


@dataclass
class Row:
    """One known lesion on the page: its form and what was seen before."""

    lesion: Lesion
    form: ObservationForm
    previous: LesionObservation | None
    measured: Sequence[LesionObservation] = ()
    undo: Undo | None = None
    questions: list[DataQuery] = dataclass_field(default_factory=list)

    @property
    def answered(self) -> bool:
        return bool(self.form["status_change"].value())

    @property
    def compared_with(self) -> str:
        """What a size is compared with, by method: the last, the first and the smallest one, as JSON for the script;
        [longest, across, day] each. The server compares again (checks.py)."""
        by_method: dict[str, list[LesionObservation]] = {}
        for one in self.measured:
            by_method.setdefault(one.size_method, []).append(one)
        told = {
            method: {"last": rows[-1], "first": rows[0], "least": min(rows, key=lambda one: one.measurement.product)}
            for method, rows in by_method.items()
        }
        return json.dumps({method: {k: _axes(v) for k, v in found.items()} for method, found in told.items()})

    @property
    def imaging_only(self) -> bool:
        return self.lesion.visibility == Visibility.IMAGING_ONLY


def _axes(one: LesionObservation) -> list[Any]:
    return [float(one.length_mm), float(one.width_mm), f"{one.visit.visit_date}"]  # type: ignore[arg-type]


@dataclass
class Part:
    """A kind of visit record with its form on the page; without ``form`` it is folded away and left alone."""

    kind: str
    title: str
    standing: VisitRecord | None
    form: RecordForm | None


@dataclass
class New:
    prefix: str
    lesion: NewLesionForm
    observation: NewObservationForm


class VisitPage:
    """All forms of one visit page, bound when ``data`` is given."""

    def __init__(
        self,
        visit: Visit,
        rows: Sequence[Known],
        data: QueryDict | None = None,
    ) -> None:
        """``rows``: the lesions to answer, in their order."""
        self.visit, self.patient, self.data = visit, visit.patient, data
        visit.saved_whole = data is not None
        self.procedures = Procedures(visit.patient)
        self.lesions = [row.lesion for row in rows]
        self.form = VisitForm(data, instance=visit)
        self.rows = [self._row(row) for row in rows]
        self.new = [new_lesion(visit, prefix, data) for prefix in self._new_prefixes()]
        self.recorded = kinds_at(visit)
        self.parts = [self._part(model) for model in visit_kinds() if model.per_visit == 1]
        self.records = [part.form for part in self.parts if part.form is not None]

    @property
    def imaging_only(self) -> list[Row]:
        """The lesions that can be answered “not imaged” together."""
        return [row for row in self.rows if row.imaging_only]

    def _row(self, known: Known) -> Row:
        lesion, current, previous, measured = known
        prefix = f"l{lesion.number}"
        # A lesion that came to the visit after the page was opened has no row in what was sent: it is left alone.
        sent = self.data is not None and any(name.startswith(f"{prefix}-") for name in self.data)
        form = observation_form(
            self.visit, lesion, current, previous, self.data if sent else None, more=self._opened(prefix),
            procedures=self.procedures, others=self.lesions,
        )  # fmt: skip
        return Row(lesion, form, previous, measured, undo_of(self.visit, lesion, current, self.lesions))

    def _opened(self, prefix: str) -> bool:
        """Was this folded part opened, so that its fields were sent?"""
        return self.data is not None and f"{prefix}-more" in self.data

    def _new_prefixes(self) -> list[str]:
        found = [NEW_PREFIX.match(name) for name in self.data or ()]
        return sorted({f"new-{match[1]}" for match in found if match and match[1] != "0000"})

    def _part(self, model: type[VisitRecord]) -> Part:
        form = part_form(self.visit, model, self.data) if self._opened(model.kind()) else None
        there = form is None and model in self.recorded
        standing = model.objects.filter(visit=self.visit).first() if there else None
        return Part(model.kind(), model.title(), standing, form)

    @cached_property
    def changed_rows(self) -> list[Row]:
        return [row for row in self.rows if row.form.is_bound and row.form.has_changed()]

    def is_valid(self) -> bool:
        """Check everything, so that every error is shown at once."""
        # The dates first: the rows are checked against the visit as typed.
        valid = [self.form.is_valid()]
        if self.visit.visit_date is None:
            return False
        for row in self.rows:
            if self.visit.pk and row.lesion.visit_id == self.visit.pk:
                row.lesion.first_recorded = self.visit.visit_date  # what was found at it moves with it
        valid += [row.form.is_valid() for row in self.changed_rows]
        for new in self.new:
            new.lesion.instance.first_recorded = self.visit.visit_date
            place_ok = new.lesion.is_valid()
            valid += [place_ok, new.observation.is_valid()]
        valid += [form.is_valid() for form in self.records if form.has_changed()]
        return all(valid) and self._agree() and self._reasoned()

    def _reasoned(self) -> bool:
        """One reason for the page, where anything saved changes on it."""
        records = [self.visit, *(row.form.instance for row in self.changed_rows), *(f.instance for f in self.records)]
        demand(self.form, records)
        return "reason" not in self.form.errors

    def _agree(self) -> bool:
        """Calcinosis present: no ⇒ every open lesion is closed or not examined (clinical-model 12.3)."""
        if self.visit.calcinosis_present != "N":
            return True
        if not self.new and not any(agreement.is_there(row.form.instance.status_change) for row in self.rows):
            return True
        self.form.add_error(
            "calcinosis_present", _("“No”, but a lesion is recorded as present. One of the two is wrong.")
        )
        return False

    def entry(self) -> VisitEntry:
        """What to save, after is_valid()."""
        return VisitEntry(
            visit=self.form.instance,
            observations=[row.form.instance for row in self.changed_rows],
            new_lesions=[NewLesion(new.lesion.instance, new.observation.instance) for new in self.new],
            records=[form.instance for form in self.records if form.has_changed()],  # type: ignore[misc]
            removals=removal.gathered(row.form.removal for row in self.changed_rows),
        )

    def missing(self) -> dict[str, list[Missing]]:
        """{where: what is still to be answered}: "" is the visit itself, L3 a lesion."""
        return missing_at(self.visit, [(row.lesion, row.form.instance) for row in self.rows])

    @property
    def has_errors(self) -> bool:
        """Is anything wrong with what was typed?"""
        typed = [self.form, *(row.form for row in self.changed_rows), *self.records]
        typed += [form for new in self.new for form in (new.lesion, new.observation)]
        return self.data is not None and any(form.errors for form in typed)

    @property
    def titled_forms(self) -> list[tuple[str, Any]]:
        """Every form on the page with what it is about, in the order of the page."""
        forms: list[tuple[str, Any]] = [(str(_("Visit")), self.form)]
        forms += [(f"{row.lesion.label} {row.lesion.where}", row.form) for row in self.rows if row.form.is_bound]
        for new in self.new:
            forms += [(str(_("New lesion")), new.lesion), (str(_("New lesion")), new.observation)]
        return forms + [(part.title, part.form) for part in self.parts if part.form is not None]

    @property
    def conflict(self) -> bool:
        return any(getattr(form, "conflict", False) for _title, form in self.titled_forms)


def observation_form(
    visit: Visit, lesion: Lesion, current: LesionObservation | None, previous: LesionObservation | None,
    data: QueryDict | None = None, *, more: bool = True, procedures: Procedures | None = None,
    others: Iterable[Lesion] = (),
) -> ObservationForm:  # fmt: skip
    """The form of one lesion at one visit; ``more`` adds what is asked rarely. ``others``: all that stand there."""
    if current is None:
        current = LesionObservation(lesion=lesion)
        # The usual method, shown; it is stored only together with a size.
        current.size_method = (previous.size_method if previous else "") or SizeMethod.CALIPER
    current.lesion, current.visit, current.patient = lesion, visit, visit.patient
    kind = WholeObservationForm if more else ObservationForm
    form = kind(data, instance=current, prefix=f"l{lesion.number}")
    form.ask_removal(procedures or Procedures(visit.patient))
    form.ask_merge(others)
    return form


def new_lesion(visit: Visit, prefix: str, data: QueryDict | None = None) -> New:
    """The forms of a lesion to add at a visit."""
    lesion = Lesion(patient=visit.patient, visit=None, first_recorded=visit.visit_date or timezone.localdate())
    lesion.number = 0
    seen = LesionObservation(
        patient=visit.patient, visit=visit, lesion=lesion, status_change="NEW", size_method="CALIPER"
    )
    return New(
        prefix,
        NewLesionForm(data, instance=lesion, prefix=prefix),
        NewObservationForm(data, instance=seen, prefix=f"{prefix}-seen"),
    )


def part_form(visit: Visit, model: type[VisitRecord], data: QueryDict | None = None) -> RecordForm:
    """The form of a kind of which a visit has at most one."""
    standing = model.objects.filter(visit=visit).first() if visit.pk else None
    instance = standing or model()
    instance.visit, instance.patient = visit, visit.patient
    return record_form_class(model)(data, instance=instance, prefix=model.kind())


def add_rule_error(page: VisitPage, error: ValidationError) -> None:
    """A rule broken while saving is shown on the page: beside ``l3-status_change`` in the row of L3, beside a field of
    the visit, else in general."""
    messages = error.message_dict if hasattr(error, "error_dict") else {"__all__": error.messages}
    rows = {row.form.prefix: row.form for row in page.rows if row.form.is_bound}
    for name, texts in messages.items():
        prefix, _dash, field = name.partition("-")
        form = rows.get(prefix) or page.form
        field = field if form is not page.form else name
        for text in texts:
            form.add_error(field if field in form.fields else None, text)
