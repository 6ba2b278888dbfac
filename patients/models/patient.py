"""The patient: a registry number and the facts that change rarely. Names stand apart, in identity."""

from __future__ import annotations

import datetime
from contextlib import AbstractContextManager, nullcontext
from functools import cache
from typing import Any, Self

from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as __

from calcinosis_registry.accounts.models import User
from calcinosis_registry.clinics.models import Clinic
from calcinosis_registry.clinics.policy import ScopedQuerySet
from calcinosis_registry.clinics.roles import Permission
from calcinosis_registry.codebook.fields import PartialDateField
from calcinosis_registry.codebook.items import Need, Privacy, choice, clinical, item_fields, yes_no_unknown
from calcinosis_registry.codebook.partial_dates import PartialDate, Precision
from calcinosis_registry.quality.findings import Finding
from calcinosis_registry.records.addresses import address
from calcinosis_registry.records.models import Record

OLDEST_REFUSED, OLDEST_WARNED = 120, 105  # years of age; product.md "Decided"
DUE_WINDOW = datetime.timedelta(days=30)  # around the planned date; product.md "Decided"
LOST_AFTER = datetime.timedelta(days=548)  # 18 months without a visit


class Sex(models.TextChoices):
    FEMALE = "F", __("Female")
    MALE = "M", __("Male")
    UNDETERMINED = "UNDETERMINED", __("Undetermined")
    FOETUS = "FOETUS", __("Foetus (unknown)")


class Status(models.TextChoices):
    ALIVE = "ALIVE", __("Alive")
    DEAD = "DEAD", __("Dead")
    LOST = "LOST", __("Lost to follow-up")
    OPTED_OUT = "OPTED_OUT", __("Opted out")


class Hand(models.TextChoices):
    RIGHT = "R", __("Right")
    LEFT = "L", __("Left")
    AMBIDEXTROUS = "AMBI", __("Both")
    UNKNOWN = "U", __("Unknown")


class Smoking(models.TextChoices):
    NEVER = "NEVER", __("Never")
    EX = "EX", __("Ex-smoker")
    CURRENT = "CURRENT", __("Current")
    UNKNOWN = "U", __("Unknown")


class FollowUp(models.TextChoices):
    """Where a living patient stands with the next visit; Summary.follow_up says the same of one row."""

    DUE = "due", __("Due")
    OVERDUE = "overdue", __("Overdue")
    LOST = "lost", __("Lost to follow-up")


class PatientQuerySet(ScopedQuerySet):
    def visible_to(self, user: User | AnonymousUser, permission: Permission) -> Self:
        """A registration that became part of another record is reached through that record alone."""
        return super().visible_to(user, permission).filter(merged_into=None)

    def records(self) -> Self:
        """Persons: without the second registrations of them."""
        return self.filter(merged_into=None)

    def consented_to_research(self) -> Self:
        """A research consent in force, given and not withdrawn since; and the person has not opted out."""
        return self.filter(research_consent=True).exclude(status=Status.OPTED_OUT)

    def due(self, today: datetime.date) -> Self:
        """The planned date is at most 30 days away, before or behind."""
        window = (today - DUE_WINDOW, today + DUE_WINDOW)
        return self.filter(status=Status.ALIVE, summary__next_due_on__range=window)

    def overdue(self, today: datetime.date) -> Self:
        """The planned date is more than 30 days ago, and the patient is not lost yet."""
        late = self.filter(status=Status.ALIVE, summary__next_due_on__lt=today - DUE_WINDOW)
        return late.exclude(_unseen_since(today - LOST_AFTER))

    def lost(self, today: datetime.date) -> Self:
        """Said to be lost, or not seen for 18 months with no visit due or planned."""
        unplanned = Q(summary__next_due_on__isnull=True) | Q(summary__next_due_on__lt=today - DUE_WINDOW)
        gone = Q(status=Status.ALIVE) & unplanned & _unseen_since(today - LOST_AFTER)
        return self.filter(Q(status=Status.LOST) | gone)

    def in_follow_up(self, state: str, today: datetime.date) -> Self:
        """Patients in one FollowUp state."""
        clause = {FollowUp.DUE: self.due, FollowUp.OVERDUE: self.overdue, FollowUp.LOST: self.lost}[FollowUp(state)]
        return clause(today)

    def with_ulcer(self) -> Self:
        """At least one active lesion is ulcerated."""
        return self.filter(summary__ulcerated_lesions__gt=0)


def _unseen_since(day: datetime.date) -> Q:
    """The last visit, or without one the registration, is before ``day``."""
    never = Q(summary__last_visit_on__isnull=True, registered_on__lt=day)
    return Q(summary__last_visit_on__lt=day) | never


class Patient(Record):
    registry_number = models.CharField(__("registry number"), max_length=12, unique=True, editable=False)
    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="patients")
    registered_on = models.DateField(__("registered"), default=timezone.localdate, editable=False)
    birth_date = clinical(
        PartialDateField(__("date of birth"), help_text=__("Year, year-month or full date.")),
        section="Person", privacy=Privacy.IDENTITY, source="clinical-model 9.1 (2), 12.2", need=Need.ALWAYS,
    )  # fmt: skip
    sex_at_birth = choice(
        __("sex at birth"), Sex, section="Person", privacy=Privacy.QUASI, need=Need.ALWAYS,
        source="clinical-model 9.1 (3)",
    )  # fmt: skip
    dominant_hand = choice(__("dominant hand"), Hand, section="Person", source="clinical-model 5.1, 12.2")
    smoking = choice(__("smoking"), Smoking, section="Person", source="clinical-model 12.2")
    first_contact = clinical(
        PartialDateField(__("first contact with this centre")),
        section="Person", privacy=Privacy.DATE, source="clinical-model 9.1 (6)",
    )  # fmt: skip
    status = clinical(
        models.CharField(__("status"), max_length=32, choices=Status.choices, default=Status.ALIVE),
        section="Status", privacy=Privacy.CLINICAL, source="clinical-model 9.1 (4)",
    )  # fmt: skip
    death_date = clinical(
        PartialDateField(__("date of death"), help_text=__("“unknown” where it is not known.")),
        section="Status", privacy=Privacy.DATE, source="clinical-model 9.1 (5)", only_if={"status": "DEAD"},
    )  # fmt: skip
    death_from_calcinosis = yes_no_unknown(
        __("death related to calcinosis"), section="Status", source="clinical-model 8", only_if={"status": "DEAD"}
    )
    death_from_sepsis = yes_no_unknown(
        __("death from sepsis"), section="Status", source="clinical-model 8", only_if={"status": "DEAD"}
    )
    genetic_diagnosis = clinical(
        models.CharField(
            __("genetic diagnosis"), max_length=120, blank=True,
            help_text=__("HGVS, HGNC or OMIM; usually not applicable."),
        ),
        section="Rare disease", privacy=Privacy.FREE_TEXT, source="clinical-model 9.1 (10)",
    )  # fmt: skip
    undiagnosed = yes_no_unknown(__("undiagnosed case"), section="Rare disease", source="clinical-model 9.1 (11)")
    undiagnosed_phenotype = clinical(
        models.CharField(__("phenotype of the undiagnosed case (HPO)"), max_length=200, blank=True),
        section="Rare disease", privacy=Privacy.FREE_TEXT, source="clinical-model 9.1 (11)",
        only_if={"undiagnosed": "Y"},
    )  # fmt: skip
    biosample = yes_no_unknown(
        __("biological sample available"), section="Rare disease", source="clinical-model 9.1 (14)"
    )
    biobank_link = clinical(
        models.CharField(__("link to a biobank"), max_length=200, blank=True),
        section="Rare disease", privacy=Privacy.FREE_TEXT, source="clinical-model 9.1 (15)", only_if={"biosample": "Y"},
    )  # fmt: skip
    disability_score = clinical(
        models.DecimalField(__("functioning/disability score"), max_digits=6, decimal_places=2, null=True, blank=True),
        section="Rare disease", privacy=Privacy.CLINICAL, source="clinical-model 9.1 (16)",
    )  # fmt: skip
    disability_instrument = clinical(
        models.CharField(__("instrument of that score"), max_length=40, blank=True, help_text=__("ICF or WHODAS.")),
        section="Rare disease", privacy=Privacy.FREE_TEXT, source="clinical-model 9.1 (16)",
    )  # fmt: skip

    # Maintained from the consents in the saving transaction (patients/services.py): what lists and exports filter on.
    registry_consent = models.BooleanField(default=False, editable=False)
    research_consent = models.BooleanField(default=False, editable=False)
    images_consent = models.BooleanField(default=False, editable=False)
    contact_consent = models.BooleanField(default=False, editable=False)

    # The same person was registered twice: this registration is part of that record, and is opened nowhere itself.
    merged_into = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, editable=False, related_name="doubles", verbose_name=__("part of")
    )

    objects = PatientQuerySet.as_manager()
    clinic_path = "clinic_id"

    class Meta:
        verbose_name = __("patient")
        ordering = ["registry_number"]
        indexes = [models.Index(fields=["clinic", "registry_number"], name="patient_clinic_number")]

    def __str__(self) -> str:
        return self.registry_number

    @property
    def trail_patient(self) -> str:  # type: ignore[override]
        return self.registry_number

    @property
    def patient(self) -> Patient:
        return self

    @property
    def numbers(self) -> list[str]:
        """The registry numbers of the person: the record's own first, then those registered a second time."""
        return [self.registry_number, *self.doubles.order_by("pk").values_list("registry_number", flat=True)]  # type: ignore[attr-defined]

    def get_absolute_url(self) -> str:
        return address("lesions:patient", ..., of=self.public_id)

    def age_on(self, day: datetime.date) -> int | None:
        """Completed years on a day; from the middle of the interval when the birth date is partial."""
        born = self.birth_date
        if born is None or born.precision is Precision.UNKNOWN:
            return None
        middle = born.earliest + (born.latest - born.earliest) / 2
        return day.year - middle.year - ((day.month, day.day) < (middle.month, middle.day))

    @property
    def age(self) -> int | None:
        end = self.death_date.latest if self.death_date and self.death_date.latest else timezone.localdate()
        return self.age_on(end)

    def clean(self) -> None:
        super().clean()
        today = timezone.localdate()
        errors = {}
        born, died = self.birth_date, self.death_date
        if born is not None:
            if born.earliest and born.earliest > today:
                errors["birth_date"] = _("The date of birth is in the future.")
            elif born.latest and (today.year - born.latest.year) > OLDEST_REFUSED:
                errors["birth_date"] = _("That would be an age over %(limit)s years.") % {"limit": OLDEST_REFUSED}
        if died is not None:
            if died.earliest and died.earliest > today:
                errors["death_date"] = _("The date of death is in the future.")
            elif born is not None and not born.can_be_on_or_before(died):
                errors["death_date"] = _("Death is before birth (%(born)s).") % {"born": born}
            elif self.pk and died.latest and "death_date" in self.changed_fields():
                later = self.visits.filter(visit_date__gt=died.latest).order_by("visit_date")  # type: ignore[attr-defined]
                if later:
                    days = ", ".join(str(visit.visit_date) for visit in later)
                    errors["death_date"] = _("There are visits after that: %(days)s.") % {"days": days}
        if self.status == Status.DEAD and died is None:
            errors["death_date"] = _("Give the date of death, as far as known, or “unknown”.")
        if self.first_contact and born and not born.can_be_on_or_before(self.first_contact):
            errors["first_contact"] = _("First contact is before birth (%(born)s).") % {"born": born}
        elif not on_or_before(self.first_contact, today):
            errors["first_contact"] = _("The date is in the future.")
        if self.pk and "birth_date" not in errors and "birth_date" in self.changed_fields():
            errors |= self._born_later()
        if self.pk and not self.registry_consent and set(self.changed_fields()) - OPEN_WITHOUT_CONSENT:
            errors["__all__"] = _("No consent to the registry is in force: only the status can be changed.")
        if errors:
            raise ValidationError(errors)

    def _born_later(self) -> dict[str, str]:
        """A date of birth put right does not come after what is recorded of the life."""
        first = self.visits.order_by("visit_date").first()  # type: ignore[attr-defined]
        if first is not None and not on_or_before(self.birth_date, first.visit_date):
            return {"birth_date": _("There is a visit before that: %(day)s.") % {"day": first.visit_date}}
        return {}

    def findings(self):  # type: ignore[no-untyped-def]
        yield from super().findings()
        if (self.age or 0) > OLDEST_WARNED:
            yield Finding(
                "old_age", _("The age is over %(n)s years. Is it right?") % {"n": OLDEST_WARNED}, "birth_date"
            )


# A withdrawal locks the person too; that somebody died or left may still be said.
OPEN_WITHOUT_CONSENT = frozenset(
    {"status", "death_date", "death_from_calcinosis", "death_from_sepsis"}
    | {f"{scope}_consent" for scope in ("registry", "research", "images", "contact")}
)


def on_or_before(earlier: PartialDate | None, later: PartialDate | datetime.date | None) -> bool:
    """True unless the two are surely the wrong way round."""
    return earlier is None or later is None or earlier.can_be_on_or_before(later)


def _can_be_on_or_before(day: PartialDate | datetime.date | None, today: datetime.date) -> bool:
    return day <= today if isinstance(day, datetime.date) else on_or_before(day, today)


@cache
def _dates(model: type[Record]) -> list[str]:
    """The dates a person enters, whole or partial."""
    return [
        one.name for one in item_fields(model)
        if one.editable and isinstance(one, PartialDateField | models.DateField)
        and not isinstance(one, models.DateTimeField)
    ]  # fmt: skip


def _in_transaction() -> AbstractContextManager[Any]:
    """The one that is open, or a new one: a refusal then needs no savepoint."""
    return nullcontext() if transaction.get_connection().in_atomic_block else transaction.atomic()


class PatientRecord(Record):
    """A record of a patient. ``visit`` is the visit it was entered at, where there was one; a signed visit locks it."""

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT)
    visit = models.ForeignKey("patients.Visit", on_delete=models.PROTECT, null=True, blank=True, editable=False)

    clinic_path = "patient__clinic_id"
    # Several per patient (a list), or exactly one.
    single = False
    # What may still change once the visit is signed: the end of something that lasts longer than the visit.
    open_after_signing: frozenset[str] = frozenset()

    class Meta:
        abstract = True

    @property
    def trail_patient(self) -> str:  # type: ignore[override]
        return self.patient.registry_number

    @property
    def is_locked(self) -> bool:
        """Was it entered at a visit that is signed?"""
        return self.visit is not None and self.visit.is_locked

    def clean(self) -> None:
        # First whether anything can be entered at all: what else is wrong would be put right in vain.
        visit = self.visit
        if visit is not None and visit.is_locked and not set(self.changed_fields()) <= self.open_after_signing:
            raise self._locked()
        if visit is not None and visit.patient_id != self.patient_id:
            raise ValidationError(_("The visit belongs to another patient."))
        if not self.patient.registry_consent and not self.is_consent:
            raise ValidationError(_("No consent to the registry is in force: nothing can be entered."))
        super().clean()
        if errors := self._date_errors():
            raise ValidationError(errors)

    def _date_errors(self) -> dict[str, str]:
        """No date of a record is in the future or before birth. Subclasses say where death ends it too."""
        errors, today, born = {}, timezone.localdate(), self.patient.birth_date
        for name in _dates(type(self)):
            day = getattr(self, name)
            if not _can_be_on_or_before(day, today):
                errors[name] = _("The date is in the future.")
            elif not on_or_before(born, day):
                errors[name] = _("The date is before birth (%(born)s).") % {"born": born}
        return errors

    is_consent = False

    def why_it_stays(self) -> str:
        """Why the record cannot be removed as things stand, in words; "" when it can."""
        return ""

    def seen_at(self) -> str:
        """The page one comes back to from it: its visit, or the patient."""
        return (self.visit or self.patient).get_absolute_url()

    def _locked(self) -> ValidationError:
        day = {"date": self.visit.visit_date}  # type: ignore[union-attr]
        return ValidationError(_("The visit of %(date)s is signed: unlock it first.") % day)

    def _hold_visit(self) -> None:
        """Whoever signs the visit now waits for this record, or this record for the signature."""
        if self.visit is not None and self.visit.pk:
            visits = type(self.visit)._default_manager.select_for_update()
            self.visit.state = visits.values_list("state", flat=True).get(pk=self.visit.pk)

    def save(self, *args: Any, **kwargs: Any) -> None:
        with _in_transaction():
            self._hold_visit()
            super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        with _in_transaction():
            self._hold_visit()
            if self.is_locked:
                raise self._locked()
            return super().delete(*args, **kwargs)


class VisitRecord(PatientRecord):
    """A record of one visit; it appears on the visit page by itself. ``per_visit`` is 1 for at most one."""

    visit = models.ForeignKey("patients.Visit", on_delete=models.PROTECT, editable=False)
    per_visit: int | None = 1

    class Meta:
        abstract = True
