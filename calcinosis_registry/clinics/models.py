"""Clinics, who works in them with which role from when until when, and invitations."""

from __future__ import annotations

from typing import Self

from django.conf import settings
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.crypto import get_random_string
from django.utils.translation import gettext_lazy as _

from calcinosis_registry.audit.traced import Traced
from calcinosis_registry.clinics.policy import ScopedQuerySet
from calcinosis_registry.clinics.roles import Role


def new_public_id() -> str:
    """What appears in a URL instead of a key: 16 random letters and digits (83 bits)."""
    return get_random_string(16, "abcdefghijkmnpqrstuvwxyz23456789")


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
