"""Signing and editing one visit at the same moment: one of the two happens, and every signature fits its content."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from django.core.cache import cache
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.urls import reverse

from lesions.models import LesionObservation, TreatmentCourse
from patients.models import Visit, VisitState
from tests.factories import TreatmentCourseFactory
from tests.lesions.signed_visits import complete_visit, sign_page
from tests.sent_forms import sent_by

ROUNDS = 6


def at_once(*works: Callable[[], object]) -> None:
    start, failed = threading.Barrier(len(works)), []

    def run(work: Callable[[], object]) -> None:
        try:
            start.wait(20)
            work()
        except BaseException as error:
            failed.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=[one]) for one in works]
    for one in threads:
        one.start()
    for one in threads:
        one.join(60)
    assert not failed, failed


def visit_page(client: Client, visit: Visit) -> tuple[str, dict, Callable[[], bool]]:
    address = visit.get_absolute_url()
    form = sent_by(client.get(address)) | {"pain_nrs": "9"}
    return address, form, lambda: Visit.objects.get(pk=visit.pk).pain_nrs == 9


def a_lesion_of_it(client: Client, visit: Visit) -> tuple[str, dict, Callable[[], bool]]:
    address = visit.get_absolute_url()
    form = sent_by(client.get(address)) | {"l1-length_mm": "33"}
    rows = LesionObservation.objects.filter(visit=visit, length_mm=33)
    return address, form, rows.exists


def a_record_told_at_it(client: Client, visit: Visit) -> tuple[str, dict, Callable[[], bool]]:
    course = TreatmentCourseFactory(patient=visit.patient, visit=visit)
    address = reverse("patients:record", args=["treatmentcourse", course.public_id])
    form = sent_by(client.get(address)) | {"agent": "COLCHICINE"}
    return address, form, TreatmentCourse.objects.filter(pk=course.pk, agent="COLCHICINE").exists


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("edit", [visit_page, a_lesion_of_it, a_record_told_at_it])
def test_a_visit_is_signed_or_edited_and_never_signed_over_other_content(proven, clinician, assistant, north, edit):
    """SQLite has one writer at a time by itself; here the row of the visit is the queue."""
    clara, anna = proven(clinician), proven(assistant)
    met = {"signed": 0, "edited": 0}
    for _round in range(ROUNDS):
        cache.clear()
        visit = complete_visit(north)
        address, form, edited = edit(anna, visit)
        ready = clara.get(sign_page(visit)).context["ready"]
        to_sign = {f"shown-{one.visit.public_id}": one.shown for one, _lines in ready} | {"meaning": "REVIEWED"}
        at_once(lambda: clara.post(sign_page(visit), to_sign), lambda: anna.post(address, form))  # noqa: B023
        signed = Visit.objects.get(pk=visit.pk).state == VisitState.SIGNED
        assert signed != edited(), "one of the two, and one of them"
        met["signed" if signed else "edited"] += 1
    call_command("verify_signatures")
    print(met)
