"""The places of a condition, chosen on the body map with the keyboard; the list beside it says the same."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from calcinosis_registry.accounts.models import User

pytestmark = pytest.mark.django_db(transaction=True)


def test_places_are_chosen_on_the_map_without_a_mouse(
    page: Page, sign_in: Callable[[User], None], researcher: User, check_axe: Callable[[Page], None]
) -> None:
    sign_in(researcher)
    page.goto("/cohorts/new/")
    page.locator("[data-tree] [data-search]").press_sequentially("lesion site")
    page.locator(".q-found [role=option]").first.wait_for()
    page.keyboard.press("Enter")
    page.locator("[data-map-open]").press("Enter")
    dialog = page.locator("dialog[data-places]")
    expect(dialog).to_be_visible()
    palms = dialog.locator("[data-map-panel=palmar] .map-region[role=button]")
    palms.first.focus()
    page.keyboard.press("Enter")
    site = palms.first.get_attribute("data-site")
    box = page.locator(f'[data-codes] input[value="{site}"]')
    expect(box).to_be_checked()
    pressed = dialog.locator(f'.map-region[aria-pressed="true"][data-site="{site}"]')
    assert pressed.count() == dialog.locator(f'.map-region[data-site="{site}"]').count() > 1  # both sides
    page.keyboard.press("ArrowDown")
    page.keyboard.press(" ")
    expect(page.locator("[data-codes] input:checked")).to_have_count(2)
    check_axe(page)
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(page.locator("[data-map-open]")).to_be_focused()
    expect(page.locator("[data-sentence]")).to_contain_text("Site is any of")
    box.uncheck()
    page.locator("[data-map-open]").press("Enter")
    expect(dialog.locator(f'.map-region[aria-pressed="true"][data-site="{site}"]')).to_have_count(0)
