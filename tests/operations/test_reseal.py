"""A key is changed: what the old one sealed opens all the time, and afterwards without it."""

from __future__ import annotations

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.core.management import CommandError, call_command
from django.utils import timezone

from calcinosis_registry.audit.models import Event
from calcinosis_registry.records.kept import Draft
from calcinosis_registry.sealing import DRAFTS, FACTORS, Unopened

NEW = "a-new-key-" * 4


@pytest.fixture
def secret(clinician) -> str:
    """Of the app of a clinician who has recovery codes and a draft, too."""
    TOTP.activate(clinician, secret := generate_totp_secret())
    RecoveryCodes.activate(clinician)
    about = {"form": "visit", "subject": "new", "address": "/", "token": "t", "updated_at": timezone.now()}
    Draft.objects.create(owner=clinician, content=DRAFTS.seal("note=stiff"), **about)
    return secret


def opens(secret: str) -> bool:
    codes = Authenticator.objects.get(type="recovery_codes").wrap().get_unused_codes()
    draft = Draft.objects.get().data()
    kept = Authenticator.objects.get(type="totp").data["secret"]
    return bool(codes) and draft is not None and draft["note"] == "stiff" and FACTORS.open(kept) == secret


def test_a_key_is_changed_without_a_moment_in_which_anything_is_shut(secret, clinician, settings):
    told, ended = Event.objects.count(), clinician.sessions_ended
    for name in ("SECOND_FACTOR_KEY", "DRAFT_KEY"):
        setattr(settings, name, f"{NEW}{name} {getattr(settings, name)}")
    assert opens(secret), "the old key opens what it sealed"
    call_command("reseal")
    for name in ("SECOND_FACTOR_KEY", "DRAFT_KEY"):
        setattr(settings, name, f"{NEW}{name}")
    assert opens(secret), "and now the new one alone"
    clinician.refresh_from_db()
    assert (Event.objects.count(), clinician.sessions_ended) == (told, ended)


def test_what_neither_key_opens_is_counted_and_left_as_it_is(secret, settings):
    settings.SECOND_FACTOR_KEY = NEW
    before = list(Authenticator.objects.order_by("pk").values_list("data", flat=True))
    with pytest.raises(CommandError, match="2 second factors and 0 drafts"):
        call_command("reseal")
    assert list(Authenticator.objects.order_by("pk").values_list("data", flat=True)) == before


def test_a_key_that_ended_with_a_line_end_still_opens(settings):
    settings.DRAFT_KEY = "a key of its own\n"
    sealed = DRAFTS.seal("typed")
    assert DRAFTS.open(sealed) == "typed"
    settings.DRAFT_KEY = f"{NEW} a key of its own\n"
    with pytest.raises(Unopened):
        FACTORS.open(sealed)
