"""The trail: one row per change, reading of an identity, export, sign-in or change of role, in one keyed hash chain."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from typing import Any, NoReturn

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import connections, models, transaction
from django.utils.translation import gettext_lazy as _

from calcinosis_registry import read_only
from calcinosis_registry.audit import chain, witness


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
    REFUSED = "refused", _("sign-in refused")
    ACCOUNT = "account", _("account changed")
    ERASE = "erase", _("erased")
    RESTORE = "restore", _("restored from a backup")


# What a register that rests still writes: who looked at it.
WHILE_RESTING = frozenset({Action.READ, Action.SIGN_IN, Action.SIGN_OUT, Action.REFUSED})

APPENDING = 0x63616C63  # PostgreSQL's lock of whoever appends


class EventQuerySet(models.QuerySet):
    """Events are only ever added, each at the end of the chain."""

    def appended(self, events: Sequence[Event], **kwargs: Any) -> list[Event]:
        """Write events at the end of the chain, in one transaction with what is around them."""
        if not events:
            return []
        with transaction.atomic(using=self.db, savepoint=False):
            last, before = self._locked_end()
            # Under the lock: whoever began the rest has waited for it, and nothing comes after.
            if (why := read_only.reason()) and any(event.action not in WHILE_RESTING for event in events):
                raise read_only.ReadOnly(why)
            for event, salt in zip(events, _salts(len(events)), strict=True):
                last += 1
                before = event.join(last, before, salt)
            written = super().bulk_create(events, **kwargs)
            # After the commit, so it may lag but never lead; a full disk there must not undo what is saved.
            transaction.on_commit(lambda: witness.note(last, before), using=self.db, robust=True)
        return written

    def _locked_end(self) -> tuple[int, str]:
        """(number, seal) of the last event; nobody else appends until this transaction ends.

        SQLite's transactions are IMMEDIATE: there the writer is alone already.
        """
        with connections[self.db].cursor() as cursor:
            if connections[self.db].vendor == "postgresql":
                cursor.execute("SELECT pg_advisory_xact_lock(%s)", [APPENDING])
            cursor.execute("SELECT id, seal FROM audit_event ORDER BY id DESC LIMIT 1")
            return cursor.fetchone() or (0, chain.FIRST)

    def hold(self) -> None:
        """Nobody else appends until this transaction ends: for whoever must have this lock before another one."""
        self._locked_end()

    def of_record(self, model: type[models.Model], pk: int) -> EventQuerySet:
        return self.filter(model=model._meta.label_lower, object_id=pk)

    def of_patient(self, registry_number: str) -> EventQuerySet:
        return self.filter(patient=registry_number)

    def bulk_create(
        self, objs: Iterable[Event], *args: Any, update_conflicts: bool = False, **kwargs: Any
    ) -> list[Event]:
        if update_conflicts:
            raise TypeError("the audit trail is append-only")
        return self.appended(list(objs), batch_size=500)

    def blank_erased(self, registry_number: str) -> int:
        """Take values, reasons and salts out of an erased patient's events. The database lets this through where an
        event "erased" follows, and nothing else; the seals still fit (audit/chain.py). Returns how many."""
        erased = self.filter(patient=registry_number, action=Action.ERASE).aggregate(last=models.Max("pk"))["last"]
        before = self.filter(patient=registry_number, pk__lt=erased or 0).exclude(salt="")
        return models.QuerySet.update(before.order_by(), changes={}, reason="", salt="")

    def update(self, **kwargs: object) -> NoReturn:
        raise TypeError("the audit trail is append-only")

    def delete(self) -> NoReturn:
        raise TypeError("the audit trail is append-only")


class Event(models.Model):
    """Who did what, when, to which record and why. Plain values: it outlives the accounts and records it names.

    ``changes``: {field name: [old, new]}; for READ and EXPORT a description of what was shown. The id is the place
    in the chain and without gaps. ``salt``, ``commitment`` and ``seal``: see audit/chain.py.
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
    salt = models.CharField(max_length=32, editable=False, blank=True)
    commitment = models.CharField(max_length=64, editable=False)
    seal = models.CharField(max_length=64, editable=False)

    objects = EventQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["model", "object_id"], name="event_record"),
            models.Index(fields=["actor_id", "at"], name="event_actor"),  # whom a person saw last, on every first page
        ]
        verbose_name = _("event")

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.actor_name} {self.action} {self.model} {self.object_id or ''}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise TypeError("the audit trail is append-only")
        type(self)._default_manager.appended([self])

    def delete(self, *args: object, **kwargs: object) -> NoReturn:
        raise TypeError("the audit trail is append-only")

    @property
    def is_blanked(self) -> bool:
        """Were its values erased with the person they told of?"""
        return not self.salt

    def join(self, number: int, before: str, salt: str) -> str:
        """Take this place in the chain; returns the seal."""
        self.pk, self.salt, self.reason = number, salt, str(self.reason)
        self.object_id = None if self.object_id is None else int(self.object_id)
        self.commitment = chain.commitment(salt, self.changes, self.reason)
        self.seal = chain.seal(sealing_key(), before, [getattr(self, name) for name in chain.BOUND])
        return self.seal


def sealing_key() -> bytes:
    return settings.AUDIT_KEY.encode()


def _salts(count: int) -> Iterable[str]:
    """Random ones, from one call: a large insert asks for many."""
    width = chain.SALT_CHARACTERS
    drawn = secrets.token_hex(count * width // 2)
    return (drawn[place : place + width] for place in range(0, len(drawn), width))
