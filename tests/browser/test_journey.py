"""From the patient's first name to the researcher's file: what was typed at one end is read back at the other."""

from __future__ import annotations

import csv
import datetime
import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Page

from calcinosis_registry.accounts.models import User
from calcinosis_registry.clinics.models import Clinic
from calcinosis_registry.cohorts.models import ResearchProject
from tests.browser.watching import choose
from tests.factories import PASSWORD, project_of

pytestmark = pytest.mark.django_db(transaction=True)

TODAY = timezone.localdate()
FIRST, SECOND = TODAY - datetime.timedelta(days=190), TODAY - datetime.timedelta(days=9)
FAMILY, GIVEN, HOSPITAL = "Quillfeather", "Wilhelmina", "H-778812"


@pytest.fixture
def project(researcher: User, north: Clinic, settings: Any, tmp_path: Path) -> ResearchProject:
    settings.EXPORTS_DIR = tmp_path / "exports"
    return project_of(researcher, north)


def sizes(page: Page, prefix: str, length: str, width: str) -> None:
    page.fill(f'[name="{prefix}-length_mm"]', length)
    page.fill(f'[name="{prefix}-width_mm"]', width)


def register(page: Page) -> None:
    page.goto("/patients/register/")
    page.fill("[name=consent-consented_on]", FIRST.isoformat())
    page.fill("[name=consent-form_version]", "2.1")
    choose(page, "consent-given_by", "PERSON")
    for scope in ("registry", "research"):
        page.check(f"[name=consent-{scope}]")
    page.fill("[name=identity-family_name]", FAMILY)
    page.fill("[name=identity-given_name]", GIVEN)
    page.fill("[name=identity-hospital_number]", HOSPITAL)
    page.fill("[name=person-birth_date]", "1969-03")
    choose(page, "person-sex_at_birth", "F")
    page.select_option("[name=disease-primary_ctd]", "SSC")
    choose(page, "disease-ssc_subset", "LCSSC")
    choose(page, "disease-aetiology_subtype", "DYSTROPHIC")
    choose(page, "disease-diagnostic_basis", "EXAM")
    dates = {
        "first_calcinosis": "2014",
        "first_raynaud": "2005",
        "first_non_raynaud": "unknown",
        "diagnosed_on": "2009-11",
    }
    for name, value in dates.items():
        page.fill(f"[name=disease-{name}]", value)
    page.click("button:has-text('Register patient')")
    page.wait_for_url(lambda url: "/register/" not in url)


def add_lesion(page: Page, number: int, site: str, side: str, *, length: str, width: str) -> None:
    page.click("#add-lesion")
    page.select_option(f"[name=new-{number}-site]", site)
    choose(page, f"new-{number}-laterality", side)
    page.click(f'[data-new="new-{number}"] .quick label:has-text("None of these")')
    sizes(page, f"new-{number}-seen", length, width)
    page.click(f'[data-new="new-{number}"] summary')
    choose(page, f"new-{number}-diagnostic_basis", "EXAM")


def open_visit(page: Page, day: datetime.date) -> None:
    page.click("a[href$='/visits/new/'] >> nth=0")
    page.fill("[name=visit_date]", day.isoformat())
    choose(page, "calcinosis_present", "Y")


def complete_and_sign(page: Page, *, pain: int, patient: int, physician: int) -> None:
    for name, value in (("pain_nrs", pain), ("patient_global", patient), ("physician_global", physician)):
        choose(page, name, str(value))
    choose(page, "treatments_changed", "NONE")
    choose(page, "complications", "NONE")
    page.click("button:has-text('Complete visit')")
    page.click("a:has-text('Sign visit')")
    page.check("#meaning-RESPONSIBLE")
    if page.is_visible("#sign-password"):  # asked once, then not again for five minutes
        page.fill("#sign-password", PASSWORD)
    page.click("button:has-text('Sign visit')")
    page.wait_for_selector("text=The visit is locked")
    page.click("a:has-text('Back to the patient')")


def take_cohort_home(page: Page, project: ResearchProject) -> zipfile.ZipFile:
    page.goto("/cohorts/new/")
    page.fill("[id='pick-add-']", "sex at birth")
    page.wait_for_selector("[role=option]:has-text('Sex at birth')")
    page.press("[id='pick-add-']", "Enter")
    page.click(".q-test label.chip:has-text('Female')")
    page.fill("[name=name]", "Women")
    page.select_option("[name=project]", label=project.title)
    page.click("button:has-text('Save cohort')")
    page.click("a:has-text('Export')")
    page.fill("[name=reason]", "Table 1")
    page.click("button:has-text('Make the file')")
    with page.expect_download() as download:
        page.click("button:has-text('Download zip')")
    return zipfile.ZipFile(io.BytesIO(Path(download.value.path()).read_bytes()))


def rows_of(file: zipfile.ZipFile, table: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(file.read(f"{table}.csv").decode())))


def columns(rows: list[dict[str, str]], *names: str) -> list[tuple[str, ...]]:
    return [tuple(row[name] for name in names) for row in rows]


def test_what_a_clinician_types_is_what_a_researcher_reads(
    page: Page, sign_in: Callable[[User], None], clinician: User, researcher: User, project: ResearchProject
) -> None:
    clinician.set_password(PASSWORD)
    clinician.save()
    sign_in(clinician)
    register(page)
    open_visit(page, FIRST)
    add_lesion(page, 1, "HAND.D2.PULP", "R", length="12", width="8,5")
    add_lesion(page, 2, "ELBOW", "L", length="30.5", width="22")
    complete_and_sign(page, pain=6, patient=5, physician=3)
    open_visit(page, SECOND)
    choose(page, "l1-status_change", "LARGER")
    page.click('#l1 .quick label:has-text("None of these")')
    sizes(page, "l1", "16,5", "10")
    choose(page, "l2-status_change", "RESOLVED")
    complete_and_sign(page, pain=2, patient=0, physician=1)

    sign_in(researcher)
    file = take_cohort_home(page, project)
    (person,) = rows_of(file, "patients")
    assert person["sex_at_birth"] == "F" and person["registered_on"] != TODAY.isoformat()
    assert columns(rows_of(file, "diagnoses"), "patient", "primary_ctd", "ssc_subset", "aetiology_subtype") == [
        (person["patient"], "SSC", "LCSSC", "DYSTROPHIC")
    ]
    visits = rows_of(file, "visits")
    assert columns(visits, "state", "visit_type", "pain_nrs", "patient_global", "physician_global") == [
        ("SIGNED", "BASELINE", "6", "5", "3"),
        ("SIGNED", "FOLLOW_UP", "2", "0", "1"),
    ]
    assert columns(rows_of(file, "lesions"), "lesion_no", "site", "laterality", "current_status") == [
        ("1", "HAND.D2.PULP", "R", "LARGER"),
        ("2", "ELBOW", "L", "RESOLVED"),
    ]
    seen = columns(
        rows_of(file, "observations"), "visit_no", "lesion_no", "status_change", "length_mm", "width_mm", "ulcerated"
    )
    assert sorted(seen) == [
        ("1", "1", "NEW", "12.0", "8.5", "N"),
        ("1", "2", "NEW", "30.5", "22.0", "N"),
        ("2", "1", "LARGER", "16.5", "10.0", "N"),
        ("2", "2", "RESOLVED", "", "", ""),
    ]
    days = [datetime.date.fromisoformat(visit["visit_date"]) for visit in visits]
    registered = datetime.date.fromisoformat(person["registered_on"])
    assert days[1] - days[0] == SECOND - FIRST and registered - days[1] == TODAY - SECOND
    assert days[0] != FIRST
    everything = "".join(file.read(name).decode() for name in file.namelist())
    assert not [one for one in (FAMILY, GIVEN, HOSPITAL, "1969", FIRST.isoformat()) if one in everything]
