"""Before a file is made its page says how well people are hidden in it; and what it says when something is wrong."""

from __future__ import annotations

import errno
import re

import duckdb
import pytest
from django.core.exceptions import ValidationError
from django.db.models import QuerySet

from calcinosis_registry.accounts.models import User
from calcinosis_registry.cohorts.asking import RATES
from calcinosis_registry.cohorts.freezing import freeze
from calcinosis_registry.cohorts.models import Cohort
from calcinosis_registry.exports.foresight import foresee
from calcinosis_registry.exports.models import Export
from calcinosis_registry.exports.services import ExportRefused
from patients.models import Patient
from tests.cohorts.register import patients
from tests.exports.made import export, files
from tests.factories import ClinicFactory, ImagingStudyFactory, a_second_reading

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


def test_an_engine_without_room_is_said_on_the_page_and_the_typing_stays(
    client_of, cohort, researcher, north, address, settings, monkeypatch
):  # fmt: skip
    patients(north, 1)

    def full_disk(*_args, **_more):
        raise duckdb.IOException("could not write to the temporary file: no space left on device")

    monkeypatch.setattr("calcinosis_registry.cohorts.engine.connect", full_disk)
    browser, said = client_of(researcher), "The disk or the memory is full. Nothing was made."
    assert said in browser.get(address).content.decode()
    page = browser.post(address, {"format": "csv", "profile": "coded", "reason": "thesis"})
    content = page.content.decode()
    assert page.status_code == 422 and content.count(said) == 1 and 'value="thesis"' in content
    page = browser.post(f"{cohort.get_absolute_url()}freeze/", {"label": "for the paper"})
    content = page.content.decode()
    assert page.status_code == 422 and "Nothing was frozen" in content and 'value="for the paper"' in content
    assert not Export.objects.exists() and not cohort.freezes.exists()


def read_blind(reader: User, patient: Patient) -> None:
    asked = a_second_reading(ImagingStudyFactory(patient=patient))
    asked.reader = reader
    asked.save()


def test_who_has_a_radiograph_to_read_blind_gets_no_exact_figure(client_of, cohort, researcher, north, address):
    (patient,) = patients(north, 1)
    patients(north, 11)
    read_blind(researcher, patient)
    browser = client_of(researcher)
    for page in (browser.get(address), browser.post(address, {"action": "look", "format": "csv"})):
        content = page.content.decode()
        assert "You have a second reading to finish" in content and "smallest group" not in content
    with pytest.raises(ExportRefused, match="second reading"):
        foresee(cohort=cohort, by=researcher)
    with pytest.raises(ValidationError, match="second reading"):
        freeze(cohort=cohort, label="first", by=researcher)
    assert not cohort.freezes.exists()


def test_looking_ahead_is_limited_as_counting_is(client_of, cohort, researcher, north, address, monkeypatch):
    """Somebody whose figures are protected for a reading elsewhere may take this file, not ask without an end."""
    patients(north, 3)
    read_blind(researcher, *patients(ClinicFactory(), 1))
    monkeypatch.setitem(RATES, "protected_count", "2/m/user")
    browser = client_of(researcher)
    pages = [browser.get(address).content.decode() for _time in range(3)]
    assert ["Of 3 patients" in page for page in pages] == [True, True, False]
    assert "many counts in a short time" in pages[2]
