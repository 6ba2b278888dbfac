"""Changes of who works where: keyword-only verbs, atomic, their events in the same transaction."""

from __future__ import annotations

import datetime
import hashlib
import secrets
from dataclasses import replace

from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _

from calcinosis_registry.accounts.models import User
from calcinosis_registry.accounts.notices import Notice, notify
from calcinosis_registry.accounts.services import forget_sessions
from calcinosis_registry.audit import trail
from calcinosis_registry.clinics.models import Clinic, Invitation, Membership
from calcinosis_registry.clinics.roles import Role

INVITATION_LASTS = datetime.timedelta(days=7)


def invite(
    *, email: str, name: str, role: str, clinic: Clinic | None, valid_until: datetime.date | None = None,
    by: User | None, now: datetime.datetime,
) -> tuple[Invitation, str]:  # fmt: skip
    """Invite a person to a role. Returns the invitation and its token, which nobody can read again."""
    token = secrets.token_urlsafe(32)
    invitation = Invitation(
        email=email.strip().lower(), name=name, role=role, clinic=clinic, valid_until=valid_until, invited_by=by,
        token_hash=hashed(token), expires_at=now + INVITATION_LASTS,
    )  # fmt: skip
    invitation.clean_fields()
    if clinic is None and role != Role.ADMIN:
        raise ValidationError({"clinic": _("Only an admin's role may span all clinics.")})
    with trail.together():
        for earlier in Invitation.objects.open().filter(email=invitation.email, role=role, clinic=clinic):
            withdraw(invitation=earlier, now=now)
        invitation.save()
    return invitation, token


def invite_again(*, invitation: Invitation, by: User, now: datetime.datetime) -> tuple[Invitation, str]:
    """The same invitation with a new link; the old link is dead."""
    with trail.together():
        if invitation.withdrawn_at is None and invitation.accepted_at is None:
            withdraw(invitation=invitation, now=now)
        return invite(
            email=invitation.email, name=invitation.name, role=invitation.role, clinic=invitation.clinic,
            valid_until=invitation.valid_until, by=by, now=now,
        )  # fmt: skip


def withdraw(*, invitation: Invitation, now: datetime.datetime) -> None:
    invitation.withdrawn_at = now
    invitation.save()


def invitation_of(*, token: str) -> Invitation | None:
    """The open invitation behind a link, or None: used, withdrawn, expired and unknown look the same."""
    return Invitation.objects.open().select_related("clinic").filter(token_hash=hashed(token)).first()


def account_of(*, invitation: Invitation) -> User | None:
    """The account the invited address has already."""
    return User.objects.filter(email__iexact=invitation.email).first()


def accept(
    *, invitation: Invitation, name: str = "", password: str | None = None, now: datetime.datetime
) -> Membership:
    """Open the account (unless the address has one), give the role. Raises ValidationError when used meanwhile."""
    actor = replace(trail.current_actor(), name=invitation.name[:200])
    with trail.acting(actor), trail.together():
        invitation = Invitation.objects.select_for_update().get(pk=invitation.pk)
        if invitation.accepted_at or invitation.withdrawn_at or invitation.expires_at <= now:
            raise ValidationError(_("This invitation has been used or is over."))
        user = account_of(invitation=invitation)
        if user is None:
            user = User.objects.create_user(invitation.email, password, name=name or invitation.name)
        invitation.accepted_at = now
        invitation.save()
        return grant(user=user, role=invitation.role, clinic=invitation.clinic, valid_until=invitation.valid_until)


def grant(
    *, user: User, role: str, clinic: Clinic | None, valid_from: datetime.date | None = None,
    valid_until: datetime.date | None = None,
) -> Membership:  # fmt: skip
    """Give a role in a clinic. Raises ValidationError for dates the wrong way round."""
    membership = Membership(user=user, role=role, clinic=clinic, valid_until=valid_until)
    if valid_from is not None:
        membership.valid_from = valid_from
    membership.full_clean()
    with trail.together():
        membership.save()
        forget_sessions(user=user)
    return membership


def end_role(*, membership: Membership, now: datetime.datetime) -> Membership:
    """The role is over at once; a role that never began stays as a row that ends where it begins.

    Raises ValidationError for the last admin of the register: nobody could appoint another.
    """
    if membership.clinic_id is None and not _other_admins(membership):
        raise ValidationError(_("This is the register's last admin: appoint another one first."))
    yesterday = timezone.localdate(now) - datetime.timedelta(days=1)
    with trail.together():
        membership.valid_from = min(membership.valid_from, yesterday)
        membership.valid_until = yesterday
        membership.save()
        forget_sessions(user=membership.user)
        notify(membership.user, Notice.ROLE_ENDED)
    return membership


def _other_admins(membership: Membership) -> bool:
    standing = Membership.objects.in_force().filter(clinic__isnull=True, role=Role.ADMIN, user__is_active=True)
    return standing.exclude(pk=membership.pk).exists()


def set_open(*, clinic: Clinic, is_open: bool, now: datetime.datetime) -> None:
    """Close a clinic: its roles rest and its people's sessions end; opened again, the roles that stand hold again."""
    with trail.together():
        clinic.closed_at = None if is_open else clinic.closed_at or now
        clinic.save()
        for membership in Membership.objects.not_over().filter(clinic=clinic).select_related("user"):
            forget_sessions(user=membership.user)


def hashed(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
