"""The page for the record, the letter, the leaflet: who gets them, what they say, what the trail keeps."""

from __future__ import annotations

import datetime
import os
import re
from pathlib import Path

import pytest
from django.conf import settings
from django.utils import timezone

from calcinosis_registry.audit.models import Action, Event
from calcinosis_registry.letters.summary import sentences, summary_of
from calcinosis_registry.reports.files import pdf_possible
from lesions.patient_file import PatientFile
from tests.factories import DiagnosisFactory, IdentityFactory, PatientFactory, TreatmentCourseFactory, known_lesions

pytestmark = pytest.mark.django_db
needs_pango = pytest.mark.skipif(
    not pdf_possible() and not os.environ.get("REGISTRY_CI_STRICT"),
    reason="Pango is not installed (libpango-1.0-0 libpangoft2-1.0-0)",
)
LETTER = {"recipient": "Dr A. Muster\nMain Street 1", "greeting": "Dear colleague,", "closing": "With kind regards"}


@pytest.fixture
def patient(north):
    found = PatientFactory(clinic=north)
    DiagnosisFactory(patient=found)
    IdentityFactory(patient=found, given_name="Greta", family_name="Garb")
    known_lesions(found, datetime.date(2026, 3, 2), [("ELBOW", "R"), ("HAND.D1.PULP", "L")], targets=1)
    TreatmentCourseFactory(
        patient=found, agent="DILTIAZEM", intent="CALCINOSIS", start="2026-01", ongoing="Y", response="PARTIAL"
    )
    return found


def words_of(content: bytes) -> tuple[int, str]:
    """(pages, text) of a PDF."""
    import pypdfium2

    document = pypdfium2.PdfDocument(content)
    text = " ".join(page.get_textpage().get_text_range() for page in document)
    return len(document), " ".join(text.split())


def readings() -> int:
    return Event.objects.filter(action=Action.READ).count()


@needs_pango
def test_the_summary_is_one_page_with_lesions_treatment_and_the_name_read_once(client_of, clinician, patient):
    before = readings()
    answer = client_of(clinician).get(f"/patients/{patient.public_id}/summary.pdf")
    pages, text = words_of(answer.content)
    assert (pages, answer["Content-Type"]) == (1, "application/pdf")
    for told in (
        "Greta Garb",
        patient.registry_number,
        "Right elbow",
        "Diltiazem",
        "1 visit is not signed yet",
        "disease: ",
    ):
        assert told in text, told
    assert readings() == before + 1 and f"letter-{patient}" not in answer["Content-Disposition"]
    assert "Garb" not in answer["Content-Disposition"]


@needs_pango
def test_a_monitor_gets_the_summary_without_the_name_and_no_letter(client_of, monitor, patient):
    before, browser = readings(), client_of(monitor)
    _pages, text = words_of(browser.get(f"/patients/{patient.public_id}/summary.pdf").content)
    assert "Garb" not in text and patient.registry_number in text and readings() == before
    assert browser.get(f"/patients/{patient.public_id}/letter/").status_code == 403


@needs_pango
def test_a_letter_says_what_the_register_knows_and_what_the_doctor_adds(client_of, clinician, patient):
    browser, address = client_of(clinician), f"/patients/{patient.public_id}/letter/"
    page = browser.get(address).content.decode()
    assert "there were 2 lesions" in page and "the letter says so" in page
    before = readings()
    answer = browser.post(address, LETTER | {"remarks": "Hands <b>first</b>."})
    _pages, text = words_of(answer.content)
    for told in (
        "Dr A. Muster",
        "Greta Garb",
        "2 lesions",
        "Hands <b>first</b>.",
        "Clara Clinician",
        "response: partial",
    ):
        assert told in text, told
    assert readings() == before + 1
    wrong = browser.post(address, LETTER | {"recipient": "", "remarks": "Typed and kept."})
    assert wrong.status_code == 422 and "Typed and kept." in wrong.content.decode()


def test_a_patient_without_visits_is_told_in_words(north):
    bare = PatientFactory(clinic=north)
    told = summary_of(bare, PatientFile(bare, reader=None), timezone.localdate())
    assert sentences(bare, told) == ["The patient is in our care for calcinosis cutis.", "No visit is recorded yet."]


def test_without_pango_the_page_says_so(client_of, clinician, patient, monkeypatch):
    monkeypatch.setattr("calcinosis_registry.reports.files.pdf_possible", lambda: False)
    answer = client_of(clinician).get(f"/patients/{patient.public_id}/summary.pdf")
    assert answer.status_code == 503 and "Pango is missing" in answer.content.decode()


# ---- the leaflet

LEAFLET = Path(settings.BASE_DIR) / "templates" / "letters" / "_leaflet.html"


def leaflet_sentences() -> list[str]:
    """The sentences of the leaflet; an entry of a list is one."""
    text = re.sub(r"</?(p|li|h2|ul|section)[^>]*>", "\n", LEAFLET.read_text())
    text = re.sub(r'\{% translate "([^"]*)" %\}', r"\1", re.sub(r"\{% load [^%]*%\}", "", text))
    return [one for line in text.splitlines() for one in re.split(r"(?<=[.:?])\s+", line.strip()) if one]


def syllables(word: str) -> int:
    """Groups of vowels, a silent e at the end left out: the usual rule of thumb."""
    found = len(re.findall(r"[aeiouy]+", word.lower()))
    silent = re.search(r"[^aeiouyl]e$", word.lower()) or re.search(r"[^aeiouydt]ed$", word.lower())
    return max(found - bool(silent), 1)


def test_the_leaflet_reads_at_twelve():
    """Flesch–Kincaid grade (1975): 0.39 words/sentence + 11.8 syllables/word − 15.59; twelve years are grade 6 to 7."""
    sentences_ = leaflet_sentences()
    words = [word for one in sentences_ for word in re.findall(r"[A-Za-z']+", one)]
    grade = 0.39 * len(words) / len(sentences_) + 11.8 * sum(map(syllables, words)) / len(words) - 15.59
    assert len(words) > 300 and grade < 6.5, grade
    assert max(len(one.split()) for one in sentences_) <= 25


def test_the_leaflet_is_right_about_what_lay_pages_get_wrong():
    """clinical-model 11, claim by claim."""
    text = " ".join(leaflet_sentences())
    assert "It is not the same as scleroderma" in text
    assert "one in four to four in ten people with systemic scleroderma" in text
    assert "Most lumps stay as they are or grow slowly" in text and "about four in ten had more" in text
    assert "You will rarely need a skin sample" in text and "Blood tests are often normal" in text
    assert "not eczema and not psoriasis" in text and "Flat white patches are something else" in text
    for wrong in ("also known as scleroderma", "go away on its own", "white patches are"):
        assert wrong not in text.replace("Flat white patches are", "")


@needs_pango
def test_the_leaflet_prints_on_one_sheet(client_of, monitor):
    pages, text = words_of(client_of(monitor).get("/leaflet.pdf").content)
    assert pages == 1 and "Living with calcinosis" in text and "Get help the same day" in text
