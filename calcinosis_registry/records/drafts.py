"""Drafts: what was typed on a page is kept on the server within seconds, and offered again until it is saved.

A page carries a signed slip that says whose it is and what it is about. So a form that arrives when its session is over
is still known to be this person's, and is kept for them alone.
"""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass

from django.core import signing
from django.db import IntegrityError, models, transaction
from django.http import QueryDict
from django.utils.crypto import get_random_string

from calcinosis_registry.accounts.models import User
from calcinosis_registry.records.kept import KEPT, Draft, Submission
from calcinosis_registry.sealing import DRAFTS

SALT = "records.page"
LONGEST = 4 * 1024 * 1024  # bytes of a form as it is sent; the largest visit page has some tens of thousands
# What the page carries for itself; the rest is what a person typed and pressed.
PLUMBING = frozenset({"csrfmiddlewaretoken", "draft", "draft_from", "typed_at"})
PUBLIC_ID = re.compile(r"[a-z0-9]{16,22}")


@dataclass(frozen=True)
class Place:
    """What a form is about. ``patient`` and ``subject`` are public ids; ``subject`` of something new says "new"."""

    form: str
    address: str
    clinic_id: int | None
    patient: str = ""
    subject: str = "new"


@dataclass(frozen=True)
class Page:
    """One opened page with a form: whose it is, and what it is about."""

    owner_id: int
    token: str
    place: Place

    @classmethod
    def new(cls, *, owner: User, place: Place) -> Page:
        return cls(owner.pk, get_random_string(16), place)

    def signed(self) -> str:
        place = self.place
        told = [self.owner_id, self.token, place.form, place.address, place.clinic_id, place.patient, place.subject]
        return signing.dumps(told, salt=SALT)

    @classmethod
    def read(cls, signed: str) -> Page | None:
        """The page this slip was given to; None for one that is not ours or too old."""
        try:
            owner_id, token, *place = signing.loads(signed, salt=SALT, max_age=KEPT)
        except signing.BadSignature:
            return None
        return cls(owner_id, token, Place(*place))


def typed(data: QueryDict) -> str:
    """What a person typed, as one text that a QueryDict reads again."""
    kept = data.copy()
    for name in PLUMBING:
        kept.pop(name, None)
    return kept.urlencode()


def body_of(data: QueryDict) -> str:
    """The fingerprint of what is saved: the same form has the same, whichever button sent it or wherever it waited."""
    pairs = [
        (name, value.replace("\r\n", "\n"))
        for name, values in data.lists()
        if name not in PLUMBING and name not in ("submission", "then")
        for value in values
    ]
    return DRAFTS.fingerprint(repr(sorted(pairs)))


def keep(*, page: Page, data: QueryDict, now: datetime.datetime) -> Draft | None:
    """Write the draft of this page. None where the same content is saved already, or a later draft stands."""
    sent = Submission.objects.filter(owner=page.owner_id, key=data.get("submission", "")).first()
    if sent is not None and sent.body == body_of(data):
        return None
    at = data.get("typed_at", "")
    typed_at = int(at) if at.isdecimal() and len(at) < 16 else 0
    content = DRAFTS.seal(typed(data))
    try:
        with transaction.atomic():
            return _write(page, content, _patient(page.place, data), typed_at, data.get("draft_from", ""), now)
    except IntegrityError:  # the page's first two drafts at the same moment: this one now finds the other
        with transaction.atomic():
            return _write(page, content, _patient(page.place, data), typed_at, data.get("draft_from", ""), now)


def _patient(place: Place, data: QueryDict) -> str:
    """The patient; of a registration the one it will make, so that erasing the patient finds what was left behind."""
    future = data.get("public_id", "")
    return place.patient or (future if PUBLIC_ID.fullmatch(future) else "")


def _write(
    page: Page, content: str, patient: str, typed_at: int, restored_from: str, now: datetime.datetime
) -> Draft | None:
    rows = Draft.objects.select_for_update().filter(owner=page.owner_id)
    draft = rows.filter(token=page.token).first() or _restored(rows, restored_from) or Draft(owner_id=page.owner_id)
    if draft.pk is None:
        Draft.objects.filter(owner=page.owner_id, updated_at__lte=now - KEPT).delete()
    elif draft.typed_at > typed_at > 0:
        return None
    place, draft.token = page.place, page.token
    draft.form, draft.address, draft.clinic_id = place.form, place.address, place.clinic_id
    draft.patient, draft.subject = patient, place.subject
    draft.content, draft.typed_at, draft.updated_at = content, typed_at, now
    draft.save()
    return draft


def _restored(rows: models.QuerySet[Draft], told: str) -> Draft | None:
    """The draft a page was restored from is in that page now, unless somebody typed on in its own page since."""
    public_id, _dot, typed_at = told.partition(".")
    if not typed_at.isdecimal() or len(typed_at) > 15:
        return None
    return rows.filter(public_id=public_id, typed_at=int(typed_at)).first()


def drop(*, owner: User, page: Page | None, restored_from: str) -> None:
    """What was typed is saved: its draft goes, in the same transaction."""
    rows = Draft.objects.filter(owner=owner)
    if page is not None and page.owner_id == owner.pk:
        rows.filter(token=page.token).delete()
    if (draft := _restored(rows, restored_from)) is not None:
        draft.delete()


def drop_drafts_of(patient_public_id: str) -> int:
    """Everything typed about this patient and not saved, whoever typed it, and which forms made their records."""
    if not patient_public_id:
        return 0
    Submission.objects.filter(patient=patient_public_id).delete()
    return Draft.objects.filter(patient=patient_public_id).delete()[0]


def purge(*, now: datetime.datetime) -> int:
    """Delete what is older than it is kept."""
    Submission.objects.filter(saved_at__lte=now - KEPT).delete()
    return Draft.objects.filter(updated_at__lte=now - KEPT).delete()[0]
