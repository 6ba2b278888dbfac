"""The course over a stretch of time: by address, in place, held within what there is; wrong days are told."""

from __future__ import annotations

import datetime
import re
from decimal import Decimal

import pytest
from django.test import Client

from lesions.window import Asked, Window, asked
from patients.models import Patient
from tests.factories import LesionObservationFactory, PatientFactory, VisitFactory, known_lesions

TODAY = datetime.date(2026, 6, 30)
DAYS = [datetime.date(year, 3, 1) for year in range(2020, 2027)]


@pytest.fixture
def patient(north) -> Patient:
    patient = PatientFactory(clinic=north)
    known_lesions(patient, DAYS[0], [("HAND.D1.PULP", "R")], targets=1)
    lesion = patient.lesion_set.get()
    for number, day in enumerate(DAYS[1:]):
        visit = VisitFactory(patient=patient, visit_date=day, visit_type="FOLLOW_UP", pain_nrs=number)
        LesionObservationFactory(
            lesion=lesion, visit=visit, status_change="LARGER", length_mm=Decimal(10 + number), width_mm=Decimal(8),
            size_method="CALIPER", ulcerated="N",
        )  # fmt: skip
    return patient


@pytest.fixture
def clara(client_of, clinician) -> Client:
    return client_of(clinician)


def course(answer) -> str:
    html = answer.content.decode()
    return html[html.index('id="course"') :].split("</section>")[0]


def drawn_days(html: str) -> set[str]:
    """The days of the burden's points in the wide picture."""
    wide = html.split('class="course-narrow"')[0]
    return set(re.findall(r"<title>(\d{4}-\d{2}-\d{2}): Burden", wide))


def rows(html: str) -> list[str]:
    return re.findall(r'<tr><td class="nowrap"><a href="[^"]+">([\d-]+)</a>', html)


@pytest.mark.parametrize("where", ["", "course/"])
def test_a_stretch_shows_its_visits_in_picture_and_table(clara, patient, where) -> None:
    url = patient.get_absolute_url() + where
    shown = course(clara.get(url, {"from": "2022-01-01", "to": "2024-12-31"}))
    days = {"2022-03-01", "2023-03-01", "2024-03-01"}
    assert drawn_days(shown) == days and set(rows(shown)) == days
    assert 'value="2022-01-01"' in shown and "from=2019-01-01&amp;to=2021-12-31" in shown and "Later" in shown
    everything = course(clara.get(url))
    assert len(drawn_days(everything)) == 7 and "Earlier" not in everything


def test_the_page_that_is_kept_is_not_the_stretch_somebody_asked_for(clara, patient) -> None:
    url = patient.get_absolute_url()
    whole = course(clara.get(url))
    assert course(clara.get(url, {"span": "1y"})) != whole
    assert course(clara.get(url)) == whole


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"from": "yesterday"}, "is no date"),
        ({"to": "2024-02-30"}, "is no date"),
        ({"from": "2024-01-01", "to": "2023-01-01"}, "must be before"),
        ({"span": "<b>"}, "“&lt;b&gt;” is no stretch"),
        ({"from": "\x00"}, "is no date"),
    ],
)
def test_what_is_no_stretch_is_told_and_all_is_shown(clara, patient, query, said) -> None:
    shown = course(clara.get(patient.get_absolute_url(), query))
    assert said in shown and len(drawn_days(shown)) == 7


def test_a_stretch_beyond_what_there_is_shows_all_of_it(clara, patient) -> None:
    shown = course(clara.get(patient.get_absolute_url(), {"from": "1900-01-01", "to": "1901-01-01"}))
    assert len(drawn_days(shown)) == 7


def test_the_course_of_another_clinics_patient_is_not_found(client_of, clinician, south) -> None:
    theirs = PatientFactory(clinic=south)
    assert client_of(clinician).get(theirs.get_absolute_url() + "course/").status_code == 404


@pytest.mark.parametrize(
    ("query", "window"),
    [
        ({}, Asked()),
        ({"span": "all"}, Asked()),
        ({"span": "3y"}, Asked(Window(datetime.date(2023, 6, 30), TODAY, "3y"))),
        ({"from": "2025-01-01"}, Asked(Window(datetime.date(2025, 1, 1), TODAY))),
    ],
)
def test_what_an_address_asks_for(query, window) -> None:
    assert asked(query, TODAY) == window


def test_a_leap_day_has_a_day_years_before() -> None:
    assert asked({"span": "1y"}, datetime.date(2024, 2, 29)).window.first == datetime.date(2023, 2, 28)


def test_the_stretch_before_ends_where_this_one_begins() -> None:
    window = Window(datetime.date(2024, 1, 1), datetime.date(2024, 12, 31))
    assert window.shifted(later=False) == "from=2022-12-31&to=2023-12-31"
    assert window.shifted(later=True) == "from=2025-01-01&to=2026-01-01"
    assert Window(datetime.date.min, TODAY).shifted(later=False)  # no earlier day to name: it stays
