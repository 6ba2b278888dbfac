"""The signature under a visit: who signed what, when, in which role and with which meaning."""

from __future__ import annotations

import datetime
import hashlib
import hmac
import json
import zlib
from typing import Any

from django.conf import settings
from django.db import models, transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as __

from calcinosis_registry.audit import trail
from calcinosis_registry.audit.models import Action, Event
from calcinosis_registry.audit.traced import Traced
from calcinosis_registry.clinics.models import new_public_id
from calcinosis_registry.clinics.policy import ScopedQuerySet
from patients.models.visit import Visit


class Meaning(models.TextChoices):
    AUTHOR = "AUTHOR", __("I made these entries, and they are right")
    REVIEWED = "REVIEWED", __("I have reviewed these entries and approve them")
    RESPONSIBLE = "RESPONSIBLE", __("I am responsible for this visit")


ASKING = frozenset({"unlock_asked_by", "unlock_asked_at", "unlock_reason"})
WITHDRAWAL = frozenset({"withdrawn_at", "withdrawn_by", "withdrawn_reason"}) | ASKING


class SignatureQuerySet(ScopedQuerySet):
    def standing(self) -> SignatureQuerySet:
        """Not withdrawn by an unlocking."""
        return self.filter(withdrawn_at__isnull=True)

    def asked_about(self) -> SignatureQuerySet:
        """Whose visits wait for a second person to unlock them."""
        return self.standing().filter(unlock_asked_by__isnull=False)  # type: ignore[return-value]


class Signature(Traced):
    """A signature stays for ever; unlocking the visit withdraws it. Who signed is copied: accounts change their names.

    ``content`` is what was signed (lesions/signed_content.py writes it), ``digest`` its SHA-256, and ``seal`` binds
    both to the visit, the signer, the meaning and the time under a key outside the database.
    """

    public_id = models.CharField(max_length=22, unique=True, default=new_public_id, editable=False)
    visit = models.ForeignKey(Visit, on_delete=models.PROTECT, related_name="signatures")
    signer = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    signer_name = models.CharField(__("signed by"), max_length=200)
    signer_role = models.CharField(__("role"), max_length=200)
    clinic_name = models.CharField(__("clinic"), max_length=200)
    meaning = models.CharField(__("meaning"), max_length=16, choices=Meaning.choices)
    signed_at = models.DateTimeField(__("signed"))
    # The version of the form in which the content is written; 0: from before content was sealed.
    serialisation = models.PositiveSmallIntegerField(__("version of the content's form"))
    content = models.BinaryField()
    digest = models.CharField(__("checksum"), max_length=64, blank=True)
    seal = models.CharField(__("seal"), max_length=64)
    withdrawn_at = models.DateTimeField(__("withdrawn"), null=True)
    withdrawn_by = models.CharField(__("withdrawn by"), max_length=200, blank=True)
    withdrawn_reason = models.CharField(__("why withdrawn"), max_length=400, blank=True)
    # Somebody who did not sign it asks to unlock the visit; a second person agrees, or one of them ends it.
    unlock_asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", null=True, verbose_name=__("asked by")
    )
    unlock_asked_at = models.DateTimeField(__("asked to unlock"), null=True)
    unlock_reason = models.CharField(__("why it should be unlocked"), max_length=400, blank=True)

    # Told by the events of the records themselves.
    MAINTAINED = ("content",)

    objects = SignatureQuerySet.as_manager()
    clinic_path = "visit__patient__clinic_id"

    class Meta:
        verbose_name = __("signature")
        ordering = ["-signed_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["visit"], condition=Q(withdrawn_at__isnull=True), name="signature_one_standing"
            )
        ]

    def __str__(self) -> str:
        return f"{self.signer_name} {self.signed_at:%Y-%m-%d %H:%M}"

    @property
    def patient(self) -> Any:
        return self.visit.patient

    @property
    def trail_patient(self) -> str:  # type: ignore[override]
        return self.visit.trail_patient

    def written(self) -> dict[str, dict[str, Any]]:
        """What was signed: {record: {field: value}}."""
        return json.loads(zlib.decompress(self.content)) if self.content else {}

    def write(self, content: bytes) -> None:
        """Take the content in its canonical form, and seal it."""
        self.content, self.digest = zlib.compress(content, 9), hashlib.sha256(content).hexdigest()
        self.seal = self.sealed()

    def sealed(self) -> str:
        """The seal these columns must carry."""
        bound = [
            self.serialisation, self.visit.public_id, self.signer_id, self.signer_name, self.signer_role,
            self.clinic_name, self.meaning, self.signed_at.astimezone(datetime.UTC).isoformat(), self.digest,
        ]  # fmt: skip
        message = json.dumps(bound, ensure_ascii=False).encode()
        return hmac.new(settings.SIGNATURE_KEY.encode(), message, hashlib.sha256).hexdigest()

    @property
    def is_genuine(self) -> bool:
        """Do seal, checksum and content belong together?"""
        try:
            digest = hashlib.sha256(zlib.decompress(self.content)).hexdigest() if self.content else ""
        except zlib.error:
            return False
        return digest == self.digest and hmac.compare_digest(self.seal, self.sealed())

    def save(self, *args: Any, **kwargs: Any) -> None:
        """One event each: the signing, being asked to unlock, the withdrawal. Nothing else of it ever changes."""
        if not self._state.adding and not self.changed_fields().keys() <= WITHDRAWAL:
            raise TypeError("a signature does not change; it is withdrawn, and another one is given")
        with transaction.atomic(savepoint=False):
            told = self.told()
            models.Model.save(self, *args, **kwargs)
            trail.write([told])
        self.remember()

    def told(self) -> Event:
        """The event of giving this signature, of being asked to unlock its visit, or of withdrawing it."""
        if self.withdrawn_at is not None:
            changes = {"signature": f"{self.signer_name}, {self.signed_at:%Y-%m-%d %H:%M}"}
            if self.unlock_asked_by is not None:
                changes["asked by"] = str(self.unlock_asked_by)[:200]
            return trail.event(Action.UNLOCK, about=self.visit, changes=changes)
        if not self._state.adding:
            steps = ["asked for", None] if self.unlock_asked_by is None else [None, "asked for"]
            return trail.event(Action.CHANGE, about=self.visit, changes={"unlocking": steps})
        changes = {"meaning": str(self.get_meaning_display()), "checksum": self.digest}
        return trail.event(Action.SIGN, about=self.visit, changes=changes)
