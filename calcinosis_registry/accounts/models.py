"""The account: an e-mail address, a name, a password. What it may do stands in clinics, never here."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.db import models
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _

from calcinosis_registry.audit.traced import Traced, TracedQuerySet


class UserManager(BaseUserManager.from_queryset(TracedQuerySet)):  # type: ignore[misc]
    """Django's createsuperuser and allauth call these two names."""

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save()
        return user

    def get_by_natural_key(self, email: str | None) -> User:
        return self.get(email__iexact=email)


class User(Traced, AbstractBaseUser):
    """An account. Django's permission rows are not used: roles.py holds the whole access table."""

    email = models.EmailField(_("e-mail"), unique=True)
    name = models.CharField(_("name"), max_length=150)
    is_active = models.BooleanField(_("active"), default=True)
    date_joined = models.DateTimeField(_("joined"), default=timezone.now, editable=False)
    # Part of what a session is checked against: one more, and all sessions of the account are over.
    sessions_ended = models.PositiveIntegerField(_("times its sessions were ended"), default=0, editable=False)

    objects = UserManager()

    EMAIL_FIELD = "email"
    USERNAME_FIELD = "email"
    REQUIRED_FIELDS = ["name"]

    class Meta:
        verbose_name = _("account")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name or self.email

    def get_full_name(self) -> str:
        return str(self)

    def changed_fields(self) -> dict[str, list[Any]]:
        """The password's change is told, never the hash; a sign-in and the end of sessions have their own events."""
        changes = super().changed_fields()
        changes.pop("last_login", None)
        changes.pop("sessions_ended", None)
        if "password" in changes:
            changes["password"] = ["…", "…"]
        return changes

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        return salted_hmac(
            "accounts.User", f"{self.password}:{self.sessions_ended}", secret=secret, algorithm="sha256"
        ).hexdigest()

    # Django's admin asks these; the answer comes from the roles (clinics/admin_site.py).
    def has_perm(self, perm: str, obj: object = None) -> bool:
        return False

    def has_module_perms(self, app_label: str) -> bool:
        return False
