"""The visit: twelve required answers, the rest folded away (clinical-model 12.3)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Self

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as __

from calcinosis_registry.clinics.policy import ScopedQuerySet
from calcinosis_registry.codebook.items import Need, Privacy, choice, clinical, yes_no_unknown
from calcinosis_registry.quality.findings import Finding
from calcinosis_registry.records.addresses import address
from calcinosis_registry.records.models import Record
from patients.models.consent import OF_AGE, GivenBy, in_force
from patients.models.patient import Patient, on_or_before

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


# Nine digits or more, with the marks people put between them; dates are written with eight.
TELEPHONE = re.compile(r"(?<!\d)\+?(?:\d[ ()/.-]{0,2}){8,}\d")
ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


FURTHEST_PLANNED = 10  # years ahead; what is later is a slip of the pen


class VisitType(models.TextChoices):
    BASELINE = "BASELINE", __("Baseline")
    FOLLOW_UP = "FOLLOW_UP", __("Follow-up")
    UNSCHEDULED = "UNSCHEDULED", __("Unscheduled")
    TELE = "TELE", __("Remote")


class VisitState(models.TextChoices):
    OPEN = "OPEN", __("Saved")
    COMPLETE = "COMPLETE", __("Complete")
    SIGNED = "SIGNED", __("Signed")
    MISSED = "MISSED", __("Missed")


class Change(models.TextChoices):
    MUCH_BETTER = "1", __("A lot better")
    BETTER = "2", __("A little better")
    SAME = "3", __("No change")
    WORSE = "4", __("A little worse")
    MUCH_WORSE = "5", __("A lot worse")


class NoneOrList(models.TextChoices):
    NONE = "NONE", __("None")
    LIST = "LIST", __("Yes, listed")
    UNKNOWN = "U", __("Unknown")


def _nrs(label: StrOrPromise, *, source: str, need: Need = Need.COMPLETE) -> models.SmallIntegerField:
    return clinical(
        models.SmallIntegerField(label, null=True, blank=True, help_text=__("0 none to 10 worst.")),
        section="How the patient is", privacy=Privacy.CLINICAL, source=source, possible=(0, 10), need=need,
        unit="NRS 0–10",
    )  # fmt: skip


def _not_done(label: StrOrPromise) -> models.BooleanField:
    return clinical(
        models.BooleanField(label, default=False),
        section="How the patient is", privacy=Privacy.CLINICAL, source="clinical-model 12.3 (8–10)",
    )  # fmt: skip


class VisitQuerySet(ScopedQuerySet):
    def attended(self) -> Self:
        return self.exclude(state=VisitState.MISSED)

    def signed(self) -> Self:
        return self.filter(state=VisitState.SIGNED)


class Visit(Record):
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="visits")
    state = models.CharField(
        __("state"), max_length=8, choices=VisitState.choices, default=VisitState.OPEN, editable=False
    )
    visit_date = clinical(
        models.DateField(__("visit date")),
        section="Visit", privacy=Privacy.DATE, source="clinical-model 12.3 (1)", need=Need.ALWAYS,
    )  # fmt: skip
    visit_type = choice(
        __("visit type"), VisitType, section="Visit", source="clinical-model 12.3 (2)", need=Need.ALWAYS
    )
    missed_reason = clinical(
        models.CharField(__("why it was missed"), max_length=200, blank=True),
        section="Visit", privacy=Privacy.FREE_TEXT, source="product.md, Visit page",
    )  # fmt: skip
    calcinosis_present = yes_no_unknown(
        __("calcinosis present now"), section="Visit", source="clinical-model 12.3 (3)", need=Need.COMPLETE
    )
    pain_nrs = _nrs(__("pain from calcinosis, last 7 days"), source="clinical-model 3, 12.3 (8)")
    pain_not_done = _not_done(__("pain not done"))
    patient_global = _nrs(__("patient global of calcinosis"), source="clinical-model 3, 12.3 (9)")
    patient_global_not_done = _not_done(__("patient global not done"))
    physician_global = _nrs(__("physician global of calcinosis"), source="clinical-model 3, 12.3 (10)")
    physician_global_not_done = _not_done(__("physician global not done"))
    worst_lesion_nrs = _nrs(__("pain of the worst lesion"), source="clinical-model 3", need=Need.OPTIONAL)
    pain_vas = clinical(
        models.SmallIntegerField(__("pain, visual analogue scale"), null=True, blank=True),
        section="How the patient is", privacy=Privacy.CLINICAL, source="clinical-model 3, 12.4 (9)", possible=(0, 100),
        unit="mm",
    )  # fmt: skip
    global_change = choice(
        __("change since the last visit"), Change, section="How the patient is", source="clinical-model 3, 12.3 (11)"
    )
    new_digital_ulcer = yes_no_unknown(
        __("new digital ulcer since the last visit"), section="Since last time", source="clinical-model 12.3 (12)"
    )
    new_digital_ulcer_count = clinical(
        models.SmallIntegerField(__("how many new digital ulcers"), null=True, blank=True),
        section="Since last time", privacy=Privacy.CLINICAL, source="clinical-model 12.3 (12)", possible=(0, 10),
        only_if={"new_digital_ulcer": "Y"},
    )  # fmt: skip
    treatments_changed = choice(
        __("treatments changed"), NoneOrList, section="Since last time", source="clinical-model 12.3 (13)",
        need=Need.COMPLETE,
    )  # fmt: skip
    complications = choice(
        __("complication or admission since the last visit"), NoneOrList, section="Since last time",
        source="clinical-model 12.3 (14)", need=Need.COMPLETE,
    )  # fmt: skip
    weight_kg = clinical(
        models.DecimalField(__("weight"), max_digits=5, decimal_places=1, null=True, blank=True),
        section="Body", privacy=Privacy.CLINICAL, source="product.md, Decided", unit="kg", possible=(1, 400),
        plausible=(30, 160),
    )  # fmt: skip
    height_cm = clinical(
        models.DecimalField(__("height"), max_digits=4, decimal_places=1, null=True, blank=True),
        section="Body", privacy=Privacy.CLINICAL, source="product.md, Decided", unit="cm", possible=(30, 260),
        plausible=(120, 210),
    )  # fmt: skip
    note = clinical(
        models.TextField(__("note"), max_length=1000, blank=True, help_text=__("No names or telephone numbers.")),
        section="Note and next visit", privacy=Privacy.FREE_TEXT, source="clinical-model 12.3 (19)",
    )  # fmt: skip
    next_visit_due = clinical(
        models.DateField(__("next visit due"), null=True, blank=True),
        section="Note and next visit", privacy=Privacy.DATE, source="clinical-model 12.3 (20)",
    )  # fmt: skip
    signed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, editable=False, related_name="+"
    )
    signed_at = models.DateTimeField(__("signed"), null=True, editable=False)

    objects = VisitQuerySet.as_manager()
    clinic_path = "patient__clinic_id"
    # The visit page saves a visit together with its lesions: what must agree between them is then checked over both.
    saved_whole = False

    class Meta:
        verbose_name = __("visit")
        ordering = ["visit_date", "id"]
        indexes = [
            models.Index(fields=["patient", "visit_date"], name="visit_patient_date"),
            models.Index(fields=["state", "visit_date"], name="visit_state_date"),  # what is open or not signed is rare
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["patient"], condition=Q(visit_type="BASELINE"), name="visit_one_baseline",
                violation_error_message=__("This patient has a baseline visit already."),
            )
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.visit_date} {self.get_visit_type_display()}"

    @property
    def trail_patient(self) -> str:  # type: ignore[override]
        return self.patient.registry_number

    def get_absolute_url(self) -> str:
        return address("lesions:visit", ..., of=self.public_id)

    @property
    def is_locked(self) -> bool:
        return self.state == VisitState.SIGNED

    def _was_signed(self) -> bool:
        return (getattr(self, "_stored", None) or {}).get("state") == VisitState.SIGNED

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        if self._was_signed():
            raise ValidationError(_("The visit is signed: unlock it first. Nothing was removed."))
        return super().delete(*args, **kwargs)

    def clean(self) -> None:
        super().clean()
        errors = {}
        patient = self.patient
        # Signing and unlocking write these columns by themselves (lesions/signing.py); no other way changes them back.
        if self._was_signed() and self.changed_fields():
            raise ValidationError(_("The visit is signed: unlock it first. Nothing was changed."))
        if self.visit_date:
            if self.visit_date > timezone.localdate():
                errors["visit_date"] = _("The visit date is in the future; plan it as the next visit instead.")
            elif not on_or_before(patient.birth_date, self.visit_date):
                errors["visit_date"] = _("The visit is before birth (%(born)s).") % {"born": patient.birth_date}
            elif patient.death_date and patient.death_date.latest and self.visit_date > patient.death_date.latest:
                errors["visit_date"] = _("The visit is after death (%(died)s).") % {"died": patient.death_date}
            if self.next_visit_due and self.next_visit_due <= self.visit_date:
                errors["next_visit_due"] = _("The next visit must be after this one.")
            elif self.next_visit_due and self.next_visit_due.year > self.visit_date.year + FURTHEST_PLANNED:
                errors["next_visit_due"] = _("That is more than %(n)s years ahead.") % {"n": FURTHEST_PLANNED}
        for nrs in NRS_FIELDS:
            if getattr(self, f"{nrs}_not_done".replace("_nrs", "")) and getattr(self, nrs) is not None:
                errors[nrs] = _("Either a number or “not done”.")
        if self.state != VisitState.MISSED:
            self.missed_reason = ""
        elif not self.missed_reason.strip():
            errors["missed_reason"] = _("Say why it was missed, or “unknown”.")
        if not patient.registry_consent:
            errors["__all__"] = _("No consent to the registry is in force: nothing can be entered.")
        if self.visit_type == VisitType.BASELINE:
            self.global_change = ""
        if self.visit_type == VisitType.BASELINE and "visit_type" in self.changed_fields():
            if Visit.objects.filter(patient=patient.pk, visit_type=VisitType.BASELINE).exclude(pk=self.pk).exists():
                errors["visit_type"] = _("This patient has a baseline visit already.")
        if not errors and self.pk:
            for rule in RULES:
                errors |= rule(self)
        if errors:
            raise ValidationError(errors)

    def missing(self) -> list[models.Field]:
        """A number or “not done” answers a global."""
        return [
            field for field in super().missing()
            if not (field.name in NRS_FIELDS and getattr(self, f"{field.name}_not_done".replace("_nrs", "")))
        ]  # fmt: skip

    def findings(self) -> Iterator[Finding]:
        yield from super().findings()
        consents = list(self.patient.consent_set.all())
        first = min((one.consented_on for one in consents), default=None)
        if first and self.visit_date < first:
            yield Finding(
                "before_consent",
                _("The visit is before the consent of %(date)s: is it retrospective?") % {"date": first},
                "visit_date",
            )
        if TELEPHONE.search(ISO_DATE.sub("", self.note)):
            yield Finding("telephone_in_note", _("The note looks as if it held a telephone number: remove it."), "note")
        consent, age = in_force(consents), self.patient.age_on(self.visit_date)
        if consent and consent.given_by == GivenBy.GUARDIAN and age is not None and age >= OF_AGE:
            message = _("The person is %(age)s, and a guardian gave the consent: ask the person for theirs.")
            yield Finding("consent_at_18", message % {"age": age}, "visit_date")


# What a saved visit must also satisfy beside its lesions: each returns {field: what is wrong}. The app above (lesions)
# adds its own in its AppConfig.ready(), because patients never imports lesions.
RULES: list[Callable[[Visit], dict[str, str]]] = []

# The numeric ratings that take "not done" as an answer; the companion column is <name without _nrs>_not_done.
NRS_FIELDS = ("pain_nrs", "patient_global", "physician_global")
