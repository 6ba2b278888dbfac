"""The patient page as a clinician meets it: parts that come when they are opened, a map drawn once for all."""

from __future__ import annotations

import datetime
import io
from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image, ImageStat
from playwright.sync_api import Page, expect

from calcinosis_registry.accounts.models import User
from calcinosis_registry.clinics.models import Clinic
from tests.factories import PatientFactory, known_lesions

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def patient(north: Clinic) -> Any:
    patient = PatientFactory(clinic=north)
    known_lesions(patient, datetime.date(2026, 5, 12), [("HAND.D1.PULP", "R"), ("KNEE", "L")])
    return patient


def test_the_history_comes_when_it_is_opened_and_once(
    page: Page, sign_in: Callable[[User], None], clinician: User, patient: Any, complaints: list[str]
) -> None:
    sign_in(clinician)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/history/" in request.url else None)
    page.goto(patient.get_absolute_url())
    assert asked == []
    for _opened in range(2):
        page.click("#history > summary")
        expect(page.locator("#history .acts")).to_contain_text("visit created")
        page.click("#history > summary")
    assert len(asked) == 1
    assert complaints == []


def test_a_history_that_cannot_be_loaded_says_so_beside_the_link_to_its_page(
    page: Page, sign_in: Callable[[User], None], clinician: User, patient: Any
) -> None:
    sign_in(clinician)
    page.goto(patient.get_absolute_url())
    page.context.clear_cookies()  # the session is over
    page.click("#history > summary")
    expect(page.locator("#history")).to_contain_text("could not be loaded")
    expect(page.locator("#history a")).to_have_attribute("href", f"{patient.get_absolute_url()}history/")


@pytest.mark.parametrize(("scheme", "least", "most"), [("light", 200, 255), ("dark", 0, 90)])
def test_the_hands_are_drawn_in_the_colours_of_the_theme(
    page: Page, sign_in: Callable[[User], None], clinician: User, patient: Any, scheme: Any, least: int, most: int
) -> None:
    sign_in(clinician)
    page.emulate_media(color_scheme=scheme)
    page.goto(patient.get_absolute_url())
    page.wait_for_load_state("networkidle")
    hands = page.locator("[data-map-panel=palmar] svg")
    assert hands.locator("use").evaluate("one => one.getBBox().width") > 100, "nothing is drawn behind the marks"
    greys = Image.open(io.BytesIO(hands.screenshot())).convert("L")
    assert least <= ImageStat.Stat(greys).mean[0] <= most
    low, high = greys.getextrema()
    assert high - low > 60, "a plane of one colour"
