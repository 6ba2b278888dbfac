"""One event per changed row, in the transaction of the change."""

from __future__ import annotations

import pytest
from django.db import DatabaseError, IntegrityError, transaction

from calcinosis_registry.audit import trail
from calcinosis_registry.audit.models import Action, Event
from calcinosis_registry.clinics.models import Clinic
from lesions.models import HandScore, HandScoreSite, Lesion, TreatmentLesion
from patients.models import Patient
from tests.factories import ImagingStudyFactory, LesionFactory, PatientFactory, TreatmentCourseFactory, UserFactory

pytestmark = pytest.mark.django_db


def since(before: int) -> list[tuple[str, str, int | None, dict]]:
    found = Event.objects.filter(pk__gt=before).order_by("pk")
    return [(one.action, one.model, one.object_id, one.changes) for one in found]


def now() -> int:
    return Event.objects.order_by("-pk").values_list("pk", flat=True).first() or 0


@pytest.fixture
def patient(north: Clinic) -> Patient:
    return PatientFactory(clinic=north)


@pytest.fixture
def lesions(patient: Patient) -> list[Lesion]:
    return [LesionFactory(patient=patient) for _ in range(3)]


def test_a_new_row_is_one_event_with_what_was_filled(patient):
    before = now()
    lesion = LesionFactory(patient=patient)
    ((action, model, pk, changes),) = since(before)
    assert (action, model, pk) == (Action.CREATE, "lesions.lesion", lesion.pk)
    assert changes["site"] == [None, "HAND.D1.PULP"]
    assert changes["patient"] == [None, patient.pk]
    assert "public_id" not in changes and "version" not in changes and "site_text" not in changes


def test_a_save_is_one_event_with_old_and_new(lesions):
    lesion, before = lesions[0], now()
    lesion.site, lesion.diagnostic_basis = "HAND.D2.PULP", ("XRAY", "EXAM")
    lesion.save()
    assert since(before) == [
        (Action.CHANGE, "lesions.lesion", lesion.pk, {
            "site": ["HAND.D1.PULP", "HAND.D2.PULP"], "diagnostic_basis": ["|EXAM|", "|XRAY|EXAM|"],
        })
    ]  # fmt: skip


def test_the_event_says_who_why_and_about_whom(lesions):
    lesion = lesions[0]
    with (
        trail.acting(trail.Actor(id=7, name="Clara", role="clinician NOR", source="web 10.0.0.1")),
        trail.because("typo"),
    ):
        lesion.aspect = "VOLAR"
        lesion.save()
    event = Event.objects.first()
    assert (event.actor_id, event.actor_name, event.actor_role, event.source) == (
        7,
        "Clara",
        "clinician NOR",
        "web 10.0.0.1",
    )
    assert (event.reason, event.patient) == ("typo", lesion.patient.registry_number)


def test_a_save_that_changes_nothing_is_no_event(lesions):
    before = now()
    lesions[0].save()
    assert since(before) == []


def test_a_row_read_again_knows_its_old_values(lesions):
    again = Lesion.objects.get(pk=lesions[0].pk)
    again.site = "HAND.D3.PULP"
    before = now()
    again.save()
    assert since(before)[0][3]["site"] == ["HAND.D1.PULP", "HAND.D3.PULP"]


def test_bulk_create_is_one_event_for_each_row(patient):
    course, found = TreatmentCourseFactory(patient=patient), [LesionFactory(patient=patient) for _ in range(3)]
    before = now()
    links = TreatmentLesion.objects.bulk_create([TreatmentLesion(course=course, lesion=one) for one in found])
    assert [(action, pk) for action, _model, pk, _changes in since(before)] == [
        (Action.CREATE, one.pk) for one in links
    ]


def test_bulk_update_is_one_event_for_each_changed_row(lesions):
    lesions[0].site, lesions[2].site = "HAND.D4.PULP", "HAND.D5.PULP"
    before = now()
    Lesion.objects.bulk_update(lesions, ["site"])
    assert since(before) == [
        (Action.CHANGE, "lesions.lesion", lesions[0].pk, {"site": ["HAND.D1.PULP", "HAND.D4.PULP"]}),
        (Action.CHANGE, "lesions.lesion", lesions[2].pk, {"site": ["HAND.D1.PULP", "HAND.D5.PULP"]}),
    ]


def test_a_column_worked_out_from_others_is_no_event(lesions):
    lesions[0].current_status = "STABLE"
    before = now()
    Lesion.objects.bulk_update(lesions, Lesion.MAINTAINED)
    assert since(before) == []
    assert Lesion.objects.get(pk=lesions[0].pk).current_status == "STABLE"


@pytest.mark.parametrize("by", ("row", "queryset"))
def test_a_deleted_row_keeps_its_values_in_the_trail(lesions, by):
    lesion, pk, before = lesions[0], lesions[0].pk, now()
    lesion.delete() if by == "row" else Lesion.objects.filter(pk=pk).delete()
    ((action, model, object_id, changes),) = since(before)
    assert (action, model, object_id) == (Action.DELETE, "lesions.lesion", pk)
    assert changes["site"] == ["HAND.D1.PULP", None]


def test_setting_the_lesions_of_a_course_is_one_event_for_each_link(patient, lesions):
    course = TreatmentCourseFactory(patient=patient)
    course.lesions.set(lesions[:2])
    before = now()
    course.lesions.set(lesions[1:])
    assert sorted((action, model, changes["lesion"]) for action, model, _pk, changes in since(before)) == [
        (Action.CREATE, "lesions.treatmentlesion", [None, lesions[2].pk]),
        (Action.DELETE, "lesions.treatmentlesion", [lesions[0].pk, None]),
    ]


def test_a_deleted_course_takes_its_links_with_their_events(patient, lesions):
    course = TreatmentCourseFactory(patient=patient)
    course.lesions.set(lesions)
    before = now()
    course.delete()
    assert [model for _action, model, _pk, _changes in since(before)].count("lesions.treatmentlesion") == 3
    assert len(since(before)) == 4


def test_a_deleted_reading_takes_its_ratings_with_their_events(patient):
    study = ImagingStudyFactory(patient=patient)
    reading = HandScore(patient=patient, study=study, rater=UserFactory())
    reading.save()
    HandScoreSite.objects.bulk_create(
        [HandScoreSite(score=reading, laterality="R", site=site, coverage_pct=0, density=0) for site in ("1", "2")]
    )
    before = now()
    reading.delete()
    assert [model for _action, model, _pk, _changes in since(before)].count("lesions.handscoresite") == 2


def test_a_rolled_back_change_leaves_no_event(lesions):
    before = now()
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        lesions[0].site = "HAND.D2.PULP"
        lesions[0].save()
        raise ZeroDivisionError
    assert since(before) == []


def test_a_refused_row_leaves_no_event(lesions):
    before = now()
    with pytest.raises(IntegrityError), transaction.atomic():
        Lesion.objects.bulk_create(
            [Lesion(patient=lesions[0].patient, number=1, site="ABDOMEN", first_recorded="2026-01-01")]
        )
    assert since(before) == []


@pytest.mark.parametrize("how", ("save", "bulk_update", "delete", "together"))
def test_when_the_event_cannot_be_written_the_change_is_not_made(lesions, monkeypatch, how):
    def full(*_args, **_kwargs):
        raise DatabaseError("disk full")

    lesion = lesions[0]
    monkeypatch.setattr("calcinosis_registry.audit.models.EventQuerySet.bulk_create", full)
    lesion.site = "HAND.D2.PULP"
    with pytest.raises(DatabaseError), transaction.atomic():
        if how == "save":
            lesion.save()
        elif how == "bulk_update":
            Lesion.objects.bulk_update([lesion], ["site"])
        elif how == "delete":
            lesion.delete()
        else:
            with trail.together():
                lesion.save()
    assert Lesion.objects.get(number=1).site == "HAND.D1.PULP"


def test_events_written_together_come_with_the_outermost(lesions):
    before = now()
    with trail.together():
        with trail.together():
            lesions[0].site = "HAND.D2.PULP"
            lesions[0].save()
        assert since(before) == []
    assert len(since(before)) == 1


def test_an_event_is_never_changed_or_removed(lesions):
    event = Event.objects.first()
    for attempt in (
        lambda: Event.objects.all().delete(),
        lambda: Event.objects.filter(pk=event.pk).update(reason="other"),
        lambda: Event.objects.bulk_update([event], ["reason"]),
        event.delete,
        lambda: Event.objects.bulk_create(
            [event], update_conflicts=True, unique_fields=["id"], update_fields=["reason"]
        ),
        event.save,
    ):
        event.reason = "other"
        with pytest.raises(TypeError, match="append-only"), transaction.atomic():
            attempt()
    assert Event.objects.get(pk=event.pk).reason == ""
