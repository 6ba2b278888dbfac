"""Files chosen in the browser: a bar for each, a picture to see, and the hand score beside it."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from calcinosis_registry.accounts.models import User
from calcinosis_registry.clinics.models import Clinic
from lesions.models import HandScore, ImagingFile, ImagingStudy
from tests.factories import IdentityFactory, PatientFactory
from tests.lesions.imaging.imaging_files import sample

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def patient(north: Clinic, settings: Any, tmp_path: Path) -> Any:
    settings.FILES_DIR = tmp_path / "files"
    patient = PatientFactory(clinic=north, images_consent=True)
    IdentityFactory(patient=patient)
    return patient


def drawn(page: Page, selector: str) -> int:
    """The width of a picture once it is there; 0 for a broken one."""
    picture = page.locator(selector).first
    expect(picture).to_be_visible(timeout=30_000)
    return picture.evaluate("async (one) => { await one.decode().catch(() => {}); return one.naturalWidth; }")


def jpeg(colour: str) -> dict[str, Any]:
    out = io.BytesIO()
    Image.new("RGB", (120, 90), colour).save(out, "JPEG")
    return {"name": f"{colour}.jpg", "mimeType": "image/jpeg", "buffer": out.getvalue()}


def test_a_radiograph_is_uploaded_asked_about_seen_and_scored(
    page: Page, sign_in: Callable[[User], None], check_axe: Callable[[Page], None], clinician: User, patient: Any
) -> None:
    sign_in(clinician)
    page.goto(f"/patients/{patient.public_id}/imaging/upload/")
    check_axe(page)
    page.set_input_files("#upload-files", [sample("RG3_J2KR.dcm")])
    assert drawn(page, "#waiting img") == 1600
    check_axe(page)
    page.fill("#waiting input[name=reason]", "Name before marriage")
    page.click("#waiting button[name=take]")
    assert drawn(page, ".viewer img") == 1600
    expect(page.locator(".viewer[data-ready]")).to_be_visible()
    check_axe(page)
    study = ImagingStudy.objects.get()
    assert (study.modality, study.laterality, page.url.endswith(study.get_absolute_url())) == ("CR", "R", True)

    page.click("text=Score the hands")
    assert drawn(page, ".scoring-picture img") == 1600
    page.fill("[name='R-D1.DIST-coverage']", "30")
    page.select_option("[name='R-D1.DIST-density']", "2")
    expect(page.locator("#total")).to_have_text("60")
    page.locator("button[name=rest][value=R]").first.click()
    expect(page.locator("#rated")).to_have_text("22")
    check_axe(page)
    page.click("text=Save reading")
    expect(page.locator(".flash")).to_contain_text("Reading saved")
    reading = HandScore.objects.get()
    assert (reading.total, reading.n_sites, reading.complete, reading.rater) == (60, 1, False, clinician)


def test_several_photographs_at_once_become_one_study(
    page: Page, sign_in: Callable[[User], None], clinician: User, patient: Any
) -> None:
    sign_in(clinician)
    page.goto(f"/patients/{patient.public_id}/imaging/upload/")
    page.set_input_files("#upload-files", [jpeg("red"), jpeg("green"), jpeg("blue")])
    page.wait_for_url(re.compile(r"/imaging/\w{16}/$"))
    expect(page.locator(".picture img")).to_have_count(3)
    assert drawn(page, ".picture img") == 120 and ImagingFile.objects.count() == 3
    page.wait_for_load_state("networkidle")  # the viewer has its pixels: a refusal would be a complaint


def test_a_file_that_is_refused_says_why_and_the_page_stays(
    page: Page, sign_in: Callable[[User], None], clinician: User, patient: Any
) -> None:
    sign_in(clinician)
    page.goto(f"/patients/{patient.public_id}/imaging/upload/")
    page.set_input_files("#upload-files", [{"name": "x.exe", "mimeType": "", "buffer": b"MZ" * 100}, jpeg("red")])
    expect(page.locator("#outcomes li")).to_have_count(2)
    expect(page.locator("#outcomes")).to_contain_text("is not accepted")
    assert drawn(page, "#outcomes img") == 120


def test_a_file_sent_after_the_session_ended_waits_for_the_sign_in_and_goes_again(
    page: Page, sign_in: Callable[[User], None], clinician: User, patient: Any
) -> None:
    clinician.set_password("correct horse battery staple")
    clinician.save()
    sign_in(clinician)
    page.goto(f"/patients/{patient.public_id}/imaging/upload/")
    clinician.sessions_ended += 1
    clinician.save()
    page.set_input_files("#upload-files", [jpeg("red")])
    page.click("#uploads button:has-text('Try again')")
    dialog = page.locator("dialog.sign-in-again")
    dialog.locator("[name=login]").fill(clinician.email)
    dialog.locator("[name=password]").fill("correct horse battery staple")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/imaging/[a-z0-9]{16}/$"), timeout=30_000)
    assert ImagingFile.objects.count() == 1
