"""Clinics, who works in them with which role from when until when, invitations, and patients who change the clinic."""

from __future__ import annotations

import zoneinfo
from typing import Any, Self

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.crypto import get_random_string
from django.utils.translation import gettext_lazy as _

from calcinosis_registry.accounts.models import User
from calcinosis_registry.audit.traced import Traced
from calcinosis_registry.clinics.policy import ScopedQuerySet, grants
from calcinosis_registry.clinics.roles import Permission, Role


def new_public_id() -> str:
    """What appears in a URL instead of a key: 16 random letters and digits (83 bits)."""
    return get_random_string(16, "abcdefghijkmnpqrstuvwxyz23456789")


def known_zone(name: str) -> None:
    if name not in zoneinfo.available_timezones():
        raise ValidationError(_("No time zone of this name is known: choose one of the list."))


class Clinic(Traced):
    public_id = models.CharField(max_length=22, unique=True, default=new_public_id, editable=False)
    code = models.CharField(
        _("code"),
        max_length=5,
        unique=True,
        validators=[RegexValidator(r"^[A-Z]{2,5}$", _("Two to five capital letters."))],
        help_text=_("Two to five capital letters; registry numbers begin with it."),
    )
    name = models.CharField(_("name"), max_length=120)
    next_number = models.PositiveIntegerField(default=1, editable=False)
    # Nobody works there any more; its records stay and count in research.
    closed_at = models.DateTimeField(_("closed"), null=True, editable=False)
    unlock_by_two = models.BooleanField(
        _("two people unlock what a third one signed"),
        default=True,
        help_text=_("Whoever signed a visit unlocks it alone. Anybody else asks, and a second person agrees."),
    )

    # What "today" is there; dates themselves are plain and never shifted.
    time_zone = models.CharField(
        _("time zone"),
        max_length=64,
        blank=True,
        validators=[known_zone],
        help_text=_("What today is for the people of this clinic. Empty: the time zone of the register."),
    )

    objects = ScopedQuerySet.as_manager()
    clinic_path = "pk"

    class Meta:
        ordering = ["name"]
        verbose_name = _("clinic")

    def __str__(self) -> str:
        return self.name


IN_AN_OPEN_CLINIC = Q(clinic__isnull=True) | Q(clinic__closed_at__isnull=True)


class MembershipQuerySet(ScopedQuerySet):
    def in_force(self) -> Self:
        """Today between from and until, in a clinic that is open (or in all)."""
        today = timezone.localdate()
        return self.filter(IN_AN_OPEN_CLINIC, valid_from__lte=today).not_over()

    def not_over(self) -> Self:
        """In force today or later."""
        return self.exclude(valid_until__lt=timezone.localdate())


class Membership(Traced):
    """A role in a clinic. Without a clinic: an admin of the whole register."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="memberships")
    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="memberships", null=True, blank=True)
    role = models.CharField(_("role"), max_length=12, choices=Role.choices)
    valid_from = models.DateField(_("from"), default=timezone.localdate)
    valid_until = models.DateField(_("until"), null=True, blank=True)

    objects = MembershipQuerySet.as_manager()
    clinic_path = "clinic"

    class Meta:
        ordering = ["clinic", "role"]
        verbose_name = _("role")
        constraints = [
            models.CheckConstraint(
                name="membership_until_after_from",
                condition=Q(valid_until__isnull=True) | Q(valid_until__gte=F("valid_from")),
                violation_error_message=_("“Until” is before “from”."),
            ),
            models.CheckConstraint(
                name="membership_only_admins_span_clinics",
                condition=Q(clinic__isnull=False) | Q(role=Role.ADMIN),
                violation_error_message=_("Only an admin's role may span all clinics."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user}, {self.get_role_display()}, {self.clinic or _('all clinics')}"


class InvitationQuerySet(ScopedQuerySet):
    def open(self) -> Self:
        now = timezone.now()
        return self.filter(IN_AN_OPEN_CLINIC, accepted_at__isnull=True, withdrawn_at__isnull=True, expires_at__gt=now)


class Invitation(Traced):
    """An e-mailed, expiring invitation to a role in a clinic. Only a hash of the token is kept."""

    public_id = models.CharField(max_length=22, unique=True, default=new_public_id, editable=False)
    email = models.EmailField(_("e-mail"))
    name = models.CharField(_("name"), max_length=150)
    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="invitations", null=True, blank=True)
    role = models.CharField(_("role"), max_length=12, choices=Role.choices)
    valid_until = models.DateField(_("role until"), null=True, blank=True)
    token_hash = models.CharField(max_length=64, unique=True, editable=False)
    # Nobody: the first admin, invited from the command line.
    invited_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", null=True, editable=False
    )
    expires_at = models.DateTimeField(_("expires"), editable=False)
    accepted_at = models.DateTimeField(_("accepted"), null=True, editable=False)
    withdrawn_at = models.DateTimeField(_("withdrawn"), null=True, editable=False)

    objects = InvitationQuerySet.as_manager()
    clinic_path = "clinic"

    class Meta:
        ordering = ["-expires_at"]
        verbose_name = _("invitation")

    def __str__(self) -> str:
        return f"{self.email}, {self.get_role_display()}"


class TransferState(models.TextChoices):
    OFFERED = "OFFERED", _("Waits for the other clinic")
    ACCEPTED = "ACCEPTED", _("Moved")
    DECLINED = "DECLINED", _("Declined")
    TAKEN_BACK = "TAKEN_BACK", _("Taken back")


class TransferQuerySet(ScopedQuerySet):
    def visible_to(self, user: User | AnonymousUser, permission: Permission) -> Self:
        """Both clinics': the one that offers and the one it is offered to."""
        held = grants(user).get(permission, set())
        if None in held:
            return self.all()
        return self.filter(Q(from_clinic__in=held) | Q(to_clinic__in=held)) if held else self.none()

    def offered(self) -> Self:
        return self.filter(state=TransferState.OFFERED)

    def moved(self) -> Self:
        return self.filter(state=TransferState.ACCEPTED)

    def about(self, registry_number: str) -> Self:
        return self.filter(registry_number=registry_number)


class Transfer(Traced):
    """A patient's record offered by the clinic that has it to another one, and what became of that.

    It outlives an erasure, without a word about the person: the trail needs to know where a number was when.
    """

    public_id = models.CharField(max_length=22, unique=True, default=new_public_id, editable=False)
    registry_number = models.CharField(_("registry number"), max_length=12, db_index=True)
    from_clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="+", verbose_name=_("from"))
    to_clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="+", verbose_name=_("to"))
    reason = models.CharField(_("why"), max_length=400, blank=True)
    state = models.CharField(
        _("state"), max_length=12, choices=TransferState.choices, default=TransferState.OFFERED
    )  # fmt: skip
    offered_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    offered_at = models.DateTimeField(_("offered"), default=timezone.now)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(_("decided"), null=True)
    answer = models.CharField(_("why declined"), max_length=400, blank=True)
    # The number of the last event of the move itself: up to it the clinic that gave the record away reads its trail.
    last_event = models.BigIntegerField(null=True, editable=False)

    MAINTAINED = ("last_event",)

    objects = TransferQuerySet.as_manager()

    class Meta:
        ordering = ["-offered_at", "-id"]
        verbose_name = _("move to another clinic")
        verbose_name_plural = _("moves to another clinic")
        constraints = [
            models.UniqueConstraint(
                fields=["registry_number"], condition=Q(state="OFFERED"), name="transfer_offered_once",
                violation_error_message=_("The record is offered to a clinic already."),
            )
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.registry_number}, {self.from_clinic} → {self.to_clinic}"

    @property
    def trail_patient(self) -> str:  # type: ignore[override]
        return self.registry_number

    def changed_fields(self) -> dict[str, list[Any]]:
        """Each event of it names both clinics in words: it stands in the trails of both."""
        found = super().changed_fields()
        if found.keys() - {"last_event"}:
            found |= {"clinics": [self.from_clinic.name, self.to_clinic.name]}
        return {name: values for name, values in found.items() if name not in ("from_clinic", "to_clinic")}
