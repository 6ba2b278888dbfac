"""The trail: one row per change, reading of an identity, export, sign-in or change of role."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NoReturn

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.utils.translation import gettext_lazy as _


class Action(models.TextChoices):
    CREATE = "create", _("created")
    CHANGE = "change", _("changed")
    DELETE = "delete", _("deleted")
    SIGN = "sign", _("signed")
    UNLOCK = "unlock", _("unlocked")
    READ = "read", _("read")
    EXPORT = "export", _("exported")
    SIGN_IN = "sign_in", _("signed in")
    SIGN_OUT = "sign_out", _("signed out")
    ACCOUNT = "account", _("account changed")


class EventQuerySet(models.QuerySet):
    """Events are only ever added."""

    def of_record(self, model: type[models.Model], pk: int) -> EventQuerySet:
        return self.filter(model=model._meta.label_lower, object_id=pk)

    def of_patient(self, registry_number: str) -> EventQuerySet:
        return self.filter(patient=registry_number)

    def bulk_create(
        self, objs: Iterable[Event], *args: Any, update_conflicts: bool = False, **kwargs: Any
    ) -> list[Event]:
        if update_conflicts:
            raise TypeError("the audit trail is append-only")
        return super().bulk_create(objs, *args, **kwargs)

    def update(self, **kwargs: object) -> NoReturn:
        raise TypeError("the audit trail is append-only")

    def delete(self) -> NoReturn:
        raise TypeError("the audit trail is append-only")


class Event(models.Model):
    """Who did what, when, to which record and why. Plain values: it outlives the accounts and records it names.

    ``changes``: {field name: [old, new]}; for READ and EXPORT a description of what was shown.
    """

    at = models.DateTimeField(_("when"), db_index=True)
    action = models.CharField(_("what"), max_length=12, choices=Action.choices)
    actor_id = models.BigIntegerField(_("account"), null=True)
    actor_name = models.CharField(_("who"), max_length=200)
    actor_role = models.CharField(_("role"), max_length=200, blank=True)
    source = models.CharField(_("from where"), max_length=80, blank=True)
    request_id = models.CharField(max_length=32, blank=True)
    model = models.CharField(_("record"), max_length=100, blank=True)
    object_id = models.BigIntegerField(null=True)
    patient = models.CharField(_("patient"), max_length=24, blank=True, db_index=True)
    changes = models.JSONField(_("changes"), default=dict, encoder=DjangoJSONEncoder)
    reason = models.CharField(_("why"), max_length=400, blank=True)

    objects = EventQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["model", "object_id"], name="event_record")]
        verbose_name = _("event")

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.actor_name} {self.action} {self.model} {self.object_id or ''}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise TypeError("the audit trail is append-only")
        super().save(*args, **{**kwargs, "force_insert": True})

    def delete(self, *args: object, **kwargs: object) -> NoReturn:
        raise TypeError("the audit trail is append-only")
