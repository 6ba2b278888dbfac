"""The blank form of a new lesion is drawn once a process; what is the patient's in it is the patient's of each page."""

from __future__ import annotations

import re

import pytest
from django.template.loader import render_to_string
from django.urls import reverse

from lesions.models import Lesion
from lesions.row_forms import ANTIBIOTICS, FEATURES
from lesions.views import blank_lesion as module
from lesions.views.blank_lesion import PREFIX, blank_lesion
from lesions.visit_entry import new_lesion
from patients.models import Visit
from tests.factories import LesionFactory, PatientFactory, TreatmentCourseFactory

pytestmark = pytest.mark.django_db
SIGNED = re.compile(r'version" value="[^"]+"')  # says when it was drawn


def with_choices(clinic, count):
    patient = PatientFactory(clinic=clinic)
    for number in range(count):
        LesionFactory(patient=patient, site_text=f"of {patient.registry_number} {number}")
        TreatmentCourseFactory(patient=patient, agent=sorted(ANTIBIOTICS)[number])
    return patient


def drawn_whole(patient):
    """The template as it is, of this patient."""
    new = new_lesion(Visit(patient=patient), PREFIX)
    return SIGNED.sub("", render_to_string("lesions/_new_lesion.html", {"new": new, "features": FEATURES}))


@pytest.mark.parametrize("first", [0, 2])
def test_it_is_what_the_template_would_say_whoever_was_there_first(north, south, first):
    module._same_for_everybody.cache_clear()
    patients = [with_choices(south, first), with_choices(north, 1), with_choices(south, 0), with_choices(north, 3)]
    for patient in patients:
        drawn = blank_lesion(Visit(patient=patient))
        assert SIGNED.sub("", drawn) == drawn_whole(patient)
        assert [f'value="{one.pk}"' in drawn for one in Lesion.objects.filter(patient=patient)] == [True] * (
            patient.lesion_set.count()
        )


def test_what_is_kept_holds_no_row_of_anybody(north, client_of, clinician):
    module._same_for_everybody.cache_clear()
    patient = with_choices(north, 2)
    page = client_of(clinician).get(reverse("lesions:visit_new", args=[patient.public_id])).content.decode()
    kept = "".join(module._same_for_everybody("en", "/"))
    assert module._same_for_everybody.cache_info().hits
    for one in (*patient.lesion_set.all(), *patient.treatmentcourse_set.all()):
        option = f'<option value="{one.pk}">{one}</option>'
        assert option in page and option not in kept
