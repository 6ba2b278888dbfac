"""A passkey from the first sign-in to the proof, with Chromium's virtual authenticator behind it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.core.cache import cache
from playwright.sync_api import BrowserContext, CDPSession, Page, expect

from calcinosis_registry.accounts.models import User
from calcinosis_registry.clinics.models import Clinic
from tests.factories import PASSWORD, PatientFactory, TreatmentCourseFactory

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def person(settings: Any, clinician: User) -> User:
    """In a register that asks for a second factor."""
    settings.DEMO = False
    cache.clear()
    clinician.set_password(PASSWORD)
    clinician.save()
    return clinician


@pytest.fixture
def thumb(context: BrowserContext) -> tuple[Page, CDPSession]:
    """A page of a device whose owner always lays the thumb on it."""
    page = context.new_page()
    device = context.new_cdp_session(page)
    device.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
        "isUserVerified": True, "automaticPresenceSimulation": True,
    }  # fmt: skip
    device.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    return page, device


def type_password(page: Page, person: User) -> None:
    page.goto("/account/sign-in/")
    page.fill("[name=login]", person.email)
    page.fill("[name=password]", PASSWORD)
    page.click("button:has-text('Sign in')")


def add_passkey(page: Page, person: User) -> None:
    type_password(page, person)
    page.fill("[name=password]", PASSWORD)
    page.click("button:has-text('Confirm')")
    page.click("a:has-text('Set up a passkey instead')")
    page.fill("[name=name]", "Ward 3")
    page.click("button:has-text('Add the passkey')")
    expect(page).to_have_url(re.compile("/recovery-codes/$"))


def test_a_new_person_sets_up_a_passkey_and_signs_in_with_it(
    thumb: tuple[Page, CDPSession], person: User, check_axe: Callable[[Page], None]
) -> None:
    page, _device = thumb
    add_passkey(page, person)
    check_axe(page)
    page.goto("/account/second-factor/passkeys/")
    expect(page.locator("table")).to_contain_text("Ward 3")
    check_axe(page)
    page.goto("/account/second-factor/")
    expect(page.locator("main")).to_contain_text("1 passkey is set up.")
    check_axe(page)

    page.goto("/account/sign-out/")
    page.click("main button:has-text('Sign out')")
    type_password(page, person)
    expect(page).to_have_url(re.compile("/authenticate/"))
    check_axe(page)
    page.click("button:has-text('Sign in with a passkey')")
    expect(page).to_have_url(re.compile("^http://[^/]+/$"))


def test_a_session_that_ended_is_signed_in_again_in_place_with_the_passkey_alone(
    thumb: tuple[Page, CDPSession], person: User, north: Clinic, check_axe: Callable[[Page], None]
) -> None:
    """Who has no authenticator app types on where the page stood, and the same save goes through."""
    page, _device = thumb
    add_passkey(page, person)
    course = TreatmentCourseFactory(patient=PatientFactory(clinic=north))
    page.goto(f"/patients/records/treatmentcourse/{course.public_id}/")
    page.select_option("[name=agent]", "COLCHICINE")
    page.fill("[name=reason]", "misread")
    person.refresh_from_db()
    person.sessions_ended += 1
    person.save()
    page.click(".action-bar button[type=submit]")
    dialog = page.locator("dialog.sign-in-again")
    expect(dialog.locator("[name=password]")).to_be_visible()
    dialog.locator("[name=login]").fill(person.email)
    dialog.locator("[name=password]").fill(PASSWORD)
    dialog.get_by_role("button", name="Sign in", exact=True).click()
    expect(dialog.get_by_role("button", name="Sign in with a passkey")).to_be_visible()
    check_axe(page)
    dialog.get_by_role("button", name="Sign in with a passkey").click()
    expect(dialog).to_have_count(0)
    page.wait_for_url(lambda url: "/records/" not in url)
    course.refresh_from_db()
    assert course.agent == "COLCHICINE"


def test_a_passkey_that_is_not_used_is_said_in_words_and_nothing_is_lost(
    thumb: tuple[Page, CDPSession], person: User
) -> None:
    page, _device = thumb
    add_passkey(page, person)
    page.goto("/account/second-factor/passkeys/add/")
    page.click("button:has-text('Add the passkey')")
    expect(page.locator("[data-said]")).to_have_text("This passkey is set up already.")
    page.goto("/account/second-factor/passkeys/reauthenticate/?next=/")
    # As when the browser's own dialogue is cancelled.
    page.evaluate(
        "() => { navigator.credentials.get = () => Promise.reject(new DOMException('cancelled', 'NotAllowedError')) }"
    )
    page.click("button:has-text('Confirm with a passkey')")
    expect(page.locator("[data-said]")).to_contain_text("No passkey was used.")
