"""Scoring on the drawn hands by keyboard: two empty hands in a handful of presses, and every key says what it did."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from calcinosis_registry.accounts.models import User
from calcinosis_registry.clinics.models import Clinic
from lesions.models import HandScore, ImagingStudy
from tests.factories import IdentityFactory, ImagingStudyFactory, PatientFactory

pytestmark = pytest.mark.django_db(transaction=True)
HANDFUL = 6


@pytest.fixture
def study(north: Clinic, settings: Any, tmp_path: Path) -> ImagingStudy:
    settings.FILES_DIR = tmp_path / "files"
    patient = PatientFactory(clinic=north)
    IdentityFactory(patient=patient)
    return ImagingStudyFactory(patient=patient)


@pytest.fixture
def at_the_hands(page: Page, sign_in: Callable[[User], None], clinician: User, study: ImagingStudy) -> Page:
    sign_in(clinician)
    page.goto(f"/imaging/{study.public_id}/score/")
    expect(page.locator(".hand-diagram")).to_be_visible()
    return page


def site(page: Page, name: str) -> Any:
    return page.locator(f"[data-site-of='{name}']")


def test_two_empty_hands_take_a_handful_of_interactions(at_the_hands: Page) -> None:
    page, interactions = at_the_hands, 0
    site(page, "R-D3.MID").click()
    interactions += 1
    for key in ("r", "r"):  # the rest of this hand is 0; then the focus is on the other hand
        page.keyboard.press(key)
        interactions += 1
    expect(page.locator("#rated")).to_have_text("44")
    page.click("text=Save reading")
    interactions += 1
    expect(page.locator(".flash")).to_contain_text("Reading saved")
    reading = HandScore.objects.get()
    assert (reading.total, reading.complete, reading.ratings.count()) == (0, True, 44)
    assert interactions <= HANDFUL, f"{interactions} interactions for two empty hands"


def test_every_site_is_scored_by_keyboard_alone(at_the_hands: Page, check_axe: Callable[[Page], None]) -> None:
    page = at_the_hands
    site(page, "R-D2.DIST").focus()
    page.keyboard.press("4")
    expect(page.locator("[data-site-state]")).to_have_text("40 %, density?")
    page.keyboard.press("2")  # and on to the next site that is open
    expect(page.locator("#total-R")).to_have_text("80")
    name = "Right hand, index finger, distal phalanx: 40 %, density 2"
    expect(site(page, "R-D2.DIST")).to_have_attribute("aria-label", name)
    expect(site(page, "R-D2.MID")).to_be_focused()
    page.keyboard.press("x")
    expect(site(page, "R-D2.PROX")).to_be_focused()
    page.keyboard.press("f")
    page.keyboard.press("3")
    expect(page.locator("#total")).to_have_text("380")
    check_axe(page)
    page.keyboard.press("r")
    expect(page.locator("#rated")).to_have_text("22")
    expect(page.locator("#scored")).to_have_text("21")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Backspace")
    site(page, "R-D2.PROX").focus()
    page.keyboard.press("Enter")
    expect(page.locator("[name='R-D2.PROX-coverage']")).to_be_focused()
    page.keyboard.press("Control+A")
    page.keyboard.type("55")
    expect(page.locator("#total")).to_have_text("245")
    page.click("text=Save reading")
    expect(page.locator(".flash")).to_contain_text("Reading saved")
    stored = {(one.laterality, one.site): one for one in HandScore.objects.get().ratings.all()}
    assert (stored["R", "D2.PROX"].coverage_pct, stored["R", "D2.PROX"].density) == (55, 3)
    assert not stored["R", "D2.MID"].scorable


def test_arrows_go_to_the_site_beside_over_both_hands(at_the_hands: Page) -> None:
    page = at_the_hands
    site(page, "R-D3.MID").focus()
    for key, name in (("ArrowUp", "R-D3.DIST"), ("ArrowDown", "R-D3.MID"), ("ArrowRight", "R-D2.MID")):
        page.keyboard.press(key)
        expect(site(page, name)).to_be_focused()
    for _step in range(4):
        page.keyboard.press("ArrowRight")
    focused = page.evaluate("document.activeElement.dataset.siteOf")
    assert focused.startswith("L-"), focused


def test_the_same_is_done_by_mouse_or_touch(at_the_hands: Page) -> None:
    page = at_the_hands
    site(page, "L-CARPUS").click()
    page.click("[data-coverage='70']")
    page.click("[data-density='1']")
    expect(page.locator("#total-L")).to_have_text("70")
    expect(page.locator("[name='L-CARPUS-coverage']")).to_have_value("70")
    site(page, "L-ULNA").click()
    page.click("[data-act=off]")
    expect(page.locator("[name='L-ULNA-unscorable']")).to_be_checked()
