"""A frozen cohort gives the same bytes a year later, whatever was edited, withdrawn or upgraded in between."""

from __future__ import annotations

import datetime
import errno
import json

import pytest
from django.db import connection, models
from django.urls import reverse

from calcinosis_registry.codebook import items
from calcinosis_registry.codebook.items import Privacy, clinical
from calcinosis_registry.cohorts.columns import every
from calcinosis_registry.cohorts.freezing import freeze
from calcinosis_registry.cohorts.models import Freeze, FrozenPatient, FrozenTable
from calcinosis_registry.cohorts.pseudonyms import Cipher
from calcinosis_registry.cohorts.structure import levels
from calcinosis_registry.exports.services import ExportRefused
from patients.models import Visit
from tests.cohorts.register import patients
from tests.exports.made import export, files, table
from tests.factories import VisitFactory

pytestmark = pytest.mark.django_db


def content(made) -> dict[str, bytes]:
    inside = files(made)
    inside.pop("manifest.json")
    return inside


@pytest.fixture
def people(north):
    found = patients(north, 3, sex_at_birth="F")
    VisitFactory(patient=found[0], state="SIGNED", visit_date=datetime.date(2026, 1, 9), note="typed, “quoted”")
    return found


@pytest.fixture
def frozen(cohort, researcher, people):
    return freeze(cohort=cohort, label="first", by=researcher)


def test_the_same_bytes_come_out_after_edits_new_patients_and_an_upgrade(
    cohort, researcher, frozen, people, north, monkeypatch
):
    before = content(export(cohort, researcher, freeze=frozen, include_text=True))
    assert before["visits.csv"].count(b"\n") == 5
    now = content(export(cohort, researcher, include_text=True))
    assert before["visits.csv"] == now["visits.csv"] and before["codebook.csv"] == now["codebook.csv"]
    VisitFactory(patient=people[1], state="SIGNED")
    patients(north, 2)
    people[2].smoking = "CURRENT"
    people[2].save()
    field = Visit._meta.get_field("pain_nrs")
    monkeypatch.setattr(field, "verbose_name", "pain, renamed by an upgrade")
    monkeypatch.setattr("calcinosis_registry.cohorts.freezing.__version__", "99.0")
    cohort.definition = {"join": "all", "conditions": [{"item": "patient.status", "operator": "is", "value": "DEAD"}]}
    cohort.save()
    assert content(export(cohort, researcher, freeze=frozen, include_text=True)) == before
    assert b"renamed by an upgrade" not in before["codebook.csv"]


@pytest.fixture
def later_version():
    """Another item on the visit: its column in the database, its field on the model, its place in the codebook."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE patients_visit ADD COLUMN itch_nrs integer NULL")
    asked = models.PositiveSmallIntegerField("itch", null=True)
    field = clinical(asked, section="Visit", privacy=Privacy.CLINICAL, source="a later version")
    field.contribute_to_class(Visit, "itch_nrs")
    items._item_fields.cache_clear()
    yield
    Visit._meta.local_fields.remove(field)
    Visit._meta._expire_cache()
    del Visit.itch_nrs
    items._item_fields.cache_clear()


def test_the_same_bytes_come_out_of_a_version_whose_codebook_has_another_item(
    cohort, researcher, frozen, request, people
):
    before = {text: content(export(cohort, researcher, freeze=frozen, include_text=text)) for text in (False, True)}
    request.getfixturevalue("later_version")
    assert "itch_nrs" in [one.name for one in every(levels()["visit"])]
    for text, kept in before.items():
        after = content(export(cohort, researcher, freeze=frozen, include_text=text))
        assert after == kept and b"itch" not in after["codebook.csv"] + after["visits.csv"]


def test_a_withdrawal_takes_the_patient_out_and_the_manifest_says_so(cohort, researcher, frozen, people):
    before = table(export(cohort, researcher, freeze=frozen), "visits")
    people[0].research_consent = False
    people[0].save()
    made = export(cohort, researcher, freeze=frozen)
    gone = pseudonym(cohort, people[0])
    assert table(made, "visits") == [row for row in before if row["patient"] != gone]
    told = json.loads(files(made)["manifest.json"])["frozen"]
    assert told["label"] == "first" and told["patients_then"] == 3 and told["left_out_since"] == 1


def pseudonym(cohort, patient) -> str:
    from django.conf import settings

    return Cipher(settings.PSEUDONYM_KEY, cohort.project.public_id).patient(patient.public_id)


def test_the_anonymous_profile_comes_out_of_a_freeze_too(cohort, researcher, people, north):
    patients(north, 11, sex_at_birth="F")
    held = freeze(cohort=cohort, label="second", by=researcher)
    live = export(cohort, researcher, profile="anonymous")
    made = export(cohort, researcher, profile="anonymous", freeze=held)
    assert content(made)["visits.csv"] == content(live)["visits.csv"]


def test_cohort_page_freezes_and_lets_go(proven, cohort, researcher, people):
    browser = proven(researcher)
    path = cohort.get_absolute_url()
    page = browser.post(f"{path}freeze/", {"label": "paper 1"}, follow=True).content.decode()
    held = Freeze.objects.get()
    assert "Frozen as “paper 1”: 3 patients." in page and held.sha256[:16] in page
    assert (
        "has a freeze of that label"
        in browser.post(f"{path}freeze/", {"label": "paper 1"}, follow=True).content.decode()
    )
    assert "paper 1" in browser.get(f"/exports/of/{cohort.public_id}/").content.decode()
    browser.post(f"{path}freeze/", {"let_go": held.public_id})
    assert not FrozenTable.objects.exists() and not FrozenPatient.objects.exists()
    held.refresh_from_db()
    assert held.ended_at is not None
    with pytest.raises(ExportRefused, match="let go"):
        export(cohort, researcher, freeze=held)
    assert browser.post(f"{path}freeze/", {"let_go": "nothing"}).status_code == 404


def test_a_freeze_without_a_label_says_what_is_missing_and_keeps_nothing(client_of, cohort, researcher, people):
    address = reverse("cohorts:freeze", args=[cohort.public_id])
    page = client_of(researcher).post(address, {"label": "  "})
    assert page.status_code == 422 and not Freeze.objects.exists()
    assert "Give the frozen rows a label" in page.content.decode()


def test_a_refused_freeze_keeps_what_was_typed(client_of, cohort, researcher, people, frozen, monkeypatch):
    address = reverse("cohorts:freeze", args=[cohort.public_id])
    page = client_of(researcher).post(address, {"label": "first", "all_visits": "on"}).content.decode()
    assert 'value="first"' in page and 'name="all_visits" checked' in page and "has a freeze of that label" in page

    def full_disk(*_args, **_more):
        raise OSError(errno.ENOSPC, "no space left")

    monkeypatch.setattr("calcinosis_registry.cohorts.freezing.datasets.build", full_disk)
    page = client_of(researcher).post(address, {"label": "second"})
    assert page.status_code == 422 and "the disk may be full. Nothing was frozen." in page.content.decode()
    assert 'value="second"' in page.content.decode() and Freeze.objects.count() == 1
