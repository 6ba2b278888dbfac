"""What the visit page asks back: which procedure removed a lesion, and when the next visit is."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from calcinosis_registry.accounts.models import User
from calcinosis_registry.clinics.models import Clinic
from lesions.models import Procedure
from patients.models import Visit
from tests.factories import PatientFactory, known_lesions

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def patient(north: Clinic) -> Any:
    patient = PatientFactory(clinic=north)
    known_lesions(patient, datetime.date(2026, 1, 12), [("HAND.D1.PULP", "R"), ("HAND.D2.PULP", "R")])
    return patient


def test_excised_by_keyboard_leads_to_the_procedure_and_is_recorded_with_it(
    page: Page, sign_in: Callable[[User], None], clinician: User, patient: Any
) -> None:
    sign_in(clinician)
    page.goto(f"/patients/{patient.public_id}/visits/new/")
    expect(page.locator("#l1 .removal")).to_be_hidden()
    page.keyboard.press("j")
    page.keyboard.press("x")
    expect(page.locator("#l1 [name$=removal]")).to_be_focused()
    expect(page.locator("#l2 .removal")).to_be_hidden()
    page.click("button:has-text('Save visit')")
    expect(page.locator("#l1 .removal")).to_contain_text("Which procedure removed it?")
    page.select_option("#l1 [name$=removal]", "CURETTAGE")
    page.fill("#l1 [name$=removal_on]", "2026-02")
    page.click("button:has-text('Save visit')")
    page.wait_for_url(f"**{patient.get_absolute_url()}")
    done = Procedure.objects.get()
    assert (done.code, str(done.performed_on)) == ("CURETTAGE", "2026-02")
    assert [one.number for one in done.lesions.all()] == [1]


def test_the_next_visit_is_one_tap_away_and_follows_the_day_of_this_one(
    page: Page, sign_in: Callable[[User], None], clinician: User, patient: Any
) -> None:
    sign_in(clinician)
    page.goto(f"/patients/{patient.public_id}/visits/new/")
    page.fill("[name=visit_date]", "2026-08-31")
    due, half_a_year = page.locator("[name=next_visit_due]"), page.locator("[data-months='6']")
    expect(due).to_have_value("")
    expect(half_a_year).to_contain_text("2027-02-28")
    half_a_year.click()
    expect(due).to_have_value("2027-02-28")
    expect(half_a_year).to_have_attribute("aria-pressed", "true")
    half_a_year.click()
    expect(due).to_have_value("")
    page.locator("[data-months='12']").click()
    page.fill("[name=visit_date]", "2026-03-02")
    page.click("button:has-text('Save visit')")
    page.wait_for_url(f"**{patient.get_absolute_url()}")
    assert str(Visit.objects.latest("pk").next_visit_due) == "2027-08-31"


def test_the_units_offered_are_those_of_the_test(
    page: Page, sign_in: Callable[[User], None], clinician: User, patient: Any
) -> None:
    sign_in(clinician)
    page.goto(f"/patients/{patient.public_id}/laboratoryresult/add/")
    offered = "options => options.filter(one => !one.disabled && one.value).map(one => one.value)"
    page.select_option("[name=analyte]", "CALCIUM")
    assert page.eval_on_selector_all("[name=unit_original] option", offered) == ["mmol/L", "mg/dL"]
    page.select_option("[name=unit_original]", "mg/dL")
    page.select_option("[name=analyte]", "ESR")
    expect(page.locator("[name=unit_original]")).to_have_value("mm/h")
    expect(page.locator(".field-note")).to_contain_text("Possible: 0 to 160 mm/h")
