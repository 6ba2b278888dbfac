"""Where a lesion is and what becomes of it, in a browser: placed on the map, split, merged, taken back, looked at."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from calcinosis_registry.accounts.models import User
from calcinosis_registry.clinics.models import Clinic
from lesions.body_map import MAP_VERSION, VIEWS
from lesions.models import Lesion
from tests.factories import IdentityFactory, PatientFactory, known_lesions

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def patient(north: Clinic) -> Any:
    patient = PatientFactory(clinic=north)
    IdentityFactory(patient=patient)
    known_lesions(patient, datetime.date(2025, 5, 12), [("HAND.D1.PULP", "R"), ("HAND.D1.IP", "R")], targets=1)
    return patient


def save(page: Page) -> None:
    page.click("button[name=then][value=stay], button[name=then][value=save]")
    page.wait_for_url(lambda url: "/new/" not in url, timeout=30_000)


def test_a_lesion_is_placed_by_keyboard_where_the_map_says(
    page: Page, sign_in: Callable[[User], None], clinician: User, patient: Any
) -> None:
    sign_in(clinician)
    page.goto(f"/patients/{patient.public_id}/visits/new/")
    page.click("#map-tab-back")
    knee = page.locator('#map-panel-back [data-site="KNEE"][data-side="L"]')
    knee.focus()
    expect(page.locator("[data-map-readout]")).to_have_text("Left knee")
    page.keyboard.press("Enter")
    block = page.locator(".new-lesion")
    expect(block.locator("[name$=-site]")).to_have_value("KNEE")
    save(page)
    placed = Lesion.objects.get(patient=patient, site="KNEE")
    view, region = VIEWS["back"], VIEWS["back"].region("KNEE", "L")
    assert (placed.laterality, placed.aspect, placed.map_version) == ("L", "POSTERIOR", MAP_VERSION)
    assert float(placed.map_x) * view.width == pytest.approx(region.cx, abs=8)
    assert float(placed.map_y) * view.height == pytest.approx(region.cy, abs=8)
    page.goto(f"/patients/{patient.public_id}/")
    mark = page.locator('#map-panel-back .mark[data-lesion="L3"]')
    assert float(mark.get_attribute("data-x")) == pytest.approx(float(placed.map_x) * view.width, abs=0.2)


def test_a_split_is_told_by_one_key_drawn_and_taken_back_by_one_button(
    page: Page, sign_in: Callable[[User], None], clinician: User, patient: Any
) -> None:
    sign_in(clinician)
    page.goto(f"/patients/{patient.public_id}/visits/new/")
    page.locator("#l1").focus()
    page.keyboard.press("p")
    part = page.locator(".new-lesion")
    expect(part.locator("h3")).to_have_text("New lesion, split from L1")
    expect(part.locator("[name$=-site]")).to_have_value("HAND.D1.PULP")
    page.locator("#l1").focus()
    page.keyboard.press("s")  # another answer: the untouched part goes
    expect(part).to_have_count(0)
    page.locator("#l1").focus()
    page.keyboard.press("p")
    page.locator("#l2").focus()
    page.keyboard.press("g")
    expect(page.locator("#l2 [name$=merged_into]")).to_be_focused()
    page.select_option("#l2 [name$=merged_into]", label="L1 Right thumb, pulp")
    save(page)
    page.goto(f"/patients/{patient.public_id}/")
    told = page.locator(".lineage-told li").all_inner_texts()
    assert {line.partition(": ")[2] for line in told} == {"L3 split from L1", "L2 merged into L1"}
    for bond in ("split", "merge"):
        assert page.locator(f".course-wide .lineage .fig-bond.is-{bond}").count()
    visit = patient.visits.order_by("-visit_date").first()
    page.goto(visit.get_absolute_url())
    page.click("text=Take the split back and remove L3")
    expect(page.locator("text=Split of L1 taken back; L3 removed.")).to_be_visible()
    page.click("text=Take the merge back")
    expect(page.locator("text=Merge of L2 into L1 taken back.")).to_be_visible()
    assert set(Lesion.objects.filter(patient=patient).values_list("number", "merged_into")) == {(1, None), (2, None)}


def test_the_course_is_drawn_over_and_stepped_by_keyboard(
    page: Page, sign_in: Callable[[User], None], clinician: User, patient: Any
) -> None:
    sign_in(clinician)
    page.goto(f"/patients/{patient.public_id}/")
    picture = page.locator(".course-wide svg.course").last
    whole = picture.get_attribute("data-first")
    picture.scroll_into_view_if_needed()
    box = picture.bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + 30)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.8, box["y"] + 40, steps=5)
    page.mouse.up()
    expect(page.locator("[data-course-query]", has_text="Earlier")).to_be_visible()
    closer = page.locator(".course-wide svg.course").last.get_attribute("data-first")
    assert closer > whole and f"from={closer}" in page.url
    every = page.locator('[data-course-query="span=all"]')
    every.focus()
    page.keyboard.press("Enter")
    expect(page.locator("[data-course-said]")).to_contain_text(f"Course from {whole}")
    expect(every).to_be_focused()
