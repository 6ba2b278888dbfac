"""The heart of the product, as a clinician uses it: by keyboard, with the patient sitting there."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page

from calcinosis_registry.accounts.models import User
from calcinosis_registry.clinics.models import Clinic
from lesions.models import LesionObservation
from patients.models import Visit, VisitState
from tests.factories import IdentityFactory, PatientFactory, known_lesions

pytestmark = pytest.mark.django_db(transaction=True)

EIGHT = [
    ("HAND.D1.PULP", "R"), ("HAND.D2.DIP", "L"), ("ELBOW", "R"), ("KNEE", "L"),
    ("HAND.D4.PIP", "R"), ("FOREARM", "L"), ("HAND.D3.MID", "L"), ("BUTTOCK", "R"),
]  # fmt: skip
MOST_INTERACTIONS = 45


class Hands:
    """Counts what a person does: each click, each key, each number typed is one."""

    def __init__(self, page: Page) -> None:
        self.page, self.count = page, 0

    def click(self, selector: str) -> None:
        self.count += 1
        self.page.click(selector)

    def key(self, key: str) -> None:
        self.count += 1
        self.page.keyboard.press(key)

    def number(self, text: str) -> None:
        self.count += 1
        self.page.keyboard.type(text)


@pytest.fixture
def patient(north: Clinic) -> Any:
    patient = PatientFactory(clinic=north, images_consent=True)
    IdentityFactory(patient=patient)
    return patient


def answered(visit: Visit) -> dict[int, LesionObservation]:
    return {one.lesion.number: one for one in LesionObservation.objects.filter(visit=visit).select_related("lesion")}


def test_a_follow_up_with_eight_known_lesions_takes_at_most_forty_five_interactions(
    page: Page, sign_in: Callable[[User], None], clinician: User, patient: Any
) -> None:
    known_lesions(patient, datetime.date(2026, 5, 12), EIGHT, targets=3)
    sign_in(clinician)
    page.goto(f"/patients/{patient.public_id}/visits/new/")
    hands = Hands(page)
    hands.click('[data-value="Y"]:has(input[name=calcinosis_present])')
    hands.key("j")
    for number in range(1, 9):
        hands.key({1: "l", 5: "m", 8: "n"}.get(number, "s"))
        if number == 8:
            continue  # not examined: nothing more is asked
        if number == 2:
            hands.key("u")  # an ulcer of 3 mm, and nothing else
        hands.key("0")
        if number <= 3:
            # "0" leads on to the size, where one was measured last time.
            hands.number("12" if number == 1 else "9")
            hands.key("Tab")
            hands.number("8,5" if number == 1 else "7")
        if number == 2:
            hands.click("#l2 [name$=ulcer_size_mm]")
            hands.number("3")
        if number < 8:
            hands.click(f"#l{number + 1} .site")
    for name, value in (("pain_nrs", 6), ("patient_global", 5), ("physician_global", 4)):
        hands.click(f'[data-value="{value}"]:has(input[name={name}])')
    hands.click('[data-value="NONE"]:has(input[name=treatments_changed])')
    hands.click('[data-value="NONE"]:has(input[name=complications])')
    hands.click("button:has-text('Complete visit')")
    page.wait_for_url(lambda url: "/new/" not in url, timeout=30_000)
    assert page.locator(".errorlist, .field-error").all_inner_texts() == []

    visit = Visit.objects.get(patient=patient, visit_type="FOLLOW_UP")
    seen = answered(visit)
    assert hands.count <= MOST_INTERACTIONS
    assert visit.pain_nrs == 6 and visit.treatments_changed == "NONE"
    assert [seen[n].status_change for n in range(1, 9)] == [
        "LARGER", "STABLE", "STABLE", "STABLE", "SMALLER", "STABLE", "STABLE", "NOT_ASSESSED",
    ]  # fmt: skip
    assert (str(seen[1].length_mm), str(seen[1].width_mm)) == ("12.0", "8.5")
    assert seen[3].ulcerated == "N" and seen[3].drainage == "NONE"
    assert (seen[2].ulcerated, str(seen[2].ulcer_size_mm), seen[2].drainage) == ("Y", "3.0", "NONE")
    assert visit.state == VisitState.COMPLETE
