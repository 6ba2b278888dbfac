"""A field written in Python: what a template would have said, and nothing unescaped."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from django import forms
from django.template import Context, Template
from django.urls import reverse

from calcinosis_registry.records.drawing import drawn
from calcinosis_registry.records.widgets import ChipsRadio
from tests.factories import LesionFactory, LesionObservationFactory, PatientFactory

pytestmark = pytest.mark.once
BAD = "\"><script>alert('1')</script>"


class Asked(forms.Form):
    name = forms.CharField(label=BAD, help_text="As in the <b>passport</b>.")
    agreed = forms.BooleanField(label="Agreed")
    seen = forms.ChoiceField(choices=[("Y", BAD)], widget=ChipsRadio, required=False, help_text="Last week.")
    slip = forms.CharField(widget=forms.HiddenInput, required=False)


def test_label_control_error_and_help_stand_in_their_order_and_are_tied_by_their_ids():
    text = drawn(Asked({"name": ""})["name"])
    assert 'class="field has-error" id="div_id_name"' in text
    assert 'aria-describedby="id_name_helptext id_name_error"' in text
    places = ['<label class="field-label" for="id_name">', "<input", 'id="id_name_error"', 'id="id_name_helptext"']
    assert [text.index(one) for one in places] == sorted(text.index(one) for one in places)
    assert "As in the <b>passport</b>." in text and "required</span>" in text


@pytest.mark.parametrize("name", ["name", "seen"])
def test_what_is_no_markup_of_ours_is_escaped(name):
    form = Asked({"name": BAD, "seen": BAD})
    form.add_error(name, BAD)
    text = drawn(form[name], BAD)
    assert "<script" not in text and text.count("&lt;script&gt;") >= 3


def test_a_box_has_its_label_behind_it_and_chips_stand_in_a_fieldset():
    form = Asked()
    assert '<div class="field-check"><input' in drawn(form["agreed"])
    assert '<label for="id_agreed">Agreed</label></div>' in drawn(form["agreed"])
    assert drawn(form["seen"]).startswith(
        '<fieldset class="field" id="div_id_seen" aria-describedby="id_seen_helptext">'
    )


def test_a_hidden_field_is_its_control_alone():
    assert drawn(Asked()["slip"]) == '<input type="hidden" name="slip" id="id_slip">'


def test_the_template_says_the_same_as_the_tag():
    context = Context({"field": Asked()["name"], "wrapper_class": "has-notes", "form_show_labels": False})
    by_include = Template('{% include "components/field.html" %}').render(context)
    assert by_include.strip() == drawn(Asked()["name"], "has-notes", False)
    assert 'class="field has-notes"' in by_include and "visually-hidden" in by_include


@pytest.mark.django_db
def test_what_a_page_calls_previous_is_not_said_beside_its_fields(client_of, clinician, north):
    """A row of the visit page knows the observation before as ``previous``: its name is no earlier answer."""
    patient = PatientFactory(clinic=north)
    lesion = LesionFactory(patient=patient, lesion_kind="CLUSTER")
    LesionObservationFactory(lesion=lesion)
    page = client_of(clinician).get(reverse("lesions:visit_new", args=[patient.public_id])).content.decode()
    label = page[page.index('-count_estimate">') :].split("</label>")[0]
    assert "Number of deposits" in page and "(" not in label


def test_questions_about_a_field_stand_below_it():
    field = Asked()["name"]
    field.questions = [SimpleNamespace(public_id="a" * 16, message=BAD, status="OPEN", opened_at=None)]  # type: ignore[attr-defined]
    assert '<span class="field-question">' in drawn(field) and "<script" not in drawn(field)
