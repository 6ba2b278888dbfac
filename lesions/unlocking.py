"""Signed → complete: the signature is withdrawn and kept.

Whoever signed unlocks alone. Anybody else asks, with a reason, and a second person agrees; a clinic may do without that
(``Clinic.unlock_by_two``). The caller has locked the visit's row.
"""

from __future__ import annotations

import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from calcinosis_registry.accounts.models import User
from calcinosis_registry.accounts.notices import Notice, notify
from calcinosis_registry.audit import trail
from calcinosis_registry.clinics.models import Membership
from calcinosis_registry.clinics.roles import ROLES, Permission
from lesions.services import summarise
from lesions.signing import move
from patients.models import Signature, Visit, VisitState
from patients.worklist import More, first_of

SHORTEST_REASON = 10


def standing(visit: Visit) -> Signature | None:
    rows = Signature.objects.standing().filter(visit=visit).select_related("signer", "unlock_asked_by")
    return rows.defer("content").first()


def needs_second(visit: Visit, signature: Signature | None, by: User) -> bool:
    """May this person not unlock it alone?"""
    return signature is not None and visit.patient.clinic.unlock_by_two and signature.signer_id != by.pk


def anybody_to_agree(visit: Visit, by: User) -> bool:
    """Is there a second person? Else only the clinic's setting helps, and the page says so."""
    roles = [role for role, may in ROLES.items() if Permission.SIGN in may]
    standing = Membership.objects.in_force().filter(clinic=visit.patient.clinic_id, role__in=roles)
    return standing.filter(user__is_active=True).exclude(user=by.pk).exists()


def ask_unlock(*, visit: Visit, by: User, now: datetime.datetime, reason: str) -> None:
    """Ask for a second person; nothing is unlocked. Raises ValidationError."""
    signature = _signed(visit)
    if signature is None or signature.unlock_asked_by_id is not None:
        raise ValidationError(_("Somebody asked to unlock it meanwhile. Nothing was changed."))
    with trail.together(), trail.because(reason := _worded(reason)):
        signature.unlock_asked_by, signature.unlock_asked_at, signature.unlock_reason = by, now, reason
        signature.save()
        if signature.signer_id != by.pk:
            notify(signature.signer, Notice.UNLOCK_ASKED)


def end_asking(*, visit: Visit, by: User) -> None:
    """Taken back by who asked, or refused by somebody else: the visit stays signed. Raises ValidationError."""
    signature = _signed(visit)
    if signature is None or signature.unlock_asked_by is None:
        raise ValidationError(_("Nobody asks to unlock it any more."))
    with trail.together(), trail.because(signature.unlock_reason):
        signature.unlock_asked_by = signature.unlock_asked_at = None
        signature.unlock_reason = ""
        signature.save()


def unlock_visit(*, visit: Visit, by: User, now: datetime.datetime, reason: str = "") -> Visit:
    """The signature is withdrawn with the reason, and stays listed. Where somebody else asked, theirs is the reason.

    Raises ValidationError where a second person is needed.
    """
    signature = _signed(visit)
    asked = signature.unlock_asked_by if signature is not None else None
    alone = not needs_second(visit, signature, by)
    if asked is not None and (asked.pk == by.pk or (alone and reason)):  # who may unlock alone gives the own reason
        asked = None
    if asked is None and not alone:
        raise ValidationError(_("Somebody else signed it: a second person must agree."))
    who = str(by)
    if asked is not None and signature is not None:
        who, reason = _("%(asked)s, with %(by)s") % {"asked": asked, "by": by}, signature.unlock_reason
    with trail.together(), trail.because(reason := _worded(reason)):
        if signature is not None:
            signature.withdrawn_at, signature.withdrawn_by, signature.withdrawn_reason = now, who[:200], reason
            signature.save()
            if signature.signer_id != by.pk:
                notify(signature.signer, Notice.UNLOCKED)
        move(visit, VisitState.COMPLETE, None, None)
        summarise(patients=[visit.patient])
    return visit


def _signed(visit: Visit) -> Signature | None:
    if visit.state != VisitState.SIGNED:
        raise ValidationError(_("The visit is not signed."))
    signature = Signature.objects.standing().filter(visit=visit).first()
    if signature is not None:
        signature.visit = visit
    return signature


def _worded(reason: str) -> str:
    if len(reason := reason.strip()[:400]) < SHORTEST_REASON:
        raise ValidationError(_("Say why it must be changed, in a few words."))
    return reason


def to_agree(user: Any) -> More:
    """For the work list: visits a colleague asks to unlock, where this person may be the second."""
    rows = Signature.objects.visible_to(user, Permission.SIGN).asked_about().exclude(unlock_asked_by=user.pk)
    told = rows.select_related("visit__patient", "unlock_asked_by").defer("content").order_by("unlock_asked_at", "pk")
    return More(
        *(first_of(told) if rows.exists() else ([], 0)), id="to-unlock", title=_("Asked to unlock"),
        hint=_("A colleague asks to change a signed visit and needs a second person."),
        template="lesions/_work_unlock.html",
    )  # fmt: skip
