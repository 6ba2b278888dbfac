"""Clinical-model 12.3: the rows of the visit form that are more than a field."""

from __future__ import annotations

import datetime

import pytest
from django.urls import reverse
from django.utils import timezone

from calcinosis_registry.quality.models import DataQuery
from lesions.models import LesionObservation
from lesions.views.visit_context import months_later
from patients.models import Visit
from patients.services import after_save
from tests.clinical_rules.posting import Table, VisitPage
from tests.factories import IdentityFactory, TreatmentCourseFactory


def named_in_note() -> int:
    return DataQuery.objects.open().filter(rule="name_in_note").count()


# --- 5. An infection asks for fever and antibiotic --------------------------------------------------------------------


def test_5_the_antibiotic_of_an_infection_is_linked_on_the_visit_page(clara, visit, lesions):
    cure = TreatmentCourseFactory(patient=visit.patient, agent="FLUCLOXACILLIN", intent="INFECTION")
    other = TreatmentCourseFactory(patient=visit.patient, agent="DILTIAZEM")
    form = clara.get(reverse("lesions:visit_part", args=[visit.patient.public_id, "l1"])).context["form"]
    assert list(form.fields["antibiotic"].queryset) == [cure]
    sent = {"l1__status_change": "STABLE", "l1__infection": "SUSPECTED", "l1__fever": "Y", "l1-more": "1"}
    assert (
        "antibiotic"
        in VisitPage(clara, visit).post(**sent, l1__antibiotic=other.pk).context["page"].rows[0].form.errors
    )
    assert VisitPage(clara, visit).post(**sent, l1__antibiotic=cure.pk).status_code == 302
    seen = LesionObservation.objects.get(visit=visit)
    assert (seen.antibiotic, seen.fever) == (cure, "Y")


# --- 7. Sizes ---------------------------------------------------------------------------------------------------------


def test_7_more_than_twice_the_size_is_asked_about(clara, visit, lesions):
    sent = {"l1__status_change": "LARGER", "l1__size_method": "CALIPER", "l1__width_mm": "7"}
    VisitPage(clara, visit).post(**sent, l1__length_mm="19")
    assert DataQuery.objects.open().filter(rule="size_doubled").exists()
    VisitPage(clara, visit).post(l1__length_mm="17,5")
    assert not DataQuery.objects.open().filter(rule="size_doubled").exists()


@pytest.mark.parametrize(("length", "width"), [("0.4", "0.4"), ("401", "7"), ("9", "9.5"), ("9.55", "7")])
def test_7_sizes_are_millimetres_with_one_decimal(clara, visit, length, width):
    page = VisitPage(clara, visit).post(
        l1__status_change="STABLE", l1__size_method="CALIPER", l1__length_mm=length, l1__width_mm=width
    )
    assert page.status_code == 200
    assert not LesionObservation.objects.filter(visit=visit).exists()


# --- 19. The note -----------------------------------------------------------------------------------------------------


@pytest.fixture
def named(visit) -> Visit:
    IdentityFactory(patient=visit.patient, given_name="Zoë Anna", family_name="Müller-Özdemir")
    return visit


@pytest.mark.parametrize("where", [VisitPage, Table], ids=["page", "admin"])
@pytest.mark.parametrize(
    ("note", "asked"),
    [
        ("Mrs MULLER feels better.", 1),
        ("Özdemir, Z.", 1),
        ("zoe says the hand is stiff", 1),
        ("The miller's hand is stiff", 0),
        ("Hannah came along", 0),
    ],
)
def test_19_a_note_with_the_patients_name_is_asked_about(clara, named, where, note, asked):
    assert where(clara, named).post(note=note).status_code == 302
    assert named_in_note() == asked
    where(clara, Visit.objects.get(pk=named.pk)).post(note="Better.")
    assert named_in_note() == 0


def test_19_the_question_does_not_repeat_the_name(named):
    named.note = "Mrs Müller feels better."
    named.save()
    after_save(patient=named.patient, records=[named], now=timezone.now())
    (query,) = DataQuery.objects.filter(rule="name_in_note")
    assert "ller" not in query.message
    assert (query.field, query.object_id) == ("note", named.pk)


@pytest.mark.parametrize("where", [VisitPage, Table], ids=["page", "admin"])
def test_19_a_note_has_a_thousand_signs(clara, visit, where):
    assert where(clara, visit).post(note="x" * 1001).status_code == 200
    assert where(clara, visit).post(note="x" * 1000).status_code == 302


# --- 20. The next visit -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("day", "months", "later"),
    [
        ((2026, 5, 12), 6, (2026, 11, 12)),
        ((2026, 8, 31), 6, (2027, 2, 28)),
        ((2023, 8, 30), 6, (2024, 2, 29)),
        ((2024, 2, 29), 12, (2025, 2, 28)),
        ((2026, 12, 1), 12, (2027, 12, 1)),
    ],
)
def test_20_half_a_year_and_a_year_later(day, months, later):
    assert months_later(datetime.date(*day), months) == datetime.date(*later)


def test_20_the_next_visit_is_proposed_and_never_filled_in(clara, visit):
    page = clara.get(visit.get_absolute_url())
    told = page.content.decode()
    assert 'data-months="6" data-day="2026-11-12"' in told and 'data-months="12" data-day="2027-05-12"' in told
    assert page.context["form"]["next_visit_due"].value() is None
    VisitPage(clara, visit).post(pain_nrs="3")
    assert Visit.objects.get(pk=visit.pk).next_visit_due is None


@pytest.mark.parametrize("where", [VisitPage, Table], ids=["page", "admin"])
def test_20_the_next_visit_is_after_this_one(clara, visit, where):
    assert where(clara, visit).post(next_visit_due="2026-05-12").status_code == 200
    assert where(clara, visit).post(next_visit_due="2026-05-13").status_code == 302


# --- The work list, the admin -----------------------------------------------------------------------------------------


def test_an_overdue_visit_leads_to_the_missed_visit_with_its_planned_day(clara, visit):
    visit.next_visit_due = datetime.date(2026, 6, 1)
    visit.save()
    after_save(patient=visit.patient, records=[visit], now=timezone.now())
    url = reverse("patients:visit_missed", args=[visit.patient.public_id])
    assert url in clara.get("/").content.decode()
    assert str(clara.get(url).context["form"]["visit_date"].value()) == "2026-06-01"


@pytest.mark.parametrize("demo", [True, False])
def test_the_admin_says_that_a_demo_is_one(clara, settings, visit, demo):
    settings.DEMO = demo
    page = clara.get(reverse("admin:patients_visit_change", args=[visit.pk])).content.decode()
    assert ("demo-banner" in page) is demo
