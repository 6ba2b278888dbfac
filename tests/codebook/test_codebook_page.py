"""The codebook page and its downloads, over HTTP."""

from __future__ import annotations

import csv
import io
import json

import pytest

from calcinosis_registry.codebook.items import codebook_models, item_fields, item_key

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("role", ["clinician", "assistant", "monitor", "researcher", "admin"])
def test_every_role_reads_every_item_with_its_source(role, request, client_of):
    page = client_of(request.getfixturevalue(role)).get("/codebook/").content.decode()
    for model in codebook_models():
        for field in item_fields(model):
            assert item_key(field) in page
    assert "clinical-model 6.2" in page


def test_a_stranger_to_the_register_is_sent_to_sign_in(client):
    answer = client.get("/codebook/")
    assert answer.status_code == 302 and "sign-in" in answer["Location"]


def test_an_uncertain_item_is_marked_unverified(client_of, researcher):
    page = client_of(researcher).get("/codebook/").content.decode()
    row = page[page.index("phenotype.damage_index") - 400 : page.index("phenotype.damage_index")]
    assert "unverified" in row


def test_the_csv_says_codes_limits_and_conditions(client_of, researcher):
    answer = client_of(researcher).get("/codebook/codebook.csv")
    rows = {row["key"]: row for row in csv.DictReader(io.StringIO(answer.content.decode("utf-8")))}
    assert "F = Female" in rows["patient.sex_at_birth"]["codes"]
    assert rows["visit.pain_nrs"]["possible"] == "0 to 10"
    assert rows["patient.death_date"]["condition"] == "Status is Dead"
    assert rows["lesionobservation.length_mm"]["unit"] == "mm"
    assert rows["patient.birth_date"]["privacy"] == "identity"


def test_the_json_holds_the_same_items_as_the_csv(client_of, researcher):
    browser = client_of(researcher)
    items = json.loads(browser.get("/codebook/codebook.json").content)["items"]
    rows = list(csv.DictReader(io.StringIO(browser.get("/codebook/codebook.csv").content.decode("utf-8"))))
    assert [one["key"] for one in items] == [row["key"] for row in rows]
