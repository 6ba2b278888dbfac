"""Lesions seen on imaging only can be answered together when nothing was imaged."""

from __future__ import annotations

import pytest
from django.urls import reverse

from tests.factories import LesionFactory, PatientFactory


@pytest.fixture
def shown(client_of, clinician, north):
    """``shown(*visibilities)``: the page of a new visit of a patient with these lesions."""

    def page(*visibilities: str) -> str:
        patient = PatientFactory(clinic=north)
        for visibility in visibilities:
            LesionFactory(patient=patient, visibility=visibility)
        return client_of(clinician).get(reverse("lesions:visit_new", args=[patient.public_id])).content.decode()

    return page


def test_one_button_answers_the_lesions_seen_on_imaging_only_and_no_other(shown):
    text = shown("IMAGING_ONLY", "VISIBLE_PALPABLE", "IMAGING_ONLY")
    assert "All 2 lesions seen on imaging only: not imaged" in text
    assert text.count(" data-imaging-only>") == 2


def test_without_such_a_lesion_there_is_no_button(shown):
    assert 'id="not-imaged"' not in shown("VISIBLE_PALPABLE", "")
