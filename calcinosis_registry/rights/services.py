"""Asking for an erasure, confirming it, taking it back. Two different people, both just proven."""

from __future__ import annotations

import datetime
from typing import IO, Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from calcinosis_registry.accounts.models import User
from calcinosis_registry.audit import trail
from calcinosis_registry.audit.models import Action
from calcinosis_registry.clinics.roles import Permission
from calcinosis_registry.rights.erasure import cancel, entry_of, erase, lock_all, remove_leftovers, replay_erasures
from calcinosis_registry.rights.models import Basis, ErasureRequest, PersonalFile, State
from calcinosis_registry.rights.personal_file import write_personal_file
from lesions.blinding import why_not_given
from patients.models import Patient

__all__ = ["confirm_erasure", "make_personal_file", "replay_erasures", "request_erasure", "withdraw_erasure"]


def make_personal_file(
    *, patient: Patient, target: IO[bytes], reason: str, by: User, now: datetime.datetime
) -> PersonalFile:  # fmt: skip
    """Write everything about the person into ``target``; its line in the ledger and its event are there first.

    Raises ValidationError for who is to read a radiograph of the person without seeing the other reading.
    """
    if refusal := why_not_given(by, Patient.objects.filter(pk=patient.pk)):
        raise ValidationError(refusal)
    with trail.together():
        sha256 = write_personal_file(target, patient, by=by)
        made = PersonalFile(
            registry_number=patient.registry_number, clinic=patient.clinic, reason=reason, sha256=sha256,
            size=target.seek(0, 2), created_by=by, created_at=now,
        )  # fmt: skip
        made.save()
        trail.tell(Action.EXPORT, about=made, changes={"file": "everything about the person", "sha256": sha256},
                   reason=reason)  # fmt: skip
    return made


def request_erasure(
    *, patient: Patient, basis: str, reason: str, by: User, now: datetime.datetime
) -> ErasureRequest:  # fmt: skip
    """Ask; nothing is erased before somebody else confirms. Raises ValidationError."""
    asked = ErasureRequest(
        registry_number=patient.registry_number, clinic=patient.clinic, basis=basis, reason=reason.strip(),
        requested_by=by, requested_at=now,
    )  # fmt: skip
    asked.full_clean(exclude=["decided_by", "decided_at"])
    if not asked.reason:
        raise ValidationError({"reason": _("Say what the person asked for, and how you know who asked.")})
    with trail.together():
        asked.save()
    return asked


def waiting_for(user: User) -> int:
    """How many erasures wait for this person to be the second of two."""
    rows = ErasureRequest.objects.visible_to(user, Permission.CONFIRM_ERASURE)
    return rows.open().exclude(requested_by=user.pk).count()


def withdraw_erasure(*, asked: ErasureRequest, by: User, now: datetime.datetime) -> ErasureRequest:
    """Nothing is erased. Raises ValidationError when it was decided meanwhile."""
    with trail.together():
        asked = _open(asked)
        asked.state, asked.decided_by, asked.decided_at = State.WITHDRAWN, by, now
        asked.save()
    return asked


def confirm_erasure(*, asked: ErasureRequest, by: User, now: datetime.datetime) -> ErasureRequest:
    """Erase. Raises ValidationError for one's own request, one decided already, or a person who is gone."""
    if asked.requested_by_id == by.pk:
        raise ValidationError(_("Somebody else must confirm what you asked for."))
    entries: list[dict[str, Any]] = []
    try:
        with transaction.atomic():
            asked = _open(asked)
            patient = Patient.objects.filter(registry_number=asked.registry_number).first()
            if patient is None:
                raise ValidationError(_("There is no such patient any more."))
            lock_all(patient)
            asked.state, asked.decided_by, asked.decided_at = State.DONE, by, now
            asked.save()
            left = []
            for one in (*Patient.objects.filter(merged_into=patient), patient):  # a second registration goes along
                entry = entry_of(
                    patient=one, basis=asked.basis, requested_by=str(asked.requested_by), confirmed_by=str(by), now=now
                )
                entries.append(entry)
                left.append(erase(patient=one, entry=entry, reason=str(Basis(asked.basis).label)))
    except BaseException:
        for entry in entries:
            cancel(entry)
        raise
    for one in left:
        remove_leftovers(one)
    asked.reason = ""
    return asked


def _open(asked: ErasureRequest) -> ErasureRequest:
    found = ErasureRequest.objects.open().select_for_update().filter(pk=asked.pk).first()
    if found is None:
        raise ValidationError(_("This request has been decided already."))
    return found
