"""No name and no hospital number in an address, a log line or what a browser keeps."""

from __future__ import annotations

import logging
import re
from pathlib import Path

import pytest
from django.conf import settings

from tests.factories import IdentityFactory, PatientFactory
from tests.house_rules.source import ROOT

NAME, NUMBER = "Qzxfamily", "QZX4711"


@pytest.fixture
def patient(north):
    patient = PatientFactory(clinic=north)
    IdentityFactory(patient=patient, family_name=NAME, given_name="Qzxgiven", hospital_number=NUMBER)
    return patient


def test_no_address_on_a_page_holds_a_name_or_a_number(client_of, clinician, patient):
    client = client_of(clinician)
    found = client.post("/patients/search/", {"q": NAME})
    assert NAME.lower() not in found.get("Location", "").lower()
    for address in ("/", "/patients/", f"/patients/{patient.public_id}/", f"/patients/{patient.public_id}/visits/new/"):
        page = client.get(address).content.decode()
        links = " ".join(re.findall(r'(?:href|src|action)="([^"]*)"', page)).lower()
        for word in (NAME, "qzxgiven", NUMBER, patient.registry_number):
            assert word.lower() not in links, f"{address} links to {word}"


def test_no_log_line_of_a_failed_request_holds_what_was_typed(client_of, clinician, patient, caplog, monkeypatch):
    caplog.set_level(logging.DEBUG, logger="django.request")
    client = client_of(clinician)
    client.raise_request_exception = False
    typed = {"q": NAME, "family_name": NAME, "hospital_number": NUMBER}
    client.post("/patients/nothing-here/", typed)
    client.post("/accounts/invite/", typed)
    monkeypatch.setattr("patients.views.patients.render", lambda *a, **k: 1 / 0)
    assert client.post("/patients/search/", typed).status_code == 500
    assert "ZeroDivisionError" in caplog.text
    assert NAME not in caplog.text and NUMBER not in caplog.text
    assert not settings.ADMINS and not settings.MANAGERS  # no page of an error is mailed to anybody


def test_no_script_of_ours_keeps_anything_but_the_theme_in_the_browser():
    keeping = re.compile(r"(localStorage|sessionStorage)\.setItem\(([^,]+),|indexedDB|document\.cookie\s*=")
    kept = [
        (path.name, found[0])
        for path in sorted(Path(ROOT, "calcinosis_registry/static/registry").glob("*.js"))
        for found in keeping.finditer(path.read_text(encoding="utf-8"))
    ]
    assert {name for name, _what in kept} <= {"theme.js"}, kept
