"""Offering a record, taking it over, declining it, taking the offer back.

The patient's row is the queue: every act locks it first, as an erasure does, and looks again at what it finds then.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils.translation import gettext as _

from calcinosis_registry.accounts.models import User
from calcinosis_registry.audit import trail
from calcinosis_registry.audit.models import Action, Event
from calcinosis_registry.clinics.models import Clinic, Transfer, TransferState
from calcinosis_registry.identity.models import Identity
from calcinosis_registry.identity.services import likely_duplicates
from calcinosis_registry.quality.models import DataQuery
from calcinosis_registry.rights.erasure import lock_all
from calcinosis_registry.transfers.obstacles import obstacles
from patients.models import Consent, Patient
from patients.services import after_save


@dataclass(frozen=True)
class Glimpse:
    """As much of a person as lets a clinic say whether they are its patient, and no more."""

    initials: str
    born: int | None
    sex: str


def glimpse(*, transfer: Transfer) -> Glimpse | None:
    """What the other clinic sees before it accepts, told to the trail; None where the person is gone."""
    patient = Patient.objects.filter(registry_number=transfer.registry_number).first()
    if patient is None:
        return None
    identity = Identity.objects.filter(registry_number=transfer.registry_number).first()
    names = (identity.given_name, identity.family_name) if identity else ()
    trail.tell(Action.READ, about=transfer, changes={"shown": "initials, year of birth, sex"})
    return Glimpse(
        " ".join(f"{one[:1]}." for one in names if one),
        patient.birth_date.year if patient.birth_date else None,
        patient.get_sex_at_birth_display(),
    )


def offer(*, patient: Patient, to: Clinic, reason: str, by: User, now: datetime.datetime) -> Transfer:
    """Offer the record; nothing moves before the other clinic accepts. Raises ValidationError in words."""
    with trail.together(), trail.because(reason.strip()[:400]):
        here = _held(patient.registry_number)
        if here.clinic_id != patient.clinic_id:
            raise ValidationError(_("The record is at another clinic now."))
        if to.pk == here.clinic_id or to.closed_at is not None:
            raise ValidationError({"to": _("Choose another clinic that is open.")})
        if Transfer.objects.offered().about(here.registry_number).exists():
            raise ValidationError(_("The record is offered to a clinic already."))
        if found := obstacles(here):
            raise ValidationError(found)
        asked = Transfer(
            registry_number=here.registry_number, from_clinic=here.clinic, to_clinic=to, reason=reason.strip(),
            offered_by=by, offered_at=now,
        )  # fmt: skip
        asked.full_clean(exclude=["decided_by", "decided_at", "last_event"])
        asked.save()
    return asked


def take_back(*, transfer: Transfer, by: User, now: datetime.datetime) -> Transfer:
    """The record stays where it is. Raises ValidationError when it was decided meanwhile."""
    return _end(transfer, TransferState.TAKEN_BACK, "", by, now)


def decline(*, transfer: Transfer, why: str, by: User, now: datetime.datetime) -> Transfer:
    """Not our patient: the record stays where it is, and who offered it reads why. Raises ValidationError."""
    if not why.strip():
        raise ValidationError({"why": _("Say why, so that the other clinic knows.")})
    return _end(transfer, TransferState.DECLINED, why.strip()[:400], by, now)


def _end(transfer: Transfer, state: str, answer: str, by: User, now: datetime.datetime) -> Transfer:
    with trail.together(), trail.because(answer):
        _held(transfer.registry_number)
        standing = _standing(transfer)
        standing.state, standing.answer, standing.decided_by, standing.decided_at = state, answer, by, now
        standing.save()
    return standing


def accept(*, transfer: Transfer, hospital_number: str, by: User, now: datetime.datetime) -> Patient:
    """Take the record over, with everything of the person, in one transaction. Raises ValidationError in words.

    ``hospital_number``: the person's at the new clinic; that of the old one stays in the history alone.
    """
    with transaction.atomic():
        patient = _held(transfer.registry_number)
        lock_all(patient)
        standing = _standing(transfer)
        if standing.to_clinic.closed_at is not None or patient.clinic_id != standing.from_clinic_id:
            raise ValidationError(_("The record is not where it was, or your clinic is closed. Nothing was moved."))
        if obstacles(patient):  # what they are is the other clinic's to read
            raise ValidationError(
                _("%(clinic)s has begun something with the record that must be finished first. Ask %(who)s.")
                % {"clinic": standing.from_clinic, "who": standing.offered_by}
            )
        with trail.together(), trail.because(standing.reason):
            standing.state, standing.decided_by, standing.decided_at = TransferState.ACCEPTED, by, now
            standing.save()
            _carry_over(patient, standing.to_clinic, hospital_number, now)
            along = [_along(double, standing) for double in patient.doubles.order_by("pk")]
        # The trail's end is ours until the commit, so the last event there is, is the last of this act.
        last = Event.objects.aggregate(last=models.Max("pk"))["last"]
        models.QuerySet(Transfer).filter(pk__in=[standing.pk, *along]).update(last_event=last)
    return patient


def _carry_over(patient: Patient, to: Clinic, hospital_number: str, now: datetime.datetime) -> None:
    """The records follow their patient; name and questions carry the clinic themselves."""
    identity = _bring(patient, to)
    if identity is not None:
        identity.hospital_number = hospital_number
        identity.full_clean(exclude=["family_key", "given_key", "hospital_key"])
        identity.save()
    after_save(patient=patient, records=[patient, *Consent.objects.filter(patient=patient)], now=now)


def _bring(patient: Patient, to: Clinic) -> Identity | None:
    """The row and its questions go to the clinic. Returns the name, still to be saved."""
    patient.clinic = to
    patient.version += 1
    Patient.objects.bulk_update([patient], ["clinic", "version"])
    asked = list(DataQuery.objects.filter(patient=patient.registry_number))
    for query in asked:
        query.clinic = to
    DataQuery.objects.bulk_update(asked, ["clinic"])
    identity = Identity.objects.filter(registry_number=patient.registry_number).first()
    if identity is not None:
        identity.clinic = to
    return identity


def _along(double: Patient, told: Transfer) -> int:
    """A second registration of the person goes where the record goes. Returns the key of its own move."""
    its = Transfer(
        registry_number=double.registry_number, from_clinic=told.from_clinic, to_clinic=told.to_clinic,
        reason=told.reason, state=told.state, offered_by=told.offered_by, offered_at=told.offered_at,
        decided_by=told.decided_by, decided_at=told.decided_at,
    )  # fmt: skip
    its.save()
    identity = _bring(double, told.to_clinic)
    if identity is not None:
        identity.save()
    return its.pk


def same_person_here(patient: Patient) -> bool:
    """Does the patient's clinic have somebody else who looks the same: registered there before the record came?"""
    identity = Identity.objects.filter(registry_number=patient.registry_number).first()
    if identity is None:
        return False
    here, _elsewhere = likely_duplicates(clinic=patient.clinic, identity=identity)
    return any(one.registry_number not in patient.numbers for one in here)


def _held(registry_number: str) -> Patient:
    """The patient, whose row nobody else holds now. Raises ValidationError where the person was erased meanwhile."""
    rows = Patient.objects.select_for_update(of=("self",), no_key=True).select_related("clinic")
    patient = rows.filter(registry_number=registry_number).first()
    if patient is None:
        raise ValidationError(_("There is no such patient any more."))
    return patient


def _standing(transfer: Transfer) -> Transfer:
    rows = Transfer.objects.offered().select_related("from_clinic", "to_clinic", "offered_by")
    found = rows.filter(pk=transfer.pk).first()
    if found is None:
        raise ValidationError(_("This offer has been decided already."))
    return found
