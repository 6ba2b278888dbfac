"""Two tabs on one visit, a session that ended, an empty register, wrong input: nothing typed is lost or half-saved."""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import BrowserContext, Page, Response, expect

from calcinosis_registry.accounts.models import User
from lesions.models import LesionObservation
from patients.models import Visit
from tests.browser.watching import choose
from tests.factories import DiagnosisFactory

pytestmark = pytest.mark.django_db(transaction=True)
SignIn = Callable[[User], None]


def save(page: Page) -> None:
    page.click("button:has-text('Save visit')")


def forget(complaints: list[str], status: int) -> None:
    """Chromium tells the console of every answer that is an error."""
    complaints[:] = [one for one in complaints if f"status of {status}" not in one]


def sent(answer: Response) -> bool:
    """The answer to a form, not to one of its drafts."""
    return answer.request.method == "POST" and not answer.url.endswith("/drafts/")


def test_the_second_of_two_tabs_chooses_field_by_field_and_keeps_what_was_typed(
    context: BrowserContext, sign_in: SignIn, clinician: User, visit: Visit, complaints: list[str], check_axe: Any
) -> None:
    sign_in(clinician)
    first, second = context.new_page(), context.new_page()
    for page in (first, second):
        page.goto(visit.get_absolute_url())
    choose(first, "pain_nrs", 7)
    choose(first, "patient_global", 9)
    for page in (first, second):
        page.fill("[name=reason]", "new information")
    save(first)
    expect(first).to_have_url(re.compile("/patients/"))
    choose(second, "pain_nrs", 2)
    second.fill("[name=l1-length_mm]", "31")
    with second.expect_response(sent) as answer:
        save(second)
    assert answer.value.status == 409
    expect(second.get_by_role("alert")).to_contain_text("You saved this in another tab")
    check_axe(second)
    visit.refresh_from_db()
    assert visit.pain_nrs == 7
    assert not LesionObservation.objects.filter(visit=visit, length_mm=31).exists()
    # Both changed the pain: until one is chosen nothing is sent. The rest is decided already.
    second.click("text=Save what is chosen")
    expect(second.locator(".clash.is-open")).to_have_count(1)
    second.check("[name='keep:pain_nrs'][value=mine]")
    second.click("text=Save what is chosen")
    expect(second).to_have_url(re.compile("/patients/"))
    visit.refresh_from_db()
    assert (visit.pain_nrs, visit.patient_global) == (2, 9)
    assert LesionObservation.objects.filter(visit=visit, length_mm=31).exists()
    forget(complaints, 409)


def test_the_second_of_two_tabs_on_a_record_gets_a_conflict_too(
    context: BrowserContext, sign_in: SignIn, clinician: User, patient: Any, complaints: list[str]
) -> None:
    diagnosis = DiagnosisFactory(patient=patient)
    sign_in(clinician)
    first, second = context.new_page(), context.new_page()
    for page in (first, second):
        page.goto(f"/patients/records/diagnosis/{diagnosis.public_id}/")
    for page, year in ((first, "2015"), (second, "2016")):
        page.fill("[name=first_calcinosis]", year)
        if page is first:
            page.fill("[name=reason]", "new information")
        with page.expect_response(sent) as answer:
            page.click("button:has-text('Save diagnosis')")
    # The conflict is told before a reason is asked for: nobody types one for an answer that is then not kept.
    assert answer.value.status == 409
    expect(second.locator(".clash")).to_contain_text("2016")
    diagnosis.refresh_from_db()
    assert str(diagnosis.first_calcinosis) == "2015"
    second.check("[name='keep:first_calcinosis'][value=mine]")
    second.click("text=Save what is chosen")
    expect(second.locator("#div_id_reason")).to_contain_text("Say why a saved answer changes")
    expect(second.locator("[name=first_calcinosis]")).to_have_value("2016")
    diagnosis.refresh_from_db()
    assert str(diagnosis.first_calcinosis) == "2015"
    second.fill("[name=reason]", "read from the letter")
    second.click("button:has-text('Save diagnosis')")
    expect(second).to_have_url(re.compile(f"/patients/{patient.public_id}/"))
    diagnosis.refresh_from_db()
    assert str(diagnosis.first_calcinosis) == "2016"
    forget(complaints, 409)


def test_an_empty_register_says_what_to_do_next(page: Page, sign_in: SignIn, clinician: User) -> None:
    sign_in(clinician)
    for address in ("/", "/patients/"):
        page.goto(address)
        page.locator("main").get_by_role("link", name=re.compile("register", re.IGNORECASE)).first.click()
        expect(page).to_have_url(re.compile("/patients/register/"))


def test_wrong_input_on_a_visit_is_said_beside_the_field_and_nothing_is_saved(
    page: Page, sign_in: SignIn, clinician: User, patient: Any, visit: Visit
) -> None:
    tomorrow = (timezone.localdate() + datetime.timedelta(days=1)).isoformat()
    sign_in(clinician)
    page.goto(f"/patients/{patient.public_id}/visits/new/")
    page.fill("[name=visit_date]", tomorrow)
    choose(page, "calcinosis_present", "Y")
    choose(page, "l1-status_change", "LARGER")
    page.fill("[name=l1-length_mm]", "8")
    page.fill("[name=l1-width_mm]", "12")
    choose(page, "l2-status_change", "STABLE")
    page.click("#l2 [data-toggle=ulcerated]")
    page.evaluate("document.querySelector('[name=pain_nrs]').value = '99'")
    page.check("[name=pain_nrs][value='99']", force=True)
    save(page)
    expect(page.locator(".note.is-error[role=alert]")).to_contain_text("Nothing was saved")
    expect(page.locator("#div_id_visit_date")).to_contain_text("in the future")
    expect(page.locator("[data-rating=pain_nrs] .errorlist")).to_contain_text("99")
    expect(page.locator("#l1 .sizes .errorlist")).to_have_count(1)
    expect(page.locator("#l2 [data-ulcer] .errorlist")).to_have_count(1)
    assert page.input_value("[name=visit_date]") == tomorrow
    assert (page.input_value("[name=l1-length_mm]"), page.input_value("[name=l1-width_mm]")) == ("8", "12")
    assert page.locator("[name=l2-ulcerated][value=Y]").is_checked()
    assert list(Visit.objects.all()) == [visit]
    assert LesionObservation.objects.count() == 2


def test_a_visit_dated_before_its_lesions_were_recorded_says_so(
    page: Page, sign_in: SignIn, clinician: User, patient: Any, visit: Visit
) -> None:
    sign_in(clinician)
    page.goto(f"/patients/{patient.public_id}/visits/new/")
    page.fill("[name=visit_date]", "2026-01-15")
    choose(page, "l1-status_change", "STABLE")
    save(page)
    expect(page.locator("#l1")).to_contain_text("before the lesion was recorded")
    assert list(Visit.objects.all()) == [visit]
