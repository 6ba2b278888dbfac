"""Figures of a report answer to the pointer and to the keyboard, in light, in the dark and on paper."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from calcinosis_registry.accounts.models import User
from calcinosis_registry.clinics.models import Clinic
from patients.models import VisitState
from tests.factories import DiagnosisFactory, PatientFactory, known_lesions

pytestmark = pytest.mark.django_db(transaction=True)
FIGURES = "svg.figure:has(.spot), svg.is-heat:has(.spot)"


@pytest.fixture
def root(north: Clinic) -> str:
    for day in (3, 4, 5):
        patient = PatientFactory(clinic=north)
        DiagnosisFactory(patient=patient)
        last = known_lesions(patient, datetime.date(2026, 5, day), [("HAND.D1.PULP", "R"), ("ELBOW", "L")])
        last.state = VisitState.SIGNED
        last.save()
    return f"/reports/clinic/{north.public_id}/"


def test_every_figure_is_a_stop_of_the_keyboard_and_its_marks_are_walked_by_arrows(
    page: Page, sign_in: Callable[[User], None], clinician: User, root: str
) -> None:
    sign_in(clinician)
    for chapter in ("", "characteristics/", "lesions/", "events/"):
        page.goto(root + chapter)
        expect(page.locator(".tip").first).to_be_attached()  # the script has run
        figures = page.locator(FIGURES)
        assert figures.count(), chapter
        for place in range(figures.count()):
            _walk(page, figures.nth(place))


def _walk(page: Page, figure: Any) -> None:
    assert figure.get_attribute("tabindex") == "0" and len(figure.get_attribute("aria-label")) > 3
    tip = figure.locator("xpath=ancestor::*[contains(@class,'chart')][1]").locator(".tip")
    told = figure.locator(".spot").evaluate_all("(spots) => spots.map((one) => one.dataset.tip)")
    assert all(told)
    figure.focus()
    for key, place in (("ArrowRight", 0), ("End", -1), ("Home", 0)):
        page.keyboard.press(key)
        expect(tip).to_be_visible()
        expect(tip).to_have_text(told[place])
        assert figure.locator(".is-here").count() == 1
    page.keyboard.press("Escape")
    expect(tip).to_be_hidden()


def test_tab_reaches_the_figure_and_its_table_and_the_pointer_reads_it(
    page: Page, sign_in: Callable[[User], None], clinician: User, root: str
) -> None:
    sign_in(clinician)
    page.goto(f"{root}lesions/")
    expect(page.locator(".tip").first).to_be_attached()
    reached = set()
    for _stop in range(60):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.closest('.drawing, .table-wrap, .files')?.className ?? ''"))
    assert {"files", "table-wrap"} <= reached and any("drawing" in one for one in reached)
    region = page.locator(".map-region.spot").first
    region.scroll_into_view_if_needed()
    region.hover(force=True)
    expect(page.locator("#sites .tip")).to_contain_text(": 3")
    page.locator("#lesion_kind .spot").first.hover()
    expect(page.locator("#lesion_kind .tip")).to_contain_text("100.0 % (6/6)")


def test_a_report_is_printed_in_ink_with_its_figures_and_whole_tables(
    page: Page, sign_in: Callable[[User], None], clinician: User, root: str
) -> None:
    sign_in(clinician)
    page.emulate_media(color_scheme="dark")
    page.goto(f"{root}lesions/")
    ink = "getComputedStyle(document.body).color"
    dark = page.evaluate(ink)
    page.emulate_media(media="print", color_scheme="dark")
    assert page.evaluate(ink) != dark and page.evaluate(ink).startswith("rgb(")
    assert max(int(one) for one in page.evaluate(ink)[4:-1].split(",")) < 90  # dark ink on white paper
    assert page.locator("#sites svg.is-heat").first.is_visible()
    assert page.locator("#sites .table-wrap").evaluate("(one) => getComputedStyle(one).maxHeight") == "none"
    for gone in (".report-tabs .tabs", ".page-head .actions"):
        expect(page.locator(gone)).to_be_hidden()
