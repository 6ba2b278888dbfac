"""Consent comes first: scopes, by whom, version; a withdrawal ends it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as __

from calcinosis_registry.codebook.items import Need, Privacy, choice, clinical, yes_no_unknown
from calcinosis_registry.quality.findings import Finding
from patients.models.patient import PatientRecord

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

SOURCE = "product.md, Register a patient; clinical-model 9.1 (12, 13), 12.2"
# What rests where a patient moved to another clinic, until that clinic recorded a consent of its own.
RESTING = ("research", "images", "contact")
OF_AGE = 18  # years; from then on the person is asked, not the guardian


class GivenBy(models.TextChoices):
    PERSON = "PERSON", __("The person")
    GUARDIAN = "GUARDIAN", __("A guardian")


def _scope(label: StrOrPromise, help_text: StrOrPromise) -> models.BooleanField:
    return clinical(
        models.BooleanField(label, default=False, help_text=help_text),
        section="Scopes", privacy=Privacy.INTERNAL, source=SOURCE,
    )  # fmt: skip


class Consent(PatientRecord):
    """One consent form as signed; which of several is in force says :func:`in_force`."""

    is_consent = True

    consented_on = clinical(
        models.DateField(__("date of consent"), default=timezone.localdate),
        section="Consent", privacy=Privacy.INTERNAL, source=SOURCE, need=Need.ALWAYS,
    )  # fmt: skip
    form_version = clinical(
        models.CharField(__("version of the consent form"), max_length=40),
        section="Consent", privacy=Privacy.INTERNAL, source=SOURCE, need=Need.ALWAYS,
    )  # fmt: skip
    given_by = choice(
        __("given by"), GivenBy, section="Consent", privacy=Privacy.INTERNAL, source=SOURCE, need=Need.ALWAYS
    )
    child_assent = yes_no_unknown(
        __("assent of the child"), section="Consent", privacy=Privacy.INTERNAL, source=SOURCE,
        only_if={"given_by": "GUARDIAN"}, help_text=__("Asked again at 18."),
    )  # fmt: skip
    registry = _scope(__("registry"), __("Data may be entered."))
    research = _scope(__("research use"), __("Coded data may be exported."))
    images = _scope(__("images"), __("Photographs and radiographs may be kept and used."))
    contact = _scope(__("contact"), __("May be contacted for research."))
    withdrawn_on = clinical(
        models.DateField(__("withdrawn on"), null=True, blank=True),
        section="Withdrawal", privacy=Privacy.INTERNAL, source=SOURCE,
    )  # fmt: skip
    withdrawal_reason = clinical(
        models.CharField(__("reason, if given"), max_length=200, blank=True),
        section="Withdrawal", privacy=Privacy.INTERNAL, source=SOURCE,
    )  # fmt: skip
    kept_for_care = clinical(
        models.BooleanField(__("keep the record for care only"), default=False),
        section="Withdrawal", privacy=Privacy.INTERNAL, source=SOURCE,
    )  # fmt: skip

    class Meta:
        verbose_name = __("consent")
        ordering = ["-consented_on", "-id"]

    def __str__(self) -> str:
        return f"{self.form_version}, {self.consented_on}"

    def findings(self) -> Iterator[Finding]:
        yield from super().findings()
        age = self.patient.age_on(self.consented_on)
        if self.given_by == GivenBy.PERSON and age is not None and age < OF_AGE:
            message = _("The person was %(age)s: a guardian consents, with the child's assent.")
            yield Finding("consent_of_child", message % {"age": age}, "given_by")
        resting = [one for one in RESTING if getattr(self, one) and not getattr(self.patient, f"{one}_consent")]
        if resting and self == in_force(type(self).objects.filter(patient=self.patient_id)):
            message = _(
                "It was given at the clinic the person came from. Research, images and contact rest until the consent"
                " given here is recorded."
            )
            yield Finding("consent_rests", message, resting[0])

    def clean(self) -> None:
        super().clean()
        errors = {}
        if self.withdrawn_on and self.consented_on and self.withdrawn_on < self.consented_on:
            errors["withdrawn_on"] = _("The withdrawal is before the consent.")
        if errors:
            raise ValidationError(errors)


def in_force(consents: Iterable[Consent]) -> Consent | None:
    """The newest consent, unless it or, since it was given, an older one was withdrawn: a withdrawal ends them all."""
    given = list(consents)
    newest = max(given, key=lambda one: (one.consented_on, one.pk), default=None)
    if newest is None or newest.withdrawn_on is not None:
        return None
    later = any(one.withdrawn_on is not None and one.withdrawn_on > newest.consented_on for one in given)
    return None if later else newest
