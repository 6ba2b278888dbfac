"""A patient of decades: the page asks the database no more for sixty visits and two hundred lesions than for two."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from calcinosis_registry.accounts.models import User
from lesions.views.patient_page import KEPT
from tests.benchmarks.long_course import long_course
from tests.benchmarks.measure import least_seconds, told, yardstick

pytestmark = [pytest.mark.benchmark, pytest.mark.django_db]

# Made anew, in yardsticks; 2,400 cells of the matrix and 12,000 of them.
MOST_QUERIES = 8
LIMITS = {(60, 40): 120, (60, 200): 400}


def test_the_page_of_a_long_course_works_and_asks_as_often_as_that_of_a_short_one(
    client_of: Callable[..., Client], clinician: User, north: Any
) -> None:
    client, asked = client_of(clinician), {}
    for visits, lesions in ((2, 2), *LIMITS):
        patient = long_course(north, visits=visits, lesions=lesions)

        def get(url: str = patient.get_absolute_url(), least: int = lesions) -> None:
            KEPT.clear()
            assert client.get(url).content.count(b"data-lesion=") >= least

        get()
        with CaptureQueriesContext(connection) as queries:
            get()
        asked[visits, lesions] = len(queries)
        took = least_seconds(get)
        told(
            "patient page", visits=visits, lesions=lesions, queries=len(queries), ms=1000 * took,
            yardsticks=took / yardstick(), kilobytes=len(client.get(patient.get_absolute_url()).content) / 1000,
        )  # fmt: skip
        assert took / yardstick() <= LIMITS.get((visits, lesions), 60)
    assert set(asked.values()) == {MOST_QUERIES}, asked
