"""The lines of a list of patients, written in Python: what is known, a dash for what is not, and nothing unescaped."""

from __future__ import annotations

import datetime
import re
from types import SimpleNamespace

import pytest
from django.utils import timezone

from calcinosis_registry.codebook.partial_dates import PartialDate
from patients.models import Patient, Status, Summary
from patients.views.table import patient_rows

pytestmark = pytest.mark.once
BAD = "\"><script>alert('1')</script>"


def line(*, name="", disease=None, several=False, clinic="NOR", summary=None, **values):
    patient = Patient(public_id="abc", registry_number="NOR-1", sex_at_birth="F", **values)
    patient.name, patient.disease = name, disease
    patient._state.fields_cache["clinic"] = SimpleNamespace(code=clinic)
    if summary is not None:
        patient._state.fields_cache["summary"] = Summary(**summary)
        patient.summary._state.fields_cache["patient"] = patient
    return patient_rows([patient], several_clinics=several)


def words(row):
    return [re.sub(r"<[^>]+>", "", cell) for cell in re.findall(r"<t[hd].*?</t[hd]>", row)]


@pytest.fixture(autouse=True)
def _no_database(monkeypatch):
    monkeypatch.setattr(Patient, "summary", property(lambda one: one._state.fields_cache["summary"]), raising=False)
    monkeypatch.setattr(Summary, "patient", property(lambda one: one._state.fields_cache["patient"]), raising=False)
    monkeypatch.setattr(Patient, "clinic", property(lambda one: one._state.fields_cache["clinic"]), raising=False)


def test_name_disease_and_clinic_are_escaped():
    row = line(name=BAD, disease=SimpleNamespace(short=BAD), several=True, clinic=BAD, summary={"active_lesions": 1})
    assert "<script" not in row and row.count("&lt;script&gt;") == 3


def test_what_is_known_of_a_patient_stands_in_its_column():
    today = timezone.localdate()
    row = line(
        name="Ames, Ida", disease=SimpleNamespace(short="lcSSc"), birth_date=PartialDate(today.year - 40, 1, 1),
        status=Status.ALIVE,
        summary={"active_lesions": 3, "ulcerated_lesions": 1, "visit_count": 2, "completeness": 80,
                 "last_visit_on": datetime.date(2026, 1, 2), "next_due_on": today},
    )  # fmt: skip
    assert words(row) == [
        "Ames, IdaNOR-1", "40", "Female", "lcSSc", "3", "ulcerated", "2026-01-02", f"{today} due", "80 %",
    ]  # fmt: skip
    assert '<span class="pill is-accent">due</span>' in row and 'data-status="ULCER"' in row


def test_nothing_known_is_a_dash_and_no_name_is_shown_where_none_may_be_seen():
    row = line(status=Status.DEAD, summary={})
    assert words(row) == ["NOR-1 Dead", "–", "Female", "–", "0", "–", "–", "–", "–"]
    assert '<a href="/patients/abc/"><span class="code">NOR-1</span></a>' in row


def test_infection_comes_before_ulceration():
    row = line(status=Status.ALIVE, summary={"infected_lesions": 1, "ulcerated_lesions": 1})
    assert '<span class="ulcer-word">infected</span>' in row
