"""The codebook page and its downloads, over HTTP."""

from __future__ import annotations

import csv
import io
import json

import pypdfium2
import pytest

from calcinosis_registry.codebook.catalogue import by_record
from calcinosis_registry.codebook.items import codebook_models, item_fields, item_key
from calcinosis_registry.reports import files

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


def words_of(answer) -> str:
    """The text of a PDF, read by PDFium, without line breaks."""
    document = pypdfium2.PdfDocument(answer.content)
    found = " ".join(page.get_textpage().get_text_range() for page in document)
    document.close()
    return "".join(found.split())


@pytest.mark.skipif(not files.pdf_possible(), reason="Pango is not installed")
@pytest.mark.parametrize("role", ["clinician", "researcher"])
def test_the_pdf_says_what_the_page_says(role, request, client_of, monkeypatch):
    few = dict(list(by_record().items())[:2])  # the whole takes seconds: the long test below
    monkeypatch.setattr("calcinosis_registry.reports.views.codebook.by_record", lambda: few)
    answer = client_of(request.getfixturevalue(role)).get("/reports/codebook.pdf")
    assert answer["Content-Type"] == "application/pdf" and "codebook.pdf" in answer["Content-Disposition"]
    told = words_of(answer)
    for one in (one for items in few.values() for one in items):
        for words in (one.label, one.key, one.source, *(f"{code} = {label}" for code, label in one.codes)):
            assert "".join(words.split()) in told


@pytest.mark.long
@pytest.mark.skipif(not files.pdf_possible(), reason="Pango is not installed")
def test_the_whole_codebook_is_in_the_pdf(client_of, researcher):
    told = words_of(client_of(researcher).get("/reports/codebook.pdf"))
    assert all(one.key in told for items in by_record().values() for one in items)


def test_without_pango_there_is_no_pdf_and_no_error(client_of, researcher, monkeypatch):
    monkeypatch.setattr(files, "pdf_possible", lambda: False)
    assert client_of(researcher).get("/reports/codebook.pdf").status_code == 404
