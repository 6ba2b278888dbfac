"""Before a file is made its page says how well people are hidden in it; and what it says when something is wrong."""

from __future__ import annotations

import errno
import re

import pytest
from django.db.models import QuerySet

from calcinosis_registry.cohorts.models import Cohort
from calcinosis_registry.exports.models import Export
from tests.cohorts.register import patients
from tests.exports.made import export, files

pytestmark = pytest.mark.django_db


@pytest.fixture
def address(cohort) -> str:
    return f"/exports/of/{cohort.public_id}/"


def test_the_page_tells_k_and_what_the_anonymous_profile_would_do(client_of, cohort, researcher, north, address):
    patients(north, 11, sex_at_birth="F")
    browser = client_of(researcher)
    page = browser.get(address).content.decode()
    assert "Of 11 patients, the smallest group alike is <strong>11 patients</strong>" in page
    assert "Would be given with ages to the year, clinics told apart" in page
    patients(north, 1, sex_at_birth="M")
    page = browser.get(address).content.decode()
    assert "Of 12 patients, the smallest group alike is <strong>1 patient</strong>" in page
    assert "Would be refused." in page and "sex at birth Male: 1" in page and not Export.objects.exists()


def test_a_large_cohort_is_looked_at_on_request_and_the_typing_stays(client_of, researcher, north, address, settings):
    settings.EXPORT_AT_ONCE = 1
    patients(north, 3)
    browser = client_of(researcher)
    assert "working out the smallest group takes a moment" in browser.get(address).content.decode()
    typed = {"action": "look", "format": "stata", "profile": "coded", "reason": "thesis, chapter 2", "all_visits": "on"}
    page = browser.post(address, typed).content.decode()
    assert "Of 3 patients" in page and 'value="thesis, chapter 2"' in page and "Not saved yet" not in page
    assert re.search(r'name="all_visits"[^>]* checked', page) and re.search(r'value="stata"[^>]* checked', page)
    assert not Export.objects.exists()


def test_a_cohort_of_nobody_and_of_one_say_so(client_of, cohort, researcher, north, address):
    browser = client_of(researcher)
    assert "Nobody is in this cohort" in browser.get(address).content.decode()
    made = export(cohort, researcher)
    assert made.patients == 0 and files(made)["patients.csv"].count(b"\n") == 1
    patients(north, 1)
    assert "smallest group alike is <strong>1 patient</strong>" in browser.get(address).content.decode()
    told = {"format": "csv", "profile": "anonymous", "reason": "to share"}
    page = browser.post(address, told)
    assert page.status_code == 422 and "fewer than 11 patients share" in page.content.decode()


def test_a_condition_on_a_removed_item_is_named_and_no_file_is_made(client_of, cohort, researcher, north, address):
    asked = {"join": "all", "conditions": [{"item": "visit.blood_type", "operator": "is", "value": "A"}]}
    QuerySet(Cohort).filter(pk=cohort.pk).update(definition=asked)
    browser = client_of(researcher)
    assert "visit.blood_type" in browser.get(address).content.decode()
    page = browser.post(address, {"format": "csv", "profile": "coded", "reason": "thesis"})
    assert page.status_code == 422 and "visit.blood_type" in page.content.decode() and not Export.objects.exists()


def test_a_full_disk_is_said_and_no_partial_file_stays(
    client_of, researcher, north, address, settings, monkeypatch
):  # fmt: skip
    patients(north, 1)

    def full_disk(*_args, **_more):
        raise OSError(errno.ENOSPC, "no space left")

    monkeypatch.setattr("calcinosis_registry.exports.package.checksum", full_disk)
    page = client_of(researcher).post(address, {"format": "csv", "profile": "coded", "reason": "thesis"})
    assert page.status_code == 422 and "The disk is full. Nothing was made." in page.content.decode()
    assert 'value="thesis"' in page.content.decode()
    assert list(settings.EXPORTS_DIR.iterdir()) == [] and not Export.objects.exists()
