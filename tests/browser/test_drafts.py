"""Nothing typed is lost: a closed browser, a session that ended, a lost connection, a double click."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value, yield_hotp_counters_from_time
from playwright.sync_api import BrowserContext, Page, expect

from calcinosis_registry.accounts.models import User
from calcinosis_registry.records.models import Draft
from lesions.models import Lesion
from patients.models import Patient, Visit
from tests.browser.watching import choose

pytestmark = pytest.mark.django_db(transaction=True)
SignIn = Callable[[User], None]
PASSWORD = "correct horse battery staple"
SECRET = "JBSWY3DPEHPK3PXP"
HARD = ("Überbein 🦴 ½ mm “so” <b>&amp;</b>\n\tsecond line " + "žlutý kůň ") * 4


def kept(page: Page) -> None:
    expect(page.locator("[data-draft-state]")).to_contain_text("Draft saved")


def end_session(user: User) -> None:
    user.refresh_from_db()
    user.sessions_ended += 1
    user.save()


def note_field(page: Page) -> Any:
    page.locator("summary:has-text('More of this visit')").click()
    return page.locator("[name=note]")


def test_a_browser_closed_while_typing_loses_nothing_typed_five_seconds_before(
    context: BrowserContext, page: Page, sign_in: SignIn, clinician: User, patient: Any, visit: Visit, check_axe: Any
) -> None:
    sign_in(clinician)
    new = f"/patients/{patient.public_id}/visits/new/"
    page.goto(new)
    page.fill("[name=visit_date]", "2026-06-01")
    choose(page, "l1-status_change", "LARGER")
    page.fill("[name=l1-length_mm]", "12,")
    page.click("#add-lesion")
    page.select_option("[name=new-1-site]", "KNEE")
    page.fill("[name=new-1-seen-length_mm]", "4")
    began = time.monotonic()
    kept(page)
    assert time.monotonic() - began < 5
    page.close(run_before_unload=False)

    again = context.new_page()
    again.goto(new)
    check_axe(again)
    again.click("text=Restore")
    assert again.input_value("[name=visit_date]") == "2026-06-01"
    assert again.input_value("[name=l1-length_mm]") == "12,"
    assert again.locator("[name=l1-status_change][value=LARGER]").is_checked()
    assert again.input_value("[name=new-1-site]") == "KNEE"
    again.click("#add-lesion")
    assert again.locator("[name=new-2-site]").count() == 1
    again.goto("/")
    again.locator("section:has(#drafts)").get_by_role("link", name="Continue").click()
    expect(again.locator("[name=new-1-seen-length_mm]")).to_have_value("4")


def test_a_registration_survives_and_its_draft_goes_with_the_save(
    context: BrowserContext, page: Page, sign_in: SignIn, clinician: User
) -> None:
    sign_in(clinician)
    page.goto("/patients/register/")
    page.fill("[name=identity-family_name]", "Duarte")
    page.fill("[name=person-birth_date]", "1968-0")
    kept(page)
    page.close(run_before_unload=False)
    again = context.new_page()
    again.goto("/patients/register/")
    again.click("text=Restore")
    assert again.input_value("[name=identity-family_name]") == "Duarte"
    assert again.input_value("[name=person-birth_date]") == "1968-0"


def test_leaving_asks_only_while_the_draft_is_not_kept(
    page: Page, sign_in: SignIn, clinician: User, visit: Visit
) -> None:
    asked: list[str] = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    sign_in(clinician)
    page.goto(visit.get_absolute_url())
    choose(page, "pain_nrs", 6)
    kept(page)
    page.goto("/patients/")
    assert asked == []
    page.goto(visit.get_absolute_url())
    choose(page, "pain_nrs", 5)
    page.goto("/patients/")
    assert asked == ["beforeunload"]
    # What was typed in that last moment went with the page.
    page.goto(visit.get_absolute_url())
    newest = Draft.objects.first()
    assert newest is not None and newest.data()["pain_nrs"] == "5"


def test_a_session_that_ended_is_signed_in_again_in_place_and_the_same_save_goes_through(
    page: Page, sign_in: SignIn, clinician: User, visit: Visit, settings: Any, check_axe: Any
) -> None:
    settings.DEMO = False
    clinician.set_password(PASSWORD)
    clinician.save()
    TOTP.activate(clinician, SECRET)
    sign_in(clinician)
    page.goto(visit.get_absolute_url())
    end_session(clinician)
    note_field(page).fill(HARD)
    choose(page, "pain_nrs", 9)
    page.fill("[name=reason]", "new information")
    page.click("button:has-text('Save visit')")
    dialog = page.locator("dialog.sign-in-again")
    expect(dialog).to_contain_text("What you typed is still here")
    check_axe(page)
    dialog.locator("[name=login]").fill(clinician.email)
    dialog.locator("[name=password]").fill("wrong")
    page.keyboard.press("Enter")
    expect(dialog.locator(".note.is-error, .errorlist, .field-error").first).to_be_visible()
    dialog.locator("[name=password]").fill(PASSWORD)
    page.keyboard.press("Enter")
    dialog.locator("[name=code]").fill(code_now())
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/patients/"))
    visit.refresh_from_db()
    assert visit.pain_nrs == 9
    assert visit.note.replace("\r\n", "\n") == HARD.strip()
    assert not Draft.objects.exists()


def code_now() -> str:
    counter = next(iter(yield_hotp_counters_from_time()))
    return format_hotp_value(hotp_value(SECRET, counter))


def test_a_text_that_is_too_long_to_be_sent_is_told_before_and_stays(
    page: Page, sign_in: SignIn, clinician: User, visit: Visit, settings: Any
) -> None:
    sign_in(clinician)
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 5_500
    page.goto(visit.get_absolute_url())
    note_field(page).fill("ä" * 1000)
    page.click("button:has-text('Save')")
    expect(page.locator("[data-draft-state]")).to_contain_text("longer than 5.4")
    assert page.input_value("[name=note]") == "ä" * 1000
    page.fill("[name=note]", "short")
    page.click("button:has-text('Save')")
    expect(page).to_have_url(re.compile("/patients/"))
    visit.refresh_from_db()
    assert visit.note == "short"


def test_another_account_signing_in_sends_nothing_of_this_page(
    context: BrowserContext, page: Page, sign_in: SignIn, clinician: User, assistant: User, visit: Visit,
    complaints: list[str],
) -> None:  # fmt: skip
    sign_in(clinician)
    page.goto(visit.get_absolute_url())
    choose(page, "pain_nrs", 9)
    sign_in(assistant)
    page.click("button:has-text('Save visit')")
    expect(page.locator("dialog.sign-in-again")).to_contain_text("Another account is signed in now")
    page.click("text=Not now")
    assert page.locator("[name=pain_nrs][value='9']").is_checked()
    visit.refresh_from_db()
    assert visit.pain_nrs == 4
    complaints[:] = [one for one in complaints if "status of 409" not in one]


def test_without_a_connection_nothing_is_sent_nothing_is_lost_and_it_is_tried_again(
    context: BrowserContext, page: Page, sign_in: SignIn, clinician: User, visit: Visit, complaints: list[str]
) -> None:
    sign_in(clinician)
    page.goto(visit.get_absolute_url())
    context.set_offline(True)
    choose(page, "pain_nrs", 8)
    page.fill("[name=reason]", "new information")
    page.click("button:has-text('Save visit')")
    state = page.locator("[data-draft-state]")
    expect(state).to_contain_text("No connection")
    context.set_offline(False)
    kept(page)
    assert Draft.objects.get().data()["pain_nrs"] == "8"
    page.click("button:has-text('Save visit')")
    expect(page).to_have_url(re.compile("/patients/"))
    visit.refresh_from_db()
    assert visit.pain_nrs == 8
    complaints[:] = [one for one in complaints if "ERR_INTERNET_DISCONNECTED" not in one]


def test_a_double_click_makes_one_visit_and_back_makes_no_second(
    page: Page, sign_in: SignIn, clinician: User, patient: Any
) -> None:
    sign_in(clinician)
    page.goto(f"/patients/{patient.public_id}/visits/new/")
    choose(page, "calcinosis_present", "N")
    page.dblclick("button:has-text('Save visit')")
    expect(page).to_have_url(re.compile(f"/patients/{patient.public_id}/$"))
    assert Visit.objects.count() == 1
    page.go_back()
    if page.locator("button:has-text('Save visit')").count():
        page.click("button:has-text('Save visit')")
        page.wait_for_load_state()
    assert Visit.objects.count() <= 2
    assert Lesion.objects.count() == 0 and Patient.objects.count() == 1


def test_without_a_script_the_form_is_kept_and_waits_behind_the_sign_in(
    browser: Any, live_server: Any, clinician: User, visit: Visit
) -> None:
    from tests.browser.watching import carry_session

    clinician.set_password(PASSWORD)
    clinician.save()
    context = browser.new_context(base_url=live_server.url, java_script_enabled=False)
    carry_session(context, clinician, live_server.url)
    page = context.new_page()
    page.goto(visit.get_absolute_url())
    page.check("[name=pain_nrs][value='9']", force=True)
    page.fill("[name=reason]", "new information")
    end_session(clinician)
    page.click("button:has-text('Save visit')")
    page.fill("[name=login]", clinician.email)
    page.fill("[name=password]", PASSWORD)
    page.click("main button:has-text('Sign in')")
    expect(page.locator(".draft-note")).to_contain_text("You were signed out while saving")
    assert page.locator("[name=pain_nrs][value='9']").is_checked()
    page.click("button:has-text('Save visit')")
    visit.refresh_from_db()
    assert visit.pain_nrs == 9
    assert not Draft.objects.exists()
    assert Authenticator.objects.count() == 0
    context.close()
